//! Metric integrals against closed forms.

use std::f64::consts::PI;
use std::path::Path;

use rstest::rstest;
use tolman::units::UnitSystem;

use super::{build_in, close, plain, refused};

/// Points (r, ρ, P) of a star of uniform density with R = 1 as a CSV file (interior Schwarzschild):
/// P/ρ = (√(1−Cr²) − √(1−C)) / (3√(1−C) − √(1−Cr²)), C = 2M/R.
fn write_uniform_star(folder: &Path, compactness: f64, zones: usize) {
    let density = 3.0 * compactness / (8.0 * PI);
    let surface = (1.0 - compactness).sqrt();
    let rows: String = (0..=zones)
        .map(|i| {
            let r = i as f64 / zones as f64;
            let root = (1.0 - compactness * r * r).sqrt();
            let pressure = (density * (root - surface) / (3.0 * surface - root)).max(0.0);
            format!("{r:e},{density:e},{pressure:e}\n")
        })
        .collect();
    std::fs::write(folder.join("star.csv"), format!("r,rho,p\n{rows}")).unwrap();
}

const STAR: &str = "(metric: FromMatter, matter: Profile((file: \"star.csv\", columns: (\
    r: (name: \"r\", unit: \"1\"), density: (name: \"rho\", unit: \"1\"), \
    pressure: (name: \"p\", unit: \"1\")))))";

/// Largest relative error of α and X.
fn error_of_uniform_star(compactness: f64, zones: usize) -> f64 {
    let folder = tempfile::tempdir().unwrap();
    write_uniform_star(folder.path(), compactness, zones);
    let star = build_in(folder.path(), STAR, UnitSystem::DIMENSIONLESS).unwrap();
    star.check_range(0.0, 1.0).unwrap();
    (0..=997)
        .map(|i| i as f64 / 997.0)
        .map(|r| {
            let root = (1.0 - compactness * r * r).sqrt();
            let lapse = 0.5 * (3.0 * (1.0 - compactness).sqrt() - root);
            (star.lapse(r) / lapse - 1.0).abs().max((star.radial_metric(r) * root - 1.0).abs())
        })
        .fold(0.0, f64::max)
}

#[rstest]
#[case(0.2)]
#[case(0.5)]
#[case(0.8)]
fn a_uniform_star_is_recovered_from_its_table(#[case] compactness: f64) {
    let [coarse, fine, finest] = [50, 100, 1600].map(|zones| error_of_uniform_star(compactness, zones));
    println!("2M/R = {compactness}: {coarse:.1e}, {fine:.1e}, {finest:.1e}");
    assert!(coarse / fine > 6.0, "{coarse:e} {fine:e}");
    assert!(finest < 1e-10, "{finest:e}");
}

/// Dust of uniform density: m = Cr³/(2R²), so α = √(1−C) [(1−C)/(1−Cr²/R²)]^¼.
#[test]
fn pressureless_uniform_matter() {
    let (compactness, radius) = (0.6_f64, 2.0_f64);
    let density = 3.0 * compactness / (8.0 * PI * radius * radius);
    let dust = plain(&format!(
        "(metric: FromMatter, matter: Uniform(radius: 2.0, density: {density:?}, temperature: 1.0, \
         electron_fraction: 0.5))"
    ));
    for r in [0.0, 0.3, 1.0, 1.9, 2.0] {
        let inside = 1.0 - compactness * r * r / (radius * radius);
        close(dust.lapse(r), (1.0 - compactness).sqrt() * ((1.0 - compactness) / inside).powf(0.25), 1e-13);
        close(dust.radial_metric(r), inside.powf(-0.5), 1e-13);
    }
    // Vacuum outside, continuous at the surface.
    close(dust.lapse(6.0), (1.0 - compactness * radius / 6.0).sqrt(), 1e-13);
    close(dust.lapse(2.0 + 1e-12), dust.lapse(2.0), 1e-11);
    close(2.0 * dust.gravitational_mass(), compactness * radius, 1e-13);
    dust.check_range(0.0, 100.0).unwrap();
    assert!(dust.describe().contains("without pressure"));
}

#[test]
fn zones_of_constant_density_give_a_continuous_metric() {
    let folder = tempfile::tempdir().unwrap();
    let file = hdf5::File::create(folder.path().join("zones.h5")).unwrap();
    let columns = [("r", vec![0.5, 1.5]), ("edges", vec![0.0, 1.0, 2.0]), ("rho", vec![0.02, 0.005])];
    for (name, values) in columns {
        file.new_dataset_builder().with_data(&values).create(name).unwrap();
    }
    file.close().unwrap();
    let text = "(metric: FromMatter, matter: Profile((file: \"zones.h5\", layout: Hdf5, \
        interpolation: ZoneConstant, columns: (r: (name: \"r\", unit: \"1\"), \
        r_edges: (name: \"edges\", unit: \"1\"), density: (name: \"rho\", unit: \"1\")))))";
    let zones = build_in(folder.path(), text, UnitSystem::DIMENSIONLESS).unwrap();
    let ball = 4.0 / 3.0 * PI;
    close(zones.gravitational_mass(), ball * (0.02 + 7.0 * 0.005), 1e-14);
    close(zones.radial_metric(1.0), (1.0 - 2.0 * ball * 0.02).powf(-0.5), 1e-14);
    close(zones.lapse(1.0 - 1e-12), zones.lapse(1.0 + 1e-12), 1e-11);
    assert_eq!(zones.zone_edges(), Some(&[0.0, 1.0, 2.0][..]));
    assert_eq!(zones.discontinuities(), [2.0]);
}

#[test]
fn matter_inside_its_horizon_is_refused() {
    let text = "(metric: FromMatter, matter: Uniform(radius: 1.0, density: 0.2, temperature: 1.0, \
        electron_fraction: 0.5))";
    let error = refused(text, UnitSystem::DIMENSIONLESS);
    assert!(error.contains("background.metric: found 2Gm/(rc²) = 1."), "{error}");
}

#[test]
fn a_grid_beyond_the_table_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    write_uniform_star(folder.path(), 0.5, 50);
    let star = build_in(folder.path(), STAR, UnitSystem::DIMENSIONLESS).unwrap();
    let error = star.check_range(0.0, 1.5).unwrap_err().to_string();
    let message = "background.matter.file: found a profile from r = 0 to 1 under a grid from 0 to 1.5";
    assert!(error.contains(message), "{error}");
}
