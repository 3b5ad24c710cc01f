//! The a-priori test of closures in a scorecard: what each closure makes of the reference's own J and H.

use serde::Serialize;

use super::Score;
use super::figures::{Panel, svg_of};
use crate::compare::report::{percent, short};
use crate::diagnostics::closure_test::{ClosureErrors, ClosureTest, Deviation};
use crate::error::Result;
use crate::output::dataset::Dataset;
use crate::plot::Figure;
use crate::plot::axis::{self, Axis};
use crate::plot::chart::{Chart, Series, Style, colour};

/// Decades of errors that a figure shows.
const DECADES: i32 = 4;
/// A range of more than this factor is drawn logarithmically.
const LOGARITHMIC_FROM: f64 = 30.0;
/// Closures whose lines are solid: more have the colours of the first ones again.
const COLOURS: usize = 6;
/// The reference's own error.
const OWN: &str = "#000000";
/// The ratio K/J.
const CHI: &str = "χ";

/// The test of all closures.
#[derive(Debug, Clone, Serialize)]
pub struct Closures {
    /// The best first, by the mean error of χ.
    pub ranking: Vec<ClosureScore>,
    /// Median of the reference's own error of the energy-averaged χ, where it is known: over all radii, and over
    /// the half transparent ones.
    pub own_chi: Option<f64>,
    pub own_chi_transition: Option<f64>,
    /// Points (species, energy, radius), and those of them that do not count.
    pub points: usize,
    pub excluded: usize,
    #[serde(skip)]
    pub test: ClosureTest,
}

/// The errors of one closure.
#[derive(Debug, Clone, Serialize)]
pub struct ClosureScore {
    pub closure: String,
    pub chi: RatioError,
    pub q: RatioError,
}

/// Errors of a ratio of moments, χ = K/J or q = L/J.
#[derive(Debug, Clone, Serialize)]
pub struct RatioError {
    /// Mean magnitude (over energies by ε³J dε, over radii by dln r).
    pub mean: f64,
    /// The same in the order of the species.
    pub by_species: Vec<f64>,
    /// The mean over points with flux factors from 0.1 to 0.9 alone.
    pub transition: f64,
    /// Largest magnitude.
    pub largest: f64,
    /// Where that is.
    pub species: String,
    pub energy: f64,
    pub r: f64,
}

impl Closures {
    /// Tests all closures on `reference`.
    ///
    /// # Errors
    /// See [`ClosureTest::new`].
    pub fn new(reference: &Dataset) -> Result<Self> {
        let test = ClosureTest::new(reference)?;
        let score = |errors: &ClosureErrors| ClosureScore {
            closure: errors.closure.name().to_owned(),
            chi: RatioError::new(&test, &errors.chi),
            q: RatioError::new(&test, &errors.q),
        };
        let mut ranking: Vec<ClosureScore> = test.errors.iter().map(score).collect();
        ranking.sort_by(|a, b| a.chi.mean.total_cmp(&b.chi.mean));
        Ok(Self {
            ranking,
            own_chi: test.own.as_ref().map(|own| own.median),
            own_chi_transition: test.own.as_ref().map(|own| own.transition),
            points: test.points,
            excluded: test.excluded,
            test,
        })
    }
}

impl RatioError {
    fn new(test: &ClosureTest, deviation: &Deviation) -> Self {
        let [species, energy, r] = deviation.largest_at;
        Self {
            mean: deviation.mean,
            by_species: deviation.by_species.clone(),
            transition: deviation.transition,
            largest: deviation.largest,
            species: test.species.get(species).cloned().unwrap_or_default(),
            energy: test.energy.get(energy).copied().unwrap_or_default(),
            r: test.r.get(r).copied().unwrap_or_default(),
        }
    }
}

/// What the table says.
pub(super) fn note(closures: &Closures) -> String {
    let own = closures.own_chi.zip(closures.own_chi_transition);
    let own = own.map_or("not stated".to_owned(), |(all, half)| {
        format!("{}, where half transparent {}", percent(all, false), percent(half, false))
    });
    format!(
        "a-priori test: χ = K/J and q = L/J of each closure from the reference's own J and H at every energy and \
         radius, minus the reference's; 1 = 100 %, free streaming has χ = q = 1; half transparent: flux factors \
         from 0.1 to 0.9; own error of the reference's energy-averaged χ (median): {own}; {} of {} points have too few \
         neutrinos, or moments of no distribution, and do not count",
        closures.excluded, closures.points
    )
}

/// Heads of [`lines`].
pub(super) fn head(closures: &Closures) -> Vec<String> {
    let mut head: Vec<String> = ["closure", "χ: mean", "half transparent"].map(str::to_owned).to_vec();
    if closures.test.species.len() > 1 {
        head.extend(closures.test.species.iter().map(|species| format!("χ: {species}")));
    }
    head.extend(["χ: largest", "where", "q: mean", "q: largest"].map(str::to_owned));
    head
}

/// One line per closure, the best first.
pub(super) fn lines(score: &Score, closures: &Closures) -> Vec<Vec<String>> {
    let several = closures.test.species.len() > 1;
    let line = |found: &ClosureScore| {
        let means = [found.chi.mean, found.chi.transition].map(|mean| percent(mean, false));
        let mut line: Vec<String> = std::iter::once(found.closure.clone()).chain(means).collect();
        if several {
            line.extend(found.chi.by_species.iter().map(|mean| percent(*mean, false)));
        }
        line.extend([
            percent(found.chi.largest, false),
            place(score, closures, &found.chi),
            percent(found.q.mean, false),
            percent(found.q.largest, false),
        ]);
        line
    };
    closures.ranking.iter().map(line).collect()
}

/// Where the largest error is.
fn place(score: &Score, closures: &Closures, error: &RatioError) -> String {
    let mut parts = Vec::new();
    if closures.test.species.len() > 1 {
        parts.push(error.species.clone());
    }
    if closures.test.energy.len() > 1 {
        let unit = if score.length_unit == "1" { "" } else { " MeV" };
        parts.push(format!("{}{unit}", short(error.energy)));
    }
    parts.push(score.length(error.r));
    parts.join(", ")
}

/// Errors of all closures over radius and over energy, for each species.
pub(super) fn panels(score: &Score, closures: &Closures) -> Vec<Panel> {
    let panel = |(index, species): (usize, &String)| {
        let figures = [CHI, "q"].into_iter().flat_map(|ratio| {
            [over_radius(score, closures, ratio, index), over_energy(score, closures, ratio, index)]
        });
        Panel {
            anchor: format!("closures-{index}"),
            title: format!("Closures on the reference's moments, {species}"),
            figures: figures.filter_map(svg_of).collect(),
        }
    };
    closures.test.species.iter().enumerate().map(panel).collect()
}

fn over_radius(score: &Score, closures: &Closures, ratio: &str, species: usize) -> Result<Figure> {
    let physical = score.length_unit == "cm";
    let factor = if physical { 1e-5 } else { 1.0 };
    let x: Vec<f64> = closures.test.r.iter().map(|r| r * factor).collect();
    let label = if physical { "r [km]" } else { "r" };
    let own =
        closures.test.own.as_ref().filter(|_| ratio == CHI).map(|own| chunk(&own.by_radius, &x, species));
    let title = format!("Error of {ratio} over radius, mean over energy");
    draw(closures, title, (label.to_owned(), &x), ratio, own, |d| chunk(&d.by_radius, &x, species))
}

fn over_energy(score: &Score, closures: &Closures, ratio: &str, species: usize) -> Result<Figure> {
    let x = &closures.test.energy;
    let unit = if score.length_unit == "1" { "1" } else { "MeV" };
    let label = axis::labelled("ε", 0, unit);
    let title = format!("Error of {ratio} over energy, mean over radius");
    draw(closures, title, (label, x), ratio, None, |d| chunk(&d.by_energy, x, species))
}

/// The values of `species` among those at (species, x).
fn chunk<'a>(values: &'a [f64], x: &[f64], species: usize) -> &'a [f64] {
    values.get(species * x.len()..(species + 1) * x.len()).unwrap_or_default()
}

/// A figure of the means that `of` gives over `x`, with the reference's `own` error.
fn draw<'a>(
    closures: &'a Closures,
    title: String,
    (label, x): (String, &[f64]),
    ratio: &str,
    own: Option<&[f64]>,
    of: impl Fn(&'a Deviation) -> &'a [f64],
) -> Result<Figure> {
    let points = |values: &[f64]| x.iter().copied().zip(values.iter().copied()).collect();
    let chosen = |errors: &'a ClosureErrors| if ratio == CHI { &errors.chi } else { &errors.q };
    let mut series: Vec<Series> = (closures.test.errors.iter().enumerate())
        .map(|(index, errors)| Series {
            label: errors.closure.name().to_owned(),
            colour: colour(index % COLOURS).to_owned(),
            style: if index < COLOURS { Style::Solid } else { Style::Dashed },
            points: points(of(chosen(errors))),
        })
        .collect();
    let shown = series.iter().flat_map(|series: &Series| series.points.iter().map(|point| point.1));
    let y = axis::logarithmic(format!("mean |Δ{ratio}|"), shown, DECADES);
    if let Some(own) = own {
        let label = "error of the reference".to_owned();
        series.push(Series { label, colour: OWN.to_owned(), style: Style::Dashed, points: points(own) });
    }
    let x = horizontal(label, x);
    Chart { title, subtitle: String::new(), x, y, series, levels: vec![], places: vec![] }.figure(ratio)
}

fn horizontal(label: String, x: &[f64]) -> Axis {
    let positive = x.iter().copied().filter(|x| *x > 0.0);
    let (min, max) =
        positive.fold((f64::INFINITY, 0.0), |(low, high): (f64, f64), x| (low.min(x), high.max(x)));
    Axis { label, logarithmic: max / min > LOGARITHMIC_FROM, min, max }
}
