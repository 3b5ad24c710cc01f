//! All rates go with G_F², and what that does to the luminosity of a sphere; see weak_coupling.md.
//!
//! ```text
//! cargo run --release --example weak_coupling
//! ```

mod support;

use support::{Outcome, Solution, require, require_close};
use tolman::background::MatterState;
use tolman::opacities::inelastic::{self, Inelastic};
use tolman::opacities::kernels::{InelasticKernels, KernelMatrix};
use tolman::opacities::processes::processes;
use tolman::opacities::rates::Rates;
use tolman::opacities::weak::WeakConstants;
use tolman::opacities::{EnergyNode, LocalOpacity, OpacitySource, RadialPoint, Species};
use tolman::problem::Resolution;
use tolman::problem::file::{Flavour, OpacityFile, RateConstants};

/// What G_F is multiplied by.
const FACTOR: f64 = 3.0;
/// Rounding of the rates' quadratures.
const ROUNDING: f64 = 1e-12;

pub fn main() -> Outcome {
    println!("process                     numbers  largest |ratio/9 - 1| at 3 G_F");
    for source in ["Rates()", "Inelastic()"] {
        let source: OpacityFile = ron::from_str(source)?;
        for (name, process) in processes(&source) {
            compare(name, &coefficients(&process, 1.0)?, &coefficients(&process, FACTOR)?)?;
        }
    }
    sphere()
}

/// Matter near the neutrinospheres of a collapsed star, with nuclei so that no process is missing.
fn matter() -> MatterState {
    MatterState {
        density: 1e11,
        temperature: 4.0,
        electron_fraction: 0.3367,
        neutron_fraction: 0.5,
        proton_fraction: 0.2,
        alpha_fraction: 0.1,
        heavy_fraction: 0.2,
        heavy_mass_number: 60.0,
        heavy_charge: 26.0,
        ..MatterState::default()
    }
}

/// All coefficients of a process with G_F multiplied by `factor`: κ*, η, σ₀, σ₁ and kernels at all species
/// and energies.
fn coefficients(process: &OpacityFile, factor: f64) -> Outcome<Vec<f64>> {
    let source = scaled(process, factor)?;
    let matter = matter();
    let point = RadialPoint { r: 5e6, lapse: 1.0, matter: Some(&matter) };
    let species = [
        ("nue", Flavour::ElectronNeutrino),
        ("anue", Flavour::ElectronAntineutrino),
        ("nux", Flavour::Heavy),
    ]
    .map(|(name, flavour)| Species { name: name.to_owned(), flavour });
    let nodes = [3.0, 10.0, 30.0, 80.0].map(|energy| EnergyNode { energy, element: None });
    let local = source.evaluate(&point, &species, &nodes)?;
    let mut all: Vec<f64> = local.iter().flat_map(of_point).collect();
    all.extend(source.kernels(&point, &species, &nodes)?.iter().flat_map(of_kernels));
    Ok(all)
}

fn of_point(local: &LocalOpacity) -> [f64; 4] {
    [local.absorption, local.emissivity, local.scattering, local.scattering_first]
}

fn of_kernels(kernels: &InelasticKernels) -> Vec<f64> {
    let pairs = kernels.pairs.iter().flatten().flat_map(|pair| [&pair.production, &pair.annihilation]);
    let matrices: Vec<&KernelMatrix> = kernels.scattering.iter().flatten().chain(pairs).collect();
    matrices.into_iter().flatten().flat_map(|moments| [moments.zeroth, moments.first]).collect()
}

/// The source of one process with another G_F.
fn scaled(process: &OpacityFile, factor: f64) -> Outcome<Box<dyn OpacitySource>> {
    let stronger =
        |weak: WeakConstants| WeakConstants { fermi_constant: factor * weak.fermi_constant, ..weak };
    match process {
        OpacityFile::Rates { charged_current, scattering, constants } => {
            let rates = Rates::build(0, charged_current, scattering, *constants)?;
            Ok(Box::new(Rates { constants: stronger(rates.constants), ..rates }))
        }
        &OpacityFile::Inelastic { electron_scattering, positrons, pairs, bremsstrahlung, .. } => {
            let (weak, pion_exchange) = inelastic::constants(RateConstants::Standard);
            let constants = stronger(weak);
            let index = 0;
            Ok(Box::new(Inelastic {
                index,
                electron_scattering,
                positrons,
                pairs,
                bremsstrahlung,
                constants,
                pion_exchange,
            }))
        }
        other => Err(format!("no built-in rate: {other:?}").into()),
    }
}

fn compare(name: &str, usual: &[f64], stronger: &[f64]) -> Outcome {
    let pairs = || usual.iter().zip(stronger);
    let deviations = pairs().filter(|(a, _)| **a != 0.0).map(|(a, b)| (b / a / FACTOR.powi(2) - 1.0).abs());
    let deviations: Vec<f64> = deviations.collect();
    let largest = deviations.iter().copied().max_by(f64::total_cmp).ok_or("a process without rates")?;
    println!("{name:26}  {:7}  {largest:8.1e}", deviations.len());
    require(largest <= ROUNDING, format!("{name} goes with G_F^2"))?;
    require(pairs().all(|(a, b)| (*a == 0.0) == (*b == 0.0)), format!("{name} vanishes at any G_F alike"))
}

/// The homogeneous sphere with κ multiplied: thin, it shines with all that it makes; opaque, with its surface.
fn sphere() -> Outcome {
    println!("\nkappa R    r2 H outside   d ln L/d ln G_F^2");
    let depths = [1e-3, 1e-2, 1e-1, 1.0, 10.0, 100.0];
    let mut last: Option<(f64, f64)> = None;
    let mut slopes = Vec::new();
    for depth in depths {
        let luminosity = outside(depth)?;
        let slope = last.map(|(d, l): (f64, f64)| (luminosity / l).ln() / (depth / d).ln());
        println!("{depth:7.3}  {luminosity:14.6e}   {}", slope.map_or("-".to_owned(), |s| format!("{s:.4}")));
        require_close(&format!("r2 H at kappa R = {depth}"), luminosity, closed_form(depth), 1e-3)?;
        slopes.extend(slope);
        last = Some((depth, luminosity));
    }
    require(slopes.windows(2).all(|pair| pair[1] < pair[0]), "the sphere saturates with the coupling")?;
    require_close("thin: L ~ G_F^2", slopes[0], 1.0, 1e-2)?;
    require(slopes[slopes.len() - 1] < 1e-2, "opaque: L does not depend on G_F")
}

fn outside(depth: f64) -> Outcome<f64> {
    let absorption = depth.to_string();
    let overrides = [("opacities[0].absorption", absorption.as_str())];
    let solution = Solution::new("homogeneous_sphere", &overrides, Resolution::Standard)?;
    let h = solution.of_species("h", 0)?;
    let i = solution.node(2.0);
    Ok(solution.radii()[i].powi(2) * h[i])
}

/// r²H = (b/4)[1 − (2/τ²)(1 − (1 + τ)e^(−τ))], τ = 2κR, b = 0.8, R = 1 (Smit et al. 1997); its series
/// where that cancels.
fn closed_form(depth: f64) -> f64 {
    let tau = 2.0 * depth;
    let bracket = if tau < 0.05 {
        tau * (2.0 / 3.0 - tau * (0.25 - tau * (1.0 / 15.0 - tau / 72.0)))
    } else {
        1.0 - 2.0 / (tau * tau) * (1.0 - (1.0 + tau) * (-tau).exp())
    };
    0.2 * bracket
}
