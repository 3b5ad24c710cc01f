//! Evolution in time by steps whose length the local error determines: the part that is the same for all
//! methods. A method gives the single step ([`Stepper`]), and [`march`] makes an evolution of it.

use crate::error::{Error, Result};
use crate::progress::{Event, Observer};
use crate::solvers::krylov::Limits;
use crate::solvers::sdirk::Tableau;

/// How steps are chosen; lengths of time in internal units.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum StepControl {
    Fixed(f64),
    /// ‖local error‖₂ ≤ tolerance · ‖f‖₂ in every step.
    Adaptive {
        tolerance: f64,
        initial: f64,
        largest: f64,
    },
}

/// What is integrated.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    pub start: f64,
    /// Increasing times after `start` at which the state is handed out; the last one is the end.
    pub times: Vec<f64>,
    pub tableau: Tableau,
    pub control: StepControl,
    pub limits: Limits,
}

/// A step that could grow by less than this keeps its length, and with it what was made for that length.
const LEAST_GROWTH: f64 = 1.5;
/// Growth and shrinkage of one step at most.
const LARGEST_GROWTH: f64 = 4.0;
const LARGEST_SHRINKAGE: f64 = 0.2;
/// The next step aims at this share of the step that the error estimate allows.
const SAFETY: f64 = 0.8;
/// Steps shorter than this share of the whole time are a failure.
const SHORTEST: f64 = 1e-12;

impl Plan {
    /// The last of the times.
    pub fn end(&self) -> f64 {
        self.times.last().copied().unwrap_or(self.start)
    }

    /// Whether a step of length `step` with the relative local error `error` is good enough; `next` becomes
    /// the length of the step that comes next, or of another try.
    pub fn judge(&self, error: f64, step: f64, next: &mut f64) -> bool {
        let StepControl::Adaptive { tolerance, largest, .. } = self.control else { return true };
        if error.is_nan() {
            *next = step * LARGEST_SHRINKAGE;
            return false;
        }
        let order = f64::from(self.tableau.order.max(2));
        let allowed = SAFETY * (tolerance / error.max(f64::MIN_POSITIVE)).powf(1.0 / order);
        let accepted = error <= tolerance;
        if !accepted {
            *next = step * allowed.max(LARGEST_SHRINKAGE);
        } else if allowed >= LEAST_GROWTH {
            *next = (step * allowed.min(LARGEST_GROWTH)).min(largest);
        } else if allowed < 1.0 {
            *next = step * allowed;
        }
        accepted
    }

    /// # Errors
    /// [`Error::Numerical`] where `step` at `time` is a vanishing part of the whole.
    pub fn check_step(&self, step: f64, time: f64) -> Result<()> {
        if step < SHORTEST * (self.end() - self.start) {
            return Err(Error::Numerical(format!("the time step fell to {step:e} at t = {time:e}")));
        }
        Ok(())
    }

    /// The step that an evolution begins with.
    pub fn first_step(&self) -> f64 {
        match self.control {
            StepControl::Fixed(step) => step,
            StepControl::Adaptive { initial, .. } => initial,
        }
    }
}

/// Length of equal steps over `left` that are not longer than `step`, so that few lengths occur, and whether
/// there is only one of them.
fn equal_steps(left: f64, step: f64) -> (f64, bool) {
    let count = (left / step * (1.0 - 1e-9)).ceil().max(1.0);
    (left / count, count == 1.0)
}

/// Where an evolution is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Clock {
    /// Internal time.
    pub time: f64,
    /// The step that comes next.
    pub step: f64,
    /// Accepted and rejected steps so far.
    pub steps: usize,
    pub rejected: usize,
}

impl Clock {
    /// At the start of `plan`.
    pub fn new(plan: &Plan) -> Self {
        Self { time: plan.start, step: plan.first_step(), steps: 0, rejected: 0 }
    }
}

/// A method that can do one step in time.
pub trait Stepper {
    /// What evolves.
    type State;
    /// What a tried step ends with.
    type Trial;

    /// The clock of `state`.
    fn clock(state: &mut Self::State) -> &mut Clock;

    /// The length that is tried instead of `step`, which may differ from it by rounding.
    fn length(&self, step: f64) -> f64 {
        step
    }

    /// What one step of length `step` from `state` leads to, with its relative local error. Of `state` only what
    /// counts the work changes.
    ///
    /// # Errors
    /// [`Error::Interrupted`]; [`Error::Numerical`] where the step cannot be solved.
    fn try_step(&mut self, state: &mut Self::State, step: f64) -> Result<(Self::Trial, f64)>;

    /// Takes `trial` over, but for the clock.
    fn accept(&mut self, state: &mut Self::State, trial: Self::Trial);
}

/// Integrates from `state` over the times of `plan` that lie after it, handing each reached state to `reached`.
///
/// # Errors
/// [`Error::Interrupted`] when the observer asks to stop (what was handed out is complete);
/// [`Error::Numerical`] where a step cannot be solved or its length vanishes.
pub fn march<S: Stepper>(
    stepper: &mut S,
    plan: &Plan,
    state: &mut S::State,
    observer: &dyn Observer,
    reached: &mut dyn FnMut(&S, &S::State) -> Result<()>,
) -> Result<()> {
    let (start, end, begun) = (plan.start, plan.end(), S::clock(state).time);
    for &target in plan.times.iter().filter(|&&t| t > begun) {
        while S::clock(state).time < target {
            if observer.stop_requested() {
                return Err(Error::Interrupted);
            }
            advance(stepper, plan, state, target)?;
            let Clock { time, step, .. } = *S::clock(state);
            observer.report(Event::Time { time, start, end, step });
        }
        reached(stepper, state)?;
    }
    Ok(())
}

/// One accepted step towards `target`.
fn advance<S: Stepper>(stepper: &mut S, plan: &Plan, state: &mut S::State, target: f64) -> Result<()> {
    loop {
        let clock = *S::clock(state);
        let (step, last) = equal_steps(target - clock.time, clock.step);
        let step = stepper.length(step);
        let (trial, error) = stepper.try_step(state, step)?;
        if plan.judge(error, step, &mut S::clock(state).step) {
            stepper.accept(state, trial);
            let clock = S::clock(state);
            clock.time = if last { target } else { clock.time + step };
            clock.steps += 1;
            return Ok(());
        }
        let clock = S::clock(state);
        clock.rejected += 1;
        plan.check_step(clock.step, clock.time)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::progress::Silent;

    /// y′ = −y by backward Euler, whose error is made up: too large for steps beyond `longest`.
    struct Decay {
        longest: f64,
        tried: Vec<f64>,
    }

    impl Stepper for Decay {
        type State = (Clock, f64);
        type Trial = f64;

        fn clock(state: &mut Self::State) -> &mut Clock {
            &mut state.0
        }

        fn try_step(&mut self, state: &mut Self::State, step: f64) -> Result<(f64, f64)> {
            self.tried.push(step);
            Ok((state.1 / (1.0 + step), (step / self.longest).powi(2)))
        }

        fn accept(&mut self, state: &mut Self::State, trial: f64) {
            state.1 = trial;
        }
    }

    fn plan(control: StepControl) -> Plan {
        let limits = Limits { tolerance: 1e-10, iterations: 10 };
        Plan { start: 1.0, times: vec![1.5, 3.0], tableau: Tableau::backward_euler(), control, limits }
    }

    #[test]
    fn fixed_steps_end_at_the_planned_times() {
        let plan = plan(StepControl::Fixed(0.2));
        let mut decay = Decay { longest: 1.0, tried: Vec::new() };
        let (mut state, mut times) = ((Clock::new(&plan), 1.0), Vec::new());
        march(&mut decay, &plan, &mut state, &Silent, &mut |_, state| {
            times.push(state.0.time);
            Ok(())
        })
        .unwrap();
        assert_eq!(times, [1.5, 3.0]);
        // Three steps over 0.5, eight over 1.5.
        let exact = (1.0 + 0.5 / 3.0f64).powi(-3) * (1.0 + 1.5 / 8.0f64).powi(-8);
        assert!((state.1 / exact - 1.0).abs() < 1e-14 && state.0.steps == 11 && state.0.rejected == 0);
    }

    #[test]
    fn steps_with_a_large_error_are_repeated() {
        let plan = plan(StepControl::Adaptive { tolerance: 1.0, initial: 0.5, largest: 2.0 });
        let mut decay = Decay { longest: 0.1, tried: Vec::new() };
        let mut state = (Clock::new(&plan), 1.0);
        march(&mut decay, &plan, &mut state, &Silent, &mut |_, _| Ok(())).unwrap();
        let Clock { time, steps, rejected, .. } = state.0;
        assert!(time == 3.0 && rejected == 1 && steps + rejected == decay.tried.len());
        assert!(decay.tried[1..].iter().all(|step| *step <= 0.1));
    }

    /// A step that never is good enough, also for an error that is no number, is an error and no endless loop.
    #[test]
    fn vanishing_steps_are_an_error() {
        for longest in [0.0, f64::NAN] {
            let plan = plan(StepControl::Adaptive { tolerance: 1.0, initial: 0.5, largest: 2.0 });
            let mut decay = Decay { longest, tried: Vec::new() };
            let mut state = (Clock::new(&plan), 1.0);
            let found = march(&mut decay, &plan, &mut state, &Silent, &mut |_, _| Ok(()));
            assert!(found.unwrap_err().to_string().contains("time step fell"), "{longest}");
            assert_eq!(state.1, 1.0);
        }
    }
}
