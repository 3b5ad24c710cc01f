//! Exact relations between integrated quantities: geometry, ratios, and changes of frame by the boost with
//! the fluid's velocity v and the lapse α (docs/equations.md).
//!
//! With e, F, P the energy density, flux and pressure of the fluid's frame, n and N density and flux of
//! number, W = (1 − v²)^(−1/2), the static observers see
//! e_s = W²(e + 2vF/c + v²P), F_s = W²[(1 + v²)F + vc(e + P)], P_s = W²(P + 2vF/c + v²e),
//! n_s = W(n + vN/c), N_s = W(N + vcn).

use std::f64::consts::PI;

/// Where a relation is applied.
#[derive(Debug, Clone, Copy)]
pub struct Place {
    pub r: f64,
    /// Speed of light in the units of the values.
    pub c: f64,
    /// erg in one unit of neutrino energy.
    pub erg: f64,
}

/// A quantity from others.
pub struct Rule {
    pub result: &'static str,
    pub needs: &'static [&'static str],
    /// The relation for people.
    pub formula: &'static str,
    pub apply: fn(&[f64], Place) -> f64,
}

/// Relations that change no frame: what else the same data say.
pub const SAME_FRAME: &[Rule] = &[
    Rule {
        result: "luminosity",
        needs: &["energy_flux"],
        formula: "4πr² energy_flux",
        apply: |x, at| area(at) * x[0],
    },
    Rule {
        result: "luminosity_static",
        needs: &["energy_flux_static"],
        formula: "4πr² energy_flux_static",
        apply: |x, at| area(at) * x[0],
    },
    Rule {
        result: "number_luminosity",
        needs: &["number_flux"],
        formula: "4πr² number_flux",
        apply: |x, at| area(at) * x[0],
    },
    Rule {
        result: "number_luminosity_static",
        needs: &["number_flux_static"],
        formula: "4πr² number_flux_static",
        apply: |x, at| area(at) * x[0],
    },
    Rule {
        result: "mean_energy",
        needs: &["energy_density", "number_density"],
        formula: "energy_density / number_density",
        apply: |x, at| ratio(x[0], x[1] * at.erg),
    },
    Rule {
        result: "mean_energy_static",
        needs: &["energy_density_static", "number_density_static"],
        formula: "energy_density_static / number_density_static",
        apply: |x, at| ratio(x[0], x[1] * at.erg),
    },
    Rule {
        result: "mean_energy_flux",
        needs: &["luminosity", "number_luminosity"],
        formula: "luminosity / number_luminosity",
        apply: |x, at| ratio(x[0], x[1] * at.erg),
    },
    Rule {
        result: "mean_energy_flux_static",
        needs: &["luminosity_static", "number_luminosity_static"],
        formula: "luminosity_static / number_luminosity_static",
        apply: |x, at| ratio(x[0], x[1] * at.erg),
    },
    Rule {
        result: "mean_energy_infinity",
        needs: &["luminosity_infinity", "number_luminosity_infinity"],
        formula: "luminosity_infinity / number_luminosity_infinity",
        apply: |x, at| ratio(x[0], x[1] * at.erg),
    },
    Rule {
        result: "flux_factor",
        needs: &["energy_flux", "energy_density"],
        formula: "energy_flux / (c energy_density)",
        apply: |x, at| ratio(x[0], x[1] * at.c),
    },
    Rule {
        result: "flux_factor_static",
        needs: &["energy_flux_static", "energy_density_static"],
        formula: "energy_flux_static / (c energy_density_static)",
        apply: |x, at| ratio(x[0], x[1] * at.c),
    },
];

/// Relations by which the reference is brought into another frame or form.
pub const FRAMES: &[Rule] = &[
    Rule {
        result: "energy_flux",
        needs: &["luminosity"],
        formula: "luminosity / 4πr²",
        apply: |x, at| x[0] / area(at),
    },
    Rule {
        result: "energy_flux_static",
        needs: &["luminosity_static"],
        formula: "luminosity_static / 4πr²",
        apply: |x, at| x[0] / area(at),
    },
    Rule {
        result: "luminosity_static",
        needs: &["luminosity", "energy_density", "eddington_factor", "velocity"],
        formula: "boost of luminosity, energy_density and eddington_factor with the velocity",
        apply: |x, at| {
            let (v, e) = (x[3], x[1]);
            w_squared(v) * ((1.0 + v * v) * x[0] + area(at) * v * at.c * e * (1.0 + x[2]))
        },
    },
    Rule {
        result: "luminosity_static",
        needs: &["luminosity_infinity", "lapse"],
        formula: "luminosity_infinity / α²",
        apply: |x, _| x[0] / (x[1] * x[1]),
    },
    Rule {
        result: "luminosity_infinity",
        needs: &["luminosity_static", "lapse"],
        formula: "α² luminosity_static",
        apply: |x, _| x[0] * x[1] * x[1],
    },
    Rule {
        result: "number_luminosity_static",
        needs: &["number_luminosity_infinity", "lapse"],
        formula: "number_luminosity_infinity / α",
        apply: |x, _| x[0] / x[1],
    },
    Rule {
        result: "number_flux_static",
        needs: &["number_luminosity_static"],
        formula: "number_luminosity_static / 4πr²",
        apply: |x, at| x[0] / area(at),
    },
    Rule {
        result: "number_flux",
        needs: &["number_flux_static", "number_density", "velocity"],
        formula: "number_flux_static / W − v c number_density",
        apply: |x, at| x[0] / lorentz_factor(x[2]) - x[2] * at.c * x[1],
    },
    Rule {
        result: "number_luminosity",
        needs: &["number_flux"],
        formula: "4πr² number_flux",
        apply: |x, at| area(at) * x[0],
    },
    Rule {
        result: "energy_density_static",
        needs: &["energy_density", "flux_factor", "eddington_factor", "velocity"],
        formula: "boost of energy_density, flux_factor and eddington_factor with the velocity",
        apply: |x, _| x[0] * static_energy(x),
    },
    Rule {
        result: "number_density_static",
        needs: &["number_density", "number_flux", "velocity"],
        formula: "W (number_density + v number_flux / c)",
        apply: |x, at| lorentz_factor(x[2]) * (x[0] + x[2] * x[1] / at.c),
    },
    Rule {
        result: "eddington_factor_static",
        needs: &["energy_density", "flux_factor", "eddington_factor", "velocity"],
        formula: "boost of energy_density, flux_factor and eddington_factor with the velocity",
        apply: |x, _| {
            let (h, k, v) = (x[1], x[2], x[3]);
            if x[0] == 0.0 { 0.0 } else { ratio(w_squared(v) * (k + 2.0 * v * h + v * v), static_energy(x)) }
        },
    },
];

/// e_s/e from (e, F/(ce), P/e, v).
fn static_energy(x: &[f64]) -> f64 {
    let (h, k, v) = (x[1], x[2], x[3]);
    w_squared(v) * (1.0 + 2.0 * v * h + v * v * k)
}

fn w_squared(v: f64) -> f64 {
    1.0 / (1.0 - v * v)
}

fn lorentz_factor(v: f64) -> f64 {
    w_squared(v).sqrt()
}

fn area(at: Place) -> f64 {
    4.0 * PI * at.r * at.r
}

/// a/b, or 0 where there is nothing, as in stored results.
fn ratio(a: f64, b: f64) -> f64 {
    if b == 0.0 { 0.0 } else { a / b }
}

/// Values of `rule` at `radii` from its inputs (one list of values for each of `needs`).
pub fn apply(rule: &Rule, inputs: &[&[f64]], radii: &[f64], c: f64, erg: f64) -> Vec<f64> {
    let at = |i: usize| inputs.iter().map(|values| values[i]).collect::<Vec<_>>();
    radii.iter().enumerate().map(|(i, &r)| (rule.apply)(&at(i), Place { r, c, erg })).collect()
}

/// Errors of what [`apply`] gives, to first order and without cancellation: Σ |g(x + δx) − g(x)| over the
/// inputs.
pub fn apply_errors(
    rule: &Rule,
    inputs: &[&[f64]],
    errors: &[&[f64]],
    radii: &[f64],
    c: f64,
    erg: f64,
) -> Vec<f64> {
    let error = |(i, &r): (usize, &f64)| {
        let place = Place { r, c, erg };
        let exact: Vec<f64> = inputs.iter().map(|values| values[i]).collect();
        let value = (rule.apply)(&exact, place);
        let change = |k: usize| {
            let mut moved = exact.clone();
            moved[k] += errors[k][i];
            ((rule.apply)(&moved, place) - value).abs()
        };
        (0..exact.len()).map(change).sum()
    };
    radii.iter().enumerate().map(error).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_relative_eq;

    fn rule(result: &str, first: &str) -> &'static Rule {
        let all = FRAMES.iter().chain(SAME_FRAME);
        all.into_iter().find(|rule| rule.result == result && rule.needs[0] == first).unwrap()
    }

    fn value(result: &str, inputs: &[f64]) -> f64 {
        let at = Place { r: 2.0, c: 3.0, erg: 5.0 };
        (rule(result, rule_first(result)).apply)(inputs, at)
    }

    fn rule_first(result: &str) -> &'static str {
        FRAMES.iter().chain(SAME_FRAME).find(|rule| rule.result == result).unwrap().needs[0]
    }

    /// A beam at cosine μ: ε_s = Wε(1 + vμ), and n dV is transformed by the same factor.
    #[test]
    fn a_beam_is_boosted_as_the_doppler_formula_says() {
        let (v, mu, n, c): (f64, f64, f64, f64) = (-0.3, 0.6, 7.0, 3.0);
        let doppler = (1.0 + v * mu) / (1.0 - v * v).sqrt();
        let (e, area) = (n * 2.0, 16.0 * PI);
        let mu_static = (mu + v) / (1.0 + v * mu);
        let flux_static = e * doppler.powi(2) * mu_static * c;
        let boosted = value("luminosity_static", &[area * e * mu * c, e, mu * mu, v]);
        assert_relative_eq!(boosted, area * flux_static, max_relative = 1e-13);
        let density = value("energy_density_static", &[e, mu, mu * mu, v]);
        assert_relative_eq!(density, e * doppler.powi(2), max_relative = 1e-13);
        assert_relative_eq!(
            value("eddington_factor_static", &[e, mu, mu * mu, v]),
            mu_static.powi(2),
            max_relative = 1e-13
        );
        assert_relative_eq!(
            value("number_density_static", &[n, n * mu * c, v]),
            n * doppler,
            max_relative = 1e-13
        );
        let number_flux_static = n * doppler * mu_static * c;
        assert_relative_eq!(
            value("number_flux", &[number_flux_static, n, v]),
            n * mu * c,
            max_relative = 1e-13
        );
    }

    #[test]
    fn errors_add_up() {
        let rule = rule("flux_factor", "energy_flux");
        let (flux, density) = ([6.0], [4.0]);
        let errors = apply_errors(rule, &[&flux, &density], &[&[0.6], &[0.0]], &[1.0], 3.0, 1.0);
        assert_relative_eq!(errors[0], 0.05, max_relative = 1e-12);
        let both = apply_errors(rule, &[&flux, &density], &[&[0.6], &[0.4]], &[1.0], 3.0, 1.0);
        assert_relative_eq!(both[0], 0.05 + 0.5 - 0.5 / 1.1, max_relative = 1e-12);
    }
}
