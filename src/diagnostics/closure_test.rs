//! The error of a closure by itself: χ(H/J, J) and q(H/J, J) of a closure, evaluated on the moments J and H of
//! a reference, against the reference's own K/J and L/J. A scheme that uses the closure has this error and
//! that of its J and H.

use crate::error::{Error, Result};
use crate::methods::closures::Closure;
use crate::output::dataset::Dataset;

/// Points with less than this part of the largest J of their species do not count: there a reference has
/// no accurate ratios of moments.
pub const NEGLIGIBLE: f64 = 1e-8;

/// All closures on one reference.
#[derive(Debug, Clone, PartialEq)]
pub struct ClosureTest {
    /// In the order of [`Closure::ALL`].
    pub errors: Vec<ClosureErrors>,
    /// Points (species, energy, radius), and those of them that are left out.
    pub points: usize,
    pub excluded: usize,
}

/// One closure's errors.
#[derive(Debug, Clone, PartialEq)]
pub struct ClosureErrors {
    pub closure: Closure,
    pub chi: Deviation,
    pub q: Deviation,
}

/// Value of the closure minus that of the reference.
#[derive(Debug, Clone, PartialEq)]
pub struct Deviation {
    /// At (species, energy, radius), radius fastest; 0 at excluded points.
    pub values: Vec<f64>,
    /// Mean magnitude at (species, radius), weighted with ε³J dε; 0 where all energies are excluded.
    pub by_radius: Vec<f64>,
    /// Mean of `by_radius` over all species and, weighted with dln r, all radii that count.
    pub mean: f64,
    /// Largest magnitude of a value, and where: (species, energy, radius) as numbers.
    pub largest: f64,
    pub largest_at: [usize; 3],
}

/// What the test needs of a reference.
struct Reference<'a> {
    shape: [usize; 3],
    j: &'a [f64],
    h: &'a [f64],
    k: &'a [f64],
    l: &'a [f64],
    /// ε³dε and dln r.
    energy_weight: Vec<f64>,
    radial_weight: Vec<f64>,
    counts: Vec<bool>,
}

impl ClosureTest {
    /// Tests all closures on `reference`, a result of one time with the variables of docs/reference_format.md.
    ///
    /// # Errors
    /// [`Error::Dataset`] for variables that are missing, of another shape or not finite, and where J is
    /// positive nowhere.
    pub fn new(reference: &Dataset) -> Result<Self> {
        let reference = Reference::new(reference)?;
        let errors = Closure::ALL.map(|closure| reference.errors(closure)).to_vec();
        let excluded = reference.counts.iter().filter(|&&counts| !counts).count();
        Ok(Self { errors, points: reference.counts.len(), excluded })
    }

    /// Closures by the mean error of χ, the best first.
    pub fn ranking(&self) -> Vec<(Closure, f64)> {
        let mut ranking: Vec<_> =
            self.errors.iter().map(|errors| (errors.closure, errors.chi.mean)).collect();
        ranking.sort_by(|a, b| a.1.total_cmp(&b.1));
        ranking
    }

    /// Adds the group `closure_test` to the dataset that the test was made of: `chi_error_…` and `q_error_…` with
    /// the closures' names, over (species, energy, r), and over (closure) the means and largest errors.
    pub fn add_to(&self, data: &mut Dataset) {
        let mut group = Dataset::new();
        group.dimension("closure", self.errors.len());
        let names = self.errors.iter().map(|errors| errors.closure.name().to_owned()).collect();
        group.text("closure", &["closure"], "closure of the moment equations", names);
        let chi: Vec<&Deviation> = self.errors.iter().map(|errors| &errors.chi).collect();
        let q: Vec<&Deviation> = self.errors.iter().map(|errors| &errors.q).collect();
        self.add_ratio(&mut group, "chi", "K/J", &chi);
        self.add_ratio(&mut group, "q", "L/J", &q);
        group.attribute("negligible", NEGLIGIBLE);
        group.attribute("points", self.points as i64).attribute("points_excluded", self.excluded as i64);
        data.group("closure_test", group);
    }

    /// Adds the errors `of_closures` of `ratio`.
    fn add_ratio(&self, group: &mut Dataset, symbol: &str, ratio: &str, of_closures: &[&Deviation]) {
        let means = of_closures.iter().map(|deviation| deviation.mean).collect();
        let largest = of_closures.iter().map(|deviation| deviation.largest).collect();
        let what = format!("mean error of {ratio} of the closure on the moments J and H of this result");
        let mean = group.real(&format!("{symbol}_error_mean"), &["closure"], "1", &what, means);
        mean.attribute("definition", "magnitudes weighted with energy^3 J denergy, then with dln r");
        let what = format!("largest error of {ratio}");
        group.real(&format!("{symbol}_error_largest"), &["closure"], "1", &what, largest);
        for (errors, deviation) in self.errors.iter().zip(of_closures) {
            let name = errors.closure.name();
            let what = format!("{ratio} of the closure {name} minus {ratio}");
            let values = deviation.values.clone();
            group.real(&format!("{symbol}_error_{name}"), &["species", "energy", "r"], "1", &what, values);
        }
    }
}

impl<'a> Reference<'a> {
    fn new(data: &'a Dataset) -> Result<Self> {
        let variable = data.require("j")?;
        if variable.dimensions != ["species", "energy", "r"] {
            let found = variable.dimensions.join(", ");
            return Err(Error::dataset("j", format!("is over ({found}), not over (species, energy, r)")));
        }
        let lengths = data.shape(variable)?;
        let shape = [lengths[0], lengths[1], lengths[2]];
        let count = shape.iter().product();
        let reals = |name: &str, length: usize| -> Result<&'a [f64]> {
            let values = data.reals(name)?;
            if values.len() != length || values.iter().any(|value| !value.is_finite()) {
                return Err(Error::dataset(name, format!("needs {length} finite values")));
            }
            Ok(values)
        };
        let weights = |nodes: &str, weights: &str, n: usize, of: fn(f64) -> f64| -> Result<Vec<f64>> {
            let (nodes, weights) = (reals(nodes, n)?, reals(weights, n)?);
            Ok(nodes.iter().zip(weights).map(|(node, weight)| weight * of(*node)).collect())
        };
        let j = reals("j", count)?;
        let counts = counting(j, shape[1] * shape[2]);
        if !counts.contains(&true) {
            return Err(Error::dataset("j", "is positive nowhere"));
        }
        Ok(Self {
            shape,
            j,
            h: reals("h", count)?,
            k: reals("k", count)?,
            l: reals("l", count)?,
            energy_weight: weights("energy", "energy_weight", shape[1], |energy| energy.powi(3))?,
            radial_weight: weights("r", "r_weight", shape[2], |r| 1.0 / r)?,
            counts,
        })
    }

    fn errors(&self, closure: Closure) -> ClosureErrors {
        let error = |of: &dyn Fn(usize) -> f64| -> Deviation {
            let value = |n: usize| if self.counts[n] { of(n) } else { 0.0 };
            self.deviation((0..self.j.len()).map(value).collect())
        };
        let factors = |n: usize| closure.factors(self.h[n] / self.j[n], self.j[n]);
        ClosureErrors {
            closure,
            chi: error(&|n| factors(n).chi - self.k[n] / self.j[n]),
            q: error(&|n| factors(n).q - self.l[n] / self.j[n]),
        }
    }

    fn deviation(&self, values: Vec<f64>) -> Deviation {
        let [species, energies, radii] = self.shape;
        let place = |s: usize, k: usize, i: usize| (s * energies + k) * radii + i;
        let mut by_radius = Vec::with_capacity(species * radii);
        let (mut sum, mut weights) = (0.0, 0.0);
        for s in 0..species {
            for i in 0..radii {
                let (mut error, mut weight) = (0.0, 0.0);
                for k in (0..energies).filter(|&k| self.counts[place(s, k, i)]) {
                    let part = self.energy_weight[k] * self.j[place(s, k, i)];
                    error += part * values[place(s, k, i)].abs();
                    weight += part;
                }
                let mean = if weight > 0.0 { error / weight } else { 0.0 };
                if weight > 0.0 {
                    sum += self.radial_weight[i] * mean;
                    weights += self.radial_weight[i];
                }
                by_radius.push(mean);
            }
        }
        let largest =
            (0..values.len()).max_by(|&a, &b| values[a].abs().total_cmp(&values[b].abs())).unwrap_or(0);
        Deviation {
            mean: if weights > 0.0 { sum / weights } else { 0.0 },
            largest: values.get(largest).map_or(0.0, |value| value.abs()),
            largest_at: [largest / (energies * radii), largest / radii % energies, largest % radii],
            values,
            by_radius,
        }
    }
}

/// Whether J is not negligible among the `size` values of its species.
fn counting(j: &[f64], size: usize) -> Vec<bool> {
    j.chunks(size.max(1))
        .flat_map(|j| {
            let largest = j.iter().copied().fold(0.0, f64::max);
            j.iter().map(move |&j| j > 0.0 && j >= NEGLIGIBLE * largest)
        })
        .collect()
}
