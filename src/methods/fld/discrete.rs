//! What all equations of one setup and limiter share, and what of them has to be solved together.

use crate::error::Result;
use crate::methods::boltzmann::inelastic::{Inelastic, Rates};
use crate::methods::setup::Setup;

use super::edges::Edges;
use super::kernels::Kernels;
use super::limiter::Limiter;
use super::lines::Lines;
use super::matter::Matter;
use super::mesh::Mesh;

/// A setup on cells and lines.
pub struct Discrete<'a> {
    pub setup: &'a Setup,
    pub limiter: Limiter,
    pub mesh: Mesh,
    pub lines: Lines,
    pub edges: Edges,
    /// Per species.
    pub matter: Vec<Matter>,
    /// Largest flux factor at (face, line), per species; empty where it is 1.
    pub caps: Vec<Vec<f64>>,
    pub groups: Vec<Group>,
}

/// Unknowns that act on each other.
pub struct Group {
    /// (species, line).
    pub members: Vec<(usize, usize)>,
    pub kernels: Option<Kernels>,
    /// Rates of inelastic collisions in equilibrium, at (radial node, member); empty without kernels.
    pub equilibrium_rates: Vec<Rates>,
}

impl<'a> Discrete<'a> {
    /// `setup` with the boundary conditions of the internal time `time`.
    ///
    /// # Errors
    /// A boundary condition that is negative or not finite.
    pub fn new(setup: &'a Setup, limiter: Limiter, time: f64) -> Result<Self> {
        let mesh = Mesh::new(setup);
        let clocks: Vec<f64> = mesh.clock.iter().chain(&mesh.face_clock).copied().collect();
        let lines = Lines::new(setup, &clocks);
        let edges = Edges::new(setup, &mesh, &lines, time)?;
        let species = setup.phase_space.species.len();
        let matter = (0..species).map(|s| Matter::new(setup, &mesh, &lines, s)).collect();
        let groups = groups(setup, &mesh, &lines);
        let mut discrete =
            Self { setup, limiter, mesh, lines, edges, matter, caps: vec![Vec::new(); species], groups };
        if limiter == Limiter::Bruenn {
            discrete.caps = (0..species).map(|s| discrete.geometric_limits(s)).collect();
        }
        Ok(discrete)
    }

    /// Takes the boundary conditions of the internal time `time`.
    ///
    /// # Errors
    /// One that is negative or not finite.
    pub fn set_time(&mut self, time: f64) -> Result<()> {
        self.edges = Edges::new(self.setup, &self.mesh, &self.lines, time)?;
        Ok(())
    }

    /// ½(1 + μ_s) at (face, line): the flux factor of radiation that fills the directions μ ≥ μ_s in which the
    /// matter at the face sees the neutrinosphere, the sphere outside which κ_tr has the optical depth 2/3 on
    /// that line. 1 inside of it.
    fn geometric_limits(&self, species: usize) -> Vec<f64> {
        let (mesh, lines) = (&self.mesh, self.lines.len());
        let mut caps = vec![1.0; (mesh.nodes + 1) * lines];
        let ratios: Vec<f64> = mesh.face_radius.iter().map(|&r| r / self.setup.background.lapse(r)).collect();
        for p in 0..lines {
            let Some(sphere) = self.transport_sphere(species, p) else { continue };
            let of_sphere = sphere / self.setup.background.lapse(sphere);
            for f in (0..ratios.len()).filter(|&f| mesh.face_radius[f] > sphere) {
                let limb = limb(&ratios, f, of_sphere, |f| mesh.face_radius[f] > sphere);
                let v = mesh.velocity[f];
                caps[f * lines + p] = 0.5 * (1.0 + (limb - v) / (1.0 - limb * v));
            }
        }
        caps
    }

    /// Outermost radius with ∫κ_tr X dr = 2/3 outside, on line `p`.
    fn transport_sphere(&self, species: usize, p: usize) -> Option<f64> {
        const DEPTH: f64 = 2.0 / 3.0;
        let (mesh, lines) = (&self.mesh, self.lines.len());
        let mut depth = 0.0;
        for i in (0..mesh.nodes).rev() {
            let transport = self.matter[species].local[i * lines + p].transport;
            let opacity = (transport + self.equilibrium_extinction(species, p, i))
                * self.setup.geometry.radial_metric[i];
            let (low, high) = (mesh.face_radius[i], mesh.face_radius[i + 1]);
            let part = opacity * (high - low);
            if depth + part >= DEPTH {
                return Some(high - (DEPTH - depth) / opacity);
            }
            depth += part;
        }
        None
    }

    /// Extinction by inelastic collisions in equilibrium.
    fn equilibrium_extinction(&self, species: usize, p: usize, i: usize) -> f64 {
        let group = self.groups.iter().filter(|group| !group.equilibrium_rates.is_empty());
        group
            .filter_map(|group| {
                let m = group.members.iter().position(|&member| member == (species, p))?;
                Some(group.equilibrium_rates[i * group.members.len() + m].extinction)
            })
            .sum()
    }
}

/// Cosine at face `f` of the limb of a sphere outside of it that shines, for an observer at rest; `ratios` are
/// r/α at the faces, which rays along which r/α is below their impact parameter do not pass. Within the photon
/// sphere, where r/α falls outward, rays come back to f, and the sphere fills directions below the horizon.
fn limb(ratios: &[f64], f: usize, of_sphere: f64, outside: impl Fn(usize) -> bool) -> f64 {
    let least = |values: &[f64]| values.iter().copied().fold(f64::INFINITY, f64::min);
    let turning = least(&ratios[f..]) / ratios[f];
    if turning < 1.0 {
        return -(1.0 - turning * turning).sqrt();
    }
    let first = (0..=f).find(|&g| outside(g)).unwrap_or(f);
    let seen = least(&ratios[first..=f]).min(of_sphere) / ratios[f];
    (1.0 - seen * seen).max(0.0).sqrt()
}

fn groups(setup: &Setup, mesh: &Mesh, lines: &Lines) -> Vec<Group> {
    let plain = |members| Group { members, kernels: None, equilibrium_rates: Vec::new() };
    let all_lines = |s: usize| (0..lines.len()).map(move |p| (s, p));
    let moves = mesh.drift.iter().any(|drift| *drift != Default::default());
    let alone = |s: usize| -> Vec<Group> {
        if moves {
            vec![plain(all_lines(s).collect())]
        } else {
            all_lines(s).map(|member| plain(vec![member])).collect()
        }
    };
    let species = setup.phase_space.species.len();
    let Some(inelastic) = &setup.inelastic else { return (0..species).flat_map(alone).collect() };
    let equilibrium = inelastic.equilibrium(&setup.phase_space, &setup.coefficients);
    let coupled = connected(inelastic, species);
    coupled
        .into_iter()
        .flat_map(|together| match inelastic_on(inelastic, &together) {
            false => together.into_iter().flat_map(alone).collect(),
            true => {
                let kernels = Kernels::new(inelastic, &together, mesh, lines);
                let energies = setup.phase_space.energy.len();
                let at = |i: usize, s: usize, p: usize| {
                    lines.at_line(p, mesh.clock[i], |k| equilibrium[(i * species + s) * energies + k].j)
                };
                let members: Vec<(usize, usize)> = together.iter().flat_map(|&s| all_lines(s)).collect();
                let j: Vec<f64> =
                    (0..mesh.nodes).flat_map(|i| members.iter().map(move |&(s, p)| at(i, s, p))).collect();
                let equilibrium_rates = kernels.rates(&j);
                vec![Group { members, kernels: Some(kernels), equilibrium_rates }]
            }
        })
        .collect()
}

/// Whether any of `species` has kernels.
fn inelastic_on(inelastic: &Inelastic, species: &[usize]) -> bool {
    let mut nodes = inelastic.nodes().iter();
    nodes
        .any(|kernels| species.iter().any(|&s| kernels.scattering[s].is_some() || kernels.pairs[s].is_some()))
}

/// The species that pair processes join.
fn connected(inelastic: &Inelastic, species: usize) -> Vec<Vec<usize>> {
    let mut root: Vec<usize> = (0..species).collect();
    for kernels in inelastic.nodes() {
        for (s, pair) in kernels.pairs.iter().enumerate() {
            let Some(pair) = pair else { continue };
            let (a, b) = (root[s].min(root[pair.partner]), root[s].max(root[pair.partner]));
            root.iter_mut().filter(|other| **other == b).for_each(|other| *other = a);
        }
    }
    let joined = |first: usize| (0..species).filter(|&s| root[s] == first).collect::<Vec<_>>();
    (0..species).map(joined).filter(|group| !group.is_empty()).collect()
}
