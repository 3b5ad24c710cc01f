//! Parallel work whose outcome does not depend on the number of threads.

use rayon::prelude::*;

use crate::error::Result;

/// The values of `results` in their order.
///
/// # Errors
/// The first error in that order. Rayon's own collection into a [`Result`] gives the one that is met first
/// in time, which depends on the threads.
pub fn in_order<T: Send>(results: impl ParallelIterator<Item = Result<T>>) -> Result<Vec<T>> {
    let all: Vec<Result<T>> = results.collect();
    all.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::error::Error;

    /// Errors at the numbers 3 and above, those at higher numbers being met earlier.
    fn failing(number: u64) -> Result<u64> {
        if number < 3 {
            return Ok(number);
        }
        std::thread::sleep(Duration::from_millis(200 - 3 * number));
        Err(Error::Numerical(number.to_string()))
    }

    #[test]
    fn the_first_error_in_order_is_reported() {
        for threads in [1, 4] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let found = pool.install(|| in_order((0..64_u64).into_par_iter().map(failing)));
            assert_eq!(found.unwrap_err().to_string(), Error::Numerical("3".into()).to_string());
        }
        assert_eq!(in_order((0..3).into_par_iter().map(failing)).unwrap(), [0, 1, 2]);
    }
}
