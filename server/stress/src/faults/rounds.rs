//! Counts the rounds of a run, and decides whether enough were done.

use std::time::{Duration, Instant};

use crate::Failure;

/// The rounds of one run. The budget starts when this value is made, which is after the site is open.
pub struct Rounds {
    wanted: u32,
    done: u32,
    deadline: Option<Instant>,
    short: bool,
}

impl Rounds {
    /// `wanted` rounds. No new round begins after the budget.
    pub fn new(wanted: u32, budget: Option<Duration>) -> Rounds {
        Rounds { wanted, done: 0, deadline: budget.map(|budget| Instant::now() + budget), short: false }
    }

    /// Whether another round is to begin.
    pub fn go_on(&mut self) -> bool {
        self.short = self.done < self.wanted && self.deadline.is_some_and(|deadline| Instant::now() >= deadline);
        self.done < self.wanted && !self.short
    }

    /// Counts a round that was done.
    pub fn did(&mut self) {
        self.done += 1;
    }

    /// The number of rounds done.
    pub fn done(&self) -> u32 {
        self.done
    }

    /// The number of rounds done, in words. A run without any round fails, as does a run with too few rounds and time
    /// left.
    pub fn verdict(&self) -> Result<String, Failure> {
        let (done, wanted) = (self.done, self.wanted);
        match (done, self.short) {
            (0, _) => Err(format!("none of {wanted} rounds was done").into()),
            _ if done == wanted => Ok(format!("{done} of {wanted} rounds")),
            (_, true) => Ok(format!("only {done} of {wanted} rounds, then the time was up")),
            (_, false) => Err(format!("only {done} of {wanted} rounds were done").into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(wanted: u32, does: u32, budget: Option<Duration>) -> Result<String, String> {
        let mut rounds = Rounds::new(wanted, budget);
        while rounds.go_on() && rounds.done() < does {
            rounds.did();
        }
        rounds.verdict().map_err(|error| error.to_string())
    }

    #[test]
    fn a_run_that_did_nothing_fails_whatever_the_reason() {
        assert!(run(3, 3, Some(Duration::ZERO)).is_err_and(|error| error.contains("none of 3")));
        assert!(run(0, 0, None).is_err());
        assert!(run(3, 0, None).is_err());
    }

    #[test]
    fn a_run_that_stops_early_without_being_out_of_time_fails() {
        assert_eq!(run(3, 3, None).unwrap(), "3 of 3 rounds");
        assert!(run(3, 2, None).is_err_and(|error| error.contains("only 2 of 3")));
    }

    #[test]
    fn a_run_that_is_out_of_time_says_how_far_it_came() {
        let mut rounds = Rounds::new(3, Some(Duration::from_millis(30)));
        assert!(rounds.go_on());
        rounds.did();
        std::thread::sleep(Duration::from_millis(40));
        assert!(!rounds.go_on());
        assert_eq!(rounds.verdict().unwrap(), "only 1 of 3 rounds, then the time was up");
    }
}
