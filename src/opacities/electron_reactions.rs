//! Scattering on electrons and positrons and e⁻e⁺ pairs: energy-dependent parts of the kernels.
//!
//! The squared matrix element of all these reactions is, for massless electrons,
//!
//! ```text
//! Σ|M|² = 32 G_F² [(C_V + C_A)² (q·p)(q′·p′) + (C_V − C_A)² (q·p′)(q′·p)]
//! ```
//!
//! with the momenta q → q′ of the neutrino and p → p′ of the electron, the mixed term ∝ m_e² (C_V² − C_A²)
//! left out as in Bruenn (1985), ApJS 58, 771, appendix C. For antineutrinos, or positrons, the two
//! couplings change places; pairs follow by crossing. At fixed energies the momentum transfer Δ replaces
//! the angle, ω ω′ d cos θ = ∓Δ dΔ, and the integrals over Δ and the azimuth are polynomials in the
//! electron's energy E (Yueh & Buchler 1977; Schinder & Shapiro 1982; Pons, Miralles & Ibáñez 1998), so that
//!
//! ```text
//! Φ_l = (G_F²/(π ω²ω′²)) ∫ dE (occupations) [(C_V ± C_A)² H_l⁽¹⁾(E) + (C_V ∓ C_A)² H_l⁽²⁾(E)]
//! ```
//!
//! in natural units. The polynomials here were derived anew from the matrix element; tests integrate it
//! directly.

use std::f64::consts::PI;

use super::kernels::Moments;
use super::thermal_quadrature::{Panels, REACH};
use super::weak::WeakConstants;
use crate::problem::file::Flavour;

/// Moments that belong to the two couplings.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Structures {
    /// With (C_V + C_A)² for neutrinos.
    pub first: Moments,
    /// With (C_V − C_A)² for neutrinos.
    pub second: Moments,
}

impl Structures {
    /// With the couplings (C_V + C_A)² and (C_V − C_A)².
    pub fn combine(&self, (first, second): (f64, f64)) -> Moments {
        Moments {
            zeroth: first * self.first.zeroth + second * self.second.zeroth,
            first: first * self.first.first + second * self.second.first,
        }
    }

    /// The pair reaction in which neutrino and antineutrino have exchanged their energies: the electron
    /// sees them the other way round.
    pub fn with_exchanged_energies(self) -> Self {
        Self { first: self.second, second: self.first }
    }

    /// Adds the reaction with positrons in place of electrons.
    fn add_swapped(&mut self, other: Self) {
        self.first += other.second;
        self.second += other.first;
    }

    fn scaled(self, factor: f64) -> Self {
        Self { first: self.first.scaled(factor), second: self.second.scaled(factor) }
    }
}

/// (C_V + C_A)² and (C_V − C_A)² of a neutrino of `flavour`: C_V = ½ + 2 sin²θ_W, C_A = ½ for electron
/// neutrinos, both smaller by 1 for heavy ones; exchanged for antineutrinos.
pub fn couplings(flavour: Flavour, constants: &WeakConstants) -> (f64, f64) {
    let vector = 0.5 + 2.0 * constants.weak_mixing;
    let (sum, difference) = match flavour {
        Flavour::ElectronNeutrino | Flavour::ElectronAntineutrino => (vector + 0.5, vector - 0.5),
        Flavour::Heavy | Flavour::HeavyAntineutrino => (vector - 1.5, vector - 0.5),
    };
    match flavour {
        Flavour::ElectronNeutrino | Flavour::Heavy => (sum * sum, difference * difference),
        Flavour::ElectronAntineutrino | Flavour::HeavyAntineutrino => (difference * difference, sum * sum),
    }
}

/// Electrons and positrons at one radius.
#[derive(Debug)]
pub struct ElectronReactions {
    /// T \[MeV\].
    temperature: f64,
    /// μ_e [MeV, with rest mass].
    potential: f64,
    /// G_F²/π · 2π/(c(hc)³) · c(ħc)² in 1/(cm MeV³) per MeV²: what multiplies ∫dE H/(ω²ω′²) [MeV²].
    scale: f64,
    panels: Panels,
}

impl ElectronReactions {
    /// For the temperature `temperature` > 0 and the electrons' chemical potential `potential` \[MeV\].
    pub fn new(temperature: f64, potential: f64, constants: &WeakConstants) -> Self {
        let strength = constants.fermi_constant * constants.fermi_constant / PI;
        let scale = strength / (4.0 * PI * PI * constants.hbar_c);
        Self { temperature, potential, scale, panels: Panels::default() }
    }

    /// Scattering of a neutrino from `high` to `low` ≤ `high` \[MeV\] on electrons, and on `positrons`:
    /// Φᵒᵘᵗ [1/(cm MeV³)].
    pub fn scattering(&mut self, high: f64, low: f64, positrons: bool) -> Structures {
        let mut sum = self.scattering_on(self.potential, high, low);
        if positrons {
            sum.add_swapped(self.scattering_on(-self.potential, high, low));
        }
        sum
    }

    /// ∫dE F(E)[1 − F(E + ω − ω′)] H(E) over particles with the chemical potential `potential`.
    fn scattering_on(&mut self, potential: f64, high: f64, low: f64) -> Structures {
        let (t, gap) = (self.temperature, high - low);
        let (occupied, free) = (potential.max(0.0), (potential - gap).max(0.0));
        let start = (free - REACH * t).max(0.0);
        self.panels.set((start, occupied + REACH * t), &[occupied, free], &[low], t);
        let polynomials = ScatteringPolynomials::new(high, low);
        let mut sum = Structures::default();
        self.panels.visit(|energy, weight| {
            let x = (energy - potential) / t;
            let occupations = 1.0 / ((1.0 + x.exp()) * (1.0 + (-x - gap / t).exp()));
            polynomials.add(energy, weight * occupations, &mut sum);
        });
        sum.scaled(self.scale / (high * high * low * low))
    }

    /// Annihilation of a neutrino of `energy` with an antineutrino of `other` \[MeV\]: Φᵃ [1/(cm MeV³)],
    /// ∫dE [1 − F₋(E)][1 − F₊(ω + ω′ − E)] H(E).
    pub fn annihilation(&mut self, energy: f64, other: f64) -> Structures {
        let (t, potential, total) = (self.temperature, self.potential, energy + other);
        let surface = |at: f64| at.clamp(0.0, total);
        self.panels.set((0.0, total), &[surface(potential), surface(total + potential)], &[energy, other], t);
        let polynomials = PairPolynomials::new(energy, other);
        let mut sum = Structures::default();
        self.panels.visit(|electron, weight| {
            let x = (electron - potential) / t;
            let y = (total - electron + potential) / t;
            let free = 1.0 / ((1.0 + (-x).exp()) * (1.0 + (-y).exp()));
            polynomials.add(electron, weight * free, &mut sum);
        });
        sum.scaled(self.scale / (energy * energy * other * other))
    }
}

/// c₀ + c₁E + … .
fn polynomial<const N: usize>(coefficients: &[f64; N], x: f64) -> f64 {
    coefficients.iter().rev().fold(0.0, |sum, coefficient| sum * x + coefficient)
}

/// H_l of scattering from w to v ≤ w: E³ × a polynomial for E < v, another polynomial above.
struct ScatteringPolynomials {
    kink: f64,
    below: [[f64; 5]; 4],
    above: [[f64; 3]; 4],
}

impl ScatteringPolynomials {
    fn new(w: f64, v: f64) -> Self {
        let (v3, vw) = (v * v * v, v * w);
        Self {
            kink: v,
            below: [
                [8.0 / 3.0 * w * w, 4.0 / 3.0 * w, 4.0 / 15.0, 0.0, 0.0],
                [
                    8.0 / 3.0 * w * w,
                    16.0 / 3.0 * w - 4.0 * w * w / v,
                    52.0 / 15.0 - 24.0 / 5.0 * w / v,
                    4.0 / (5.0 * w) - 12.0 / (5.0 * v),
                    -16.0 / (35.0 * vw),
                ],
                [8.0 / 3.0 * v * v, -4.0 / 3.0 * v, 4.0 / 15.0, 0.0, 0.0],
                [
                    8.0 / 3.0 * v * v,
                    4.0 * v * v / w - 16.0 / 3.0 * v,
                    52.0 / 15.0 - 24.0 / 5.0 * v / w,
                    12.0 / (5.0 * w) - 4.0 / (5.0 * v),
                    -16.0 / (35.0 * vw),
                ],
            ],
            above: [
                [
                    v3 * (8.0 / 5.0 * v * v - 4.0 * vw + 8.0 / 3.0 * w * w),
                    v3 * (16.0 / 3.0 * w - 4.0 * v),
                    v3 * 8.0 / 3.0,
                ],
                [
                    v3 * (8.0 / 7.0 * v3 / w - 16.0 / 5.0 * v * v + 16.0 / 5.0 * vw - 4.0 / 3.0 * w * w),
                    v3 * (28.0 / 5.0 * v - 16.0 / 5.0 * v * v / w - 8.0 / 3.0 * w),
                    v3 * (12.0 / 5.0 * v / w - 4.0 / 3.0),
                ],
                [v3 * 4.0 / 15.0 * v * v, -v3 * 4.0 / 3.0 * v, v3 * 8.0 / 3.0],
                [
                    v3 * v * v * (12.0 / 35.0 * v / w - 8.0 / 15.0),
                    v3 * v * (28.0 / 15.0 - 8.0 / 5.0 * v / w),
                    v3 * (12.0 / 5.0 * v / w - 4.0 / 3.0),
                ],
            ],
        }
    }

    fn add(&self, energy: f64, weight: f64, sum: &mut Structures) {
        let [i0, i1, ii0, ii1] = if energy < self.kink {
            let cubed = energy * energy * energy;
            self.below.each_ref().map(|coefficients| cubed * polynomial(coefficients, energy))
        } else {
            self.above.each_ref().map(|coefficients| polynomial(coefficients, energy))
        };
        sum.first += Moments { zeroth: weight * i0, first: weight * i1 };
        sum.second += Moments { zeroth: weight * ii0, first: weight * ii1 };
    }
}

/// H_l of pairs: moments of (p·q)² with the electron's momentum p and that of the neutrino or the
/// antineutrino q.
///
/// Let w ≥ v be the two energies. For E < v the moments of (p·q)² are E³ × polynomials in E that depend on
/// the energies of q and of the other neutrino; for v < E < w they are one polynomial in w − E (q has the
/// energy w) or E − v (q has v), whose zeroth moment has positive coefficients; above w the electron's and
/// the positron's roles change, p·q = p̄·q̄.
struct PairPolynomials {
    neutrino: f64,
    antineutrino: f64,
    /// Zeroth and first moment for E < v, q being the neutrino.
    of_neutrino: [[f64; 5]; 2],
    /// The same, q being the antineutrino.
    of_antineutrino: [[f64; 5]; 2],
    middle: [[f64; 3]; 2],
}

impl PairPolynomials {
    fn new(neutrino: f64, antineutrino: f64) -> Self {
        let (w, v) = (neutrino.max(antineutrino), neutrino.min(antineutrino));
        let (v3, v4) = (v.powi(3), v.powi(4));
        Self {
            neutrino,
            antineutrino,
            of_neutrino: soft_electron(neutrino, antineutrino),
            of_antineutrino: soft_electron(antineutrino, neutrino),
            middle: [
                [8.0 / 5.0 * v4 * v, 4.0 * v4, 8.0 / 3.0 * v3],
                [
                    -8.0 / 7.0 * v4 * v * v / w,
                    -v4 * (4.0 / 5.0 + 16.0 / 5.0 * v / w),
                    -v3 * (4.0 / 3.0 + 12.0 / 5.0 * v / w),
                ],
            ],
        }
    }

    /// Adds the moments at the electron's energy. (C_V + C_A)² goes with (p·q)² of the antineutrino.
    fn add(&self, electron: f64, weight: f64, sum: &mut Structures) {
        let (of_neutrino, of_antineutrino) = self.at(electron);
        sum.first += Moments { zeroth: weight * of_antineutrino[0], first: weight * of_antineutrino[1] };
        sum.second += Moments { zeroth: weight * of_neutrino[0], first: weight * of_neutrino[1] };
    }

    /// Moments of (p·q)² with the neutrino and with the antineutrino.
    fn at(&self, electron: f64) -> ([f64; 2], [f64; 2]) {
        let (a, b) = (self.neutrino, self.antineutrino);
        let positron = a + b - electron;
        if electron < a.min(b) {
            (soft(&self.of_neutrino, electron), soft(&self.of_antineutrino, electron))
        } else if electron > a.max(b) {
            (soft(&self.of_antineutrino, positron), soft(&self.of_neutrino, positron))
        } else {
            let (large, small) = (self.hard(a.max(b) - electron), self.hard(electron - a.min(b)));
            if a >= b { (large, small) } else { (small, large) }
        }
    }

    fn hard(&self, distance: f64) -> [f64; 2] {
        self.middle.each_ref().map(|coefficients| polynomial(coefficients, distance))
    }
}

/// Coefficients, after E³, of the moments of (p·q)² for an electron with less energy than both neutrinos;
/// q has the energy `own`.
fn soft_electron(own: f64, other: f64) -> [[f64; 5]; 2] {
    [
        [8.0 / 3.0 * own * own, -4.0 / 3.0 * own, 4.0 / 15.0, 0.0, 0.0],
        [
            8.0 / 3.0 * own * own,
            -16.0 / 3.0 * own - 4.0 * own * own / other,
            52.0 / 15.0 + 24.0 / 5.0 * own / other,
            -4.0 / (5.0 * own) - 12.0 / (5.0 * other),
            16.0 / (35.0 * own * other),
        ],
    ]
}

fn soft(coefficients: &[[f64; 5]; 2], energy: f64) -> [f64; 2] {
    let cubed = energy * energy * energy;
    coefficients.each_ref().map(|coefficients| cubed * polynomial(coefficients, energy))
}

#[cfg(test)]
mod tests {
    //! The reference numbers are the double integrals over electron energy and momentum transfer of the
    //! squared products of momenta, computed with mpmath at 25 digits without the polynomials used here.
    use super::*;

    /// Moments without couplings and units.
    fn gas(temperature: f64, potential: f64) -> ElectronReactions {
        ElectronReactions { temperature, potential, scale: 1.0, panels: Panels::default() }
    }

    /// Zeroth moments relative to themselves, first ones to the zeroth.
    fn assert_close(own: Structures, exact: [f64; 4]) {
        let own = [own.first.zeroth, own.first.first, own.second.zeroth, own.second.first];
        for (i, (own, value)) in own.iter().zip(exact).enumerate() {
            let size = exact[i - i % 2];
            assert!((own - value).abs() < 2e-8 * size, "moment {i}: {own:e} is not {value:e}");
        }
    }

    #[rstest::rstest]
    #[case((5.0, 16.0), (20.0, 7.0), [404.36147028, -105.828775024, 95.1346536676, -2.23470244742])]
    #[case::same_energy((5.0, 16.0), (20.0, 20.0), [297.447600575, 79.8073082708, 140.579345949, 94.5681972187])]
    #[case::degenerate((1.0, 100.0), (30.0, 0.1), [117.801939814, -58.59335318, 64.7349768515, -32.1394278467])]
    #[case::cold((0.05, 0.6), (10.0, 0.01),
        [0.016777890938, -0.00836115923321, 2.02720601264e-5, -9.89931488468e-6])]
    #[case::few((25.0, -200.0), (100.0, 30.0),
        [0.456185386248, -0.11698518635, 0.0637140394732, -0.00082405084414])]
    #[case::nearly_same((2.0, 30.0), (5.0, 4.999), [1056.77247878, 371.549807969, 896.732506889, 403.557796919])]
    #[case::hard_neutrino((0.3, 5.0), (250.0, 200.0),
        [0.0112568017768, 0.0111832045515, 0.00706990608434, 0.00702429131026])]
    fn scattering_is_converged(
        #[case] (temperature, potential): (f64, f64),
        #[case] (high, low): (f64, f64),
        #[case] exact: [f64; 4],
    ) {
        assert_close(gas(temperature, potential).scattering(high, low, false), exact);
    }

    #[rstest::rstest]
    #[case((5.0, 16.0), (20.0, 7.0), [66.383481484, -33.2181739673, 32.9027018292, -15.9833089525])]
    #[case::exchanged((5.0, 16.0), (7.0, 20.0), [32.9027018292, -15.9833089525, 66.383481484, -33.2181739673])]
    #[case::symmetric((5.0, 0.0), (10.0, 10.0), [66.8398342788, -34.044662988, 66.8398342788, -34.044662988])]
    #[case::cold((0.05, 0.6), (10.0, 0.01),
        [0.0888686098425, -0.0444345053972, 0.0740271826684, -0.0370271017976])]
    #[case::beyond_the_surface((2.0, 30.0), (100.0, 60.0),
        [5285.86543367, -2675.69809217, 5189.64226349, -2685.93718264])]
    #[case::degenerate((25.0, 200.0), (5.0, 5.0),
        [0.00911262426852, -0.00455222083901, 0.00911262426852, -0.00455222083901])]
    fn annihilation_is_converged(
        #[case] (temperature, potential): (f64, f64),
        #[case] (neutrino, antineutrino): (f64, f64),
        #[case] exact: [f64; 4],
    ) {
        assert_close(gas(temperature, potential).annihilation(neutrino, antineutrino), exact);
    }

    /// On positrons the two couplings change places, and μ_e its sign.
    #[test]
    fn positrons_add_the_exchanged_reaction() {
        let both = gas(4.0, 3.0).scattering(15.0, 6.0, true);
        let (electrons, positrons) =
            (gas(4.0, 3.0).scattering(15.0, 6.0, false), gas(4.0, -3.0).scattering(15.0, 6.0, false));
        assert_eq!(both.first.zeroth, electrons.first.zeroth + positrons.second.zeroth);
        assert_eq!(both.second.first, electrons.second.first + positrons.first.first);
    }
}
