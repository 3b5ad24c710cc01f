//! The error of a closure by itself: χ(H/J, J) and q(H/J, J) of a closure, evaluated on the moments J and H of
//! a reference, against the reference's own K/J and L/J. A scheme that uses the closure has this error and
//! that of its J and H.

use crate::error::{Error, Result};
use crate::methods::closures::Closure;
use crate::output::dataset::Dataset;

/// Moments that no distribution has, by more than this part of J, do not count: |H| > J, K > J or KJ < H². They
/// are where a reference oscillates at a jump of the matter.
pub const UNREALIZABLE: f64 = 1e-3;

/// Flux factors between which matter is neither opaque nor transparent to neutrinos.
pub const TRANSITION: std::ops::RangeInclusive<f64> = 0.1..=0.9;

/// Points with less than this part of the largest J of their species do not count: there a reference has
/// no accurate ratios of moments.
pub const NEGLIGIBLE: f64 = 1e-8;

/// All closures on one reference.
#[derive(Debug, Clone, PartialEq)]
pub struct ClosureTest {
    /// Names, energies and radii of the reference, in its units.
    pub species: Vec<String>,
    pub energy: Vec<f64>,
    pub r: Vec<f64>,
    /// In the order of [`Closure::ALL`].
    pub errors: Vec<ClosureErrors>,
    /// The reference's own error of K/J, where it states that of the energy-averaged one.
    pub own: Option<OwnError>,
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

/// The reference's own error of the energy-averaged K/J, `eddington_factor_error`. Errors of single moments say
/// nothing of their ratio: an error of the spectrum is one of J and K alike.
#[derive(Debug, Clone, PartialEq)]
pub struct OwnError {
    /// At (species, radius); 0 where nothing counts.
    pub by_radius: Vec<f64>,
    /// Median over all species and radii that count. A mean would be that of the few places with hardly any
    /// neutrinos, where the error is stated as larger than K/J can be.
    pub median: f64,
    /// The same over radii with a flux factor in [`TRANSITION`] at any energy; 0 where there are none.
    pub transition: f64,
}

/// Value of the closure minus that of the reference.
#[derive(Debug, Clone, PartialEq)]
pub struct Deviation {
    /// At (species, energy, radius), radius fastest; 0 at excluded points.
    pub values: Vec<f64>,
    /// Mean magnitude at (species, radius), weighted with ε³J dε; 0 where all energies are excluded.
    pub by_radius: Vec<f64>,
    /// Mean magnitude at (species, energy), weighted with dln r; 0 where all radii are excluded.
    pub by_energy: Vec<f64>,
    /// Mean of `by_radius` per species, weighted with dln r; 0 where all points are excluded.
    pub by_species: Vec<f64>,
    /// Mean of `by_radius` over all species and, weighted with dln r, all radii that count.
    pub mean: f64,
    /// The same mean over the points with flux factors in [`TRANSITION`] alone; 0 where there are none.
    pub transition: f64,
    /// Largest magnitude of a value, and where: (species, energy, radius) as numbers.
    pub largest: f64,
    pub largest_at: [usize; 3],
}

/// What the test needs of a reference.
struct Reference<'a> {
    shape: [usize; 3],
    species: &'a [String],
    energy: &'a [f64],
    r: &'a [f64],
    j: &'a [f64],
    h: &'a [f64],
    k: &'a [f64],
    l: &'a [f64],
    /// Error of the energy-averaged K/J at (species, radius), where it is stated.
    own: Option<&'a [f64]>,
    /// ε³dε and dln r.
    energy_weight: Vec<f64>,
    radial_weight: Vec<f64>,
    counts: Vec<bool>,
}

impl ClosureTest {
    /// Tests all closures on `reference`, a result of one time with the variables of docs/reference_format.md;
    /// its own error is `eddington_factor_error`, where it has that.
    ///
    /// # Errors
    /// [`Error::Dataset`] for variables that are missing, of another shape or not finite, and where J is
    /// positive nowhere.
    pub fn new(reference: &Dataset) -> Result<Self> {
        let reference = Reference::new(reference)?;
        Ok(Self {
            species: reference.species.to_vec(),
            energy: reference.energy.to_vec(),
            r: reference.r.to_vec(),
            errors: Closure::ALL.map(|closure| reference.errors(closure)).to_vec(),
            own: reference.own_error(),
            points: reference.counts.len(),
            excluded: reference.counts.iter().filter(|&&counts| !counts).count(),
        })
    }

    /// Closures by the mean error of χ, the best first.
    pub fn ranking(&self) -> Vec<(Closure, f64)> {
        let mut ranking: Vec<_> =
            self.errors.iter().map(|errors| (errors.closure, errors.chi.mean)).collect();
        ranking.sort_by(|a, b| a.1.total_cmp(&b.1));
        ranking
    }

    /// Adds the group `closure_test` to the dataset that the test was made of: `chi_error_…` and `q_error_…` with
    /// the closures' names, over (species, energy, r); means over (closure, species, r), (closure, species,
    /// energy), (closure, species) and (closure); over (closure) the largest errors.
    pub fn add_to(&self, data: &mut Dataset) {
        let mut group = Dataset::new();
        group.dimension("closure", self.errors.len());
        let names = self.errors.iter().map(|errors| errors.closure.name().to_owned()).collect();
        group.text("closure", &["closure"], "closure of the moment equations", names);
        let chi: Vec<&Deviation> = self.errors.iter().map(|errors| &errors.chi).collect();
        let q: Vec<&Deviation> = self.errors.iter().map(|errors| &errors.q).collect();
        self.add_ratio(&mut group, "chi", "K/J", &chi);
        self.add_ratio(&mut group, "q", "L/J", &q);
        if let Some(own) = &self.own {
            let what = "error of the energy-averaged K/J of this result itself";
            group.real("chi_own_error", &["species", "r"], "1", what, own.by_radius.clone());
            group.attribute("chi_own_error_median", own.median);
            group.attribute("chi_own_error_transition_median", own.transition);
        }
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
        let what = format!("mean error of {ratio} at flux factors from 0.1 to 0.9");
        let transition = of_closures.iter().map(|deviation| deviation.transition).collect();
        group.real(&format!("{symbol}_error_transition"), &["closure"], "1", &what, transition);
        let what = format!("largest error of {ratio}");
        group.real(&format!("{symbol}_error_largest"), &["closure"], "1", &what, largest);
        type Means = fn(&Deviation) -> &Vec<f64>;
        let means: [(&str, &[&str], &str, Means); 3] = [
            ("radius", &["closure", "species", "r"], "energy^3 J denergy", |d| &d.by_radius),
            ("energy", &["closure", "species", "energy"], "dln r", |d| &d.by_energy),
            ("species", &["closure", "species"], "energy^3 J denergy, then with dln r", |d| &d.by_species),
        ];
        for (by, dimensions, weight, of) in means {
            let values = of_closures.iter().flat_map(|deviation| of(deviation).iter().copied()).collect();
            let what = format!("mean magnitude of the error of {ratio}, 0 where nothing counts");
            let mean = group.real(&format!("{symbol}_error_by_{by}"), dimensions, "1", &what, values);
            mean.attribute("definition", format!("weighted with {weight}"));
        }
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
        let shape = shape(data)?;
        let reals = |name: &str, length: usize| finite(data, name, length);
        let species = data.texts("species")?;
        if species.len() != shape[0] {
            return Err(Error::dataset("species", format!("needs {} names", shape[0])));
        }
        let weights = |nodes: &str, weights: &str, n: usize, of: fn(f64) -> f64| -> Result<Vec<f64>> {
            let (nodes, weights) = (reals(nodes, n)?, reals(weights, n)?);
            Ok(nodes.iter().zip(weights).map(|(node, weight)| weight * of(*node)).collect())
        };
        let moments = |name: &str| reals(name, shape.iter().product());
        let (j, h, k, l) = (moments("j")?, moments("h")?, moments("k")?, moments("l")?);
        let own = match data.get("eddington_factor_error") {
            Some(variable) => Some(reals(&variable.name, shape[0] * shape[2])?),
            None => None,
        };
        Ok(Self {
            shape,
            species,
            energy: reals("energy", shape[1])?,
            r: reals("r", shape[2])?,
            own,
            j,
            h,
            k,
            l,
            energy_weight: weights("energy", "energy_weight", shape[1], |energy| energy.powi(3))?,
            radial_weight: weights("r", "r_weight", shape[2], |r| 1.0 / r)?,
            counts: realizable(j, h, k, shape[1] * shape[2])?,
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

    /// The stated error where anything counts.
    fn own_error(&self) -> Option<OwnError> {
        let stated = self.own?;
        let [species, energies, radii] = self.shape;
        let mut by_radius = Vec::with_capacity(species * radii);
        let (mut all, mut transition) = (Vec::new(), Vec::new());
        for s in 0..species {
            for i in 0..radii {
                let any = |counts: &dyn Fn(usize) -> bool| (0..energies).any(|k| counts(self.place(s, k, i)));
                let error = if any(&|n| self.counts[n]) { stated[s * radii + i].abs() } else { 0.0 };
                if any(&|n| self.counts[n]) {
                    all.push(error);
                }
                if any(&|n| self.is_half_transparent(n)) {
                    transition.push(error);
                }
                by_radius.push(error);
            }
        }
        Some(OwnError { by_radius, median: median(all), transition: median(transition) })
    }

    /// Whether the point counts and has a flux factor in [`TRANSITION`].
    fn is_half_transparent(&self, n: usize) -> bool {
        self.counts[n] && TRANSITION.contains(&(self.h[n] / self.j[n]).abs())
    }

    fn deviation(&self, values: Vec<f64>) -> Deviation {
        let [species, energies, radii] = self.shape;
        let (mut by_radius, mut by_energy) = (Vec::new(), Vec::new());
        let (mut all, mut transition, mut by_species) = (Mean::default(), Mean::default(), Vec::new());
        let counts = |n: usize| self.counts[n];
        let half_transparent = |n: usize| self.is_half_transparent(n);
        for s in 0..species {
            let mut of_species = Mean::default();
            for i in 0..radii {
                let found = self.mean_at_radius(&values, s, i, counts);
                let part = self.mean_at_radius(&values, s, i, half_transparent);
                part.iter().for_each(|&part| transition.add(part, self.radial_weight[i]));
                for mean in [&mut all, &mut of_species] {
                    found.iter().for_each(|&found| mean.add(found, self.radial_weight[i]));
                }
                by_radius.push(found.unwrap_or(0.0));
            }
            by_energy.extend((0..energies).map(|k| self.mean_at_energy(&values, s, k).unwrap_or(0.0)));
            by_species.push(of_species.value().unwrap_or(0.0));
        }
        let largest =
            (0..values.len()).max_by(|&a, &b| values[a].abs().total_cmp(&values[b].abs())).unwrap_or(0);
        Deviation {
            mean: all.value().unwrap_or(0.0),
            transition: transition.value().unwrap_or(0.0),
            largest: values.get(largest).map_or(0.0, |value| value.abs()),
            largest_at: [largest / (energies * radii), largest / radii % energies, largest % radii],
            values,
            by_radius,
            by_energy,
            by_species,
        }
    }

    /// Mean magnitude over the energies for which `counts` is true, weighted with ε³J dε.
    fn mean_at_radius(
        &self,
        values: &[f64],
        species: usize,
        i: usize,
        counts: impl Fn(usize) -> bool,
    ) -> Option<f64> {
        let mut mean = Mean::default();
        for (k, weight) in self.energy_weight.iter().enumerate() {
            let place = self.place(species, k, i);
            if counts(place) {
                mean.add(values[place].abs(), weight * self.j[place]);
            }
        }
        mean.value()
    }

    /// Mean magnitude over the radii that count, weighted with dln r.
    fn mean_at_energy(&self, values: &[f64], species: usize, k: usize) -> Option<f64> {
        let mut mean = Mean::default();
        for (i, weight) in self.radial_weight.iter().enumerate() {
            let place = self.place(species, k, i);
            if self.counts[place] {
                mean.add(values[place].abs(), *weight);
            }
        }
        mean.value()
    }

    fn place(&self, species: usize, k: usize, i: usize) -> usize {
        let [_, energies, radii] = self.shape;
        (species * energies + k) * radii + i
    }
}

/// The upper median, 0 of none.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}

/// A weighted mean.
#[derive(Debug, Clone, Copy, Default)]
struct Mean {
    sum: f64,
    weight: f64,
}

impl Mean {
    fn add(&mut self, value: f64, weight: f64) {
        self.sum += weight * value;
        self.weight += weight;
    }

    /// `None` where nothing has a weight.
    fn value(self) -> Option<f64> {
        (self.weight > 0.0).then(|| self.sum / self.weight)
    }
}

/// Lengths of `j`'s dimensions.
fn shape(data: &Dataset) -> Result<[usize; 3]> {
    let variable = data.require("j")?;
    if variable.dimensions != ["species", "energy", "r"] {
        let found = variable.dimensions.join(", ");
        return Err(Error::dataset("j", format!("is over ({found}), not over (species, energy, r)")));
    }
    let lengths = data.shape(variable)?;
    Ok([lengths[0], lengths[1], lengths[2]])
}

/// The `length` values of `name`.
fn finite<'a>(data: &'a Dataset, name: &str, length: usize) -> Result<&'a [f64]> {
    let values = data.reals(name)?;
    if values.len() != length || values.iter().any(|value| !value.is_finite()) {
        return Err(Error::dataset(name, format!("needs {length} finite values")));
    }
    Ok(values)
}

/// The points that count: J is not negligible among the `size` values of its species, and the moments are those
/// of a distribution.
fn realizable(j: &[f64], h: &[f64], k: &[f64], size: usize) -> Result<Vec<bool>> {
    let counting = counting(j, size);
    if !counting.contains(&true) {
        return Err(Error::dataset("j", "is positive nowhere"));
    }
    let counts = |(n, counts)| counts && is_realizable(h[n] / j[n], k[n] / j[n]);
    Ok(counting.into_iter().enumerate().map(counts).collect())
}

/// Whether a distribution with H/J = `h` and K/J = `k` exists.
fn is_realizable(h: f64, k: f64) -> bool {
    h.abs() <= 1.0 + UNREALIZABLE && k <= 1.0 + UNREALIZABLE && k >= h * h - UNREALIZABLE
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
