//! The closures against direct quadrature of the distributions behind them, their limits, the bounds of
//! the moment problem and the speeds of the moment system.

use std::num::NonZeroUsize;

use gauss_quad::GaussLegendre;
use proptest::prelude::*;

use tolman::methods::closures::{Closure, Factors};

use Closure::{Janka1, Janka2, Kershaw, Levermore, MaximumEntropyFermi, MaximumPacking, Minerbo, Wilson};

/// Moments 0 … 3 ½∫ f μⁿ dμ by many small panels.
fn moments(f: impl Fn(f64) -> f64) -> [f64; 4] {
    const PANELS: usize = 4000;
    let rule = GaussLegendre::new(NonZeroUsize::new(8).expect("8 > 0"));
    let mut sums = [0.0; 4];
    for panel in 0..PANELS {
        let (middle, half) = ((2 * panel + 1) as f64 / PANELS as f64 - 1.0, 1.0 / PANELS as f64);
        for (node, weight) in rule.iter() {
            let mu = middle + half * node;
            let value = 0.5 * half * weight * f(mu);
            sums.iter_mut().enumerate().for_each(|(n, sum)| *sum += value * mu.powi(n as i32));
        }
    }
    sums
}

fn assert_close(found: f64, expected: f64, tolerance: f64, what: &str) {
    assert!((found - expected).abs() <= tolerance, "{what}: {found:e} instead of {expected:e}");
}

#[test]
fn names_go_both_ways() {
    for closure in Closure::ALL {
        assert_eq!(closure.name().parse::<Closure>().expect("own name"), closure);
        assert!(!closure.reference().is_empty());
    }
    let error = "m1".parse::<Closure>().expect_err("no such closure").to_string();
    assert!(error.contains("m1") && error.contains("minerbo") && error.contains("janka_2"), "{error}");
}

#[test]
fn minerbo_is_the_exponential_distribution() {
    for a in [1e-8, 1e-3, 0.1, 1.0, 2.99, 3.01, 5.0, 9.0, 30.0, 49.0, 51.0, 200.0] {
        let [j, h, k, l] = moments(|mu| f64::exp(a * (mu - 1.0)));
        let found = Minerbo.factors(h / j, 0.3);
        assert_close(found.chi, k / j, 1e-13, &format!("chi at a = {a}"));
        assert_close(found.q, l / j, 1e-13, &format!("q at a = {a}"));
    }
}

/// With 1 − h = 1/a the moments are 1 − 2h/a and 1 − 3χ/a to all digits.
#[test]
fn minerbo_holds_its_digits_near_free_streaming() {
    for a in [1e3, 1e6, 1e9, 1e12] {
        let h: f64 = 1.0 - 1.0 / a;
        let found = Minerbo.factors(h, 0.0);
        let chi = 1.0 - 2.0 * h * (1.0 - h);
        assert_close(found.chi, chi, 1e-15, "chi");
        assert_close(found.q, 1.0 - 3.0 * chi * (1.0 - h), 1e-15, "q");
    }
}

#[test]
fn levermore_is_a_boosted_isotropic_field() {
    for beta in [1e-9, 1e-4, 0.1, 0.45, 0.499, 0.501, 0.7, 0.9, 0.99] {
        let [j, h, k, l] = moments(|mu| (1.0 - beta * mu).powi(-4));
        let found = Levermore.factors(h / j, 0.0);
        assert_close(found.chi, k / j, 1e-13, &format!("chi at beta = {beta}"));
        assert_close(found.q, l / j, 1e-13, &format!("q at beta = {beta}"));
    }
}

#[test]
fn maximum_packing_is_a_full_cone() {
    for h in [0.01, 0.3, 0.5, 0.8, 0.99] {
        let edge: f64 = 2.0 * h - 1.0;
        let moment = |n: i32| (1.0 - edge.powi(n + 1)) / (2.0 * f64::from(n + 1));
        let found = MaximumPacking.factors(h, 0.0);
        assert_close(moment(1) / moment(0), h, 1e-13, "h");
        assert_close(found.chi, moment(2) / moment(0), 1e-13, "chi");
        assert_close(found.q, moment(3) / moment(0), 1e-13, "q");
    }
}

#[test]
fn maximum_entropy_is_the_fermi_distribution() {
    for a in [1e-3, 0.3, 2.0, 8.0, 25.0, 60.0] {
        for eta in [-70.0, -20.0, -4.0, -0.5, 0.0, 1.0, 5.0, 20.0, 40.0] {
            let [j, h, k, l] = moments(|mu| 1.0 / (f64::exp(eta - a * mu) + 1.0));
            let found = MaximumEntropyFermi.factors(h / j, j);
            assert_close(found.chi, k / j, 3e-13, &format!("chi at a = {a}, eta = {eta}, j = {j}"));
            assert_close(found.q, l / j, 3e-13, &format!("q at a = {a}, eta = {eta}, j = {j}"));
        }
    }
}

/// At 37 widths from the ends of the edge the closed form takes over from quadrature.
#[test]
fn the_degenerate_form_continues_the_quadrature() {
    for j in [0.02, 0.2, 0.5, 0.7, 0.97] {
        let least: f64 = f64::min(j, 1.0 - j);
        let deficit = std::f64::consts::PI.powi(2) * 4.0 * least.powi(2) / (12.0 * 37.0 * 37.0) / j;
        let at = |part: f64| MaximumEntropyFermi.factors(1.0 - j - part * deficit, j);
        let (inside, outside) = (at(1.0 - 1e-9), at(1.0 + 1e-9));
        for ((name, a), (_, b)) in values(inside).into_iter().zip(values(outside)) {
            assert_close(a, b, 2e-8 / least, &format!("{name} at j = {j}"));
        }
    }
}

fn values(f: Factors) -> [(&'static str, f64); 6] {
    [
        ("chi", f.chi),
        ("q", f.q),
        ("dchi_dh", f.dchi_dh),
        ("dchi_dj", f.dchi_dj),
        ("dq_dh", f.dq_dh),
        ("dq_dj", f.dq_dj),
    ]
}

#[test]
fn maximum_entropy_has_the_limits_of_few_and_of_full_states() {
    for h in [0.0, 1e-6, 0.2, 0.7, 0.95, 0.9999] {
        let (few, classical) = (MaximumEntropyFermi.factors(h, 0.0), Minerbo.factors(h, 0.0));
        for (name, a, b) in [
            ("chi", few.chi, classical.chi),
            ("q", few.q, classical.q),
            ("dchi_dh", few.dchi_dh, classical.dchi_dh),
            ("dq_dh", few.dq_dh, classical.dq_dh),
        ] {
            assert_close(a, b, 1e-12, &format!("{name} at h = {h}"));
        }
        let full = MaximumEntropyFermi.factors(h, 1.0 - h);
        let packed = MaximumPacking.factors(h, 1.0 - h);
        assert_close(full.chi, packed.chi, 1e-12, &format!("chi of a full cone, h = {h}"));
        assert_close(full.q, packed.q, 1e-12, &format!("q of a full cone, h = {h}"));
    }
    let half = MaximumEntropyFermi.factors(1e-4, 0.5);
    assert_close(half.chi, 1.0 / 3.0, 1e-12, "chi at j = 1/2");
}

#[test]
fn limits_of_isotropy_and_free_streaming() {
    for closure in Closure::ALL {
        let (thick, thin) = (closure.factors(1e-9, 0.01), closure.factors(1.0, 0.0));
        assert_close(thick.chi, 1.0 / 3.0, 1e-8, closure.name());
        let slope = if closure == MaximumPacking { 1.0 } else { 0.6 };
        assert_close(thick.q / 1e-9, slope, 1e-6, closure.name());
        assert_close(thin.chi, 1.0, 1e-14, closure.name());
        assert_close(thin.q, 1.0, 1e-14, closure.name());
        let rest = closure.factors(0.0, 0.3);
        assert_eq!((rest.q, rest.dchi_dh, rest.dq_dj), (0.0, 0.0, 0.0), "{}", closure.name());
    }
}

#[test]
fn values_outside_count_as_the_edge_and_nan_stays() {
    for closure in Closure::ALL {
        let name = closure.name();
        assert_eq!(closure.factors(1.7, -0.2), closure.factors(1.0, 0.0), "{name}");
        assert_eq!(closure.factors(f64::NEG_INFINITY, 0.0), closure.factors(-1.0, 0.0), "{name}");
        assert_eq!(closure.factors(0.0, f64::INFINITY), closure.factors(0.0, 1.0), "{name}");
        for (h, j) in [(f64::NAN, 0.5), (0.5, f64::NAN)] {
            assert!(values(closure.factors(h, j)).iter().all(|(_, v)| v.is_nan()), "{name}");
        }
    }
    assert_eq!(MaximumEntropyFermi.factors(-0.9, 0.7), MaximumEntropyFermi.factors(0.7 - 1.0, 0.7));
}

/// Smallest and largest speed of ∂ₜ(J, H) + ∂ₓ(H, K) = 0.
fn speeds(closure: Closure, h: f64, j: f64) -> (f64, f64, f64) {
    let f = closure.factors(h, j);
    let (k_h, k_j) = (f.dchi_dh, f.chi - h * f.dchi_dh + j * f.dchi_dj);
    let discriminant = k_h * k_h + 4.0 * k_j;
    let root = discriminant.max(0.0).sqrt();
    (discriminant, 0.5 * (k_h - root), 0.5 * (k_h + root))
}

#[test]
fn the_fits_of_janka_are_faster_than_light_near_free_streaming() {
    for (closure, expected) in [(Janka1, 1.285), (Janka2, 1.172)] {
        assert!(!closure.is_causal());
        let fastest = (0..=1000).map(|n| speeds(closure, f64::from(n) / 1000.0, 0.0).2).fold(0.0, f64::max);
        println!("{}: largest speed {fastest:.4}", closure.name());
        assert_close(fastest, expected, 1e-3, closure.name());
        let below = closure.factors(0.999, 0.0).chi - 0.999f64.powi(2);
        assert!(below < 0.0, "chi of {} is below the least possible", closure.name());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn derivatives_are_those_of_the_values(h in 0.02f64..0.97, j in 0.003f64..0.99, sign in prop::bool::ANY) {
        for closure in Closure::ALL {
            let (step, scale) = match closure {
                MaximumEntropyFermi => (1e-5 * (1.0 - j).min(j), (1.0 - j) * 0.98),
                _ => (1e-5, 1.0),
            };
            let h = if sign { h * scale } else { -h * scale };
            let f = closure.factors(h, j);
            let to_h = |of: fn(&Factors) -> f64| {
                (of(&closure.factors(h + step, j)) - of(&closure.factors(h - step, j))) / (2.0 * step)
            };
            let to_j = |of: fn(&Factors) -> f64| {
                (of(&closure.factors(h, j + step)) - of(&closure.factors(h, j - step))) / (2.0 * step)
            };
            for (name, analytic, difference) in [
                ("dchi_dh", f.dchi_dh, to_h(|f| f.chi)),
                ("dq_dh", f.dq_dh, to_h(|f| f.q)),
                ("dchi_dj", f.dchi_dj, to_j(|f| f.chi)),
                ("dq_dj", f.dq_dj, to_j(|f| f.q)),
            ] {
                let allowed = 1e-6 * (1.0 + analytic.abs()) + 1e-13 / step;
                prop_assert!((analytic - difference).abs() < allowed,
                    "{} {name} at h = {h}, j = {j}: {analytic} and {difference}", closure.name());
            }
        }
    }

    #[test]
    fn moments_belong_to_some_distribution(h in -1.0f64..=1.0, j in 0.0f64..=1.0) {
        for closure in [Minerbo, Levermore, Kershaw, MaximumEntropyFermi, MaximumPacking] {
            let h = if closure == MaximumEntropyFermi { h * (1.0 - j) } else { h };
            let Factors { chi, q, .. } = closure.factors(h, j);
            let name = closure.name();
            prop_assert!(chi - h * h >= -1e-12 && chi <= 1.0 + 1e-12, "{name}: chi = {chi} at h = {h}, j = {j}");
            prop_assert!(q.abs() <= chi + 1e-12, "{name}: q = {q} at h = {h}");
            for s in [1.0, -1.0] {
                // Moments of (1 ± μ)f: their variance is not negative either.
                let (m0, m1, m2) = (1.0 + s * h, h + s * chi, chi + s * q);
                prop_assert!(m0 * m2 - m1 * m1 >= -1e-12, "{name}: q = {q} at h = {h}, j = {j}");
            }
        }
    }

    #[test]
    fn fermions_leave_room_for_the_holes(h in -1.0f64..=1.0, j in 0.01f64..0.99) {
        let h = h * (1.0 - j);
        let Factors { chi, q, .. } = MaximumEntropyFermi.factors(h, j);
        // 1 − f has moments 1 − j, −jh, 1/3 − jχ, −jq.
        let (m0, m1, m2, m3) = (1.0 - j, -j * h, 1.0 / 3.0 - j * chi, -j * q);
        prop_assert!(m0 * m2 - m1 * m1 >= -1e-12);
        for s in [1.0, -1.0] {
            let (n0, n1, n2) = (m0 + s * m1, m1 + s * m2, m2 + s * m3);
            prop_assert!(n0 * n2 - n1 * n1 >= -1e-12, "h = {h}, j = {j}");
        }
    }

    #[test]
    fn speeds_are_real_and_at_most_that_of_light(h in -1.0f64..=1.0, j in 0.0f64..=1.0) {
        for closure in Closure::ALL.into_iter().filter(|closure| closure.is_causal()) {
            let h = if closure == MaximumEntropyFermi { h * (1.0 - j) } else { h };
            let (discriminant, slowest, fastest) = speeds(closure, h, j);
            let name = closure.name();
            prop_assert!(discriminant >= -1e-9, "{name} at h = {h}, j = {j}: {discriminant}");
            prop_assert!(slowest >= -1.0 - 1e-6 && fastest <= 1.0 + 1e-6,
                "{name} at h = {h}, j = {j}: {slowest} {fastest}");
        }
    }

    #[test]
    fn chi_is_even_and_q_is_odd(h in -1.0f64..=1.0, j in 0.0f64..=1.0) {
        for closure in Closure::ALL {
            let (a, b) = (closure.factors(h, j), closure.factors(-h, j));
            prop_assert_eq!((a.chi, a.q, a.dchi_dh, a.dq_dh), (b.chi, -b.q, -b.dchi_dh, b.dq_dh));
            prop_assert!(values(a).iter().all(|(_, v)| v.is_finite()), "{} {h} {j}", closure.name());
        }
    }
}

/// Wilson's and Janka's χ with an interpolated q: χ itself is possible for Wilson's.
#[test]
fn wilsons_chi_is_above_the_least_possible() {
    for n in 0..=1000 {
        let h = f64::from(n) / 1000.0;
        let chi = Wilson.factors(h, 0.0).chi;
        assert!(chi >= h * h - 1e-15 && chi <= 1.0, "chi = {chi} at h = {h}");
    }
}
