//! The state that the search for a steady state begins with.

use crate::extremes::largest;
use crate::methods::boltzmann::inelastic::Pair;
use crate::opacities::LocalOpacity;

use super::equations::{Outside, Shared};

/// J of the first guess where nothing says how bright it is, and its largest flux factor.
const GUESS: f64 = 1e-3;
const MOST_FORWARD: f64 = 0.99;
/// Share of the largest J that does not matter anywhere.
const IRRELEVANT: f64 = 1e-25;

/// The brightest of local equilibrium and of what arrives from either side, attenuated by absorption and diluted
/// outward, but at least `dark`; radial outside the surface where neutrinos decouple.
pub fn attenuated(shared: &Shared, member: (usize, usize), dark: f64) -> Vec<Pair> {
    let nodes = &shared.space.radial.nodes;
    let local = shared.coefficients.slab(member.0, member.1);
    let given = |outside: &Outside| match outside {
        Outside::Given(given) => given[member.1].j,
        Outside::Vacuum | Outside::Reflecting => 0.0,
    };
    // Diffusion attenuates by √(3 κ_a κ_tr).
    let attenuation = |i: usize| {
        let opacity = (3.0 * local[i].absorption * local[i].transport()).sqrt();
        (-opacity * shared.flow.proper_length[i] * shared.space.radial.weights[i]).exp()
    };
    let surface = surface(shared, member);
    let mut u = Vec::with_capacity(nodes.len());
    let mut j = given(&shared.inner);
    for i in 0..nodes.len() {
        let dilution = if i > surface { (nodes[i - 1] / nodes[i]).powi(2) } else { 1.0 };
        j = equilibrium(&local[i]).max(j * attenuation(i) * dilution);
        let radial = if i > surface { 1.0 - (nodes[surface] / nodes[i]).powi(2) } else { 0.0 };
        u.push(Pair { j, h: MOST_FORWARD * radial * j });
    }
    j = given(&shared.outer);
    for (i, pair) in u.iter_mut().enumerate().rev() {
        j *= attenuation(i);
        if j > pair.j {
            *pair = Pair { j, h: 0.0 };
        }
        j = j.max(pair.j);
    }
    u.into_iter().map(|pair| Pair { j: pair.j.max(dark), ..pair }).collect()
}

/// η/κ, 0 where nothing is absorbed.
pub fn equilibrium(local: &LocalOpacity) -> f64 {
    if local.absorption > 0.0 { local.emissivity / local.absorption } else { 0.0 }
}

/// J that does not matter anywhere: a share of the brightest equilibrium or boundary.
pub fn floor(shared: &Shared) -> f64 {
    let energies = shared.space.energy.len();
    let members = (0..shared.space.species.len()).flat_map(|s| (0..energies).map(move |k| (s, k)));
    let inside = members.flat_map(|(s, k)| shared.coefficients.slab(s, k)).map(equilibrium);
    let given = [&shared.inner, &shared.outer].into_iter().flat_map(|outside| match outside {
        Outside::Given(given) => given.iter().map(|given| given.j).collect(),
        Outside::Vacuum | Outside::Reflecting => Vec::new(),
    });
    let brightest = largest(inside.chain(given));
    IRRELEVANT * if brightest > 0.0 { brightest } else { GUESS }
}

/// The cell of radial transport optical depth 1 of (species, energy); the innermost one in transparent matter.
fn surface(shared: &Shared, (species, k): (usize, usize)) -> usize {
    let radial = &shared.space.radial;
    let mut depth = 0.0;
    for (i, local) in shared.coefficients.slab(species, k).iter().enumerate().rev() {
        depth += local.transport() * radial.weights[i] * shared.flow.proper_length[i];
        if depth > 1.0 {
            return i;
        }
    }
    0
}
