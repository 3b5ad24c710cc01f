//! The coupled equations of J₀ and H₀ at all energies and species: what preconditions the inelastic
//! coupling.
//!
//! f is taken linear in μ, f = J + 3μH, which two ordinates ±1/√3 represent, so that the same operator
//! on that coarse angular grid gives the moment equations (P₁ with upwind fluxes). Its blocks hold all
//! energies and species at the nodes of one radial element.

use crate::error::Result;
use crate::methods::coefficients::Coefficients;
use crate::methods::geometry::Geometry;
use crate::opacities::LocalOpacity;
use crate::phase_space::PhaseSpace;
use crate::phase_space::grid::NodalGrid;
use crate::solvers::block_tridiagonal::{Face, Factors, Structure};

use super::implicit::structure;
use super::inelastic::{Inelastic, Pair, Rates};
use super::operator::Operator;

/// The factorised moment equations. In f64: the slowest modes of diffusion through opaque matter are
/// smaller than single rows by the square of the optical depth, beyond the digits of f32.
pub struct LowOrder {
    structure: Structure,
    factors: Factors<f64>,
    radii: usize,
    per_element: usize,
}

/// Two ordinates.
const DIRECTIONS: usize = 2;

/// The phase space with the two ordinates ±1/√3.
pub fn two_ordinates(space: &PhaseSpace) -> PhaseSpace {
    PhaseSpace { angular: NodalGrid::new(vec![-1.0, 1.0], DIRECTIONS - 1), ..space.clone() }
}

/// What the moment equations are linearised about.
pub struct Linearisation<'a> {
    pub inelastic: &'a Inelastic,
    pub moments: &'a [Pair],
    pub rates: &'a [Rates],
}

impl LowOrder {
    /// Equations on `space`, which has two ordinates, with the elastic `coefficients`.
    ///
    /// # Errors
    /// A singular block.
    pub fn new(
        geometry: &Geometry,
        space: &PhaseSpace,
        coefficients: &Coefficients,
        reflecting: (bool, bool),
        shift: f64,
        linearisation: &Linearisation,
    ) -> Result<Self> {
        let effective = with_inelastic(space, coefficients, linearisation.rates);
        let operator = Operator::new(geometry, space, &effective, reflecting);
        let single = structure(&operator.connection, space);
        let copies = space.species.len() * space.energy.len();
        let structure = Structure { channels: copies * DIRECTIONS, ..repeated(single, copies) };
        let assembly = Assembly { operator: &operator, space, shift, linearisation, copies };
        let factors = Factors::new(&structure, |element, block| assembly.block(element, block))?;
        let (radii, per_element) = (space.radial.nodes.len(), space.radial.per_element());
        Ok(Self { structure, factors, radii, per_element })
    }

    /// Bytes of the factors on the radii, energies and species of `space`.
    pub fn factor_bytes(space: &PhaseSpace) -> u64 {
        let channels = (space.species.len() * space.energy.len() * DIRECTIONS) as u64;
        let size = space.radial.per_element() as u64 * channels;
        // A block and, for the half of the channels that flow inward, the columns of its elimination.
        let values = size * size + size * channels / 2;
        space.radial.elements() as u64 * values * size_of::<f64>() as u64
    }

    /// Solves for the moments at (radial node, species, energy), in place.
    pub fn solve(&self, moments: &mut [Pair]) {
        debug_assert_eq!(moments.len() * DIRECTIONS, self.radii / self.per_element * self.structure.size());
        let mu = 1.0 / 3f64.sqrt();
        let mut x: Vec<f64> =
            moments.iter().flat_map(|moment| [-mu, mu].map(|mu| moment.j + 3.0 * mu * moment.h)).collect();
        self.factors.solve(&self.structure, &mut x);
        for (moment, f) in moments.iter_mut().zip(x.chunks_exact(DIRECTIONS)) {
            *moment = Pair { j: 0.5 * (f[0] + f[1]), h: 0.5 * mu * (f[1] - f[0]) };
        }
    }
}

/// `coefficients` with the isotropic inelastic emission and extinction added.
pub fn with_inelastic(space: &PhaseSpace, coefficients: &Coefficients, rates: &[Rates]) -> Coefficients {
    let energies = space.energy.len();
    let local = space.species.len() * energies;
    Coefficients::sample(space, |species, k, i| {
        let elastic = coefficients.at(coefficients.first(species, k) + i);
        let rates = rates[i * local + species * energies + k];
        LocalOpacity {
            absorption: elastic.absorption + rates.extinction,
            emissivity: elastic.emissivity + rates.emission,
            ..*elastic
        }
    })
}

/// The couplings of one system for `copies` systems side by side, channel by channel.
fn repeated(single: Structure, copies: usize) -> Structure {
    let channels = single.channels;
    let repeat = |list: &[usize], lift: &[f64]| -> (Vec<usize>, Vec<f64>) {
        let list = (0..copies).flat_map(|copy| list.iter().map(move |c| copy * channels + c)).collect();
        (list, lift.repeat(copies))
    };
    let faces = single
        .faces
        .iter()
        .map(|face| {
            let (upward, upward_lift) = repeat(&face.upward, &face.upward_lift);
            let (downward, downward_lift) = repeat(&face.downward, &face.downward_lift);
            Face { upward, upward_lift, downward, downward_lift }
        })
        .collect();
    Structure { faces, ..single }
}

struct Assembly<'a> {
    operator: &'a Operator<'a>,
    space: &'a PhaseSpace,
    shift: f64,
    linearisation: &'a Linearisation<'a>,
    copies: usize,
}

impl Assembly<'_> {
    /// The diagonal block of `element`, column-major, rows and columns (radial node, species, energy,
    /// direction).
    fn block(&self, element: usize, block: &mut [f64]) {
        block.fill(0.0);
        self.add_transport(element, block);
        self.add_other_energies(element, block);
        for (local, node) in self.space.radial.range(element).enumerate() {
            self.add_inelastic(local, node, block);
        }
    }

    fn size(&self) -> usize {
        self.space.radial.per_element() * self.channels()
    }

    fn channels(&self) -> usize {
        self.copies * DIRECTIONS
    }

    /// Streaming, elastic collisions and the diagonal of the energy derivative.
    fn add_transport(&self, element: usize, block: &mut [f64]) {
        let (size, energies) = (self.size(), self.space.energy.len());
        let small = self.space.radial.per_element() * DIRECTIONS;
        let mut part = vec![0.0; small * small];
        let place = |copy: usize, local: usize| {
            local / DIRECTIONS * self.channels() + copy * DIRECTIONS + local % DIRECTIONS
        };
        for copy in 0..self.copies {
            self.operator.block(copy / energies, copy % energies, self.shift, element, &mut part);
            for column in 0..small {
                for row in 0..small {
                    block[place(copy, column) * size + place(copy, row)] += part[column * small + row];
                }
            }
        }
    }

    /// What redshift and blueshift bring from other energies.
    fn add_other_energies(&self, element: usize, block: &mut [f64]) {
        let (size, energies) = (self.size(), self.space.energy.len());
        for (local, node) in self.space.radial.range(element).enumerate() {
            for direction in 0..DIRECTIONS {
                for copy in 0..self.copies {
                    let (first, k) = (copy - copy % energies, copy % energies);
                    let row = local * self.channels() + copy * DIRECTIONS + direction;
                    for (q, value) in self.operator.energy_couplings(node * DIRECTIONS + direction, k) {
                        let column = local * self.channels() + (first + q) * DIRECTIONS + direction;
                        block[column * size + row] += value;
                    }
                }
            }
        }
    }

    /// −∂B/∂(moments), with f = J + 3μH in the products.
    fn add_inelastic(&self, local: usize, node: usize, block: &mut [f64]) {
        let (size, energies) = (self.size(), self.space.energy.len());
        let Linearisation { inelastic, moments, rates } = self.linearisation;
        let mu = [-1.0, 1.0].map(|sign| sign / 3f64.sqrt());
        for copy in 0..self.copies {
            let (moment, rate) = (moments[node * self.copies + copy], rates[node * self.copies + copy]);
            let row = local * self.channels() + copy * DIRECTIONS;
            for (direction, mu_row) in mu.iter().enumerate() {
                block[(row + direction) * size + row + direction] += mu_row * rate.extinction_first;
            }
            for other in 0..self.copies {
                let place = |copy: usize| (copy / energies, copy % energies);
                let Some(coupling) = inelastic.coupling(node, place(copy), place(other)) else { continue };
                let column = local * self.channels() + other * DIRECTIONS;
                for (direction, mu_row) in mu.iter().enumerate() {
                    let f = moment.j + 3.0 * mu_row * moment.h;
                    let isotropic = coupling.isotropic.0 - f * coupling.isotropic.1;
                    let first = mu_row * (coupling.first.0 - f * coupling.first.1);
                    for (from, mu_column) in mu.iter().enumerate() {
                        block[(column + from) * size + row + direction] -=
                            0.5 * (isotropic + first * mu_column);
                    }
                }
            }
        }
    }
}
