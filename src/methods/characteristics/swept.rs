//! J, H, K and L where the nodes of the scattering mesh share their rays: by these rays, which stop at the radii
//! asked for.
//!
//! Rays of the point's own through the field would be finer in angle and along the ray. But J and H solve the
//! equations of the shared rays, with spectra that are projected on the elements: where opacities are constant in
//! groups and matter moves, only these conserve the number that diffuses through opaque matter.

use super::level::Level;
use super::sweep::Sweep;

const MOMENTS: usize = 4;

/// The moments of one species at some radii.
pub struct Swept<'a> {
    level: &'a Level<'a>,
    /// Lapse at each radius.
    lapses: Vec<f64>,
    /// (radius, energy of the scattering mesh).
    spectra: Vec<Vec<[f64; MOMENTS]>>,
}

impl<'a> Swept<'a> {
    /// `None` where rays are not shared. `radii` in any order.
    pub fn new(level: &'a Level<'a>, species: usize, radii: &[f64]) -> Option<Self> {
        let field = level.field.as_ref().filter(|_| level.is_swept())?;
        let medium = &level.medium;
        let mut stations: Vec<(usize, f64)> = radii.iter().map(|&r| (medium.panel_at(r, false), r)).collect();
        stations.sort_by(|a, b| a.1.total_cmp(&b.1));
        stations.dedup_by(|a, b| a.1 == b.1);
        let sweep = Sweep::with_stations(level.tracer(), &field.mesh, &field.mesh.radii(medium), &stations);
        let emitted = sweep.formal(species, None, MOMENTS);
        let scattered = sweep.formal(species, Some(field), MOMENTS);
        let energies = field.mesh.size().1;
        let moment = |station: usize, k: usize, n: usize| {
            let index = (k * MOMENTS + n) * stations.len() + station;
            emitted[index] + scattered[index]
        };
        let spectrum = |&r: &f64| -> Vec<[f64; MOMENTS]> {
            let station = stations.partition_point(|station| station.1 < r);
            (0..energies).map(|k| std::array::from_fn(|n| moment(station, k, n))).collect()
        };
        let lapses = radii.iter().map(|&r| medium.lapse(medium.panel_at(r, false), r)).collect();
        Some(Self { level, lapses, spectra: radii.iter().map(spectrum).collect() })
    }

    /// The moments at radius number `radius` for comoving energies.
    pub fn at(&self, radius: usize, energies: &[f64]) -> Vec<[f64; MOMENTS]> {
        let Some(field) = &self.level.field else { return vec![[0.0; MOMENTS]; energies.len()] };
        let (spectrum, lapse) = (&self.spectra[radius], self.lapses[radius]);
        energies.iter().map(|energy| field.mesh.at_energy(spectrum, lapse * energy)).collect()
    }
}
