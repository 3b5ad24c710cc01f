//! f at the start of an evolution.

use crate::error::{Error, Result};
use crate::problem::Loaded;
use crate::problem::expression::Expression;
use crate::problem::file::{InitialFile, ModeFile, SpeciesInitialFile};

use super::setup::Setup;

/// f at (species, energy node, radial node, ordinate), ordinate fastest.
///
/// # Errors
/// [`Error::Field`] where a formula gives f outside [0, 1], naming the place.
pub fn initial_distribution(problem: &Loaded, setup: &Setup) -> Result<Vec<f64>> {
    let space = &setup.phase_space;
    let ModeFile::Evolution { initial, .. } = &problem.file.mode else {
        return Ok(vec![0.0; space.unknowns()]);
    };
    match initial {
        InitialFile::Empty => Ok(vec![0.0; space.unknowns()]),
        InitialFile::Equilibrium => Ok(equilibrium(setup)),
        InitialFile::Expression(text) => {
            Ok(from_formula(setup, text, "mode.initial")?.repeat(space.species.len()))
        }
        InitialFile::BySpecies(list) => by_species(setup, list),
    }
}

fn equilibrium(setup: &Setup) -> Vec<f64> {
    let space = &setup.phase_space;
    let ordinates = space.angular.nodes.len();
    (0..space.species.len())
        .flat_map(|s| (0..space.energy.len()).map(move |k| (s, k)))
        .flat_map(|(s, k)| setup.coefficients.slab(s, k))
        .map(|o| if o.absorption > 0.0 { o.emissivity / o.absorption } else { 0.0 })
        .flat_map(|f| std::iter::repeat_n(f, ordinates))
        .collect()
}

fn by_species(setup: &Setup, list: &[SpeciesInitialFile]) -> Result<Vec<f64>> {
    let space = &setup.phase_space;
    let mut f = Vec::with_capacity(space.unknowns());
    for species in &space.species {
        match list.iter().position(|entry| entry.species == species.name) {
            Some(index) => {
                f.extend(from_formula(setup, &list[index].f, &format!("mode.initial[{index}].f"))?)
            }
            None => f.resize(f.len() + space.unknowns_per_species(), 0.0),
        }
    }
    Ok(f)
}

/// f of one species.
fn from_formula(setup: &Setup, text: &str, path: &str) -> Result<Vec<f64>> {
    let formula = Expression::parse(text, &["r", "mu", "energy"], path)?;
    let space = &setup.phase_space;
    let mut one_species = Vec::with_capacity(space.unknowns_per_species());
    for k in 0..space.energy.len() {
        let energy = space.energy.node(k);
        for &r in &space.radial.nodes {
            for &mu in &space.angular.nodes {
                let f = formula.evaluate(&[r, mu, energy]);
                if !(0.0..=1.0).contains(&f) {
                    let found =
                        format!("\"{text}\" = {f} at r = {r:.6e}, mu = {mu:.6}, energy = {energy:.6}");
                    return Err(Error::field(path, found, "f between 0 and 1"));
                }
                one_species.push(f);
            }
        }
    }
    Ok(one_species)
}
