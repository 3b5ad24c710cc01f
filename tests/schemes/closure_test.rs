//! Closures on the moments of known distributions.

use tolman::diagnostics::closure_test::{ClosureErrors, ClosureTest};
use tolman::methods::closures::Closure;
use tolman::output::dataset::Dataset;

/// A dataset with moments `at(energy number, radius number)` = [J, H, K, L] of one species.
fn dataset(energy: &[f64], r: &[f64], at: impl Fn(usize, usize) -> [f64; 4]) -> Dataset {
    let mut data = Dataset::new();
    data.dimension("species", 1).dimension("energy", energy.len()).dimension("r", r.len());
    data.text("species", &["species"], "species", vec!["nu".into()]);
    data.real("energy", &["energy"], "MeV", "energy", energy.to_vec());
    data.real("energy_weight", &["energy"], "MeV", "weight", vec![1.0; energy.len()]);
    data.real("r", &["r"], "cm", "areal radius", r.to_vec());
    data.real("r_weight", &["r"], "cm", "weight", vec![0.5; r.len()]);
    for (n, name) in ["j", "h", "k", "l"].into_iter().enumerate() {
        let values = (0..energy.len()).flat_map(|k| (0..r.len()).map(move |i| (k, i)));
        let values = values.map(|(k, i)| at(k, i)[n]).collect();
        data.real(name, &["species", "energy", "r"], "1", "moment", values);
    }
    data
}

fn errors(test: &ClosureTest, closure: Closure) -> &ClosureErrors {
    test.errors.iter().find(|errors| errors.closure == closure).unwrap()
}

/// Moments of f = s e^{aμ}, from the integrals of μⁿe^{aμ} by parts.
fn exponential(s: f64, a: f64) -> [f64; 4] {
    let (up, down) = (a.exp(), (-a).exp());
    let zeroth = (up - down) / a;
    let first = (up + down - zeroth) / a;
    let second = (up - down - 2.0 * first) / a;
    let third = (up + down - 3.0 * second) / a;
    [zeroth, first, second, third].map(|moment| 0.5 * s * moment)
}

#[test]
fn a_closure_has_no_error_on_its_own_distribution() {
    let (energy, r) = ([2.0, 5.0, 9.0], [1.0, 2.0, 4.0, 8.0]);
    let a = |k: usize, i: usize| 0.7 + 0.9 * k as f64 + 1.3 * i as f64;
    let data = dataset(&energy, &r, |k, i| exponential(1e-3 / (1.0 + i as f64), a(k, i)));
    let test = ClosureTest::new(&data).unwrap();
    let minerbo = errors(&test, Closure::Minerbo);
    assert!(minerbo.chi.largest < 1e-12 && minerbo.q.largest < 1e-12, "{minerbo:?}");
    assert_eq!(test.ranking()[0].0, Closure::Minerbo);
    assert_eq!((test.points, test.excluded), (12, 0));
    // By hand for Kershaw: largest error, where it is, and the weighted mean.
    let kershaw = errors(&test, Closure::Kershaw);
    let (mut largest, mut at, mut sum, mut weights) = (0.0, [0; 3], 0.0, 0.0);
    let mut by_energy = [0.0; 3];
    for (i, radius) in r.iter().enumerate() {
        let (mut error, mut weight) = (0.0, 0.0);
        for (k, energy) in energy.iter().enumerate() {
            let [j, h, p, _] = exponential(1e-3 / (1.0 + i as f64), a(k, i));
            let own = ((1.0 + 2.0 * (h / j).powi(2)) / 3.0 - p / j).abs();
            if own > largest {
                (largest, at) = (own, [0, k, i]);
            }
            by_energy[k] += own / radius / (1.0 + 1.0 / 2.0 + 1.0 / 4.0 + 1.0 / 8.0);
            error += energy.powi(3) * j * own;
            weight += energy.powi(3) * j;
        }
        sum += error / weight / radius;
        weights += 1.0 / radius;
        assert!((kershaw.chi.by_radius[i] - error / weight).abs() < 1e-14);
    }
    assert!((kershaw.chi.largest - largest).abs() < 1e-14 && kershaw.chi.largest_at == at);
    assert!((kershaw.chi.mean - sum / weights).abs() < 1e-14);
    assert!((kershaw.chi.by_species[0] - sum / weights).abs() < 1e-14);
    for (found, expected) in kershaw.chi.by_energy.iter().zip(by_energy) {
        assert!((found - expected).abs() < 1e-14);
    }
}

/// Of three radii, two have a flux factor between 0.1 and 0.9.
#[test]
fn the_transition_and_the_reference_have_averages_of_their_own() {
    let slopes = [0.05, 2.0, 2.0];
    let mut data = dataset(&[1.0], &[1.0, 4.0, 8.0], |_, i| exponential(0.1, slopes[i]));
    data.real("eddington_factor_error", &["species", "r"], "1", "error", vec![3e-3, 1e-3, 9.0]);
    let test = ClosureTest::new(&data).unwrap();
    let kershaw = errors(&test, Closure::Kershaw);
    assert!((kershaw.chi.transition - kershaw.chi.by_radius[1]).abs() < 1e-15);
    assert!(kershaw.chi.mean < 0.5 * kershaw.chi.transition);
    let own = test.own.unwrap();
    assert_eq!(own.by_radius, [3e-3, 1e-3, 9.0]);
    assert_eq!((own.median, own.transition), (3e-3, 9.0));
}

/// Moments beyond those of any distribution, where a reference oscillates.
#[test]
fn moments_of_no_distribution_are_left_out() {
    let moments = |i: usize| match i {
        0 => exponential(0.01, 2.0),
        1 => [1e-3, 1.1e-3, 1e-3, 1e-3],
        2 => [1e-3, 0.5e-3, 0.2e-3, 0.1e-3],
        3 => [1e-3, 0.5e-3, 1.1e-3, 0.1e-3],
        _ => [1e-3, -5e-3, -6e-3, -7e-3],
    };
    let test = ClosureTest::new(&dataset(&[1.0], &[1.0, 2.0, 3.0, 4.0, 5.0], |_, i| moments(i))).unwrap();
    assert_eq!((test.points, test.excluded), (5, 4));
    assert!(errors(&test, Closure::Minerbo).chi.largest < 1e-12);
}

#[test]
fn negligible_points_are_left_out_and_counted() {
    let data = dataset(&[1.0, 2.0], &[1.0, 2.0], |k, i| match (k, i) {
        (1, 0) => [1e-12, 0.0, 1e-12, 0.0],
        (1, 1) => [-1e-3, 0.0, 0.0, 0.0],
        _ => exponential(0.01, 2.0),
    });
    let test = ClosureTest::new(&data).unwrap();
    assert_eq!((test.points, test.excluded), (4, 2));
    assert!(errors(&test, Closure::Minerbo).chi.largest < 1e-12);
}

#[test]
fn unusable_references_are_refused() {
    let good = || dataset(&[1.0], &[1.0, 2.0], |_, _| exponential(0.01, 2.0));
    let mut missing = good();
    missing.variables.retain(|variable| variable.name != "l");
    let empty = dataset(&[1.0], &[1.0], |_, _| [0.0; 4]);
    let not_finite = dataset(&[1.0], &[1.0], |_, _| [1.0, f64::NAN, 0.3, 0.0]);
    let mut shape = good();
    shape.variables.iter_mut().filter(|v| v.name == "j").for_each(|v| v.dimensions.truncate(2));
    for (data, part) in
        [(missing, "l"), (empty, "positive nowhere"), (not_finite, "finite"), (shape, "species, energy, r")]
    {
        let error = ClosureTest::new(&data).unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
    }
}

/// The group is complete, and the dataset with it valid.
#[test]
fn the_group_holds_every_closure() {
    let mut data = dataset(&[1.0], &[1.0, 2.0], |_, _| exponential(0.01, 2.0));
    let test = ClosureTest::new(&data).unwrap();
    test.add_to(&mut data);
    data.validate().unwrap();
    let group = data.get_group("closure_test").unwrap();
    for closure in Closure::ALL {
        for symbol in ["chi", "q"] {
            let values = group.reals(&format!("{symbol}_error_{}", closure.name())).unwrap();
            assert_eq!(values.len(), 2);
        }
    }
    assert_eq!(group.reals("chi_error_mean").unwrap().len(), Closure::ALL.len());
    assert_eq!(group.scalar("points_excluded"), Some(0.0));
}

/// The exact moments of the homogeneous sphere with κR = 4: no closure is exact, and in the outskirts all go
/// to free streaming.
#[test]
fn the_homogeneous_sphere() {
    let sphere = crate::exact::exact("homogeneous_sphere").unwrap();
    let r: Vec<f64> = (0..60).map(|i| 0.3 * 1.06f64.powi(i)).collect();
    let value = |name: &str, i: usize| sphere.value(name, "nu", None, None, r[i], None).unwrap();
    let data = dataset(&[1.0], &r, |_, i| ["j", "h", "k", "l"].map(|name| value(name, i)));
    let test = ClosureTest::new(&data).unwrap();
    assert_eq!(test.excluded, 0);
    for (closure, mean) in test.ranking() {
        let errors = errors(&test, closure);
        let at = r[errors.chi.largest_at[2]];
        println!(
            "{:22} chi: mean {mean:.4}, largest {:.4} at r = {at:.2}; q: mean {:.4}, largest {:.4}",
            closure.name(),
            errors.chi.largest,
            errors.q.mean,
            errors.q.largest
        );
        assert!(mean > 1e-4 && mean < 0.1);
        let last = errors.chi.values.len() - 1;
        assert!(errors.chi.values[last].abs() < 0.02, "{}", closure.name());
    }
    // Independent of the closure's code: Levermore's formula at one point.
    let h = value("h", 30) / value("j", 30);
    let chi = (3.0 + 4.0 * h * h) / (5.0 + 2.0 * (4.0 - 3.0 * h * h).sqrt());
    let expected = chi - value("k", 30) / value("j", 30);
    assert!((errors(&test, Closure::Levermore).chi.values[30] - expected).abs() < 1e-12);
}
