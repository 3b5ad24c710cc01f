//! The program as a user sees it: exit status, messages, and what is left in the folder.

use std::path::Path;
use std::time::{Duration, Instant};

use assert_cmd::Command;
use rstest::rstest;
use tempfile::TempDir;
use tolman::output::read;

const STEADY: &str = r#"(
    format: 1,
    title: "Sphere",
    units: Dimensionless,
    background: (metric: UniformStar(radius: 1, compactness: 0.5), discontinuities: [1]),
    species: [(name: "nu")],
    phase_space: (
        r: (degree: 1, elements: Segments(start: 0, segments: [(end: 1, elements: 4), (end: 5, elements: 6)])),
        mu: Graded(degree: 1, inward: 2, outward: 4, finest: 0.01),
        energy: Geometric(degree: 1, from: 1, to: 60, elements: 8),
    ),
    opacities: [Absorption(
        absorption: Constant(5.0),
        equilibrium: FermiDirac(temperature: Constant(5)),
        region: (outer: 1),
    )],
    mode: SteadyState(),
    outputs: (sample_radii: [2]),
)"#;

const EVOLUTION: &str = r#"(
    format: 1,
    title: "Shell",
    units: Dimensionless,
    background: (metric: Flat),
    species: [(name: "nu")],
    phase_space: (
        r: (degree: 2, elements: Segments(start: 0, segments: [(end: 6, elements: 12)])),
        mu: Uniform(degree: 1, elements: 8),
        energy: Gray,
    ),
    mode: Evolution(end: 1, output_times: [0.5], initial: Expression("exp(-((r-3)/0.8)^2)")),
)"#;

/// A folder with both problems.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("steady.ron"), STEADY).unwrap();
    std::fs::write(folder.path().join("evolution.ron"), EVOLUTION).unwrap();
    folder
}

fn tolman(folder: &Path) -> Command {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("tolman"));
    command
        .current_dir(folder)
        .env_remove("TOLMAN_DATA")
        .env("NO_COLOR", "1")
        .timeout(Duration::from_secs(120));
    command
}

struct Outcome {
    code: Option<i32>,
    out: String,
    /// Standard error without the line breaks and rules of the report.
    err: String,
}

fn run(folder: &Path, arguments: &[&str]) -> Outcome {
    let output = tolman(folder).args(arguments).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let err = text(&output.stderr);
    let err = err.split_whitespace().filter(|word| *word != "│").collect::<Vec<_>>().join(" ");
    Outcome { code: output.status.code(), out: text(&output.stdout), err }
}

/// Names in `folder` besides the two problems.
fn left_behind(folder: &Path) -> Vec<String> {
    let names = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap());
    names.filter(|name| !name.ends_with(".ron")).collect()
}

#[rstest]
#[case::unknown_field("steady.ron", "phase_space.r.cells=3", &["phase_space.r.cells", "unknown field `cells`", "degree, elements"])]
#[case::wrong_type("steady.ron", "phase_space.r.degree=\"two\"", &["phase_space.r.degree", "steady.ron:"])]
#[case::nan("steady.ron", "background.metric.compactness=NaN", &["background.metric.compactness", "NaN", "finite"])]
#[case::infinite("steady.ron", "opacities[0].absorption=Constant(inf)", &["opacities[0].absorption", "inf"])]
#[case::negative_opacity("steady.ron", "opacities[0].absorption=Constant(-1)", &["opacities[0].absorption", "-1"])]
#[case::negative_formula("steady.ron", "opacities[0].absorption=Expression(\"1-3*r\")", &["opacities[0]", "absorption = -", "valid: a finite number >= 0"])]
#[case::radius_order("steady.ron", "phase_space.r.elements=Edges([0, 2, 1])", &["phase_space.r.elements", "increasing"])]
#[case::energy_order("steady.ron", "phase_space.energy=Edges(degree: 1, edges: [0, 3, 3, 9])", &["phase_space.energy.edges", "increasing"])]
#[case::mu_without_zero("steady.ron", "phase_space.mu=Edges(degree: 1, edges: [-1, -0.2, 0.3, 1])", &["phase_space.mu.edges", "0"])]
#[case::black_hole("steady.ron", "background.metric=Schwarzschild(gravitational_radius: 2)", &["background"])]
#[case::too_compact("steady.ron", "background.metric.compactness=0.95", &["background.metric.compactness", "8/9"])]
#[case::superluminal("steady.ron", "background.velocity=PiecewiseLinear(radii: [0, 1, 2], values: [0, 0, -1.2])", &["background.velocity", "1"])]
#[case::superluminal_formula("steady.ron", "background.velocity=Expression(\"0.3*r\")", &["background.velocity", "v"])]
#[case::moving_mirror("steady.ron", "boundary=(outer: Reflecting)", &["boundary.outer", "symmetric"])]
#[case::huge_grid("steady.ron", "phase_space.mu=Uniform(degree: 3, elements: 1000000)", &["phase_space", "GB"])]
#[case::sample_outside("steady.ron", "outputs.sample_radii=[9]", &["outputs.sample_radii", "9"])]
#[case::unknown_species("steady.ron", "opacities[0].species=[\"mu\"]", &["opacities[0].species", "mu"])]
#[case::initial_above_one("evolution.ron", "mode.initial=Expression(\"2*exp(-r^2)\")", &["mode.initial", "valid: f between 0 and 1"])]
#[case::initial_nan("evolution.ron", "mode.initial=Expression(\"ln(r-3)\")", &["mode.initial", "NaN"])]
#[case::endless_steps("evolution.ron", "mode.step=Fixed(1e-300)", &["mode.step", "at least 1e-9"])]
#[case::no_such_path("evolution.ron", "mode.initail=3", &["mode"])]
fn invalid_problems_are_refused(#[case] problem: &str, #[case] change: &str, #[case] said: &[&str]) {
    let folder = folder();
    let outcome = run(folder.path(), &["run", problem, "--set", change, "-o", "out.h5"]);
    assert_eq!(outcome.code, Some(2), "{}", outcome.err);
    for part in said {
        assert!(outcome.err.contains(part), "`{part}` is not in: {}", outcome.err);
    }
    assert!(outcome.err.contains(&format!("{problem}:")) || outcome.err.contains("--set"), "{}", outcome.err);
    assert_eq!(left_behind(folder.path()), Vec::<String>::new());
}

#[rstest]
#[case::missing_problem(&["run", "absent.ron"], "absent.ron")]
#[case::missing_folder(&["run", "steady.ron", "-o", "no/such/out.h5"], "there is no folder")]
#[case::below_a_file(&["run", "steady.ron", "-o", "steady.ron/out.h5"], "steady.ron/out.h5")]
#[case::no_data_folder(&["run", "steady.ron", "--data", "nowhere"], "nowhere: is no folder")]
#[case::show_missing(&["show", "absent.h5"], "absent.h5: cannot be read")]
#[case::show_text(&["show", "steady.ron"], "steady.ron: is not an HDF5 file")]
#[case::plot_text(&["plot", "steady.ron"], "steady.ron: is not an HDF5 file")]
#[case::restart_text(&["run", "evolution.ron", "--restart", "steady.ron"], "steady.ron: is not an HDF5 file")]
#[case::restart_steady(&["run", "steady.ron", "--restart", "steady.ron"], "a steady state is not restarted")]
fn unusable_files_are_named(#[case] arguments: &[&str], #[case] said: &str) {
    let folder = folder();
    let outcome = run(folder.path(), arguments);
    assert_eq!(outcome.code, Some(2), "{}", outcome.err);
    assert!(outcome.err.contains(said), "{}", outcome.err);
    assert_eq!(left_behind(folder.path()), Vec::<String>::new());
}

#[test]
fn a_run_writes_a_result_that_the_other_commands_read() {
    let folder = folder();
    let outcome = run(folder.path(), &["run", "steady.ron"]);
    assert_eq!(outcome.code, Some(0), "{}", outcome.err);
    assert_eq!(outcome.err, "", "quiet in a pipe");
    assert!(outcome.out.contains("converged") && outcome.out.contains("steady.h5"), "{}", outcome.out);
    assert!(!outcome.out.contains('\u{1b}'));
    let result = read(&folder.path().join("steady.h5")).unwrap();
    assert_eq!(result.text_attribute("status"), Some("converged"));
    assert!(result.text_attribute("problem").unwrap().contains("UniformStar"));
    let show = run(folder.path(), &["show", "steady.h5"]);
    assert_eq!(show.code, Some(0), "{}", show.err);
    assert!(show.out.contains("number balance"), "{}", show.out);
    let plot = run(folder.path(), &["plot", "steady.h5", "--out", "figures", "--format", "svg"]);
    assert_eq!(plot.code, Some(0), "{}", plot.err);
    assert!(std::fs::read_dir(folder.path().join("figures")).unwrap().count() >= 4);
    let check = run(folder.path(), &["check", "steady.ron"]);
    assert!(check.out.contains("Residual of f = 1") && check.out.contains("Memory"), "{}", check.out);
    let list = run(folder.path(), &["list", "."]);
    assert!(list.out.contains("steady") && list.out.contains("Shell"), "{}", list.out);
    let completions = run(folder.path(), &["completions", "bash"]);
    assert!(completions.out.contains("_tolman"));
}

#[test]
fn overrides_and_resolutions_change_the_grid() {
    let folder = folder();
    let radii = |arguments: &[&str]| {
        let outcome = run(folder.path(), &[&["run", "steady.ron", "-o", "o.h5"], arguments].concat());
        assert_eq!(outcome.code, Some(0), "{}", outcome.err);
        let result = read(&folder.path().join("o.h5")).unwrap();
        (result.length("r").unwrap(), result.length("energy").unwrap())
    };
    assert_eq!(radii(&[]), (20, 16));
    assert_eq!(radii(&["--resolution", "coarse"]), (10, 8));
    assert_eq!(radii(&["--resolution", "fine"]), (40, 32));
    assert_eq!(
        radii(&["--set", "phase_space.r.degree=2", "--set", "phase_space.energy.elements=4"]),
        (30, 8)
    );
}

#[test]
fn what_is_not_converged_or_misses_a_criterion_says_so() {
    let folder = folder();
    let limited = run(folder.path(), &["run", "steady.ron", "--set", "mode=SteadyState(max_iterations: 1)"]);
    assert_eq!(limited.code, Some(1), "{}", limited.err);
    assert!(limited.out.contains("NOT CONVERGED: status limit"), "{}", limited.out);
    let result = read(&folder.path().join("steady.h5")).unwrap();
    assert_eq!(result.text_attribute("status"), Some("limit"));
    let criterion = "criteria=[(variable: \"flux_factor\", at: 2, expected: AtLeast(2))]";
    let missed = run(folder.path(), &["run", "steady.ron", "--set", criterion]);
    assert_eq!(missed.code, Some(1), "{}", missed.err);
    assert!(missed.out.contains("0 of 1 met") && missed.out.contains("FAILED flux_factor"), "{}", missed.out);
}

#[test]
fn a_restart_continues_bit_for_bit() {
    let folder = folder();
    let whole = run(folder.path(), &["run", "evolution.ron", "-o", "whole.h5"]);
    assert_eq!(whole.code, Some(0), "{}", whole.err);
    let half = run(
        folder.path(),
        &[
            "run",
            "evolution.ron",
            "-o",
            "half.h5",
            "--set",
            "mode.end=0.5",
            "--set",
            "mode.output_times=[]",
            "--set",
            "mode.step=Adaptive(initial: 1e-3)",
        ],
    );
    assert_eq!(half.code, Some(0), "{}", half.err);
    let rest = run(folder.path(), &["run", "evolution.ron", "-o", "rest.h5", "--restart", "half.h5"]);
    assert_eq!(rest.code, Some(0), "{}", rest.err);
    let (whole, rest) =
        (read(&folder.path().join("whole.h5")).unwrap(), read(&folder.path().join("rest.h5")).unwrap());
    assert_eq!(whole.reals("time").unwrap(), rest.reals("time").unwrap());
    assert_eq!(whole.reals("f").unwrap(), rest.reals("f").unwrap());
    let other = run(
        folder.path(),
        &["run", "evolution.ron", "--restart", "half.h5", "--set", "phase_space.mu.elements=4"],
    );
    assert_eq!(other.code, Some(2));
    assert!(other.err.contains("another grid"), "{}", other.err);
}

/// Ctrl-C during an evolution keeps the output times that were reached, and a restart goes on from them.
#[cfg(unix)]
#[test]
fn interruption_keeps_what_was_completed() {
    let folder = folder();
    let long = ["--set", "mode.step=Fixed(0.0002)", "--set", "mode.output_times=[0.01, 0.02, 0.03]"];
    let mut child = std::process::Command::new(assert_cmd::cargo::cargo_bin!("tolman"))
        .current_dir(folder.path())
        .args(["run", "evolution.ron", "-o", "out.h5"])
        .args(long)
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let out = folder.path().join("out.h5");
    let patience = Instant::now();
    while !out.exists() && patience.elapsed() < Duration::from_secs(60) {
        std::thread::sleep(Duration::from_millis(5));
    }
    let killed = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(killed.success());
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let result = read(&out).unwrap();
    assert_eq!(result.text_attribute("status"), Some("interrupted"));
    let reached = result.length("time").unwrap();
    assert!((2..5).contains(&reached), "{reached} states");
    let names = left_behind(folder.path());
    assert_eq!(names, ["out.h5"]);
    let resumed = run(
        folder.path(),
        &["run", "evolution.ron", "-o", "out.h5", "--restart", "out.h5", "--set", "mode.step=Fixed(0.01)"],
    );
    assert_eq!(resumed.code, Some(0), "{}", resumed.err);
    let times = read(&out).unwrap().reals("time").unwrap().to_vec();
    assert_eq!(times.last(), Some(&1.0));
}
