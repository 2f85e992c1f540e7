//! A circuit breaker for each provider account. After several failures in a row, calls are refused at once instead of waiting for a
//! provider that does not answer. From time to time a single call, the probe, finds out whether the provider answers again.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use domain::id::ProviderAccountId;
use domain::{Millis, SECOND};

use crate::context::Context;

/// Failures in a row after which calls are held back.
const FAILURES_MAX: u32 = 5;
/// How long calls are held back at first, and at most.
const PAUSE_MIN: Millis = SECOND;
const PAUSE_MAX: Millis = 30 * SECOND;

/// One account's breaker. It reads no clock: the caller passes the time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Breaker {
    /// Failures in a row.
    failures: u32,
    /// The time until which calls are held back, if they are.
    until: Option<Millis>,
    /// Whether a probe is under way.
    probing: bool,
}

impl Breaker {
    /// Admits a call and returns whether it is the probe. A call that is refused gets the time to ask again.
    fn admit(&mut self, now: Millis) -> Result<bool, Millis> {
        let Some(until) = self.until else { return Ok(false) };
        if self.probing {
            return Err(now + PAUSE_MIN);
        }
        // A time further away than the longest pause was set before the clock was set back.
        if now < until && until - now <= PAUSE_MAX {
            return Err(until);
        }
        self.probing = true;
        Ok(true)
    }

    /// Records the end of a call. Returns whether calls are held back from this call on.
    fn report(&mut self, answered: bool, now: Millis) -> bool {
        if answered {
            *self = Breaker::default();
            return false;
        }
        self.failures = self.failures.saturating_add(1);
        let was_closed = self.until.is_none();
        if self.failures < FAILURES_MAX || (!was_closed && !self.probing) {
            return false;
        }
        let doublings = (self.failures - FAILURES_MAX).min(8);
        self.until = Some(now + (PAUSE_MIN << doublings).min(PAUSE_MAX));
        self.probing = false;
        was_closed
    }
}

/// The breakers of all accounts.
#[derive(Default)]
pub(crate) struct Breakers(Mutex<HashMap<ProviderAccountId, Breaker>>);

impl Breakers {
    fn all(&self) -> MutexGuard<'_, HashMap<ProviderAccountId, Breaker>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records the end of a call. Returns whether calls are held back from this call on.
    fn report(&self, account: &ProviderAccountId, answered: bool, now: Millis) -> bool {
        let mut all = self.all();
        if answered {
            // Healthy accounts have no entry.
            all.remove(account);
            return false;
        }
        all.entry(account.clone()).or_default().report(false, now)
    }
}

/// A call that was admitted. When a probe is dropped without a report, the next call becomes the probe.
pub(crate) struct Admitted<'a> {
    context: &'a Context,
    account: &'a ProviderAccountId,
    probes: bool,
}

impl Drop for Admitted<'_> {
    fn drop(&mut self) {
        if let Some(breaker) = self.context.breakers().all().get_mut(self.account).filter(|_| self.probes) {
            breaker.probing = false;
        }
    }
}

impl Admitted<'_> {
    /// Records the end of one of the call's exchanges: whether the provider has answered.
    pub async fn report(&self, answered: bool) {
        if self.context.breakers().report(self.account, answered, self.context.env().now()) {
            let detail = format!("{FAILURES_MAX} calls in a row failed; calls are held back until one is answered");
            self.context.alert("provider_unreachable", self.account.as_str(), &detail).await;
        } else if answered {
            self.context.close_alert("provider_unreachable", self.account.as_str()).await;
        }
    }
}

impl Context {
    /// Admits a call to an account's provider, or returns the time to ask again.
    pub(crate) fn admit<'a>(&'a self, account: &'a ProviderAccountId) -> Result<Admitted<'a>, Millis> {
        let now = self.env().now();
        let probes = self.breakers().all().get_mut(account).map_or(Ok(false), |breaker| breaker.admit(now))?;
        Ok(Admitted { context: self, account, probes })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn broken(now: Millis) -> Breaker {
        let mut breaker = Breaker::default();
        for number in 1..=FAILURES_MAX {
            assert_eq!(breaker.admit(now), Ok(false));
            assert_eq!(breaker.report(false, now), number == FAILURES_MAX);
        }
        breaker
    }

    #[test]
    fn after_failures_in_a_row_one_call_at_a_time_finds_out() {
        let mut breaker = broken(0);
        assert_eq!(breaker.admit(PAUSE_MIN - 1), Err(PAUSE_MIN));
        assert_eq!(breaker.admit(PAUSE_MIN), Ok(true));
        assert!(breaker.admit(PAUSE_MIN).is_err());
        assert!(!breaker.report(false, PAUSE_MIN), "a person is told once");
        assert_eq!(breaker.admit(PAUSE_MIN + 1), Err(3 * PAUSE_MIN));
        assert_eq!(breaker.admit(3 * PAUSE_MIN), Ok(true));
        breaker.report(true, 3 * PAUSE_MIN);
        assert_eq!(breaker, Breaker::default());
    }

    #[test]
    fn an_answer_in_between_begins_the_count_anew() {
        let mut breaker = Breaker::default();
        for number in 0..20 {
            assert!(!breaker.report(number % 4 == 3, 0));
            assert_eq!(breaker.admit(0), Ok(false));
        }
    }

    #[test]
    fn late_failures_of_earlier_calls_change_nothing() {
        let mut breaker = broken(0);
        let before = breaker.until;
        breaker.report(false, 10);
        assert_eq!(breaker.until, before);
    }

    #[test]
    fn a_clock_that_is_set_back_holds_nothing_back_for_long() {
        let mut breaker = broken(1_000_000);
        assert_eq!(breaker.admit(0), Ok(true));
    }

    proptest! {
        #[test]
        fn a_call_is_admitted_again_after_the_longest_pause(failures in 0u32..1_000) {
            let mut breaker = Breaker::default();
            let mut now = 0;
            for _ in 0..failures {
                if breaker.admit(now).is_ok() {
                    breaker.report(false, now);
                }
                now += 700;
            }
            prop_assert!(breaker.admit(now + PAUSE_MAX).is_ok());
        }
    }
}
