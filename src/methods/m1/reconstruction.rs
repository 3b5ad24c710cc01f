//! The state at the faces of the cells, from the cells' own states and their neighbours'.
//!
//! J + H and J − H, which are ≥ 0 for every f ≥ 0, follow exponentials in r and in ε from the centre of a
//! cell to its faces, whose exponents are limited as Koren (1993) limits slopes: third order where the
//! solution is smooth and none where it has an extremum. Exponentials keep J ≥ 0 and |H| ≤ J, and they are
//! exact for the tail of a thermal spectrum. Where neutrinos stream, the exponential is that of αr²W (J ± H): what
//! is diluted by the spheres' growth alone is exact. The square of the cell's flux factor weighs the two.
//!
//! The exponents are those of an earlier solution, so that a face's state is a fixed factor times the cell's
//! own and the equations keep the properties of a first-order scheme; they are iterated with the solution.

use crate::extremes::largest;
use crate::methods::boltzmann::inelastic::Pair;
use crate::methods::closures::Closure;
use crate::phase_space::EnergyGrid;

use super::equations::{Equations, Outside};

/// Factors of J + H and J − H from the centre of a cell to one of its faces.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Factors {
    pub plus: f64,
    pub minus: f64,
}

impl Factors {
    /// The face has the state of the cell.
    pub const ONE: Self = Self { plus: 1.0, minus: 1.0 };

    /// The state at the face.
    pub fn of(self, pair: Pair) -> Pair {
        let (plus, minus) = (self.plus * (pair.j + pair.h), self.minus * (pair.j - pair.h));
        Pair { j: 0.5 * (plus + minus), h: 0.5 * (plus - minus) }
    }

    /// `jacobian` with respect to the state at the face, as one with respect to the state of the cell.
    pub fn chained(self, jacobian: [[f64; 2]; 2]) -> [[f64; 2]; 2] {
        let (mean, difference) = (0.5 * (self.plus + self.minus), 0.5 * (self.plus - self.minus));
        jacobian.map(|[by_j, by_h]| [by_j * mean + by_h * difference, by_j * difference + by_h * mean])
    }

    fn to_the(self, power: f64) -> Self {
        Self { plus: self.plus.powf(power), minus: self.minus.powf(power) }
    }

    /// The factors, or powers of them that leave the state at the face the moments of a distribution.
    fn bounded(self, closure: Closure, pair: Pair) -> Self {
        if !closure.depends_on_occupation() {
            return self;
        }
        let admitted = |power: f64| {
            let face = self.to_the(power).of(pair);
            face.h.abs() <= closure.largest_flux(face.j)
        };
        if admitted(1.0) {
            return self;
        }
        let (mut inside, mut beyond) = (0.0, 1.0);
        for _ in 0..HALVINGS {
            let middle = 0.5 * (inside + beyond);
            if admitted(middle) { inside = middle } else { beyond = middle }
        }
        self.to_the(inside)
    }

    fn between(self, other: Self) -> Self {
        Self { plus: (self.plus * other.plus).sqrt(), minus: (self.minus * other.minus).sqrt() }
    }
}

/// Factors at the lower and upper faces of all cells of a group, at (cell, member), in r and in ε.
#[derive(Debug, Clone, PartialEq)]
pub struct Reconstruction {
    pub radial: Vec<[Factors; 2]>,
    pub energy: Vec<[Factors; 2]>,
}

/// Largest factor, and 1/smallest.
const STEEPEST: f64 = 30.0;
/// Share of the largest ε³J of a cell below which another member's ε³J does not matter. The far tail of a
/// spectrum, where J falls by orders of magnitude from cell to cell, is left at first order.
const INSIGNIFICANT: f64 = 1e-5;

/// Halvings of the interval of a power of factors.
const HALVINGS: usize = 30;

/// J below which a member carries next to no energy, at each unknown of `u`; 0 where there is one energy.
pub fn insignificant(equations: &Equations, u: &[Pair]) -> Vec<f64> {
    let energy = &equations.shared.space.energy;
    let cubes: Vec<f64> = equations.members.iter().map(|&(_, k)| energy.node(k).powi(3)).collect();
    let share = if equations.shifts_energies || equations.inelastic.is_some() { INSIGNIFICANT } else { 0.0 };
    u.chunks_exact(cubes.len())
        .flat_map(|cell| {
            let brightest = largest(cell.iter().zip(&cubes).map(|(pair, cube)| pair.j * cube));
            cubes.iter().map(move |cube| share * brightest / cube)
        })
        .collect()
}

impl Reconstruction {
    /// First order.
    pub fn constant(unknowns: usize) -> Self {
        Self { radial: vec![[Factors::ONE; 2]; unknowns], energy: vec![[Factors::ONE; 2]; unknowns] }
    }

    /// The exponentials of the state `u`.
    pub fn of(equations: &Equations, u: &[Pair]) -> Self {
        let faint = insignificant(equations, u);
        let at = |n: usize| {
            let share = u[n].j / (u[n].j + faint[n]);
            let faded = |factors: Factors| factors.to_the(share);
            let (radial, energy) = (radial_factors(equations, u, n), energy_factors(equations, u, n));
            let bounded = |factors: Factors| factors.bounded(equations.shared.closure, u[n]);
            (radial.map(faded).map(bounded), energy.map(faded).map(bounded))
        };
        let (radial, energy) = (0..u.len()).map(at).unzip();
        Self { radial, energy }
    }

    /// The geometric mean with `other`.
    pub fn between(&self, other: &Self) -> Self {
        let mean = |own: &[[Factors; 2]], other: &[[Factors; 2]]| {
            own.iter().zip(other).map(|(a, b)| [a[0].between(b[0]), a[1].between(b[1])]).collect()
        };
        Self { radial: mean(&self.radial, &other.radial), energy: mean(&self.energy, &other.energy) }
    }
}

/// A coordinate, the logarithm of the dilution there and the state.
type Place = (f64, f64, Pair);

/// Factors in r of unknown `n`.
fn radial_factors(equations: &Equations, u: &[Pair], n: usize) -> [Factors; 2] {
    let (radial, members) = (&equations.shared.space.radial, equations.members.len());
    let (flow, i) = (equations.shared.flow, n / members);
    let first = radial.edges[0];
    let streaming = if u[n].j > 0.0 { (u[n].h / u[n].j).powi(2).min(1.0) } else { 0.0 };
    // At the centre nothing streams.
    let dilution = |area: f64| if area > 0.0 { streaming * area.ln() } else { 0.0 };
    let cell = |m: usize, i: usize| (radial.nodes[i], dilution(flow.nodes[i].static_part), u[m]);
    let (_, own_dilution, own) = cell(n, i);
    // Only the centre is a place of symmetry; at a wall redshift and forces go on.
    let centre = first == 0.0 && equations.shared.inner == Outside::Reflecting;
    let mirrored = || (-radial.nodes[i], own_dilution, Pair { h: -own.h, ..own });
    // A kink of the background is one of the moments.
    let kink = |face: usize| flow.kinks[face];
    let below = match i {
        0 => centre.then(mirrored),
        _ => (!kink(i)).then(|| cell(n - members, i - 1)),
    };
    let above = match i + 1 == radial.nodes.len() {
        true => None,
        false => (!kink(i + 1)).then(|| cell(n + members, i + 1)),
    };
    let face = |face: usize| (radial.edges[face], dilution(flow.faces[face].static_part));
    factors(below, cell(n, i), above, [face(i), face(i + 1)])
}

/// Factors in ε of unknown `n`.
fn energy_factors(equations: &Equations, u: &[Pair], n: usize) -> [Factors; 2] {
    let EnergyGrid::Spectral(grid) = &equations.shared.space.energy else { return [Factors::ONE; 2] };
    if !equations.shifts_energies {
        return [Factors::ONE; 2];
    }
    let k = equations.members[n % equations.members.len()].1;
    let below = k.checked_sub(1).map(|below| (grid.nodes[below], 0.0, u[n - 1]));
    let above = grid.nodes.get(k + 1).map(|&above| (above, 0.0, u[n + 1]));
    let faces = [(grid.edges[k], 0.0), (grid.edges[k + 1], 0.0)];
    let mut both = factors(below, (grid.nodes[k], 0.0, u[n]), above, faces);
    if k == 0 {
        // Below the lowest edge f is taken as constant.
        both[0] = Factors::ONE;
    }
    both
}

/// Factors from `own` to its two `faces`, given the neighbours.
fn factors(below: Option<Place>, own: Place, above: Option<Place>, faces: [(f64, f64); 2]) -> [Factors; 2] {
    let (centre, dilution, state) = own;
    let of = |value: fn(&Pair) -> f64| -> [f64; 2] {
        let slope = |other: Option<Place>| {
            let (x, diluted, pair) = other?;
            let ratio = value(&pair) / value(&state);
            let known = ratio > 0.0 && ratio.is_finite();
            Some(if known { (ratio.ln() + diluted - dilution) / (x - centre) } else { 0.0 })
        };
        let (behind, ahead) = match (slope(below), slope(above)) {
            (Some(behind), Some(ahead)) => (behind, ahead),
            (Some(only), None) | (None, Some(only)) => (only, only),
            (None, None) => (0.0, 0.0),
        };
        let factor = |(face, diluted): (f64, f64), slope: f64| {
            ((face - centre) * slope + dilution - diluted).exp().clamp(1.0 / STEEPEST, STEEPEST)
        };
        [factor(faces[0], limited(ahead, behind)), factor(faces[1], limited(behind, ahead))]
    };
    let (plus, minus) = (of(|pair| pair.j + pair.h), of(|pair| pair.j - pair.h));
    [0, 1].map(|face| Factors { plus: plus[face], minus: minus[face] })
}

/// Slope from the centre of a cell to the face on the side of `ahead` (Koren 1993).
fn limited(behind: f64, ahead: f64) -> f64 {
    if behind * ahead <= 0.0 {
        return 0.0;
    }
    let third_order = (behind + 2.0 * ahead) / 3.0;
    let size = third_order.abs().min(2.0 * behind.abs()).min(2.0 * ahead.abs());
    size.copysign(ahead)
}
