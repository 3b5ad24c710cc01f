//! Coefficients of singly diagonally implicit Runge-Kutta methods that are L-stable and stiffly accurate.

/// A Butcher tableau whose last row is also the weights.
#[derive(Debug, Clone, PartialEq)]
pub struct Tableau {
    /// The diagonal.
    pub gamma: f64,
    /// Rows below the diagonal, without it.
    pub below: Vec<Vec<f64>>,
    /// Weights minus those of the embedded method; `None` for backward Euler, which has none.
    pub error_weights: Option<Vec<f64>>,
    /// Order of the method.
    pub order: i32,
}

impl Tableau {
    /// Backward Euler.
    pub fn backward_euler() -> Self {
        Self { gamma: 1.0, below: vec![vec![]], error_weights: None, order: 1 }
    }

    /// Two stages, order 2 with an embedded order 1 (Alexander 1977, SIAM J. Numer. Anal. 14, 1006).
    pub fn sdirk2() -> Self {
        let gamma = 1.0 - 0.5 * 2f64.sqrt();
        let weights = [1.0 - gamma, gamma];
        // The embedded method takes the first stage's slope for the whole step.
        let error_weights = Some(vec![weights[0] - 1.0, weights[1]]);
        Self { gamma, below: vec![vec![], vec![1.0 - gamma]], error_weights, order: 2 }
    }

    /// Three stages, order 3 with an embedded order 2 (Alexander 1977). γ is the root of
    /// γ³ − 3γ² + 3γ/2 − 1/6 in (1/6, 1/2).
    pub fn sdirk3() -> Self {
        let gamma: f64 = 0.435_866_521_508_459;
        let first = -(6.0 * gamma * gamma - 16.0 * gamma + 1.0) / 4.0;
        let second = (6.0 * gamma * gamma - 20.0 * gamma + 5.0) / 4.0;
        let middle = 0.5 * (1.0 - gamma);
        // Order 2 from the first two stages: their weights satisfy Σb = 1 and Σbc = 1/2.
        let embedded = (0.5 - gamma) / middle;
        let error_weights = Some(vec![first - (1.0 - embedded), second - embedded, gamma]);
        Self { gamma, below: vec![vec![], vec![middle], vec![first, second]], error_weights, order: 3 }
    }

    /// Number of stages.
    pub fn stages(&self) -> usize {
        self.below.len()
    }

    /// Time of stage `stage` as a fraction of the step.
    pub fn abscissa(&self, stage: usize) -> f64 {
        self.below[stage].iter().sum::<f64>() + self.gamma
    }

    /// Weight of stage `stage` in the step.
    pub fn weight(&self, stage: usize) -> f64 {
        let last = self.stages() - 1;
        if stage == last { self.gamma } else { self.below[last][stage] }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One step of y′ = λy from 1 with step 1.
    fn stability(tableau: &Tableau, lambda: f64) -> (f64, f64) {
        let mut slopes: Vec<f64> = Vec::new();
        let mut value = 1.0;
        for row in &tableau.below {
            let known: f64 = 1.0 + row.iter().zip(&slopes).map(|(a, k)| a * k).sum::<f64>();
            value = known / (1.0 - tableau.gamma * lambda);
            slopes.push(lambda * value);
        }
        let weights = tableau.error_weights.clone().unwrap_or_default();
        (value, weights.iter().zip(&slopes).map(|(w, k)| w * k).sum())
    }

    #[test]
    fn orders_are_those_claimed() {
        for tableau in [Tableau::backward_euler(), Tableau::sdirk2(), Tableau::sdirk3()] {
            let error = |h: f64| (stability(&tableau, -h).0 - (-h).exp()).abs();
            let observed = (error(0.02) / error(0.01)).log2() - 1.0;
            assert!((observed - f64::from(tableau.order)).abs() < 0.05, "{observed}");
            if tableau.error_weights.is_some() {
                let estimate = |h: f64| stability(&tableau, -h).1.abs();
                let observed = (estimate(0.02) / estimate(0.01)).log2();
                assert!((observed - f64::from(tableau.order)).abs() < 0.05, "embedded {observed}");
            }
        }
    }

    #[test]
    fn stiff_modes_are_damped_and_the_last_abscissa_is_one() {
        for tableau in [Tableau::backward_euler(), Tableau::sdirk2(), Tableau::sdirk3()] {
            assert!(stability(&tableau, -1e9).0.abs() < 1e-8);
            let last = tableau.stages() - 1;
            assert!((tableau.abscissa(last) - 1.0).abs() < 1e-14);
            let total: f64 = (0..=last).map(|s| tableau.weight(s)).sum();
            assert!((total - 1.0).abs() < 1e-14);
        }
    }
}
