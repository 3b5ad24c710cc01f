//! Figures: what is drawn, what is refused.

use std::path::PathBuf;

use crate::synthetic::{free_streaming, free_streaming_scaled, grid};
use clap::Parser;
use rstest::rstest;
use tolman::commands;
use tolman::output::dataset::{Dataset, Values};
use tolman::output::{state, time_series, write};
use tolman::plot::{Figure, Format, Quantity, figures};

fn result() -> Dataset {
    free_streaming(&grid(61, 16, 20))
}

fn svg(figure: &Figure) -> String {
    String::from_utf8(figure.render(Format::Svg).unwrap()).unwrap()
}

fn values<'a>(data: &'a mut Dataset, name: &str) -> &'a mut Vec<f64> {
    let variable = data.variables.iter_mut().find(|v| v.name == name).unwrap();
    match &mut variable.values {
        Values::Real(values) => values,
        Values::Text(_) => panic!("{name} holds text"),
    }
}

#[rstest]
#[case(Quantity::Luminosity, &["luminosity"], &["L∞ [10⁵² erg s⁻¹]", "r [km]", ">nue<", ">nux<", "Free streaming"])]
#[case(Quantity::Energy, &["energy"], &["energy [MeV]", "nueb mean", "nueb rms"])]
#[case(Quantity::Factors, &["factors"], &["H/J, K/J", "1/3", "nux K/J"])]
#[case(Quantity::Heating, &["heating"], &["|q| [erg g⁻¹ s⁻¹]", "gain radius", "net cooling", "10²³"])]
#[case(Quantity::Spectra, &["spectrum_nue", "spectrum_nueb", "spectrum_nux"], &["ε² J [MeV²]", "ε [MeV]", "r = 30 km", "r = 1000 km"])]
#[case(Quantity::Distribution, &["distribution_nue", "distribution_nueb", "distribution_nux"], &["r [km]", ">μ<", "f of nue at ε = 11.4 MeV"])]
fn every_quantity_is_drawn_with_its_labels(
    #[case] quantity: Quantity,
    #[case] names: &[&str],
    #[case] texts: &[&str],
) {
    let drawn = figures(&result(), quantity).unwrap();
    assert_eq!(drawn.iter().map(|f| f.name.as_str()).collect::<Vec<_>>(), names);
    let content = svg(&drawn[0]);
    for text in texts {
        assert!(content.contains(text), "{text} is not in {}", &drawn[0].name);
    }
    assert!(!content.contains("NaN") && !content.contains("inf"), "{}", drawn[0].name);
    let png = drawn[0].render(Format::Png).unwrap();
    assert!(png.starts_with(b"\x89PNG\r\n\x1a\n"));
    let size = |at: usize| u32::from_be_bytes(png[at..at + 4].try_into().unwrap());
    assert_eq!((size(16), size(20)), (1520, 1000));
}

#[test]
fn the_distribution_is_drawn_at_the_energy_of_the_largest_flux() {
    // max of ε³/(exp(ε/T)+1) at ε = 3.131 T: of the nodes 150(i² + i + ½)/400 MeV with the i-th
    // energy, those nearest are found by hand for T = 4, 5, 6 MeV.
    let data = result();
    let titles = figures(&data, Quantity::Distribution).unwrap();
    let flux = |e: f64, t: f64| e.powi(3) / ((e / t).exp() + 1.0);
    for (figure, t) in titles.iter().zip([4.0, 5.0, 6.0]) {
        let nodes = (0..20).map(|i| 150.0 / 400.0 * (f64::from(i * i + i) + 0.5));
        let best = nodes.max_by(|a, b| flux(*a, t).total_cmp(&flux(*b, t))).unwrap();
        assert!(svg(figure).contains(&format!("ε = {best:.1} MeV")), "{best}");
    }
}

#[test]
fn comoving_luminosities_are_drawn_where_they_differ() {
    let mut data = result();
    let same = figures(&data, Quantity::Luminosity).unwrap();
    assert!(!svg(&same[0]).contains("comoving"));
    values(&mut data, "luminosity")[5] *= 1.01;
    assert!(svg(&figures(&data, Quantity::Luminosity).unwrap()[0]).contains("nux comoving"));
}

#[test]
fn values_that_are_not_numbers_are_gaps() {
    let mut data = result();
    values(&mut data, "luminosity_infinity")[7] = f64::NAN;
    values(&mut data, "heating_net")[3] = f64::INFINITY;
    for quantity in [Quantity::Luminosity, Quantity::Heating] {
        let content = svg(&figures(&data, quantity).unwrap()[0]);
        assert!(!content.contains("NaN") && !content.contains("inf"));
    }
    values(&mut data, "f").fill(f64::NAN);
    let message = figures(&data, Quantity::Distribution).err().unwrap().to_string();
    assert!(message.contains("f: has values that are not finite"), "{message}");
}

#[test]
fn constant_values_are_drawn() {
    let mut data = result();
    values(&mut data, "f").fill(0.5);
    values(&mut data, "flux_factor").fill(0.0);
    values(&mut data, "eddington_factor").fill(0.0);
    for quantity in [Quantity::Distribution, Quantity::Factors] {
        let content = svg(&figures(&data, quantity).unwrap()[0]);
        assert!(!content.contains("NaN") && !content.contains("inf"));
    }
    let content = svg(&figures(&data, Quantity::Distribution).unwrap()[0]);
    assert!(content.contains("MeV, 0.5000 everywhere"));
}

#[test]
fn the_scale_of_small_values_is_said() {
    let data = free_streaming_scaled(&grid(61, 16, 20), 1e-20);
    assert!(svg(&figures(&data, Quantity::Distribution).unwrap()[0]).contains("MeV [10⁻²²]"));
    assert!(svg(&figures(&data, Quantity::Luminosity).unwrap()[0]).contains("L∞ [10³² erg s⁻¹]"));
    assert!(svg(&figures(&data, Quantity::Spectra).unwrap()[1]).contains("ε² J [10⁻²⁰ MeV²]"));
}

#[test]
fn dimensionless_results_have_no_units() {
    let mut data = result();
    data.groups.clear();
    for variable in &mut data.variables {
        variable.units = "1".to_owned();
    }
    let content = svg(&figures(&data, Quantity::Luminosity).unwrap()[0]);
    assert!(content.contains(">r<") && content.contains("L∞ [10⁵²]"));
    let spectrum = svg(&figures(&data, Quantity::Spectra).unwrap()[0]);
    assert!(spectrum.contains(">ε² J<") && spectrum.contains(">ε<"));
}

#[test]
fn what_cannot_be_drawn_is_an_error_and_no_empty_figure() {
    let fails = |data: &Dataset, quantity| figures(data, quantity).err().unwrap().to_string();
    let mut data = result();
    values(&mut data, "heating_net").fill(f64::NAN);
    values(&mut data, "heating_absorbed").fill(0.0);
    values(&mut data, "heating_emitted").fill(-1.0);
    assert!(fails(&data, Quantity::Heating).contains("heating: has no values that can be drawn"));
    data.variables.retain(|v| v.name != "rms_energy");
    assert!(fails(&data, Quantity::Energy).contains("rms_energy: no such variable"));
    let one = free_streaming(&grid(61, 16, 1));
    assert!(fails(&one, Quantity::Spectra).contains("one energy only"));
    assert!(!Quantity::Spectra.is_in(&one) && Quantity::Factors.is_in(&one));
    let mut data = result();
    data.variables.iter_mut().find(|v| v.name == "f").unwrap().dimensions.swap(0, 1);
    assert!(fails(&data, Quantity::Distribution).contains("f: has shape"));
    let mut data = result();
    values(&mut data, "r").fill(1e6);
    assert!(fails(&data, Quantity::Energy).contains("fewer than two different radii"));
}

#[test]
fn a_state_of_a_series_says_its_time() {
    let grid = grid(61, 16, 20);
    let states = [free_streaming_scaled(&grid, 0.5), free_streaming_scaled(&grid, 1.0)];
    let series = time_series(vec![0.0, 0.25], "s", &states).unwrap();
    let last = figures(&state(&series, None).unwrap(), Quantity::Energy).unwrap();
    assert!(svg(&last[0]).contains("Free streaming from a sphere, t = 2.5000e-1 s"));
}

#[derive(Parser)]
struct Plot {
    #[command(flatten)]
    args: commands::plot::Args,
}

#[derive(Parser)]
struct Show {
    #[command(flatten)]
    args: commands::show::Args,
}

/// A file in a folder of its own; the words of a command line on it.
fn stored(data: &Dataset) -> (tempfile::TempDir, PathBuf, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.h5");
    write(data, &path).unwrap();
    let text = path.to_str().unwrap().to_owned();
    (folder, path, text)
}

#[test]
fn the_command_draws_what_there_is_beside_the_file() {
    let mut data = result();
    data.variables.retain(|v| !v.name.starts_with("heating"));
    let (folder, _, text) = stored(&data);
    commands::plot::execute(&Plot::parse_from(["plot", &text]).args).unwrap();
    let entries = std::fs::read_dir(folder.path().join("out_figures")).unwrap();
    let mut names: Vec<_> = entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    assert_eq!(names.len(), 2 * 9);
    assert!(names.contains(&"luminosity.png".to_owned()) && names.contains(&"spectrum_nux.svg".to_owned()));
}

#[test]
fn the_command_draws_what_is_asked_for() {
    let (folder, _, text) = stored(&result());
    let out = folder.path().join("a/b");
    let words =
        ["plot", &text, "--out", out.to_str().unwrap(), "--format", "svg", "--quantity", "factors,energy"];
    commands::plot::execute(&Plot::parse_from(words).args).unwrap();
    assert!(out.join("factors.svg").is_file() && out.join("energy.svg").is_file());
    assert_eq!(std::fs::read_dir(out).unwrap().count(), 2);
}

#[test]
fn commands_name_the_file_that_they_cannot_use() {
    let mut data = result();
    data.variables.retain(|v| v.name != "flux_factor");
    let (_folder, _, text) = stored(&data);
    let show =
        |words: &[&str]| commands::show::execute(&Show::parse_from(words).args).unwrap_err().to_string();
    let message = show(&["show", &text]);
    assert!(message.contains("out.h5: flux_factor: no such variable"), "{message}");
    let message = show(&["show", &text, "--time", "0.5"]);
    assert!(message.contains("out.h5: time: the result is a steady state"), "{message}");
    let words = ["plot", &text, "--quantity", "factors"];
    let message = commands::plot::execute(&Plot::parse_from(words).args).unwrap_err().to_string();
    assert!(message.contains("out.h5: flux_factor: no such variable"), "{message}");
    let mut empty = Dataset::new();
    empty.dimension("r", 1).real("r", &["r"], "cm", "", vec![1.0]);
    let (_folder, _, text) = stored(&empty);
    let message = commands::plot::execute(&Plot::parse_from(["plot", &text]).args).unwrap_err().to_string();
    assert!(message.contains("has no variables that can be drawn"), "{message}");
}

#[test]
fn figures_that_cannot_be_written_are_named() {
    let figure = &figures(&result(), Quantity::Factors).unwrap()[0];
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, b"").unwrap();
    let message = figure.save(&file, Format::Png).unwrap_err().to_string();
    assert!(message.contains("file/factors.png: cannot be written"), "{message}");
}

#[test]
fn completions_know_the_commands() {
    #[derive(Parser)]
    struct Shell {
        #[command(flatten)]
        args: commands::completions::Args,
    }
    assert!(Shell::try_parse_from(["completions", "bash"]).is_ok());
    assert!(Shell::try_parse_from(["completions", "basic"]).is_err());
}
