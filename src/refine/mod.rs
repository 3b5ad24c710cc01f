//! A ladder of runs that gives every number of a result its numerical error (docs/refinement.md).

pub mod estimate;
pub mod ladder;
pub mod report;
pub mod store;

use ndarray::ArrayD;

use self::estimate::{Estimate, estimate, spread};
use self::ladder::{Direction, Ladder, Level, Workplace, run_levels};
use crate::error::{Error, Result};
use crate::extremes::largest;
use crate::output::dataset::{Attribute, Dataset, Values, Variable};
use crate::problem::Loaded;
use crate::problem::file::ModeFile;
use crate::progress::Observer;
use crate::resample::{Target, elements, resample};
use crate::run::{Resources, prepare};

/// Quantities of a result that a refinement changes, and that get an error.
const QUANTITIES: [&str; 34] = [
    "f",
    "j",
    "h",
    "k",
    "l",
    "number_density",
    "energy_density",
    "luminosity",
    "luminosity_static",
    "luminosity_infinity",
    "number_luminosity_infinity",
    "mean_energy",
    "rms_energy",
    "rms_energy_number",
    "mean_energy_infinity",
    "flux_factor",
    "eddington_factor",
    "energy_sphere_mean",
    "transport_sphere_mean",
    "heating_absorbed",
    "heating_emitted",
    "heating_scattered",
    "heating_net",
    "heating_by_process",
    "ye_rate",
    "number_emitted",
    "number_absorbed",
    "number_left_outer",
    "number_left_inner",
    "gain_radius",
    "gain_mass",
    "gain_heating",
    "heating_efficiency",
    "number",
];
/// Dimensions along which results are polynomials in elements.
const ELEMENT_DIMENSIONS: [&str; 3] = ["r", "mu", "energy"];
/// No error is smaller than this share of the largest value of its variable: the solver's tolerance.
const ROUND_OFF: f64 = 1e-12;
/// How often the parts of the directions count where these are refined one at a time: what they would change together
/// is not seen.
const APART: f64 = 2.0;
/// Name of the group with the contributions of the directions.
pub const GROUP: &str = "refinement";
/// Suffix of the error of the values in the file.
pub const ERROR: &str = "_error";
/// Suffix of the error of a run at the problem's own resolution.
pub const STANDARD_ERROR: &str = "_standard_error";

/// What is refined how far.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Elements of the finest run relative to the problem's; 1: none that is finer in all directions together.
    pub finest: f64,
    /// Directions to refine; all that the problem has where `None`.
    pub directions: Option<Vec<Direction>>,
}

/// Observed order of one variable in one direction.
#[derive(Debug, Clone, PartialEq)]
pub struct OrderRow {
    pub variable: String,
    pub direction: Direction,
    /// Order of the mean differences.
    pub order: f64,
    /// Share of the points where the order is trusted.
    pub trusted: f64,
}

/// A result with its errors.
#[derive(Debug, Clone)]
pub struct Refined {
    pub dataset: Dataset,
    pub orders: Vec<OrderRow>,
    /// The run at the problem's own resolution.
    pub standard: Dataset,
}

/// Runs the ladder of `problem`. The result is that of [`Ladder::judged`] at the nodes of the problem's own
/// resolution, with errors from its differences to the finest run.
///
/// # Errors
/// See [`run_levels`]; a direction that the problem does not have.
pub fn refine(
    problem: &Loaded,
    settings: &Settings,
    workplace: &Workplace,
    resources: &Resources,
    observer: &dyn Observer,
) -> Result<Refined> {
    let setup = prepare(problem, resources.memory)?;
    let possible = ladder::directions(problem, &setup.phase_space.energy);
    drop(setup);
    let directions = settings.directions.clone().unwrap_or_else(|| possible.clone());
    if let Some(direction) = directions.iter().find(|direction| !possible.contains(direction)) {
        return Err(Error::field("--directions", direction.name(), names(&possible)));
    }
    let ladder = Ladder::new(settings.finest, &directions);
    let levels = ladder.levels();
    let results = run_levels(problem, &levels, workplace, resources, observer)?;
    let of = |level: &Level| -> Result<&Dataset> {
        let found = levels.iter().position(|other| other == level).and_then(|index| results.get(index));
        found.ok_or_else(|| Error::Numerical(format!("the ladder lacks {}", level.name())))
    };
    let standard = of(&Level::STANDARD)?;
    let steps = ladder
        .steps
        .iter()
        .map(|s| {
            Ok(Results {
                direction: s.direction,
                fine: of(&s.fine)?,
                half: of(&s.half)?,
                quarter: of(&s.quarter)?,
            })
        })
        .collect::<Result<Vec<_>>>()?;
    let time_order = time_order(problem);
    let (judged, finest) = (of(&ladder.judged)?, ladder.finest.as_ref().map(of).transpose()?);
    let comparison = Comparison { standard, judged, finest, steps, time_order };
    let mut refined = comparison.refined()?;
    add_runs(&mut refined.dataset, &levels, &results);
    Ok(refined)
}

fn names(directions: &[Direction]) -> String {
    let names: Vec<&str> = directions.iter().map(|direction| direction.name()).collect();
    format!("directions of this problem: {}", names.join(", "))
}

fn time_order(problem: &Loaded) -> f64 {
    match &problem.file.mode {
        ModeFile::SteadyState { .. } => 1.0,
        ModeFile::Evolution { integrator, .. } => f64::from(integrator.order()),
    }
}

/// Results at the levels of [`ladder::Steps`].
struct Results<'a> {
    direction: Direction,
    fine: &'a Dataset,
    half: &'a Dataset,
    quarter: &'a Dataset,
}

/// The results that errors are estimated from.
struct Comparison<'a> {
    standard: &'a Dataset,
    judged: &'a Dataset,
    /// `None`: what it would be follows from the single directions.
    finest: Option<&'a Dataset>,
    steps: Vec<Results<'a>>,
    time_order: f64,
}

/// One quantity with its errors.
struct Assessed {
    values: ArrayD<f64>,
    finest: ArrayD<f64>,
    error: ArrayD<f64>,
    standard_error: ArrayD<f64>,
    extrapolated: ArrayD<f64>,
    by_direction: Vec<(Direction, Estimate)>,
}

impl Comparison<'_> {
    fn refined(&self) -> Result<Refined> {
        let mut dataset = self.standard.clone();
        dataset.attributes = self.judged.attributes.clone();
        let mut contributions = Dataset::new();
        let mut orders = Vec::new();
        for variable in self.standard.variables.iter().filter(|v| is_quantity(v)) {
            let assessed = self.assess(variable)?;
            replace(&mut dataset, variable, &assessed);
            add_contributions(&mut contributions, variable, &assessed);
            orders.extend(assessed.by_direction.iter().map(|(direction, estimate)| OrderRow {
                variable: variable.name.clone(),
                direction: *direction,
                order: estimate.order,
                trusted: estimate.trusted,
            }));
        }
        self.add_scalars(&mut dataset);
        self.refine_groups(&mut dataset)?;
        add_orders(&mut contributions, &orders);
        dataset.group(GROUP, contributions);
        Ok(Refined { dataset, orders, standard: self.standard.clone() })
    }

    /// The quantities of the groups (`samples`).
    fn refine_groups(&self, dataset: &mut Dataset) -> Result<()> {
        for (name, group) in &mut dataset.groups {
            let part = |whole: &Dataset| {
                whole.get_group(name).ok_or_else(|| Error::dataset(&**name, "is not a group of every run"))
            };
            let (standard, judged) = (part(self.standard)?, part(self.judged)?);
            let finest = self.finest.map(part).transpose()?;
            let parts = self
                .steps
                .iter()
                .map(|s| Ok((s.direction, [part(s.fine)?, part(s.half)?, part(s.quarter)?])))
                .collect::<Result<Vec<_>>>()?;
            let inner = Comparison {
                standard: &standard,
                judged: &judged,
                finest: finest.as_ref(),
                steps: parts
                    .iter()
                    .map(|(direction, [fine, half, quarter])| Results {
                        direction: *direction,
                        fine,
                        half,
                        quarter,
                    })
                    .collect(),
                time_order: self.time_order,
            };
            for variable in group.variables.clone().iter().filter(|v| is_quantity(v)) {
                replace(group, variable, &inner.assess(variable)?);
            }
        }
        Ok(())
    }

    fn assess(&self, variable: &Variable) -> Result<Assessed> {
        let targets = |dataset: &Dataset| -> Result<Vec<Target>> {
            let resampled = ELEMENT_DIMENSIONS.into_iter().filter(|d| self.has_elements(variable, d));
            resampled.map(|d| Target::new(dataset, d, self.standard.reals(d)?)).collect()
        };
        let at_nodes = |dataset: &Dataset| -> Result<ArrayD<f64>> {
            resample(dataset, dataset.require(&variable.name)?, &targets(dataset)?)
        };
        let standard = self.standard.array(&variable.name)?.to_owned();
        self.assessed(&standard, &at_nodes, &self.per_element(variable)?)
    }

    /// Whether the variable depends on `dimension` and the grid has elements in it (a gray one has not).
    fn has_elements(&self, variable: &Variable, dimension: &str) -> bool {
        variable.dimensions.iter().any(|d| d == dimension)
            && self.standard.get(&crate::resample::edge_name(dimension)).is_some()
    }

    fn per_element(&self, variable: &Variable) -> Result<Vec<usize>> {
        let count = |dimension: &String| -> Result<usize> {
            if ELEMENT_DIMENSIONS.contains(&dimension.as_str()) && self.has_elements(variable, dimension) {
                return Ok(elements(self.standard, dimension)?.per_element());
            }
            Ok(0)
        };
        variable.dimensions.iter().map(count).collect()
    }

    /// The largest order that a result can have: 2p + 1 of integrals with polynomials of degree p.
    fn formal_order(&self, direction: Direction) -> Result<f64> {
        if direction == Direction::Time {
            return Ok(self.time_order);
        }
        let nodes = elements(self.standard, direction.name())?.per_element();
        Ok((2 * nodes - 1).max(1) as f64)
    }

    /// Errors of the scalars that are attributes (the gain region of a steady state). One that a run lacks has none.
    fn add_scalars(&self, dataset: &mut Dataset) {
        for name in QUANTITIES {
            let single = |dataset: &Dataset| match dataset.get_attribute(name) {
                Some(Attribute::Real(value)) => Ok(ArrayD::from_elem(vec![], *value)),
                _ => Err(Error::dataset(name, "is not a number of every run")),
            };
            let assessed = single(self.standard).and_then(|standard| self.assessed(&standard, &single, &[]));
            if let Ok(assessed) = assessed {
                dataset.attribute(&format!("{name}{ERROR}"), assessed.error.sum());
                dataset.attribute(&format!("{name}{STANDARD_ERROR}"), assessed.standard_error.sum());
            }
        }
    }

    /// The judged values of a quantity, which `of` takes from a run, with their errors: differences to the finest run
    /// and the parts of the directions, whose sum stands for what the finest run itself lacks. `standard`: the
    /// values at the problem's own resolution.
    fn assessed(
        &self,
        standard: &ArrayD<f64>,
        of: &dyn Fn(&Dataset) -> Result<ArrayD<f64>>,
        per_element: &[usize],
    ) -> Result<Assessed> {
        let values = of(self.judged)?;
        let weight = if self.finest.is_some() { 1.0 } else { APART };
        let largest = largest(values.iter().map(|value| value.abs()));
        let mut error = ArrayD::from_elem(values.raw_dim(), ROUND_OFF * largest);
        let mut sum = values.clone();
        let mut by_direction = Vec::new();
        for steps in &self.steps {
            let [fine, half, quarter] = [of(steps.fine)?, of(steps.half)?, of(steps.quarter)?];
            let formal = self.formal_order(steps.direction)?;
            let estimate = estimate(&fine, &half, &quarter, per_element, formal);
            error.scaled_add(weight, &estimate.difference);
            by_direction.push((steps.direction, estimate));
            sum += &(fine - half);
        }
        let finest = self.finest.map_or(Ok(sum), of)?;
        error += &spread(&(&values - &finest), &values, per_element);
        let extrapolated =
            by_direction.iter().fold(finest.clone(), |sum, (_, estimate)| sum + &estimate.correction);
        let standard_error = spread(&(standard - &values), &values, per_element) + &error;
        Ok(Assessed { values, finest, error, standard_error, extrapolated, by_direction })
    }
}

fn is_quantity(variable: &Variable) -> bool {
    QUANTITIES.contains(&variable.name.as_str()) && matches!(variable.values, Values::Real(_))
}

/// Puts the assessed values in the place of the standard ones, with both errors behind them.
fn replace(dataset: &mut Dataset, variable: &Variable, assessed: &Assessed) {
    let Some(index) = dataset.variables.iter().position(|v| v.name == variable.name) else { return };
    dataset.variables[index].values = Values::Real(assessed.values.iter().copied().collect());
    for (place, (suffix, meaning, values)) in [
        (ERROR, "numerical error", &assessed.error),
        (
            STANDARD_ERROR,
            "numerical error of a run at the problem's own resolution",
            &assessed.standard_error,
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let error = Variable {
            name: format!("{}{suffix}", variable.name),
            values: Values::Real(values.iter().copied().collect()),
            long_name: format!("{meaning} of {}", variable.name),
            ..variable.clone()
        };
        dataset.variables.insert(index + 1 + place, error);
    }
}

/// Errors by direction and extrapolated values, of all that does not depend on angle.
fn add_contributions(group: &mut Dataset, variable: &Variable, assessed: &Assessed) {
    if variable.dimensions.iter().any(|d| d == "mu") {
        return;
    }
    let mut add = |name: String, meaning: String, values: &ArrayD<f64>| {
        group.variables.push(Variable {
            name,
            values: Values::Real(values.iter().copied().collect()),
            long_name: meaning,
            ..variable.clone()
        });
    };
    let name = &variable.name;
    for (direction, estimate) in &assessed.by_direction {
        let direction = direction.name();
        let meaning = format!("part of the numerical error of {name} from {direction}");
        add(format!("{name}{ERROR}_{direction}"), meaning, &estimate.difference);
    }
    add(format!("{name}_finest"), format!("{name} of the finest run"), &assessed.finest);
    if !variable.dimensions.iter().any(|d| d == "energy") {
        let meaning = format!("{name} with Richardson's extrapolation where the orders are trusted");
        add(format!("{name}_extrapolated"), meaning, &assessed.extrapolated);
    }
}

fn add_orders(group: &mut Dataset, orders: &[OrderRow]) {
    if orders.is_empty() {
        return;
    }
    group.dimension("order_entry", orders.len());
    let dimensions = ["order_entry"];
    let variables = orders.iter().map(|row| row.variable.clone()).collect();
    group.text("order_variable", &dimensions, "variable", variables);
    let directions = orders.iter().map(|row| row.direction.name().to_owned()).collect();
    group.text("order_direction", &dimensions, "direction of refinement", directions);
    let values = orders.iter().map(|row| row.order).collect();
    group.real("order", &dimensions, "1", "order at which mean differences fall", values);
    let trusted = orders.iter().map(|row| row.trusted).collect();
    let meaning =
        "share of the points where the order is trusted; the error is a bound from the differences elsewhere";
    group.real("order_trusted", &dimensions, "1", meaning, trusted);
}

/// The table of the runs.
fn add_runs(dataset: &mut Dataset, levels: &[Level], results: &[Dataset]) {
    let Some((_, group)) = dataset.groups.iter_mut().find(|(name, _)| name == GROUP) else { return };
    group.dimension("run", levels.len());
    let names = levels.iter().map(Level::name).collect();
    group.text("run_level", &["run"], "elements relative to the problem's", names);
    let column = |value: &dyn Fn(&Dataset) -> f64| results.iter().map(value).collect::<Vec<f64>>();
    let nodes = |result: &Dataset| {
        ["species", "energy", "mu", "r"].iter().map(|d| result.length(d).unwrap_or(1) as f64).product()
    };
    group.real("run_unknowns", &["run"], "1", "unknowns", column(&nodes));
    let scalar = |name: &'static str| move |result: &Dataset| result.scalar(name).unwrap_or(0.0);
    group.real("run_iterations", &["run"], "1", "iterations", column(&scalar("iterations")));
    group.real("run_wall_time", &["run"], "s", "duration", column(&scalar("wall_time_s")));
}
