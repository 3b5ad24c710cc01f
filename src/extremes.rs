//! Largest values that do not lose NaN: `f64::max` takes the other number.

/// The larger of two numbers, NaN where one is.
pub fn larger(a: f64, b: f64) -> f64 {
    if b.is_nan() || b > a { b } else { a }
}

/// The largest of numbers that are not negative, 0 of none, NaN where one is.
pub fn largest(values: impl IntoIterator<Item = f64>) -> f64 {
    values.into_iter().fold(0.0, larger)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nan_is_the_largest_wherever_it_stands() {
        assert_eq!(largest([]), 0.0);
        assert_eq!(largest([1.0, 3.0, 2.0]), 3.0);
        for place in 0..3 {
            let mut values = [1.0, 3.0, 2.0];
            values[place] = f64::NAN;
            assert!(largest(values).is_nan());
        }
        assert!(larger(f64::NAN, 1.0).is_nan() && larger(1.0, f64::NAN).is_nan());
        assert_eq!((larger(1.0, 2.0), larger(2.0, 1.0)), (2.0, 2.0));
    }
}
