//! Every message that a problem file can be refused with, each shown once in full: file, line and column,
//! field path, what was found and what is valid.

use std::path::{Path, PathBuf};

use miette::Diagnostic;
use rstest::rstest;
use tolman::error::Error;
use tolman::problem::file::Refinement;
use tolman::problem::load::load_text;
use tolman::problem::{LoadOptions, ProblemError, Resolution, load};

/// A dimensionless problem that uses most fields.
const STAR: &str = r#"(
    format: 1,
    title: "Test",
    units: Dimensionless,
    background: (
        metric: UniformStar(radius: 1, compactness: 0.5),
        velocity: PiecewiseLinear(radii: [1, 2], values: [0, -0.2]),
        discontinuities: [1],
    ),
    species: [(name: "nu")],
    phase_space: (
        r: (
            degree: 2,
            elements: Segments(start: 0, segments: [(end: 1, elements: 8, spacing: GradedToEnd(4)), (end: 4, elements: 16)]),
        ),
        mu: Edges(degree: 2, edges: [-1, 0, 1]),
        energy: Gray,
    ),
    opacities: [
        Absorption(absorption: Constant(4.0), equilibrium: Constant(0.8), region: (outer: 1), species: ["nu"]),
        Scattering(scattering: Expression("r"), mean_cosine: 0.1),
    ],
    boundary: (outer: Given("0")),
    mode: Evolution(end: 5, output_times: [1, 2], initial: Empty, tolerance: 1e-8),
    outputs: (sample_radii: [0.5, 2], distribution: true),
    resolutions: (fine: (r: 2)),
    criteria: [
        (variable: "r2_h", at: 2, expected: Value(value: 0.19, relative: 1e-4)),
    ],
)
"#;

/// A physical problem on a tabulated profile.
const PROFILE: &str = r#"(
    format: 1,
    title: "Test",
    units: Physical,
    background: (
        metric: FromProfile(lapse: Comoving, radial_metric: FromGamma),
        velocity: FromProfile,
        matter: Profile((
            file: "profile.csv",
            interpolation: MonotoneCubic,
            columns: (
                r: (name: "r", unit: "cm"),
                density: (name: "rho", unit: "g/cm3"),
                velocity: (name: "v", unit: "cm/s"),
                lapse: (name: "lapse", unit: "1"),
                gamma: (name: "Gamma", unit: "1"),
            ),
        )),
    ),
    species: [(name: "nue", flavour: ElectronNeutrino)],
    phase_space: (
        r: (degree: 1, elements: Zones(outer: "500 km")),
        mu: Uniform(degree: 1, elements: 8),
        energy: Edges(degree: 1, edges: (values: [0, 5, 10], unit: "MeV")),
    ),
    opacities: [Bruenn1985()],
    outputs: (sample_radii: (values: [100, 200], unit: "km")),
)
"#;

fn refusal(text: String, options: &LoadOptions) -> ProblemError {
    match load_text(text, Path::new("test.ron"), options) {
        Err(Error::Problem(error)) => *error,
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("the problem is accepted"),
    }
}

/// The message for `base` with `old` replaced by `new`.
fn message(base: &str, old: &str, new: &str) -> String {
    assert_eq!(base.matches(old).count().min(1), 1, "{old}");
    refusal(base.replacen(old, new, 1), &LoadOptions::default()).message
}

#[test]
fn the_texts_without_a_mistake_are_accepted() {
    for text in [STAR, PROFILE] {
        load_text(text.to_owned(), Path::new("test.ron"), &LoadOptions::default()).unwrap();
    }
}

#[rstest]
#[case("format: 1,", "format: 1", "test.ron:3:5: found `title:`; valid: `,` or the closing bracket")]
#[case(
    r#"title: "Test","#,
    r#"title: "Test,"#,
    r#"test.ron:10:23: found `nu")],`; valid: `,` or the closing bracket"#
)]
#[case("edges: [-1, 0, 1]", "edges: [-1, 0 1]", "test.ron:16:44: found `1]),`; valid: `,` or `]`")]
#[case(
    "compactness: 0.5",
    "compactnes: 0.5",
    "test.ron:6:52: background.metric.compactnes: found the unknown field `compactnes`; valid: radius, compactness, mass, density"
)]
#[case(
    "UniformStar(",
    "UniformStars(",
    "test.ron:6:17: background.metric: found the unknown variant `UniformStars`; valid: Flat, Schwarzschild, UniformStar, FromMatter, FromProfile"
)]
#[case(r#"title: "Test","#, "title: 5,", "test.ron:3:12: title: found 5; valid: a string in double quotes")]
#[case(r#"title: "Test","#, "", "test.ron:1:1: found no field `title`; valid: a value for `title`")]
#[case(
    r#"title: "Test","#,
    r#"title: "Test", title: "Again","#,
    "test.ron:3:20: found `title` twice; valid: one value"
)]
#[case(
    "elements: 8",
    "elements: 8.5",
    "test.ron:14:72: phase_space.r.elements.segments[0].elements: found 8.5; valid: an integer"
)]
#[case(
    "elements: 8",
    "elements: -8",
    "test.ron:14:72: phase_space.r.elements.segments[0].elements: found -8; valid: an integer within the range of the field"
)]
#[case(
    "elements: 8",
    r#"elements: "8""#,
    r#"test.ron:14:72: phase_space.r.elements.segments[0].elements: found "8"; valid: an integer"#
)]
#[case(
    "compactness: 0.5",
    r#"compactness: "0.5""#,
    r#"test.ron:6:53: background.metric.compactness: found "0.5"; valid: a number"#
)]
#[case(
    "compactness: 0.5",
    "compactness: NaN",
    "test.ron:6:53: background.metric.compactness: found NaN; valid: a finite number"
)]
#[case(
    "compactness: 0.5",
    "compactness: inf",
    "test.ron:6:53: background.metric.compactness: found inf; valid: a finite number"
)]
#[case(
    "radius: 1",
    "radius: NaN",
    "test.ron:6:37: background.metric.radius: found NaN; valid: a finite number"
)]
#[case("radius: 1", r#"radius: "one""#, r#"test.ron:6:37: background.metric.radius: found the string "one"; valid: a number, or a string with a number and a unit such as "10 km""#)]
#[case(
    "energy: Gray",
    "energy: Gray(1)",
    "test.ron:17:17: phase_space.energy: found Gray(1); valid: `Gray` without parentheses, or with fewer values in them"
)]
#[case(
    "mode: Evolution(",
    "mode: Evolution, later: (",
    "test.ron:24:11: mode: found Evolution; valid: fields in parentheses, as in `(name: value)` or `Variant(name: value)`"
)]
#[case(
    "edges: [-1, 0, 1]",
    "edges: [-1, NaN, 1]",
    "test.ron:16:42: phase_space.mu.edges[1]: found NaN; valid: a finite number"
)]
#[case(
    "values: [0, -0.2]",
    "values: [0, -inf]",
    "test.ron:7:62: background.velocity.values[1]: found -inf; valid: a finite number"
)]
#[case(
    "radii: [1, 2]",
    "radii: [1, NaN]",
    "test.ron:7:46: background.velocity.radii[1]: found NaN; valid: a finite number"
)]
#[case("radii: [1, 2]", "radii: 1", r#"test.ron:7:42: background.velocity.radii: found the unsigned integer `1`; valid: a list of numbers such as [0, 1, 2], or (values: [0, 1, 2], unit: "km")"#)]
#[case(
    "Constant(4.0)",
    "4.0",
    "test.ron:20:32: opacities[0].absorption: found 4.0; valid: the name of a variant, as in `Name(…)`"
)]
#[case(
    "Constant(4.0)",
    "Constant(4.0, 5.0)",
    "test.ron:20:32: opacities[0].absorption: found Constant(4.0, 5.0); valid: `Constant` without parentheses, or with fewer values in them"
)]
#[case(
    "Constant(4.0)",
    "Constant(NaN)",
    "test.ron:20:32: opacities[0].absorption: found NaN; valid: a finite number"
)]
#[case(
    r#"species: [(name: "nu")]"#,
    r#"species: (name: "nu")"#,
    r#"test.ron:10:14: species: found (name: "nu"); valid: a list in square brackets"#
)]
#[case(
    "distribution: true",
    "distribution: 1",
    "test.ron:25:53: outputs.distribution: found 1; valid: true or false"
)]
#[case(
    "spacing: GradedToEnd(4)",
    "spacing: GradedToEnd(NaN)",
    "test.ron:14:84: phase_space.r.elements.segments[0].spacing: found NaN; valid: a finite number"
)]
#[case(
    r#"title: "Test""#,
    r#"title: "Test" /* open"#,
    "test.ron:31:1: found the end of the text; valid: `*/`"
)]
#[case(r#"title: "Test""#, "title:", "test.ron:3:11: found `,`; valid: a value")]
#[case(
    "units: Dimensionless",
    "units = Dimensionless",
    "test.ron:4:11: found `=`; valid: a field `name: value`"
)]
#[case("criteria: [", "criteria: [{1 2},", "test.ron:27:19: found `2},`; valid: `:`")]
#[case(
    r#"title: "Test""#,
    r#"title: "Te\qst""#,
    r#"test.ron:3:12: title: found "Te\qst"; valid: a string with valid escapes (Unknown escape character)"#
)]
#[case("    format: 1", "    format: 1 2", "test.ron:2:15: found `2,`; valid: `,` or the closing bracket")]
fn texts_that_do_not_follow_the_schema(#[case] old: &str, #[case] new: &str, #[case] expected: &str) {
    assert_eq!(message(STAR, old, new), expected);
}

#[rstest]
#[case(
    "format: 1",
    "format: 2",
    "test.ron:2:13: format: found 2; valid: 1, the version that this program reads"
)]
#[case(
    r#"title: "Test""#,
    r#"title: " ""#,
    r#"test.ron:3:12: title: found " "; valid: a text that is not empty"#
)]
#[case(r#"[(name: "nu")]"#, "[]", "test.ron:10:14: species: found []; valid: at least one species")]
#[case(
    r#"[(name: "nu")]"#,
    r#"[(name: "")]"#,
    r#"test.ron:10:22: species[0].name: found ""; valid: a text that is not empty"#
)]
#[case(
    r#"[(name: "nu")]"#,
    r#"[(name: "nu"), (name: "nu")]"#,
    r#"test.ron:10:36: species[1].name: found "nu"; valid: a name that no other species has"#
)]
#[case(
    r#"[(name: "nu")]"#,
    r#"[(name: "nu", multiplicity: 0)]"#,
    "test.ron:10:42: species[0].multiplicity: found 0; valid: a positive number"
)]
#[case(
    "compactness: 0.5",
    "compactness: 0.95",
    "test.ron:6:53: background.metric.compactness: found 0.95; valid: 2GM/(Rc²) from 0 to 8/9 (8/9 excluded), the Buchdahl limit"
)]
#[case(
    "compactness: 0.5",
    "compactness: -0.1",
    "test.ron:6:53: background.metric.compactness: found -0.1; valid: 2GM/(Rc²) from 0 to 8/9 (8/9 excluded), the Buchdahl limit"
)]
#[case(
    "compactness: 0.5",
    "mass: 0.5",
    "test.ron:6:46: background.metric.mass: found 0.5 (2GM/(Rc²) = 1.0000); valid: 2GM/(Rc²) from 0 to 8/9 (8/9 excluded), the Buchdahl limit"
)]
#[case(
    "compactness: 0.5",
    "density: 0.2",
    "test.ron:6:49: background.metric.density: found 0.2 (2GM/(Rc²) = 1.6755); valid: 2GM/(Rc²) from 0 to 8/9 (8/9 excluded), the Buchdahl limit"
)]
#[case(
    "compactness: 0.5",
    "mass: 0.1, density: 0.1",
    "test.ron:6:17: background.metric: found more than one of `compactness`, `mass`, `density`; valid: exactly one of `compactness`, `mass`, `density`"
)]
#[case(
    ", compactness: 0.5",
    "",
    "test.ron:6:17: background.metric: found none of `compactness`, `mass`, `density`; valid: exactly one of `compactness`, `mass`, `density`"
)]
#[case(
    "radius: 1,",
    "radius: 0,",
    "test.ron:6:37: background.metric.radius: found 0; valid: a positive length"
)]
#[case("radius: 1,", r#"radius: "1 km","#, r#"test.ron:6:37: background.metric.radius: found "1 km"; valid: a plain number, as the problem is dimensionless"#)]
#[case(
    "UniformStar(radius: 1, compactness: 0.5)",
    "Schwarzschild()",
    "test.ron:6:17: background.metric: found neither of `gravitational_radius`, `mass`; valid: exactly one of `gravitational_radius`, `mass`"
)]
#[case(
    "UniformStar(radius: 1, compactness: 0.5)",
    "Schwarzschild(mass: 1, gravitational_radius: 2)",
    "test.ron:6:17: background.metric: found both of `gravitational_radius`, `mass`; valid: exactly one of `gravitational_radius`, `mass`"
)]
#[case(
    "UniformStar(radius: 1, compactness: 0.5)",
    "Schwarzschild(mass: -1)",
    "test.ron:6:37: background.metric.mass: found -1; valid: a positive mass"
)]
#[case(
    "UniformStar(radius: 1, compactness: 0.5)",
    "Schwarzschild(gravitational_radius: 0)",
    "test.ron:6:53: background.metric.gravitational_radius: found 0; valid: a positive length"
)]
#[case(
    "UniformStar(radius: 1, compactness: 0.5)",
    "Schwarzschild(mass: 1, core_radius: 2)",
    "test.ron:6:53: background.metric.core_radius: found 2; valid: a radius beyond 2GM/c², so that 2m < r"
)]
#[case(
    "UniformStar(radius: 1, compactness: 0.5)",
    "FromMatter",
    "test.ron:6:17: background.metric: found FromMatter without matter; valid: a problem with background.matter"
)]
#[case(
    "UniformStar(radius: 1, compactness: 0.5)",
    "FromProfile(lapse: Static, radial_metric: FromGamma)",
    "test.ron:6:17: background.metric: found FromProfile without a profile; valid: a problem with background.matter: Profile(…)"
)]
#[case(
    "radii: [1, 2]",
    "radii: [2, 1]",
    "test.ron:7:46: background.velocity.radii[1]: found 1 after 2; valid: strictly increasing values"
)]
#[case(
    "radii: [1, 2]",
    "radii: [-1, 2]",
    "test.ron:7:42: background.velocity.radii: found [-1, 2]; valid: values of at least 0"
)]
#[case(
    "radii: [1, 2]",
    "radii: [1, 2, 3]",
    "test.ron:7:61: background.velocity.values: found 3 radii and 2 velocities; valid: one velocity per radius"
)]
#[case(
    "radii: [1, 2], values: [0, -0.2]",
    "radii: [], values: []",
    "test.ron:7:54: background.velocity.values: found []; valid: at least one velocity"
)]
#[case(
    "radii: [1, 2], values: [0, -0.2]",
    "radii: [0], values: [0.5], beyond: InverseSquare",
    "test.ron:7:42: background.velocity.radii: found [0]; valid: a last radius above 0 for InverseSquare"
)]
#[case(
    "values: [0, -0.2]",
    "values: [0, -1]",
    "test.ron:7:62: background.velocity.values[1]: found -1; valid: v/c between -1 and 1, both excluded"
)]
#[case(
    "PiecewiseLinear(radii: [1, 2], values: [0, -0.2])",
    r#"Expression("0.1*x")"#,
    r#"test.ron:7:19: background.velocity: found "0.1*x"; valid: a formula in r; `x` is not one of them"#
)]
#[case(
    "PiecewiseLinear(radii: [1, 2], values: [0, -0.2])",
    "FromProfile",
    "test.ron:7:19: background.velocity: found FromProfile without a profile; valid: a problem with background.matter: Profile(…)"
)]
#[case(
    "discontinuities: [1]",
    "discontinuities: [2, 1]",
    "test.ron:8:30: background.discontinuities[1]: found 1 after 2; valid: strictly increasing values"
)]
#[case(
    "degree: 2,",
    "degree: 8,",
    "test.ron:13:21: phase_space.r.degree: found 8; valid: a polynomial degree from 0 to 7"
)]
#[case(
    "start: 0",
    "start: -1",
    "test.ron:14:39: phase_space.r.elements.start: found -1; valid: length of at least 0"
)]
#[case(
    "segments: [(end: 1, elements: 8, spacing: GradedToEnd(4)), (end: 4, elements: 16)]",
    "segments: []",
    "test.ron:14:52: phase_space.r.elements.segments: found []; valid: at least one segment"
)]
#[case(
    "end: 4",
    "end: 0.5",
    "test.ron:14:107: phase_space.r.elements.segments[1].end: found 0.5; valid: a radius beyond the end of the segment before (strictly increasing edges)"
)]
#[case(
    "elements: 8",
    "elements: 0",
    "test.ron:14:72: phase_space.r.elements.segments[0].elements: found 0; valid: a number from 1 to 1000000"
)]
#[case(
    "elements: 8",
    "elements: 2000000",
    "test.ron:14:72: phase_space.r.elements.segments[0].elements: found 2000000; valid: a number from 1 to 1000000"
)]
#[case(
    "GradedToEnd(4)",
    "GradedToEnd(0.5)",
    "test.ron:14:84: phase_space.r.elements.segments[0].spacing: found 0.5; valid: a ratio of widths of at least 1"
)]
#[case(
    "GradedToEnd(4)",
    "Geometric",
    "test.ron:14:84: phase_space.r.elements.segments[0].spacing: found Geometric from radius 0; valid: a segment that starts at a positive radius"
)]
#[case(
    "Segments(start: 0, segments: [(end: 1, elements: 8, spacing: GradedToEnd(4)), (end: 4, elements: 16)])",
    "Edges([1])",
    "test.ron:14:23: phase_space.r.elements: found [1]; valid: at least two edges"
)]
#[case(
    "Segments(start: 0, segments: [(end: 1, elements: 8, spacing: GradedToEnd(4)), (end: 4, elements: 16)])",
    "Edges([0, 2, 1])",
    "test.ron:14:36: phase_space.r.elements[2]: found 1 after 2; valid: strictly increasing values"
)]
#[case(
    "Segments(start: 0, segments: [(end: 1, elements: 8, spacing: GradedToEnd(4)), (end: 4, elements: 16)])",
    "Edges([-1, 2])",
    "test.ron:14:23: phase_space.r.elements: found [-1, 2]; valid: values of at least 0"
)]
#[case(
    "Segments(start: 0, segments: [(end: 1, elements: 8, spacing: GradedToEnd(4)), (end: 4, elements: 16)])",
    "Zones()",
    "test.ron:14:23: phase_space.r.elements: found Zones without a table; valid: a problem with an opacity ZoneTable or with background.matter: Profile(…)"
)]
#[case(
    "mu: Edges(degree: 2, edges: [-1, 0, 1])",
    "mu: SingleRange(ordinates: 1)",
    "test.ron:16:36: phase_space.mu.ordinates: found 1; valid: a number from 2 to 1000000"
)]
#[case(
    "mu: Edges(degree: 2, edges: [-1, 0, 1])",
    "mu: Uniform(degree: 2, elements: 5)",
    "test.ron:16:42: phase_space.mu.elements: found 5; valid: an even number, so that one edge is mu = 0"
)]
#[case(
    "mu: Edges(degree: 2, edges: [-1, 0, 1])",
    "mu: Graded(degree: 2, inward: 0, outward: 4, finest: 0.1)",
    "test.ron:16:39: phase_space.mu.inward: found 0; valid: a number from 1 to 1000000"
)]
#[case(
    "mu: Edges(degree: 2, edges: [-1, 0, 1])",
    "mu: Graded(degree: 2, inward: 4, outward: 0, finest: 0.1)",
    "test.ron:16:51: phase_space.mu.outward: found 0; valid: a number from 1 to 1000000"
)]
#[case(
    "mu: Edges(degree: 2, edges: [-1, 0, 1])",
    "mu: Graded(degree: 2, inward: 4, outward: 4, finest: 0)",
    "test.ron:16:62: phase_space.mu.finest: found 0; valid: a distance to mu = 1 between 0 and 1, both excluded"
)]
#[case(
    "mu: Edges(degree: 2, edges: [-1, 0, 1])",
    "mu: Graded(degree: 9, inward: 4, outward: 4, finest: 0.1)",
    "test.ron:16:28: phase_space.mu.degree: found 9; valid: a polynomial degree from 0 to 7"
)]
#[case(
    "edges: [-1, 0, 1]",
    "edges: [-1, 0.5, 0, 1]",
    "test.ron:16:47: phase_space.mu.edges[2]: found 0 after 0.5; valid: strictly increasing values"
)]
#[case(
    "edges: [-1, 0, 1]",
    "edges: [-0.9, 0, 1]",
    "test.ron:16:37: phase_space.mu.edges: found [-0.9, 0.0, 1.0]; valid: edges from -1 to 1"
)]
#[case(
    "edges: [-1, 0, 1]",
    "edges: [-1, 0.1, 1]",
    "test.ron:16:37: phase_space.mu.edges: found [-1.0, 0.1, 1.0]; valid: edges of which one is 0"
)]
#[case(
    "energy: Gray",
    "energy: Geometric(degree: 1, from: 0, to: 10, elements: 4)",
    "test.ron:17:44: phase_space.energy.from: found 0; valid: a positive energy"
)]
#[case(
    "energy: Gray",
    "energy: Geometric(degree: 1, from: 20, to: 10, elements: 4)",
    "test.ron:17:52: phase_space.energy.to: found 10; valid: an energy above `from`"
)]
#[case(
    "energy: Gray",
    "energy: Geometric(degree: 1, from: 1, to: 10, elements: 1)",
    "test.ron:17:65: phase_space.energy.elements: found 1; valid: a number from 2 to 1000000"
)]
#[case(
    "energy: Gray",
    "energy: Edges(degree: 1, edges: [0, 2, 2])",
    "test.ron:17:48: phase_space.energy.edges[2]: found 2 after 2; valid: strictly increasing values"
)]
#[case(
    "energy: Gray",
    "energy: Edges(degree: 1, edges: [1])",
    "test.ron:17:41: phase_space.energy.edges: found [1]; valid: at least two edges"
)]
#[case(
    "energy: Gray",
    "energy: TableGroups(degree: 1)",
    "test.ron:17:17: phase_space.energy: found TableGroups without a table; valid: a problem with an opacity ZoneTable or NuLibTable"
)]
#[case(
    "fine: (r: 2)",
    "fine: (r: 1.5)",
    "test.ron:26:29: resolutions.fine.r: found 1.5; valid: a factor n or 1/n with a whole number n from 1 to 64"
)]
#[case(
    "fine: (r: 2)",
    "fine: (mu: 0)",
    "test.ron:26:30: resolutions.fine.mu: found 0; valid: a factor n or 1/n with a whole number n from 1 to 64"
)]
#[case(
    "Constant(4.0)",
    "Constant(-4.0)",
    "test.ron:20:32: opacities[0].absorption: found -4; valid: coefficient of at least 0"
)]
#[case("Constant(4.0)", r#"Constant("4 1/cm")"#, r#"test.ron:20:32: opacities[0].absorption: found "4 1/cm"; valid: a plain number, as the problem is dimensionless"#)]
#[case(
    "Constant(4.0)",
    "PowerLaw(value: -1)",
    "test.ron:20:48: opacities[0].absorption.value: found -1; valid: coefficient of at least 0"
)]
#[case(
    "Constant(4.0)",
    "PowerLaw(value: 1, r0: 0, r_exponent: -2)",
    "test.ron:20:55: opacities[0].absorption.r0: found 0; valid: a positive length"
)]
#[case("Constant(4.0)", r#"Expression("4*density")"#, r#"test.ron:20:32: opacities[0].absorption: found "4*density"; valid: a formula in r, energy, lapse; `density` is not one of them"#)]
#[case(
    "Constant(4.0)",
    r#"Expression("4*(r")"#,
    r#"test.ron:20:32: opacities[0].absorption: found "4*(r"; valid: a formula (parentheses mismatch)"#
)]
#[case(
    "equilibrium: Constant(0.8)",
    "equilibrium: Constant(-0.8)",
    "test.ron:20:60: opacities[0].equilibrium: found -0.8; valid: f_eq of at least 0"
)]
#[case(
    "equilibrium: Constant(0.8)",
    "equilibrium: FermiDirac(temperature: Constant(0))",
    "test.ron:20:84: opacities[0].equilibrium.temperature: found 0; valid: a positive energy"
)]
#[case(
    "equilibrium: Constant(0.8)",
    "equilibrium: FermiDirac(temperature: Matter)",
    "test.ron:20:84: opacities[0].equilibrium.temperature: found Matter without matter; valid: a problem with background.matter"
)]
#[case(
    "equilibrium: Constant(0.8)",
    "equilibrium: FermiDirac(temperature: Tolman(value: 1, at: -1))",
    "test.ron:20:105: opacities[0].equilibrium.temperature.at: found -1; valid: length of at least 0"
)]
#[case(
    "equilibrium: Constant(0.8)",
    "equilibrium: FermiDirac(temperature: Constant(1), chemical_potential: Matter)",
    "test.ron:20:117: opacities[0].equilibrium.chemical_potential: found Matter, which is a temperature; valid: Constant, Tolman or Expression"
)]
#[case(
    "equilibrium: Constant(0.8)",
    "equilibrium: FermiDirac(temperature: Constant(1), strength: -1)",
    "test.ron:20:107: opacities[0].equilibrium.strength: found -1; valid: a factor of at least 0"
)]
#[case("equilibrium: Constant(0.8)", r#"equilibrium: FermiDirac(temperature: Expression("energy"))"#, r#"test.ron:20:84: opacities[0].equilibrium.temperature: found "energy"; valid: a formula in r, lapse; `energy` is not one of them"#)]
#[case(
    "outer: 1)",
    "inner: 2, outer: 1)",
    "test.ron:20:101: opacities[0].region.outer: found 1; valid: a radius beyond `inner`"
)]
#[case(
    r#"species: ["nu"]"#,
    r#"species: ["nux"]"#,
    r#"test.ron:20:105: opacities[0].species[0]: found "nux"; valid: one of the species nu"#
)]
#[case(
    r#"species: ["nu"]"#,
    "species: []",
    "test.ron:20:104: opacities[0].species: found []; valid: names of species, or no field `species` for all of them"
)]
#[case(
    "mean_cosine: 0.1",
    "mean_cosine: 1.5",
    "test.ron:21:62: opacities[1].mean_cosine: found 1.5; valid: a cosine from -1 to 1"
)]
#[case(
    "mean_cosine: 0.1)",
    r#"mean_cosine: 0.1), ZoneTable(file: "x.h5", mapping: Pointwise)"#,
    "test.ron:21:68: opacities[2]: found ZoneTable in a dimensionless problem; valid: units: Physical, as this works in MeV, cm and g"
)]
#[case(
    "mean_cosine: 0.1)",
    r#"mean_cosine: 0.1), ZoneTable(file: "", mapping: Pointwise)"#,
    r#"test.ron:21:84: opacities[2].file: found ""; valid: a text that is not empty"#
)]
#[case(
    "mean_cosine: 0.1)",
    "mean_cosine: 0.1), Bruenn1985()",
    "test.ron:21:68: opacities[2]: found Bruenn1985 in a dimensionless problem; valid: units: Physical, as this works in MeV, cm and g"
)]
#[case(
    r#"outer: Given("0")"#,
    r#"outer: Given("r")"#,
    r#"test.ron:23:23: boundary.outer: found "r"; valid: a formula in mu, energy, t; `r` is not one of them"#
)]
#[case(
    "end: 5",
    "end: -1",
    "test.ron:24:26: mode.end: found -1; valid: a time after `start` (0 where that is left out)"
)]
#[case(
    "output_times: [1, 2]",
    "output_times: [1, 6]",
    "test.ron:24:47: mode.output_times[1]: found 6; valid: a time from `start` to `end`"
)]
#[case(
    "output_times: [1, 2]",
    "output_times: [2, 1]",
    "test.ron:24:47: mode.output_times[1]: found 1 after 2; valid: strictly increasing values"
)]
#[case(
    "tolerance: 1e-8",
    "tolerance: 0",
    "test.ron:24:78: mode.tolerance: found 0; valid: a tolerance between 0 and 1, both excluded"
)]
#[case(
    "tolerance: 1e-8",
    "tolerance: 1e-8, step: Fixed(0)",
    "test.ron:24:90: mode.step: found 0; valid: a positive time"
)]
#[case(
    "tolerance: 1e-8",
    "tolerance: 1e-8, step: Adaptive(tolerance: 2)",
    "test.ron:24:110: mode.step.tolerance: found 2e0; valid: a tolerance from 1e-12 to 1 (excluded), above round-off"
)]
#[case(
    "tolerance: 1e-8",
    "tolerance: 1e-8, step: Adaptive(initial: 0)",
    "test.ron:24:108: mode.step.initial: found 0; valid: a positive time"
)]
#[case(
    "tolerance: 1e-8",
    "tolerance: 1e-8, step: Adaptive(largest: -1)",
    "test.ron:24:108: mode.step.largest: found -1; valid: a positive time"
)]
#[case("initial: Empty", r#"initial: Expression("exp(t)")"#, r#"test.ron:24:60: mode.initial: found "exp(t)"; valid: a formula in r, mu, energy; `t` is not one of them"#)]
#[case(
    "initial: Empty",
    "initial: BySpecies([])",
    "test.ron:24:60: mode.initial: found []; valid: formulas of some species, or Empty"
)]
#[case(
    "initial: Empty",
    r#"initial: BySpecies([(species: "nux", f: "0.1")])"#,
    r#"test.ron:24:81: mode.initial[0].species: found "nux"; valid: one of the species nu"#
)]
#[case(
    "initial: Empty",
    r#"initial: BySpecies([(species: "nu", f: "0.1"), (species: "nu", f: "r")])"#,
    "test.ron:24:108: mode.initial[1].species: found nu; valid: each species once"
)]
#[case("initial: Empty", r#"initial: BySpecies([(species: "nu", f: "0.1*t")])"#, r#"test.ron:24:90: mode.initial[0].f: found "0.1*t"; valid: a formula in r, mu, energy; `t` is not one of them"#)]
#[case(
    "mode: Evolution(end: 5, output_times: [1, 2], initial: Empty, tolerance: 1e-8)",
    "mode: SteadyState(tolerance: -1)",
    "test.ron:24:34: mode.tolerance: found -1; valid: a tolerance between 0 and 1, both excluded"
)]
#[case(
    "mode: Evolution(end: 5, output_times: [1, 2], initial: Empty, tolerance: 1e-8)",
    "mode: SteadyState(max_iterations: 0)",
    "test.ron:24:39: mode.max_iterations: found 0; valid: a number from 1 to 1000000"
)]
#[case(
    "sample_radii: [0.5, 2]",
    "sample_radii: [0.5, 5]",
    "test.ron:25:35: outputs.sample_radii[1]: found 5; valid: a radius within the radial grid (phase_space.r)"
)]
#[case(
    "sample_radii: [0.5, 2]",
    "sample_radii: [2, 0.5]",
    "test.ron:25:33: outputs.sample_radii[1]: found 0.5 after 2; valid: strictly increasing values"
)]
#[case(r#"variable: "r2_h""#, r#"variable: "r2h""#, r#"test.ron:28:20: criteria[0].variable: found "r2h"; valid: j, h, k, l, r2_h, r2_h_redshifted, number_density, energy_density, luminosity, luminosity_static, luminosity_infinity, number_luminosity_infinity, mean_energy, rms_energy, rms_energy_number, mean_energy_infinity, flux_factor, eddington_factor, lapse, radial_metric, velocity, heating_net, ye_rate, number, gain_radius, number_balance, lepton_balance, energy_balance, bound_violation_low, bound_violation_high (did you mean `r2_h`?)"#)]
#[case(
    "at: 2,",
    "at: 9,",
    "test.ron:28:32: criteria[0].at: found 9; valid: a radius within the radial grid (phase_space.r)"
)]
#[case(
    "at: 2,",
    "at: 2, region: (inner: 1),",
    "test.ron:28:32: criteria[0].at: found both `at` and `region`; valid: one of `at`, `region`"
)]
#[case(
    "at: 2,",
    r#"at: 2, species: "x","#,
    r#"test.ron:28:44: criteria[0].species: found "x"; valid: one of the species nu"#
)]
#[case(
    "at: 2,",
    "at: 2, energy: 0,",
    "test.ron:28:43: criteria[0].energy: found 0; valid: a positive energy"
)]
#[case(
    "at: 2,",
    "at: 2, time: 6,",
    "test.ron:28:41: criteria[0].time: found 6; valid: a time within the evolution (mode)"
)]
#[case(
    "at: 2,",
    "region: (inner: 2, outer: 1),",
    "test.ron:28:54: criteria[0].region.outer: found 1; valid: a radius beyond `inner`"
)]
#[case(
    "relative: 1e-4",
    "relative: -1e-4",
    "test.ron:28:74: criteria[0].expected.relative: found -0.0001; valid: a tolerance of at least 0"
)]
#[case(
    "relative: 1e-4",
    "absolute: -1e-4",
    "test.ron:28:74: criteria[0].expected.absolute: found -0.0001; valid: a tolerance of at least 0"
)]
#[case(
    ", relative: 1e-4",
    "",
    "test.ron:28:45: criteria[0].expected: found no tolerance; valid: a positive `relative` or `absolute` tolerance"
)]
#[case(
    "Value(value: 0.19, relative: 1e-4)",
    "Constant(relative: 1e-4)",
    "test.ron:28:45: criteria[0].expected: found Constant at one radius; valid: a `region` instead of `at`"
)]
#[case(
    "Value(value: 0.19, relative: 1e-4)",
    "Constant(relative: 0)",
    "test.ron:28:64: criteria[0].expected.relative: found 0; valid: a positive tolerance"
)]
#[case(
    "Value(value: 0.19, relative: 1e-4)",
    "ShareOfMaximum(1e-6)",
    "test.ron:28:45: criteria[0].expected: found ShareOfMaximum at one radius; valid: a `region` instead of `at`"
)]
#[case(
    "Value(value: 0.19, relative: 1e-4)",
    "ShareOfMaximum(1.5)",
    "test.ron:28:45: criteria[0].expected: found 1.5; valid: a share between 0 and 1"
)]
#[case(
    "discontinuities: [1],",
    "matter: PowerLawAtmosphere(reference_radius: 0, density: 1, density_exponent: 4, temperature: 1, temperature_exponent: 1, electron_fraction: (inner: 0.1, inner_radius: 1, outer: 0.5, outer_radius: 2)),",
    "test.ron:8:54: background.matter.reference_radius: found 0; valid: a positive length"
)]
#[case(
    "discontinuities: [1],",
    "matter: PowerLawAtmosphere(reference_radius: 1, density: 0, density_exponent: 4, temperature: 1, temperature_exponent: 1, electron_fraction: (inner: 0.1, inner_radius: 1, outer: 0.5, outer_radius: 2)),",
    "test.ron:8:66: background.matter.density: found 0; valid: a positive density"
)]
#[case(
    "discontinuities: [1],",
    "matter: PowerLawAtmosphere(reference_radius: 1, density: 1, density_exponent: NaN, temperature: 1, temperature_exponent: 1, electron_fraction: (inner: 0.1, inner_radius: 1, outer: 0.5, outer_radius: 2)),",
    "test.ron:8:87: background.matter.density_exponent: found NaN; valid: a finite number"
)]
#[case(
    "discontinuities: [1],",
    "matter: PowerLawAtmosphere(reference_radius: 1, density: 1, density_exponent: 4, temperature: -1, temperature_exponent: 1, electron_fraction: (inner: 0.1, inner_radius: 1, outer: 0.5, outer_radius: 2)),",
    "test.ron:8:103: background.matter.temperature: found -1; valid: a positive energy"
)]
#[case(
    "discontinuities: [1],",
    "matter: PowerLawAtmosphere(reference_radius: 1, density: 1, density_exponent: 4, temperature: 1, temperature_exponent: 1, electron_fraction: (inner: 1.5, inner_radius: 1, outer: 0.5, outer_radius: 2)),",
    "test.ron:8:158: background.matter.electron_fraction.inner: found 1.5; valid: a number from 0 to 1"
)]
#[case(
    "discontinuities: [1],",
    "matter: PowerLawAtmosphere(reference_radius: 1, density: 1, density_exponent: 4, temperature: 1, temperature_exponent: 1, electron_fraction: (inner: 0.1, inner_radius: 1, outer: -0.5, outer_radius: 2)),",
    "test.ron:8:187: background.matter.electron_fraction.outer: found -0.5; valid: a number from 0 to 1"
)]
#[case(
    "discontinuities: [1],",
    "matter: PowerLawAtmosphere(reference_radius: 1, density: 1, density_exponent: 4, temperature: 1, temperature_exponent: 1, electron_fraction: (inner: 0.1, inner_radius: 0, outer: 0.5, outer_radius: 2)),",
    "test.ron:8:177: background.matter.electron_fraction.inner_radius: found 0; valid: a positive length"
)]
#[case(
    "discontinuities: [1],",
    "matter: PowerLawAtmosphere(reference_radius: 1, density: 1, density_exponent: 4, temperature: 1, temperature_exponent: 1, electron_fraction: (inner: 0.1, inner_radius: 1, outer: 0.5, outer_radius: 1)),",
    "test.ron:8:206: background.matter.electron_fraction.outer_radius: found 1; valid: a radius beyond `inner_radius`"
)]
#[case(
    "discontinuities: [1],",
    "matter: Uniform(density: 0, temperature: 1, electron_fraction: 0.5),",
    "test.ron:8:34: background.matter.density: found 0; valid: a positive density"
)]
#[case(
    "discontinuities: [1],",
    "matter: Uniform(density: 1, temperature: 0, electron_fraction: 0.5),",
    "test.ron:8:50: background.matter.temperature: found 0; valid: a positive energy"
)]
#[case(
    "discontinuities: [1],",
    "matter: Uniform(density: 1, temperature: 1, electron_fraction: 2),",
    "test.ron:8:72: background.matter.electron_fraction: found 2; valid: a number from 0 to 1"
)]
#[case(
    "discontinuities: [1],",
    "matter: Uniform(radius: 0, density: 1, temperature: 1, electron_fraction: 0.5),",
    "test.ron:8:33: background.matter.radius: found 0; valid: a positive length"
)]
#[case("discontinuities: [1],", r#"matter: Profile((file: "x.csv", columns: (r: (name: "r", unit: "cm")))),"#, r#"test.ron:8:72: background.matter.columns.r.unit: found "cm"; valid: "1", as the problem is dimensionless"#)]
#[case(
    "end: 5, output",
    "start: 6, end: 5, output",
    "test.ron:24:36: mode.end: found 5; valid: a time after `start` (0 where that is left out)"
)]
#[case(
    "end: 5, output",
    r#"start: "1 s", end: 5, output"#,
    r#"test.ron:24:28: mode.start: found "1 s"; valid: a plain number, as the problem is dimensionless"#
)]
#[case(
    "metric: UniformStar(radius: 1, compactness: 0.5)",
    "metric: Schwarzschild(gravitational_radius: 1, core_radius: 0)",
    "test.ron:6:69: background.metric.core_radius: found 0; valid: a positive length"
)]
fn invalid_values(#[case] old: &str, #[case] new: &str, #[case] expected: &str) {
    assert_eq!(message(STAR, old, new), expected);
}

#[rstest]
#[case(
    "metric: FromProfile(lapse: Comoving, radial_metric: FromGamma)",
    "metric: FromProfile(lapse: FromIntegrals, radial_metric: FromMass)",
    "test.ron:6:66: background.metric.radial_metric: found FromMass without a column `enclosed_mass`; valid: a profile with background.matter.columns.enclosed_mass"
)]
#[case("metric: FromProfile(lapse: Comoving, radial_metric: FromGamma)", r#"metric: UniformStar(radius: "10 km", mass: "4 Msun")"#, r#"test.ron:6:52: background.metric.mass: found "4 Msun" (2GM/(Rc²) = 1.1813); valid: 2GM/(Rc²) from 0 to 8/9 (8/9 excluded), the Buchdahl limit"#)]
#[case(
    "metric: FromProfile(lapse: Comoving, radial_metric: FromGamma)",
    r#"metric: UniformStar(radius: "10", mass: "1 Msun")"#,
    "test.ron:6:37: background.metric.radius: found 10 without a unit; valid: length in one of the units cm, m, km"
)]
#[case(
    "metric: FromProfile(lapse: Comoving, radial_metric: FromGamma)",
    r#"metric: UniformStar(radius: "10 MeV", mass: "1 Msun")"#,
    r#"test.ron:6:37: background.metric.radius: found "10 MeV"; valid: length in one of the units cm, m, km"#
)]
#[case("metric: FromProfile(lapse: Comoving, radial_metric: FromGamma)", r#"metric: UniformStar(radius: "1e308 km", mass: "1 Msun")"#, r#"test.ron:6:37: background.metric.radius: found "1e308 km"; valid: a number that stays finite in the internal units"#)]
#[case("metric: FromProfile(lapse: Comoving, radial_metric: FromGamma)", r#"metric: Schwarzschild(mass: "1.4 Msun", core_radius: "4 km")"#, r#"test.ron:6:62: background.metric.core_radius: found "4 km"; valid: a radius beyond 2GM/c², so that 2m < r"#)]
#[case(
    "                lapse: (name: \"lapse\", unit: \"1\"),\n",
    "",
    "test.ron:6:36: background.metric.lapse: found Comoving without a column `lapse`; valid: a profile with background.matter.columns.lapse"
)]
#[case(
    "                gamma: (name: \"Gamma\", unit: \"1\"),\n",
    "",
    "test.ron:6:61: background.metric.radial_metric: found FromGamma without a column `gamma`; valid: a profile with background.matter.columns.gamma"
)]
#[case(
    "                velocity: (name: \"v\", unit: \"cm/s\"),\n",
    "",
    "test.ron:6:61: background.metric.radial_metric: found FromGamma without a column `velocity`; valid: a profile with background.matter.columns.velocity"
)]
#[case(r#"unit: "cm/s""#, r#"unit: "km""#, r#"test.ron:14:45: background.matter.columns.velocity.unit: found "km"; valid: one of the units c, 1, cm/s, cm s-1, km/s, km s-1"#)]
#[case(
    r#"name: "v""#,
    r#"name: """#,
    r#"test.ron:14:34: background.matter.columns.velocity.name: found ""; valid: a text that is not empty"#
)]
#[case(
    r#"file: "profile.csv""#,
    r#"file: """#,
    r#"test.ron:9:19: background.matter.file: found ""; valid: a text that is not empty"#
)]
#[case(
    "interpolation: MonotoneCubic",
    "interpolation: ZoneConstant",
    "test.ron:10:28: background.matter.interpolation: found ZoneConstant without zone edges; valid: a column `r_edges`, or MonotoneCubic"
)]
#[case(r#"r: (name: "r", unit: "cm"),"#, r#"r: (name: "r", unit: "cm"), r_edges: (name: "edges", unit: "cm"),"#, r#"test.ron:12:61: background.matter.columns.r_edges.name: found "edges"; valid: zone edges only with layout: Hdf5"#)]
#[case(
    r#"elements: Zones(outer: "500 km")"#,
    r#"elements: Zones(inner: "600 km", outer: "500 km")"#,
    r#"test.ron:22:64: phase_space.r.elements.outer: found "500 km"; valid: a radius beyond `inner`"#
)]
#[case(
    r#"edges: (values: [0, 5, 10], unit: "MeV")"#,
    r#"edges: (values: [0, 5, 5], unit: "MeV")"#,
    "test.ron:24:57: phase_space.energy.edges.values[2]: found 5 after 5; valid: strictly increasing values"
)]
#[case(r#"edges: (values: [0, 5, 10], unit: "MeV")"#, r#"edges: (values: [-1, 5, 10], unit: "MeV")"#, r#"test.ron:24:41: phase_space.energy.edges: found (values: [-1, 5, 10], unit: "MeV"); valid: values of at least 0"#)]
#[case(r#"edges: (values: [0, 5, 10], unit: "MeV")"#, r#"edges: (values: [0, 5, 10], unit: "km")"#, r#"test.ron:24:41: phase_space.energy.edges: found (values: [0, 5, 10], unit: "km"); valid: energy in one of the units MeV, keV, GeV, erg, K"#)]
#[case(
    r#"edges: (values: [0, 5, 10], unit: "MeV")"#,
    "edges: [0, 5, 10]",
    "test.ron:24:41: phase_space.energy.edges: found [0, 5, 10] without a unit; valid: energy in one of the units MeV, keV, GeV, erg, K"
)]
#[case(
    r#"edges: (values: [0, 5, 10], unit: "MeV")"#,
    r#"edges: (values: [0, 5, 10], units: "MeV")"#,
    "test.ron:24:69: phase_space.energy.edges.units: found the unknown field `units`; valid: values, unit"
)]
#[case(
    r#"edges: (values: [0, 5, 10], unit: "MeV")"#,
    r#"edges: (values: [0, 5, 10], unit: "")"#,
    r#"test.ron:24:41: phase_space.energy.edges: found the string ""; valid: a unit such as "km""#
)]
#[case(
    r#"edges: (values: [0, 5, 10], unit: "MeV")"#,
    r#"edges: ["0 MeV", "5 MeV"]"#,
    r#"test.ron:24:42: phase_space.energy.edges[0]: found "0 MeV"; valid: a number"#
)]
#[case(
    r#"sample_radii: (values: [100, 200], unit: "km")"#,
    r#"sample_radii: (values: [200, 100], unit: "km")"#,
    "test.ron:27:44: outputs.sample_radii.values[1]: found 100 after 200; valid: strictly increasing values"
)]
#[case(
    "opacities: [Bruenn1985()]",
    r#"opacities: [Scattering(scattering: PowerLaw(value: "1 1/cm", r_exponent: -2))]"#,
    "test.ron:26:40: opacities[0].scattering.r0: found nothing beside the exponent -2; valid: a positive length"
)]
#[case(
    "opacities: [Bruenn1985()]",
    r#"opacities: [Scattering(scattering: PowerLaw(value: "1 1/cm", energy_exponent: 2))]"#,
    "test.ron:26:40: opacities[0].scattering.energy0: found nothing beside the exponent 2; valid: a positive energy"
)]
#[case(
    "opacities: [Bruenn1985()]",
    "opacities: [Bruenn1985(charged_current: yes)]",
    "test.ron:26:45: opacities[0].charged_current: found yes; valid: true or false"
)]
#[case(
    "metric: FromProfile(lapse: Comoving, radial_metric: FromGamma),\n        velocity: FromProfile,\n        matter: Profile((\n            file: \"profile.csv\",\n            interpolation: MonotoneCubic,\n            columns: (\n                r: (name: \"r\", unit: \"cm\"),\n                density: (name: \"rho\", unit: \"g/cm3\"),",
    "metric: FromProfile(lapse: FromIntegrals, radial_metric: FromGamma),\n        velocity: FromProfile,\n        matter: Profile((\n            file: \"profile.csv\",\n            columns: (\n                r: (name: \"r\", unit: \"cm\"),",
    "test.ron:6:36: background.metric.lapse: found FromIntegrals without a column `density`; valid: a profile with background.matter.columns.density"
)]
#[case(
    "metric: FromProfile(lapse: Comoving, radial_metric: FromGamma),\n        velocity: FromProfile,\n        matter: Profile((\n            file: \"profile.csv\",\n            interpolation: MonotoneCubic,\n            columns: (\n                r: (name: \"r\", unit: \"cm\"),\n                density: (name: \"rho\", unit: \"g/cm3\"),",
    "metric: FromProfile(lapse: Static, radial_metric: FromDensity),\n        velocity: FromProfile,\n        matter: Profile((\n            file: \"profile.csv\",\n            columns: (\n                r: (name: \"r\", unit: \"cm\"),",
    "test.ron:6:59: background.metric.radial_metric: found FromDensity without a column `density`; valid: a profile with background.matter.columns.density"
)]
fn invalid_physical_problems(#[case] old: &str, #[case] new: &str, #[case] expected: &str) {
    assert_eq!(message(PROFILE, old, new), expected);
}
#[rstest]
#[case("compactness", "compactnes", "did you mean `compactness`?")]
#[case("UniformStar", "UniformStars", "did you mean `UniformStar`?")]
#[case("Dimensionless", "dimensionless", "did you mean `Dimensionless`?")]
#[case("phase_space", "phasespace", "did you mean `phase_space`?")]
fn misspelt_names_are_suggested(#[case] right: &str, #[case] wrong: &str, #[case] help: &str) {
    let error = refusal(STAR.replacen(right, wrong, 1), &LoadOptions::default());
    assert_eq!(error.help().unwrap().to_string(), help);
}

fn with_override(path: &str, value: &str) -> ProblemError {
    let overrides = vec![(path.to_owned(), value.to_owned())];
    refusal(STAR.to_owned(), &LoadOptions { overrides, ..LoadOptions::default() })
}

#[rstest]
#[case(
    "background.metric.masse.x",
    "1",
    "test.ron:6:17: --set background.metric.masse.x=1: found no `masse` in `background.metric`; valid: the \
     fields radius, compactness"
)]
#[case(
    "opacities[2].absorption",
    "1",
    "test.ron:19:16: --set opacities[2].absorption=1: found no `[2]` in `opacities`; valid: indices below 2"
)]
#[case(
    "phase_space.energy.degree",
    "1",
    "test.ron:17:17: --set phase_space.energy.degree=1: found no `degree` in `phase_space.energy`; valid: \
     nothing below the value Gray"
)]
#[case(
    "background..metric",
    "Flat",
    "test.ron:1:1: --set background..metric=Flat: found the path `background..metric`; valid: names and \
     indices such as opacities[0].region"
)]
#[case(
    "background.metric",
    "Flat(",
    "test.ron:6:17: --set background.metric=Flat(: found the value `Flat(`; valid: a number, a quantity such \
     as 10 km, or a value as in the file"
)]
#[case(
    "background.metric.compactness",
    "0.95",
    "test.ron:6:53: background.metric.compactness: found 0.95; valid: 2GM/(Rc²) from 0 to 8/9 (8/9 excluded), \
     the Buchdahl limit"
)]
#[case(
    "background.metric.weight",
    "1",
    "test.ron:6:37: background.metric.weight: found the unknown field `weight`; valid: radius, compactness, \
     mass, density"
)]
fn invalid_overrides(#[case] path: &str, #[case] value: &str, #[case] expected: &str) {
    assert_eq!(with_override(path, value).message, expected);
}

#[test]
fn an_error_in_a_text_with_overrides_says_so() {
    let help = with_override("background.metric.weight", "1").help().unwrap().to_string();
    assert_eq!(help, "the text shown includes --set background.metric.weight=1");
    let help = with_override("background.metric.compactness", "0.95").help().unwrap().to_string();
    assert_eq!(help, "the text shown includes --set background.metric.compactness=0.95");
}

#[test]
fn the_report_shows_the_line() {
    let error = refusal(STAR.replacen("compactness: 0.5", "compactness: 0.95", 1), &LoadOptions::default());
    let handler = miette::GraphicalReportHandler::new_themed(miette::GraphicalTheme::none());
    let mut report = String::new();
    handler.render_report(&mut report, &error).unwrap();
    insta::assert_snapshot!(report);
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("missing.ron");
    let message = load(&missing, &LoadOptions::default()).unwrap_err().to_string();
    assert!(
        message.starts_with(&format!("{}: the problem file cannot be read (", missing.display())),
        "{message}"
    );
    let binary = folder.path().join("binary.ron");
    std::fs::write(&binary, [0xff, 0xfe, 0x00]).unwrap();
    let message = load(&binary, &LoadOptions::default()).unwrap_err().to_string();
    assert!(
        message.contains("binary.ron: the problem file cannot be read (") && message.contains("UTF-8"),
        "{message}"
    );
}

#[test]
fn errors_of_later_stages_get_a_place() {
    let loaded = load_text(STAR.to_owned(), Path::new("test.ron"), &LoadOptions::default()).unwrap();
    let located = |path: &str| loaded.locate(Error::field(path, "x", "y")).to_string();
    assert_eq!(
        located("background.velocity.values[1]"),
        "test.ron:7:62: background.velocity.values[1]: found x; valid: y"
    );
    // A field that the file leaves out: where its section is.
    assert_eq!(located("mode.step.largest"), "test.ron:24:11: mode.step.largest: found x; valid: y");
    assert_eq!(located("not a path"), "test.ron:1:1: not a path: found x; valid: y");
    let other = loaded.locate(Error::Numerical("singular".to_owned()));
    assert_eq!(other.to_string(), "singular");
}

#[test]
fn data_files_need_a_data_folder() {
    let load = |data: Option<&str>| {
        let options = LoadOptions { data: data.map(PathBuf::from), ..LoadOptions::default() };
        load_text(PROFILE.to_owned(), Path::new("problems/test.ron"), &options).unwrap()
    };
    let without = load(None);
    let path = "background.matter.file";
    let error = without.locate(without.context.data_file("data:x.h5", path).unwrap_err());
    assert_eq!(
        error.to_string(),
        "problems/test.ron:9:19: background.matter.file: found \"data:x.h5\" without a data folder; valid: a \
         data folder given by --data DIR or the environment variable TOLMAN_DATA"
    );
    assert_eq!(without.context.data_file("x.h5", path).unwrap(), Path::new("problems/x.h5"));
    let with = load(Some("/data"));
    assert_eq!(with.context.data_file("data:a/x.h5", path).unwrap(), Path::new("/data/a/x.h5"));
}

#[test]
fn resolutions_and_overrides_reach_the_problem() {
    let options = |resolution| LoadOptions {
        resolution,
        overrides: vec![
            ("background.metric.compactness".to_owned(), "0.25".to_owned()),
            ("phase_space.r.elements.segments[1].elements".to_owned(), "32".to_owned()),
        ],
        data: None,
    };
    let load = |resolution| load_text(STAR.to_owned(), Path::new("test.ron"), &options(resolution)).unwrap();
    let standard = load(Resolution::Standard);
    assert_eq!(standard.refinement, Refinement::STANDARD);
    assert_eq!(load(Resolution::Fine).refinement, Refinement { r: 2.0, mu: 1.0, energy: 1.0 });
    assert_eq!(load(Resolution::Coarse).refinement, Refinement { r: 0.5, mu: 0.5, energy: 0.5 });
    assert!(standard.text.contains("compactness: 0.25") && standard.text.contains("elements: 32"));
    let plain = load_text(STAR.to_owned(), Path::new("test.ron"), &LoadOptions::default()).unwrap();
    assert_ne!(standard.hash, plain.hash);
}

#[rstest]
#[case("(format: 1) (", "test.ron:1:13: found `(`; valid: the end of the file")]
#[case("#![enable(implicit_some)", "test.ron:1:1: found `#![enable(implicit_s`; valid: `]`")]
#[case("", "test.ron:1:1: found the end of the text; valid: a value")]
#[case(
    "[1, 2]",
    "test.ron:1:1: found [1, 2]; valid: fields in parentheses, as in `(name: value)` or `Variant(name: value)`"
)]
#[case("(title: \"\u{e9}\", format: x)", "test.ron:1:22: format: found x; valid: an integer")]
fn other_texts(#[case] text: &str, #[case] expected: &str) {
    assert_eq!(refusal(text.to_owned(), &LoadOptions::default()).message, expected);
}

#[test]
fn endless_nesting_is_refused() {
    let message = refusal("[".repeat(100_000), &LoadOptions::default()).message;
    assert!(message.ends_with("valid: less nesting"), "{message}");
}
