//! Inelastic kernels of a zone table: docs/microphysics.md specifies the datasets.

use ndarray::{Array4, ArrayView2, s};

use super::group_mapping::Stencil;
use super::kernels::Moments;
use super::table_file::Reader;
use crate::error::Result;
use crate::units::Dimension;

/// By how much a kernel may miss the symmetry that detailed balance demands, relative to itself.
const BALANCE: f64 = 1e-2;
/// Kernels below this fraction of the largest one of species and zone are not compared: tables have floors.
const SIGNIFICANT: f64 = 1e-8;

/// Kernels over (species, zone, ε, ε′) [cm³/s].
#[derive(Debug, Clone, PartialEq)]
pub struct ZoneKernels {
    /// T of the zones \[MeV\], for detailed balance.
    pub temperature: Vec<f64>,
    /// Φᵒᵘᵗ(ε → ε′).
    pub inelastic: Option<Array4<Moments>>,
    /// Φᵃ(ε, ε′) of a species at ε with its antiparticle at ε′.
    pub pairs: Option<Array4<Moments>>,
}

impl ZoneKernels {
    /// Reads the kernels that are asked for of a table of the given shape (species, zones, groups) and energies.
    ///
    /// # Errors
    /// Datasets that are missing, have another shape or unit, hold NaN, Φ₀ < 0 or |Φ₁| > Φ₀; temperatures that are
    /// not positive; up-scattering that is neither left out nor in detailed balance.
    pub(super) fn read(
        reader: &Reader,
        shape: [usize; 3],
        energies: &[f64],
        [inelastic, pairs]: [bool; 2],
    ) -> Result<Option<Self>> {
        if !(inelastic || pairs) {
            return Ok(None);
        }
        let [species, zones, groups] = shape;
        let temperature = reader.values("temperature", &[zones], Dimension::Energy)?;
        if let Some(zone) = temperature.iter().position(|t| *t <= 0.0) {
            let valid = "temperatures > 0, as kernels need detailed balance";
            return Err(reader.invalid("temperature", &format!("[{zone}]"), temperature[zone], valid));
        }
        let shape = [species, zones, groups, groups];
        let inelastic = inelastic.then(|| read_moments(reader, "inelastic", shape)).transpose()?;
        let inelastic =
            inelastic.map(|kernel| complete(reader, kernel, energies, &temperature)).transpose()?;
        let pairs = pairs.then(|| read_moments(reader, "pairs", shape)).transpose()?;
        Ok(Some(Self { temperature, inelastic, pairs }))
    }

    /// Refuses kernels of `antineutrino` that are not the transposes of those of `neutrino`.
    ///
    /// # Errors
    /// The first index at which they differ.
    pub(super) fn check_partners(&self, reader: &Reader, neutrino: usize, antineutrino: usize) -> Result<()> {
        let Some(pairs) = self.pairs.as_ref().filter(|_| neutrino != antineutrino) else { return Ok(()) };
        for zone in 0..self.temperature.len() {
            let own = pairs.slice(s![antineutrino, zone, .., ..]);
            let other = pairs.slice(s![neutrino, zone, .., ..]);
            let least = SIGNIFICANT * largest(&other);
            for ((k, l), moments) in own.indexed_iter() {
                let exact = other[[l, k]].zeroth;
                if (moments.zeroth - exact).abs() > BALANCE * exact.max(least / BALANCE) {
                    let valid = format!("{:e}, that of species {neutrino} at [{l}, {k}]", exact);
                    let place = format!("[{antineutrino}, {zone}, {k}, {l}]");
                    return Err(reader.invalid("pairs_phi0", &place, moments.zeroth, &valid));
                }
            }
        }
        Ok(())
    }
}

fn largest(kernel: &ArrayView2<Moments>) -> f64 {
    kernel.iter().fold(0.0, |largest, moments| moments.zeroth.max(largest))
}

/// `name`_phi0 and, where there is one, `name`_phi1.
fn read_moments(reader: &Reader, name: &str, shape: [usize; 4]) -> Result<Array4<Moments>> {
    let names = [format!("{name}_phi0"), format!("{name}_phi1")];
    let zeroth = reader.values(&names[0], &shape, Dimension::Kernel)?;
    let first = if reader.has(&names[1]) {
        reader.values(&names[1], &shape, Dimension::Kernel)?
    } else {
        vec![0.0; zeroth.len()]
    };
    let mut kernel = Array4::default(shape);
    for (((index, moments), zeroth), first) in kernel.indexed_iter_mut().zip(zeroth).zip(first) {
        let (s, z, k, l) = index;
        let place = format!("[{s}, {z}, {k}, {l}]");
        if zeroth < 0.0 {
            return Err(reader.invalid(&names[0], &place, zeroth, "kernels >= 0"));
        }
        if first.abs() > zeroth * (1.0 + 1e-10) {
            let valid = format!("at most `{}` = {zeroth:e} in magnitude", names[0]);
            return Err(reader.invalid(&names[1], &place, first, &valid));
        }
        *moments = Moments { zeroth, first };
    }
    Ok(kernel)
}

/// Up-scattering from down-scattering, Φ(ε → ε′) = Φ(ε′ → ε) e^(−(ε′−ε)/T) for ε′ > ε; what the table has of it
/// must be 0 or agree.
fn complete(
    reader: &Reader,
    mut kernel: Array4<Moments>,
    energies: &[f64],
    temperature: &[f64],
) -> Result<Array4<Moments>> {
    let (species, _, groups, _) = kernel.dim();
    for (s, (zone, t)) in (0..species).flat_map(|s| temperature.iter().enumerate().map(move |at| (s, at))) {
        let mut block = kernel.slice_mut(s![s, zone, .., ..]);
        let least = SIGNIFICANT * largest(&block.view());
        for (low, high) in (0..groups).flat_map(|low| (low + 1..groups).map(move |high| (low, high))) {
            let factor = ((energies[low] - energies[high]) / t).exp();
            let down = block[[high, low]];
            let up = Moments { zeroth: factor * down.zeroth, first: factor * down.first };
            let stated = block[[low, high]].zeroth;
            if stated != 0.0 && (stated - up.zeroth).abs() > BALANCE * up.zeroth.max(least / BALANCE) {
                let valid =
                    format!("0 or {:e}, in detailed balance with [{s}, {zone}, {high}, {low}]", up.zeroth);
                let place = format!("[{s}, {zone}, {low}, {high}]");
                return Err(reader.invalid("inelastic_phi0", &place, stated, &valid));
            }
            block[[low, high]] = up;
        }
    }
    Ok(kernel)
}

/// The kernel between two nodes from that between groups, interpolated in the logarithm of Φ₀ and in Φ₁/Φ₀.
pub(super) fn between_nodes(
    own: &Stencil,
    other: &Stencil,
    kernel: impl Fn(usize, usize) -> Moments,
) -> Moments {
    let (mut logarithm, mut ratio) = (0.0, 0.0);
    for (k, weight) in own.weights() {
        for (l, other_weight) in other.weights() {
            let moments = kernel(k, l);
            let zeroth = moments.zeroth.max(f64::MIN_POSITIVE);
            logarithm += weight * other_weight * zeroth.ln();
            ratio += weight * other_weight * moments.first / zeroth;
        }
    }
    let zeroth = logarithm.exp();
    Moments { zeroth, first: zeroth * ratio }
}
