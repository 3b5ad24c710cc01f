//! `tolman rates`: opacities and emissivities per process.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde::Deserialize;
use serde::de::value::{Error as ValueError, StrDeserializer};
use serde::de::{DeserializeOwned, IntoDeserializer};

use super::print::print;
use super::problem_args::{check_data_folder, path_and_value};
use crate::background::Background;
use crate::error::{Error, Result};
use crate::opacities::Surroundings;
use crate::output::replace;
use crate::plot::{Format, file_part, opacity_figure};
use crate::problem::file::{MatterFile, OpacityFile};
use crate::problem::load::{LoadOptions, load};
use crate::problem::quantity::Quantity;
use crate::problem::{BuildContext, Loaded};
use crate::rates::matter::Composition;
use crate::rates::report::{csv, json, species, table};
use crate::rates::table::{TableFile, write_table};
use crate::rates::{Place, PlaceRates, ProcessRates, three_species};
use crate::units::UnitSystem;

/// Energies where none are asked for \[MeV\].
const ENERGIES: [f64; 12] = [1.0, 2.0, 3.0, 5.0, 7.0, 10.0, 15.0, 20.0, 30.0, 50.0, 70.0, 100.0];
/// Sources where no problem names them.
const SOURCES: &str = "[Rates(), Inelastic()]";

/// Show opacities and emissivities per process, at given matter or along a problem's background.
///
/// Inelastic reactions are shown among neutrinos in equilibrium with the matter: kappa* is the rate at
/// which a deviation from equilibrium at one energy decays.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    tolman rates --density \"1e12 g/cm3\" --temperature \"5 MeV\" --ye 0.2\n  \
    tolman rates --density \"1e12 g/cm3\" --temperature \"2 MeV\" --ye 0.35 --composition n=0.2,heavy=0.8,A=80,Z=35\n  \
    tolman rates --density \"1e12 g/cm3\" --temperature \"5 MeV\" --ye 0.2 --sources '[Inelastic(constants: NuLib)]'\n  \
    tolman rates problems/pns_atmosphere.ron --radius \"15 km\" --radius \"30 km\" --csv > rates.csv\n  \
    tolman rates --density \"1e12 g/cm3\" --temperature \"5 MeV\" --ye 0.2 --species nue --plot nue.svg\n  \
    tolman rates --table rates.h5 --grid '(groups: 24, scattering: TotalAndDelta)'\n\n\
    Exit status: 0 shown; 2 invalid input or unusable file; 1 rates that cannot be computed.")]
pub struct Args {
    /// Problem file whose background and opacities are shown at --radius.
    #[arg(value_name = "PROBLEM.ron",
          conflicts_with_all = ["density", "temperature", "ye", "composition", "sources", "table"],
          requires = "radii")]
    pub problem: Option<PathBuf>,
    /// Radius in the problem, e.g. "30 km"; may be given several times.
    #[arg(long = "radius", value_name = "LENGTH", value_parser = quantity, allow_hyphen_values = true, requires = "problem")]
    pub radii: Vec<Quantity>,
    /// Rest-mass density, e.g. "1e12 g/cm3".
    #[arg(long, value_name = "DENSITY", value_parser = quantity, allow_hyphen_values = true,
          required_unless_present_any = ["problem", "table"])]
    pub density: Option<Quantity>,
    /// Temperature, e.g. "5 MeV".
    #[arg(long, value_name = "TEMPERATURE", value_parser = quantity, allow_hyphen_values = true,
          required_unless_present_any = ["problem", "table"])]
    pub temperature: Option<Quantity>,
    /// Electrons per baryon.
    #[arg(long, value_name = "YE", allow_hyphen_values = true, required_unless_present_any = ["problem", "table"])]
    pub ye: Option<f64>,
    /// Mass fractions n, p, alpha, heavy, and A and Z of the heavy nucleus [default: free nucleons].
    #[arg(long, value_name = "NAME=VALUE,...", value_parser = Composition::parse)]
    pub composition: Option<Composition>,
    /// Sources as in the `opacities` of a problem file [default: all built-in rates].
    #[arg(long, value_name = "RON", value_parser = sources, default_value = SOURCES, hide_default_value = true)]
    pub sources: Sources,
    /// Comoving neutrino energies in MeV.
    #[arg(long, value_name = "MEV,...", value_delimiter = ',', value_parser = energy, allow_hyphen_values = true)]
    pub energies: Vec<f64>,
    /// Show these species only (nue, anue, nux, or names of the problem).
    #[arg(long, value_name = "NAME,...", value_delimiter = ',')]
    pub species: Vec<String>,
    /// Print a list of objects with all digits.
    #[arg(long, conflicts_with = "csv")]
    pub json: bool,
    /// Print a table of values with all digits.
    #[arg(long)]
    pub csv: bool,
    /// Draw the opacities over energy; a figure for each place and species, their names added to the
    /// file's where there are several.
    #[arg(long, value_name = "FILE.svg|FILE.png")]
    pub plot: Option<PathBuf>,
    /// Write the rates over density, temperature and electron fraction as a table in NuLib's layout, with the
    /// kernels of inelastic reactions, and print nothing.
    #[arg(long, value_name = "FILE.h5", conflicts_with_all = ["density", "temperature", "ye", "composition",
          "energies", "species", "json", "csv", "plot"])]
    pub table: Option<PathBuf>,
    /// Points, groups, species and matter of --table, in RON; docs/microphysics.md lists the fields.
    #[arg(long, value_name = "RON", value_parser = table_grid, requires = "table")]
    pub grid: Option<TableFile>,
    /// Replace a value of the problem file; may be given several times.
    #[arg(long = "set", value_name = "PATH=VALUE", value_parser = path_and_value, requires = "problem")]
    pub overrides: Vec<(String, String)>,
    /// Folder of external data, for paths that begin with `data:`.
    #[arg(long, value_name = "DIR", env = "TOLMAN_DATA")]
    pub data: Option<PathBuf>,
}

/// The sources of `--sources`.
#[derive(Debug, Clone)]
pub struct Sources(Vec<OpacityFile>);

/// Shows the rates.
///
/// # Errors
/// Invalid input, matter without rates, a figure that cannot be written.
pub fn execute(args: &Args) -> Result<ExitCode> {
    check_data_folder(args.data.as_deref())?;
    if let Some(path) = &args.table {
        let context =
            BuildContext { units: UnitSystem::PHYSICAL, folder: PathBuf::new(), data: args.data.clone() };
        write_table(path, &args.grid.clone().unwrap_or_default(), &args.sources.0, &context)?;
        return Ok(ExitCode::SUCCESS);
    }
    let format = args.plot.as_deref().map(figure_format).transpose()?;
    let mut places = match &args.problem {
        Some(problem) => along_problem(args, problem)?,
        None => vec![at_point(args)?],
    };
    for place in &mut places {
        select(place, &args.species)?;
    }
    if args.json {
        print(&json(&places)?)?;
    } else if args.csv {
        print(&csv(&places)?)?;
    } else {
        print(&table(&places))?;
    }
    if let (Some(path), Some(format)) = (&args.plot, format) {
        draw(&places, path, format)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn at_point(args: &Args) -> Result<PlaceRates> {
    let missing = |name: &str| Error::field(name, "nothing", "a value");
    let units = UnitSystem::PHYSICAL;
    let density = args.density.as_ref().ok_or_else(|| missing("--density"))?.density(units, "--density")?;
    let temperature = args.temperature.as_ref().ok_or_else(|| missing("--temperature"))?;
    let temperature = temperature.energy(units, "--temperature")?;
    let ye = args.ye.ok_or_else(|| missing("--ye"))?;
    let composition = args.composition.unwrap_or_else(|| Composition::free_nucleons(ye));
    let matter = composition.matter(density, temperature, ye)?;
    let context = BuildContext { units, folder: PathBuf::new(), data: args.data.clone() };
    let surroundings = Surroundings { lapse: &|_| 1.0, has_matter: true };
    let rates = ProcessRates::build(&args.sources.0, &three_species(), &context, surroundings)?;
    rates.at(&Place { radius: None, matter: Some(matter) }, energies(args))
}

fn along_problem(args: &Args, path: &Path) -> Result<Vec<PlaceRates>> {
    let options =
        LoadOptions { overrides: args.overrides.clone(), data: args.data.clone(), ..LoadOptions::default() };
    let problem = load(path, &options)?;
    at_radii(args, &problem).map_err(|error| problem.locate(error))
}

fn at_radii(args: &Args, problem: &Loaded) -> Result<Vec<PlaceRates>> {
    let (file, context) = (&problem.file, &problem.context);
    if !context.units.physical {
        return Err(Error::field("units", "Dimensionless", "Physical: rates are shown in 1/cm and MeV"));
    }
    let background = Background::build(&file.background, context)?;
    let lapse = |r: f64| background.lapse(r);
    let has_matter = !matches!(file.background.matter, MatterFile::None);
    let surroundings = Surroundings { lapse: &lapse, has_matter };
    let rates = ProcessRates::build(&file.opacities, &file.species, context, surroundings)?;
    let radii: Vec<f64> =
        args.radii.iter().map(|radius| radius.length(context.units, "--radius")).collect::<Result<_>>()?;
    if let Some(negative) = radii.iter().find(|r| **r < 0.0) {
        return Err(Error::field("--radius", format!("{negative:e} cm"), "0 or above"));
    }
    let (inner, outer) =
        radii.iter().fold((f64::INFINITY, 0.0), |(low, high), &r| (f64::min(low, r), f64::max(high, r)));
    background.check_range(inner, outer)?;
    let mut places = Vec::new();
    for r in radii {
        let place = Place { radius: Some((r, background.lapse(r))), matter: background.matter(r) };
        places.push(rates.at(&place, energies(args))?);
    }
    Ok(places)
}

fn energies(args: &Args) -> &[f64] {
    if args.energies.is_empty() { &ENERGIES } else { &args.energies }
}

/// Keeps the rates of the species asked for.
fn select(place: &mut PlaceRates, wanted: &[String]) -> Result<()> {
    if wanted.is_empty() {
        return Ok(());
    }
    let known = species(place);
    if let Some(unknown) = wanted.iter().find(|name| !known.contains(&name.as_str())) {
        return Err(Error::field("--species", unknown, format!("one of {}", known.join(", "))));
    }
    place.rates.retain(|rate| wanted.contains(&rate.species));
    Ok(())
}

fn figure_format(path: &Path) -> Result<Format> {
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("svg") => Ok(Format::Svg),
        Some("png") => Ok(Format::Png),
        _ => Err(Error::field("--plot", path.display(), "a file name that ends in .svg or .png")),
    }
}

fn draw(places: &[PlaceRates], path: &Path, format: Format) -> Result<()> {
    let figures: Vec<(usize, &PlaceRates, &str)> = places
        .iter()
        .enumerate()
        .flat_map(|(index, place)| species(place).into_iter().map(move |name| (index, place, name)))
        .collect();
    for (index, place, name) in &figures {
        let mut target = path.to_owned();
        if figures.len() > 1 {
            let stem = path.file_stem().unwrap_or_default().to_string_lossy();
            let extension = path.extension().unwrap_or_default().to_string_lossy();
            let number = if places.len() > 1 { format!("_{}", index + 1) } else { String::new() };
            target = path.with_file_name(format!("{stem}{number}_{}.{extension}", file_part(name)));
        }
        replace(&target, &opacity_figure(place, name)?.render(format)?)?;
    }
    Ok(())
}

fn quantity(text: &str) -> std::result::Result<Quantity, String> {
    let text: StrDeserializer<ValueError> = text.into_deserializer();
    Quantity::deserialize(text).map_err(|error| error.to_string())
}

fn energy(text: &str) -> std::result::Result<f64, String> {
    match text.trim().parse::<f64>() {
        Ok(energy) if energy.is_finite() && energy > 0.0 => Ok(energy),
        _ => Err("expected an energy in MeV, finite and above 0".to_owned()),
    }
}

fn table_grid(text: &str) -> std::result::Result<TableFile, String> {
    from_ron(text)
}

fn sources(text: &str) -> std::result::Result<Sources, String> {
    let files: Vec<OpacityFile> = from_ron(text)?;
    if files.is_empty() { Err("no sources".to_owned()) } else { Ok(Sources(files)) }
}

/// RON as in problem files, where `Some(…)` is not written.
fn from_ron<T: DeserializeOwned>(text: &str) -> std::result::Result<T, String> {
    let options = ron::Options::default().with_default_extension(ron::extensions::Extensions::IMPLICIT_SOME);
    options.from_str(text).map_err(|error| error.to_string())
}
