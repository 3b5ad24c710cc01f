//! What comes in through the radial edges of the grid.

use crate::error::{Error, Result};
use crate::phase_space::PhaseSpace;
use crate::phase_space::grid::NodalGrid;
use crate::problem::expression::Expression;
use crate::problem::file::{BoundaryCondition, BoundaryFile};

use super::boltzmann::connection::lorentz_factor;
use super::boltzmann::inelastic::Pair;
use super::geometry::Geometry;

/// A condition at one edge.
#[derive(Debug, Clone)]
pub enum Boundary {
    Vacuum,
    Reflecting,
    /// f as the static observer at the edge sees it, in `mu`, `energy`, `t`.
    Given(Box<Expression>),
}

/// Conditions at the inner and the outer edge.
#[derive(Debug, Clone)]
pub struct Boundaries {
    pub inner: Boundary,
    pub outer: Boundary,
    /// v at the two edges.
    velocity: (f64, f64),
}

impl Boundaries {
    /// Conditions of `file`.
    ///
    /// # Errors
    /// [`Error::Field`] for a formula that does not parse or is outside [0, ∞), and for a reflecting edge
    /// where the fluid moves or the ordinates are not symmetric.
    pub fn build(file: &BoundaryFile, phase_space: &PhaseSpace, geometry: &Geometry) -> Result<Self> {
        let last = geometry.edge_velocity.len() - 1;
        let velocity = (geometry.edge_velocity[0], geometry.edge_velocity[last]);
        let inner = Boundary::build(&file.inner, "boundary.inner", velocity.0, phase_space)?;
        let outer = Boundary::build(&file.outer, "boundary.outer", velocity.1, phase_space)?;
        let boundaries = Self { inner, outer, velocity };
        boundaries.inflow(phase_space, 0.0)?;
        Ok(boundaries)
    }

    /// (inner, outer): whether μ → −μ there.
    pub fn reflecting(&self) -> (bool, bool) {
        (matches!(self.inner, Boundary::Reflecting), matches!(self.outer, Boundary::Reflecting))
    }

    /// Whether something given comes in.
    pub fn has_inflow(&self) -> bool {
        matches!(self.inner, Boundary::Given(_)) || matches!(self.outer, Boundary::Given(_))
    }

    /// f that comes in at time `t` (internal) at the inner and outer edge, at (energy node, ordinate);
    /// zero where nothing is given.
    ///
    /// # Errors
    /// [`Error::Field`] where a formula gives a value that is negative or not finite.
    pub fn inflow(&self, phase_space: &PhaseSpace, t: f64) -> Result<(Vec<f64>, Vec<f64>)> {
        let inner = self.inner.values("boundary.inner", self.velocity.0, phase_space, t)?;
        let outer = self.outer.values("boundary.outer", self.velocity.1, phase_space, t)?;
        Ok((inner, outer))
    }

    /// J and H at each energy of what enters at time `t` (internal) at the inner and outer edge: integrals over the
    /// directions that cross the edge inward. The neutrinos that enter per area and time are ±(H + vJ).
    ///
    /// # Errors
    /// As [`Self::inflow`].
    pub fn entering(&self, phase_space: &PhaseSpace, t: f64) -> Result<[Vec<Pair>; 2]> {
        let (inner, outer) = self.inflow(phase_space, t)?;
        let angular = &phase_space.angular;
        Ok([
            half_range(&inner, angular, self.velocity.0, 1.0),
            half_range(&outer, angular, self.velocity.1, -1.0),
        ])
    }
}

/// J and H of f at (energy, ordinate) over the directions with `inward`·(μ + v) > 0.
fn half_range(f: &[f64], angular: &NodalGrid, v: f64, inward: f64) -> Vec<Pair> {
    let crosses = |mu: f64| inward * (mu + v) > 0.0;
    f.chunks_exact(angular.nodes.len())
        .map(|f| {
            let ordinates = f.iter().zip(&angular.weights).zip(&angular.nodes);
            let entering = ordinates.filter(|(_, mu)| crosses(**mu));
            entering.fold(Pair::default(), |sum, ((f, w), mu)| Pair {
                j: sum.j + 0.5 * w * f,
                h: sum.h + 0.5 * w * f * mu,
            })
        })
        .collect()
}

impl Boundary {
    fn build(file: &BoundaryCondition, path: &str, velocity: f64, phase_space: &PhaseSpace) -> Result<Self> {
        match file {
            BoundaryCondition::Vacuum => Ok(Self::Vacuum),
            BoundaryCondition::Reflecting if velocity != 0.0 => Err(Error::field(
                path,
                format!("Reflecting where v = {velocity}"),
                "Vacuum or Given, or v = 0 at this edge",
            )),
            BoundaryCondition::Reflecting if !phase_space.is_mirror_symmetric() => Err(Error::field(
                path,
                "Reflecting with ordinates that are not symmetric about mu = 0",
                "phase_space.mu: SingleRange, Uniform or symmetric Edges",
            )),
            BoundaryCondition::Reflecting => Ok(Self::Reflecting),
            BoundaryCondition::Given(text) => {
                Ok(Self::Given(Box::new(Expression::parse(text, &["mu", "energy", "t"], path)?)))
            }
        }
    }

    /// Static-frame values ε_s = Wε(1+vμ), μ_s = (μ+v)/(1+vμ) go into the formula.
    fn values(&self, path: &str, velocity: f64, phase_space: &PhaseSpace, t: f64) -> Result<Vec<f64>> {
        let mu = &phase_space.angular.nodes;
        let energies = phase_space.energy.len();
        let Self::Given(formula) = self else { return Ok(vec![0.0; energies * mu.len()]) };
        let w = lorentz_factor(velocity);
        (0..energies)
            .flat_map(|k| mu.iter().map(move |&mu| (phase_space.energy.node(k), mu)))
            .map(|(energy, mu)| {
                let doppler = 1.0 + velocity * mu;
                let f = formula.evaluate(&[(mu + velocity) / doppler, w * energy * doppler, t]);
                if f.is_finite() && f >= 0.0 {
                    return Ok(f);
                }
                let found = format!("\"{}\" = {f} at mu = {mu:.6}, energy = {energy:.6}", formula.text());
                Err(Error::field(path, found, "a finite f >= 0"))
            })
            .collect()
    }
}
