//! Kernels of reactions that change a neutrino's energy or couple it to its antiparticle: scattering on
//! electrons and positrons, pair production and annihilation.
//!
//! A kernel R(ε, ε′, cos θ) = ½Φ₀ + (3/2)Φ₁ cos θ is given by its two Legendre moments at pairs of the
//! solver's energies. The moments here are already multiplied by 2π/(c(hc)³): they are in
//! 1/(length·energy³), and the collision term at the energy ε_k is a sum over the solver's energies with
//! the quadrature weights w (∫g dε ≈ Σ w_k g(ε_k)),
//!
//! ```text
//! B_k = Σ_k′ w_k′ ε_k′² { (1−f)[Φ₀ⁱⁿJ₀′ + 3Φ₁ⁱⁿ μ H₀′] − f[Φ₀ᵒᵘᵗ(1−J₀′) − 3Φ₁ᵒᵘᵗ μ H₀′] }            scattering
//!     + Σ_k′ w_k′ ε_k′² { (1−f)[Φ₀ᵖ(1−J̄₀′) − 3Φ₁ᵖ μ H̄₀′] − f[Φ₀ᵃJ̄₀′ + 3Φ₁ᵃ μ H̄₀′] }                pairs
//! ```
//!
//! in 1/length, barred moments being those of the partner. [`InelasticKernels::rates`] is this sum.
//!
//! Detailed balance and the symmetries hold in floating point because only one of each two related
//! values is computed: Φⁱⁿ(k,k′) = Φᵒᵘᵗ(k′,k) is the same number, up-scattering is down-scattering times
//! e^(−(ε′−ε)/T), production is annihilation times e^(−(ε+ε′)/T), and the partner's pair kernel is the
//! transpose. No exponent is positive, so nothing overflows however cold the matter is.

use ndarray::Array2;

use super::{EnergyNode, Species};
use crate::error::{Error, Result};
use crate::problem::file::Flavour;

/// Φ₀ and Φ₁ at one pair of energies [1/(length·energy³)].
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Moments {
    pub zeroth: f64,
    pub first: f64,
}

impl Moments {
    pub(super) fn scaled(self, factor: f64) -> Self {
        Self { zeroth: self.zeroth * factor, first: self.first * factor }
    }
}

impl std::ops::AddAssign for Moments {
    fn add_assign(&mut self, other: Self) {
        self.zeroth += other.zeroth;
        self.first += other.first;
    }
}

/// Φ₀ and Φ₁ between the energy nodes, element \[k, k′\] [1/(length·energy³)].
pub type KernelMatrix = Array2<Moments>;

/// Pair reactions of one species with its partner.
#[derive(Debug, Clone, PartialEq)]
pub struct PairKernel {
    /// Index of the partner among the species; a species that stands for neutrinos and antineutrinos
    /// alike is its own.
    pub partner: usize,
    /// Φᵖ\[k, k′\]: production of this species at ε_k with its partner at ε_k′.
    pub production: KernelMatrix,
    /// Φᵃ\[k, k′\]: annihilation of this species at ε_k with its partner at ε_k′.
    pub annihilation: KernelMatrix,
}

/// All inelastic kernels at one radius; both vectors have an entry per species.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct InelasticKernels {
    /// Φᵒᵘᵗ\[k, k′\] of scattering from ε_k to ε_k′; Φⁱⁿ\[k, k′\] is its element \[k′, k\].
    pub scattering: Vec<Option<KernelMatrix>>,
    pub pairs: Vec<Option<PairKernel>>,
}

/// Angular moments of f of one species at the energy nodes.
#[derive(Debug, Clone, Copy)]
pub struct AngularMoments<'a> {
    /// J₀ = ½∫ f dμ.
    pub j: &'a [f64],
    /// H₀ = ½∫ f μ dμ.
    pub h: &'a [f64],
}

/// Rates at one energy: B = (1−f)(gain₀ + gain₁ μ) − f (loss₀ + loss₁ μ) [1/length].
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct InelasticRates {
    pub gain: [f64; 2],
    pub loss: [f64; 2],
}

impl InelasticRates {
    fn add(&mut self, gain: [f64; 2], loss: [f64; 2]) {
        for order in 0..2 {
            self.gain[order] += gain[order];
            self.loss[order] += loss[order];
        }
    }
}

/// Scattering kernel from `down(k, k′)`, which gives Φᵒᵘᵗ(ε_k → ε_k′) and is asked for ε_k ≥ ε_k′ only:
/// Φᵒᵘᵗ(ε′ → ε) = Φᵒᵘᵗ(ε → ε′) e^(−(ε−ε′)/T).
pub fn scattering_kernel(
    energies: &[EnergyNode],
    temperature: f64,
    mut down: impl FnMut(usize, usize) -> Moments,
) -> KernelMatrix {
    let count = energies.len();
    let mut kernel = Array2::default((count, count));
    for high in 0..count {
        for low in 0..count {
            let gap = energies[high].energy - energies[low].energy;
            if gap < 0.0 || (gap == 0.0 && low > high) {
                continue;
            }
            let moments = down(high, low);
            kernel[[low, high]] = moments.scaled((-gap / temperature).exp());
            kernel[[high, low]] = moments;
        }
    }
    kernel
}

/// Pair kernels of species `first` and its partner `second` from `annihilation(k, k′)`, which gives
/// Φᵃ for `first` at ε_k and `second` at ε_k′: Φᵖ = Φᵃ e^(−(ε+ε′)/T), and the partner's kernels are the
/// transposes. A species that is its own partner gets the mean of kernel and transpose once, which is
/// the mean over the neutrinos and antineutrinos that it stands for.
pub fn pair_kernels(
    (first, second): (usize, usize),
    energies: &[EnergyNode],
    temperature: f64,
    mut annihilation: impl FnMut(usize, usize) -> Moments,
) -> Vec<(usize, PairKernel)> {
    let count = energies.len();
    let mut direct = Array2::from_shape_fn((count, count), |(k, other)| annihilation(k, other));
    if first == second {
        direct = Array2::from_shape_fn((count, count), |(k, other)| {
            let (a, b): (Moments, Moments) = (direct[[k, other]], direct[[other, k]]);
            Moments { zeroth: 0.5 * (a.zeroth + b.zeroth), first: 0.5 * (a.first + b.first) }
        });
    }
    let boltzmann =
        |k: usize, other: usize| (-(energies[k].energy + energies[other].energy) / temperature).exp();
    let kernel = |partner: usize, annihilation: KernelMatrix| PairKernel {
        partner,
        production: Array2::from_shape_fn((count, count), |(k, other)| {
            annihilation[[k, other]].scaled(boltzmann(k, other))
        }),
        annihilation,
    };
    if first == second {
        return vec![(first, kernel(first, direct))];
    }
    let transposed = direct.t().to_owned();
    vec![(first, kernel(second, direct)), (second, kernel(first, transposed))]
}

/// The partner of each species in pair reactions: the i-th electron neutrino and the i-th electron
/// antineutrino, likewise heavy ones; where no species is a `HeavyAntineutrino`, each `Heavy` stands for
/// neutrinos and antineutrinos alike and is its own partner.
///
/// # Errors
/// What is missing, where a neutrino has no antineutrino or the other way round.
pub fn partners(species: &[Species]) -> std::result::Result<Vec<usize>, String> {
    let flavours: Vec<Flavour> = species.iter().map(|species| species.flavour).collect();
    let count = |flavour: Flavour| flavours.iter().filter(|known| **known == flavour).count();
    for (name, (neutrino, antineutrino)) in ["electron", "heavy-lepton"].into_iter().zip(Flavour::FAMILIES) {
        let (neutrinos, antineutrinos) = (count(neutrino), count(antineutrino));
        let own_partners = neutrino == Flavour::Heavy && antineutrinos == 0;
        if neutrinos != antineutrinos && !own_partners {
            return Err(format!(
                "{neutrinos} species of {name} neutrinos and {antineutrinos} of {name} antineutrinos"
            ));
        }
    }
    let mut partners: Vec<usize> = (0..species.len()).collect();
    for (neutrino, antineutrino) in Flavour::families(&flavours) {
        partners[neutrino] = antineutrino;
        partners[antineutrino] = neutrino;
    }
    Ok(partners)
}

impl InelasticKernels {
    /// No reactions of `species` species.
    pub fn none(species: usize) -> Self {
        Self { scattering: vec![None; species], pairs: vec![None; species] }
    }

    /// Adds the reactions of `other`, which is for the same species and energies.
    ///
    /// # Errors
    /// Kernels of another shape or for other partners.
    pub fn add(&mut self, other: Self) -> Result<()> {
        if self.scattering.len() != other.scattering.len() || self.pairs.len() != other.pairs.len() {
            return Err(mismatch("for another number of species"));
        }
        for (sum, term) in self.scattering.iter_mut().zip(other.scattering) {
            add_matrix(sum, term)?;
        }
        for (sum, term) in self.pairs.iter_mut().zip(other.pairs) {
            let Some(term) = term else { continue };
            match sum {
                None => *sum = Some(term),
                Some(sum) if sum.partner != term.partner => return Err(mismatch("for another partner")),
                Some(sum) => {
                    add_to(&mut sum.production, &term.production)?;
                    add_to(&mut sum.annihilation, &term.annihilation)?;
                }
            }
        }
        Ok(())
    }

    /// Gain and loss of `species` at all energies: the sums of the module's documentation, over the
    /// energies with `measure`\[k\] = w_k ε_k² and the angular moments `moments` of every species.
    ///
    /// `None` where `species`, `measure` or `moments` do not fit the kernels.
    pub fn rates(
        &self,
        species: usize,
        moments: &[AngularMoments],
        measure: &[f64],
    ) -> Option<Vec<InelasticRates>> {
        let mut rates = self.scattering_rates(species, moments, measure)?;
        let pairs = self.pair_rates(species, moments, measure)?;
        rates.iter_mut().zip(&pairs).for_each(|(sum, pair)| sum.add(pair.gain, pair.loss));
        Some(rates)
    }

    /// [`InelasticKernels::rates`] of scattering alone.
    pub fn scattering_rates(
        &self,
        species: usize,
        moments: &[AngularMoments],
        measure: &[f64],
    ) -> Option<Vec<InelasticRates>> {
        let mut rates = vec![InelasticRates::default(); measure.len()];
        if let Some(kernel) = self.scattering.get(species)? {
            let own = fitting(moments, species, kernel, measure)?;
            add_scattering(&mut rates, kernel, own, measure);
        }
        Some(rates)
    }

    /// [`InelasticKernels::rates`] of pair reactions alone.
    pub fn pair_rates(
        &self,
        species: usize,
        moments: &[AngularMoments],
        measure: &[f64],
    ) -> Option<Vec<InelasticRates>> {
        let mut rates = vec![InelasticRates::default(); measure.len()];
        if let Some(pair) = self.pairs.get(species)? {
            let other = fitting(moments, pair.partner, &pair.annihilation, measure)?;
            fitting(moments, pair.partner, &pair.production, measure)?;
            add_pairs(&mut rates, pair, other, measure);
        }
        Some(rates)
    }

    /// The first value that no kernel can have, as (species, name, k, k′, value, what is valid): moments
    /// must be finite with Φ₀ ≥ |Φ₁| ≥ 0, because R ≥ 0.
    pub(super) fn violation(&self) -> Option<Violation> {
        let scattering = self.scattering.iter().enumerate().filter_map(|(s, kernel)| {
            kernel.as_ref().and_then(|kernel| matrix_violation(s, "scattering kernel", kernel))
        });
        let pairs = self.pairs.iter().enumerate().filter_map(|(s, pair)| {
            pair.as_ref().and_then(|pair| {
                matrix_violation(s, "pair production kernel", &pair.production)
                    .or_else(|| matrix_violation(s, "pair annihilation kernel", &pair.annihilation))
            })
        });
        scattering.chain(pairs).next()
    }

    /// Whether every kernel is for `species` species and `energies` energies and partners are mutual.
    pub(super) fn fits(&self, species: usize, energies: usize) -> bool {
        let square = |kernel: &KernelMatrix| kernel.dim() == (energies, energies);
        self.scattering.len() == species
            && self.pairs.len() == species
            && self.scattering.iter().flatten().all(square)
            && self.pairs.iter().enumerate().all(|(s, pair)| match pair {
                None => true,
                Some(pair) => {
                    let back = self.pairs.get(pair.partner).and_then(Option::as_ref);
                    square(&pair.production)
                        && square(&pair.annihilation)
                        && back.is_some_and(|back| back.partner == s)
                }
            })
    }
}

/// A value that a kernel cannot have.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Violation {
    pub species: usize,
    pub kernel: &'static str,
    pub from: usize,
    pub to: usize,
    pub moments: Moments,
}

/// Room for round-off in |Φ₁| ≤ Φ₀.
const MOMENT_TOLERANCE: f64 = 1e-10;

fn matrix_violation(species: usize, name: &'static str, kernel: &KernelMatrix) -> Option<Violation> {
    let valid = |m: &Moments| {
        m.zeroth.is_finite() && m.zeroth >= 0.0 && m.first.abs() <= m.zeroth * (1.0 + MOMENT_TOLERANCE)
    };
    kernel.indexed_iter().find(|(_, moments)| !valid(moments)).map(|((from, to), moments)| Violation {
        species,
        kernel: name,
        from,
        to,
        moments: *moments,
    })
}

/// The moments of `species`, where they and `measure` fit `kernel`.
fn fitting<'a>(
    moments: &[AngularMoments<'a>],
    species: usize,
    kernel: &KernelMatrix,
    measure: &[f64],
) -> Option<AngularMoments<'a>> {
    let own = *moments.get(species)?;
    let count = measure.len();
    (kernel.dim() == (count, count) && own.j.len() == count && own.h.len() == count).then_some(own)
}

fn add_scattering(rates: &mut [InelasticRates], kernel: &KernelMatrix, own: AngularMoments, measure: &[f64]) {
    for (k, rate) in rates.iter_mut().enumerate() {
        for (other, &m) in measure.iter().enumerate() {
            let (outward, inward) = (kernel[[k, other]], kernel[[other, k]]);
            let (j, h) = (own.j[other], own.h[other]);
            rate.add(
                [m * inward.zeroth * j, 3.0 * m * inward.first * h],
                [m * outward.zeroth * (1.0 - j), -3.0 * m * outward.first * h],
            );
        }
    }
}

fn add_pairs(rates: &mut [InelasticRates], pair: &PairKernel, partner: AngularMoments, measure: &[f64]) {
    for (k, rate) in rates.iter_mut().enumerate() {
        for (other, &m) in measure.iter().enumerate() {
            let (made, lost) = (pair.production[[k, other]], pair.annihilation[[k, other]]);
            let (j, h) = (partner.j[other], partner.h[other]);
            rate.add(
                [m * made.zeroth * (1.0 - j), -3.0 * m * made.first * h],
                [m * lost.zeroth * j, 3.0 * m * lost.first * h],
            );
        }
    }
}

fn add_matrix(sum: &mut Option<KernelMatrix>, term: Option<KernelMatrix>) -> Result<()> {
    match (sum.as_mut(), term) {
        (_, None) => Ok(()),
        (None, term) => {
            *sum = term;
            Ok(())
        }
        (Some(sum), Some(term)) => add_to(sum, &term),
    }
}

fn add_to(sum: &mut KernelMatrix, term: &KernelMatrix) -> Result<()> {
    if sum.dim() != term.dim() {
        return Err(mismatch("for another number of energies"));
    }
    sum.zip_mut_with(term, |total, value| *total += *value);
    Ok(())
}

fn mismatch(what: &str) -> Error {
    Error::Numerical(format!("inelastic kernels: cannot be added to kernels that are {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::opacities::{LocalOpacity, Opacities, OpacitySource, RadialPoint};

    fn matrix(energies: usize, moments: Moments) -> KernelMatrix {
        Array2::from_elem((energies, energies), moments)
    }

    fn scattering(energies: usize, zeroth: f64, first: f64) -> InelasticKernels {
        let kernel = matrix(energies, Moments { zeroth, first });
        InelasticKernels { scattering: vec![Some(kernel)], pairs: vec![None] }
    }

    /// A source whose kernels are given.
    #[derive(Debug)]
    struct Given(InelasticKernels);

    impl OpacitySource for Given {
        fn evaluate(
            &self,
            _point: &RadialPoint,
            species: &[Species],
            nodes: &[EnergyNode],
        ) -> Result<Array2<LocalOpacity>> {
            Ok(Array2::default((species.len(), nodes.len())))
        }

        fn kernels(
            &self,
            _point: &RadialPoint,
            _species: &[Species],
            _nodes: &[EnergyNode],
        ) -> Result<Option<InelasticKernels>> {
            Ok(Some(self.0.clone()))
        }

        fn describe(&self) -> String {
            "given kernels".to_owned()
        }
    }

    fn sum(kernels: Vec<InelasticKernels>) -> Result<InelasticKernels> {
        let species = vec![Species { name: "nue".to_owned(), flavour: Flavour::ElectronNeutrino }];
        let sources = kernels
            .into_iter()
            .map(|k| std::sync::Arc::new(Given(k)) as std::sync::Arc<dyn OpacitySource>)
            .collect();
        let nodes = [5.0, 8.0].map(|energy| EnergyNode { energy, element: None });
        let point = RadialPoint { r: 3e6, lapse: 1.0, matter: None };
        Ok(Opacities { species, sources }.kernels_at(&point, &nodes)?.unwrap_or_default())
    }

    #[test]
    fn kernels_of_sources_add() {
        let total = sum(vec![scattering(2, 2.0, 1.0), scattering(2, 3.0, -2.0)]).unwrap();
        assert_eq!(total, scattering(2, 5.0, -1.0));
        assert_eq!(sum(vec![]).unwrap(), InelasticKernels::default());
    }

    #[rstest::rstest]
    #[case(f64::NAN, 0.0)]
    #[case(f64::INFINITY, 0.0)]
    #[case(-1.0, 0.0)]
    #[case(1.0, -1.1)]
    #[case(1.0, f64::NAN)]
    fn impossible_kernels_are_refused(#[case] zeroth: f64, #[case] first: f64) {
        let mut bad = scattering(2, 1.0, 0.5);
        if let Some(Some(kernel)) = bad.scattering.first_mut() {
            kernel[[1, 0]] = Moments { zeroth, first };
        }
        let message = sum(vec![scattering(2, 1.0, 0.0), bad]).unwrap_err().to_string();
        let place = "r = 3.000000e6 between the energies 8.000000e0 and 5.000000e0 (given kernels)";
        assert!(message.contains("opacities[1]: found scattering kernel of nue") && message.contains(place));
        assert!(message.contains("finite moments with Phi0 >= |Phi1|"), "{message}");
    }

    #[test]
    fn misshapen_kernels_are_refused() {
        let lonely = PairKernel {
            partner: 1,
            production: matrix(2, Moments::default()),
            annihilation: matrix(2, Moments::default()),
        };
        let lonely = InelasticKernels { scattering: vec![None], pairs: vec![Some(lonely)] };
        for bad in [scattering(3, 1.0, 0.0), InelasticKernels::none(2), lonely] {
            let message = sum(vec![bad]).unwrap_err().to_string();
            assert!(message.contains("kernels of another shape (given kernels)"), "{message}");
        }
        let mut two = scattering(2, 1.0, 0.0);
        let message = two.add(scattering(3, 1.0, 0.0)).unwrap_err().to_string();
        assert!(message.contains("another number of energies"), "{message}");
        assert!(two.add(InelasticKernels::none(3)).is_err());
    }

    #[test]
    fn rates_need_moments_of_the_right_shape() {
        let kernels = scattering(2, 1.0, 0.5);
        let (short, right) = ([0.0], [0.2, 0.3]);
        let moments = [AngularMoments { j: &right, h: &right }];
        assert!(kernels.rates(0, &moments, &[1.0, 1.0]).is_some());
        assert!(kernels.rates(0, &[AngularMoments { j: &short, h: &right }], &[1.0, 1.0]).is_none());
        assert!(kernels.rates(0, &moments, &[1.0]).is_none());
        assert!(kernels.rates(1, &moments, &[1.0, 1.0]).is_none());
    }

    /// The sums of the module's documentation, written out for one pair of energies.
    #[test]
    fn rates_are_the_documented_sums() {
        let kernel = |a: f64| {
            ndarray::arr2(&[[a, 2.0 * a], [3.0 * a, 4.0 * a]])
                .mapv(|zeroth| Moments { zeroth, first: -0.25 * zeroth })
        };
        let pair = PairKernel { partner: 0, production: kernel(0.5), annihilation: kernel(7.0) };
        let kernels = InelasticKernels { scattering: vec![Some(kernel(1.0))], pairs: vec![Some(pair)] };
        let (j, h, m) = ([0.2, 0.6], [0.1, -0.05], [10.0, 20.0]);
        let rates = kernels.rates(0, &[AngularMoments { j: &j, h: &h }], &m).unwrap();
        let gain = 10.0 * (1.0 * 0.2 + 0.5 * 0.8) + 20.0 * (3.0 * 0.6 + 1.0 * 0.4);
        let loss = 10.0 * (1.0 * 0.8 + 7.0 * 0.2) + 20.0 * (2.0 * 0.4 + 14.0 * 0.6);
        let gain_first = -0.75 * (10.0 * 0.1 * (1.0 - 0.5) + 20.0 * -0.05 * (3.0 - 1.0));
        let loss_first = -0.75 * (10.0 * 0.1 * (7.0 - 1.0) + 20.0 * -0.05 * (14.0 - 2.0));
        let close = |a: f64, b: f64| (a - b).abs() < 1e-12;
        assert!(close(rates[0].gain[0], gain) && close(rates[0].loss[0], loss), "{:?}", rates[0]);
        assert!(close(rates[0].gain[1], gain_first) && close(rates[0].loss[1], loss_first), "{:?}", rates[0]);
    }
}
