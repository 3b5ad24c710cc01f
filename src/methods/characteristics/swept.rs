//! J, H, K and L where the nodes of the scattering mesh share their rays: by these rays, which stop at the radii
//! asked for.
//!
//! Rays of the point's own through the field would be finer in angle and along the ray. But J and H solve the
//! equations of the shared rays, with spectra that are projected on the elements: where opacities are constant in
//! groups and matter moves, only these conserve the number that diffuses through opaque matter.

use super::field::Mesh;
use super::level::Level;
use super::sweep::{MOMENTS, Sweep, is_below};

/// The moments of all species at some radii.
pub struct Swept<'a> {
    mesh: &'a Mesh,
    /// Lapse at each radius.
    lapses: Vec<f64>,
    /// (species, radius) → at the energies of the scattering mesh.
    spectra: Vec<Vec<[f64; MOMENTS]>>,
}

impl<'a> Swept<'a> {
    /// The moments at `radii`, in any order; `None` where rays are not shared.
    pub fn new(level: &'a Level<'a>, radii: &[f64]) -> Option<Self> {
        let field = level.field.as_ref().filter(|_| level.is_swept())?;
        let medium = &level.medium;
        let mut stations: Vec<(usize, f64)> = radii.iter().map(|&r| (medium.panel_at(r, false), r)).collect();
        stations.sort_by(|a, b| a.1.total_cmp(&b.1));
        stations.dedup_by(|a, b| !is_below(b.1, a.1));
        let sweep = Sweep::with_stations(level.tracer(), &field.mesh, &field.mesh.radii(medium), &stations);
        let plain = field.plain();
        let energies = field.mesh.size().1;
        let mut spectra = Vec::new();
        for species in 0..level.edges.0.phase_space.species.len() {
            let emitted = sweep.formal(species, None, MOMENTS);
            let scattered = sweep.formal(species, Some(&plain), MOMENTS);
            spectra.extend(radii.iter().map(|&r| -> Vec<[f64; MOMENTS]> {
                let station = stations.partition_point(|station| is_below(station.1, r));
                let index = |k: usize, n: usize| (k * MOMENTS + n) * stations.len() + station;
                let moment = |k: usize, n: usize| emitted[index(k, n)] + scattered[index(k, n)];
                (0..energies).map(|k| std::array::from_fn(|n| moment(k, n))).collect()
            }));
        }
        let lapses = radii.iter().map(|&r| medium.lapse(medium.panel_at(r, false), r)).collect();
        Some(Self { mesh: &field.mesh, lapses, spectra })
    }

    /// The moments of a species at radius number `radius` for comoving energies.
    pub fn at(&self, species: usize, radius: usize, energies: &[f64]) -> Vec<[f64; MOMENTS]> {
        let spectrum = &self.spectra[species * self.lapses.len() + radius];
        let lapse = self.lapses[radius];
        energies.iter().map(|energy| self.mesh.at_energy(spectrum, lapse * energy)).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::methods::setup::Setup;
    use crate::problem::LoadOptions;
    use crate::problem::load::load_text;
    use crate::progress::Silent;

    /// A contracting ball that emits inside of r = 3 and scatters out to 10, the more the higher the group.
    const BALL: &str = r#"(
        format: 1,
        title: "Contracting ball",
        units: Dimensionless,
        background: (metric: Flat, velocity: PiecewiseLinear(radii: [0, 10, 14], values: [0, -0.004, -0.004])),
        species: [(name: "nu")],
        phase_space: (
            r: (degree: 1, elements: Segments(start: 0, segments: [
                (end: 3, elements: 2), (end: 10, elements: 4), (end: 14, elements: 1),
            ])),
            mu: Uniform(degree: 1, elements: 2),
            energy: Edges(degree: 1, edges: [0, 1.5, 3, 5, 8, 12]),
        ),
        opacities: [
            Absorption(
                absorption: Constant(0.5),
                equilibrium: Expression(
                    "0.4 - 0.2*step(energy-1.5) - 0.12*step(energy-3) - 0.06*step(energy-5) - 0.019*step(energy-8)",
                ),
                region: (outer: 3),
            ),
            Scattering(
                scattering: Expression(
                    "0.2 + step(energy-1.5) + 2*step(energy-3) + 4*step(energy-5) + 4*step(energy-8)",
                ),
                region: (outer: 10),
            ),
        ],
    )"#;

    /// Scattering conserves number, whatever the shifts of the energy do: the number luminosity beyond the
    /// emitting core falls by what is compressed beyond the end of the spectrum alone, 0.9 % in the Boltzmann
    /// solution with degree 2 in energy, and 0.02 % of it beyond r = 9.
    #[test]
    fn number_is_conserved_where_groups_meet_motion() {
        let problem = load_text(BALL.to_owned(), Path::new("ball.ron"), &LoadOptions::default()).unwrap();
        let setup = Setup::build(&problem).unwrap();
        let level = Level::solve(&setup, 1e-3, 0, &Silent).unwrap();
        let radii = [4.0, 6.0, 9.0, 10.0, 12.0];
        let swept = Swept::new(&level, &radii).unwrap();
        let rule: Vec<f64> = level.energies.iter().map(|pair| pair.0).collect();
        let luminosity = |(place, &r): (usize, &f64)| {
            let v = -0.0004 * r.min(10.0);
            let pairs = level.energies.iter().zip(swept.at(0, place, &rule));
            let flux: f64 = pairs.map(|((e, w), [j, h, ..])| w * e * e * (h + v * j)).sum();
            r * r * flux / (1.0 - v * v).sqrt()
        };
        let all: Vec<f64> = radii.iter().enumerate().map(luminosity).collect();
        let falls = all.windows(2).all(|pair| pair[1] <= pair[0]);
        assert!(falls && all[4] > 0.985 * all[0] && all[4] > 0.999 * all[2], "{all:?}");
        assert!((all[4] / all[3] - 1.0).abs() < 1e-4, "{all:?}");
    }

    #[test]
    fn radii_that_differ_by_rounding_are_one() {
        let problem = load_text(BALL.to_owned(), Path::new("ball.ron"), &LoadOptions::default()).unwrap();
        let setup = Setup::build(&problem).unwrap();
        let level = Level::solve(&setup, 1e-2, 1, &Silent).unwrap();
        // 10 is the end of the scattering matter.
        let radii = [12.0, 10.0, 10.0_f64.next_down(), 12.0_f64.next_up(), 10.0_f64.next_up()];
        let swept = Swept::new(&level, &radii).unwrap();
        let alone = Swept::new(&level, &[10.0, 12.0]).unwrap();
        for (place, same) in [1, 0, 0, 1, 0].into_iter().enumerate() {
            let (j, expected) = (swept.at(0, place, &[2.0])[0][0], alone.at(0, same, &[2.0])[0][0]);
            assert!(expected > 0.0 && (j / expected - 1.0).abs() < 1e-13, "{place}: {j} {expected}");
        }
    }
}
