//! Small gray problems that several tests solve.

/// A problem of the unit sphere and its surroundings, flat, up to r = 4: with `opacities`, and `others`, further
/// fields of the file.
pub fn around_a_sphere(title: &str, opacities: &str, others: &str) -> String {
    format!(
        r#"(
    format: 1,
    title: "{title}",
    units: Dimensionless,
    background: (metric: Flat, discontinuities: [1]),
    species: [(name: "nu")],
    phase_space: (
        r: (degree: 2, elements: Segments(start: 0, segments: [
            (end: 1, elements: 6, spacing: GradedToEnd(20)),
            (end: 4, elements: 6, spacing: GradedToStart(20)),
        ])),
        mu: Uniform(degree: 2, elements: 8),
        energy: Gray,
    ),
    opacities: {opacities},
    {others}
)"#
    )
}

/// A sphere that absorbs and emits.
pub fn sphere() -> String {
    let opacities = "[Absorption(absorption: Constant(2.0), equilibrium: Constant(0.7), region: (outer: 1))]";
    around_a_sphere("Sphere", opacities, "outputs: (sample_radii: [2]),")
}

/// A pulse that scatters: an evolution with a fixed step.
pub const PULSE: &str = r#"(
    format: 1,
    title: "Pulse",
    units: Dimensionless,
    background: (metric: Flat),
    species: [(name: "nu")],
    phase_space: (
        r: (degree: 2, elements: Segments(start: 0, segments: [(end: 4, elements: 8)])),
        mu: Uniform(degree: 2, elements: 4),
        energy: Gray,
    ),
    opacities: [Scattering(scattering: Constant(5.0))],
    mode: Evolution(end: 0.2, step: Fixed(0.01), integrator: Sdirk2, initial: Expression("0.5*exp(-r^2)")),
)"#;
