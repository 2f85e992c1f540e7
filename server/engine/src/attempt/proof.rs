//! Decides whether an unanswered request may be sent again, and when a search at the provider proves that the request did nothing.
//!
//! A request is repeated by the means that its connector declares ([`Repetition`]), and only for as long as those means hold. Where the
//! provider can be searched, a request is repeated for two minutes only: a provider may repeat a stored error for a day (Stripe API
//! reference, Idempotent requests). Once no request is sent any more and the last one has certainly ended, a page or modification that a
//! search does not find does not exist.

use connectors::{Capabilities, Deed, Repetition};
use domain::{MINUTE, Millis};

use super::{Attempts, Found};
use crate::error::Error;
use crate::record::OPEN_GRACE;
use crate::work::LEASE;

/// How long a request is repeated where the provider can be searched.
const REPEATED: Millis = 2 * MINUTE;
/// The longest a request is under way: no longer than the run of a job. A shopper's click is shorter.
const UNDER_WAY_MAX: Millis = LEASE;
/// How long before the end of a key's lifetime the last request is sent. A request may be under way for a while, and clocks differ.
const KEY_MARGIN: Millis = 10 * MINUTE;

/// The times of one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Course {
    /// Until when the request may be sent for the first time, by the task that stored it.
    first_until: Millis,
    /// Until when any other task may send the request. Such a task cannot know whether the request was sent before.
    again_until: Millis,
    /// The time from which a complete search that finds nothing is a proof. None if a search is never a proof.
    proved: Option<Millis>,
}

impl Course {
    /// The times of a request that was stored at `created` and became known to be unanswered at `unanswered`. Each try before that has
    /// certainly not reached the provider, or its outcome was not stored.
    fn of(repetition: Repetition, proves_after: Option<Millis>, created: Millis, unanswered: Option<Millis>) -> Course {
        let held_until = match repetition {
            // The first request was sent at `created` or later, so the provider keeps its key for longer than this.
            Repetition::Key { kept_for } => created.saturating_add(kept_for).saturating_sub(KEY_MARGIN),
            Repetition::ClientId => Millis::MAX,
            Repetition::Query | Repetition::None => Millis::MIN,
        };
        let again_until = match (proves_after, unanswered) {
            (Some(_), Some(at)) => held_until.min(at.saturating_add(REPEATED)),
            _ => held_until,
        };
        let first_until = again_until.max(created.saturating_add(OPEN_GRACE));
        let proves = |after: Millis| first_until.saturating_add(UNDER_WAY_MAX).saturating_add(after);
        Course { first_until, again_until, proved: proves_after.map(proves) }
    }

    /// Whether the request may be sent now. `first` says that the request has certainly not been sent before.
    pub fn may_send(&self, first: bool, now: Millis) -> bool {
        now <= if first { self.first_until } else { self.again_until }
    }

    /// Whether a complete search that begins now and finds nothing is a proof.
    pub fn is_proved(&self, now: Millis) -> bool {
        self.proved.is_some_and(|proved| now >= proved)
    }

    /// The time from which a search is a proof, if there is one.
    pub fn proved(&self) -> Option<Millis> {
        self.proved
    }
}

impl Attempts<'_> {
    /// The times of the request that opens an attempt, and the account's capabilities.
    pub(crate) async fn opening_course(&self, found: &Found) -> Result<(Course, Capabilities), Error> {
        let attempt = &found.attempt;
        let (account, connector) = self.context.unseal(&self.context.account(&attempt.account).await?)?;
        let capabilities = connector.capabilities(&account);
        let repetition = connector.repetition(&account, Deed::Open(attempt.method));
        let proves_after = capabilities.search_proves_after.filter(|_| capabilities.find);
        let course = Course::of(repetition, proves_after, attempt.created, Some(attempt.created));
        Ok((course, capabilities))
    }

    /// The times of a modification's request, and the account's capabilities. `unanswered` is when a request became known to be
    /// unanswered, if one is.
    pub(crate) async fn modification_course(
        &self,
        found: &Found,
        known: &domain::payment::Modification,
        unanswered: Option<Millis>,
    ) -> Result<(Course, Capabilities), Error> {
        let (account, connector) = self.context.unseal(&self.context.account(&found.attempt.account).await?)?;
        let capabilities = connector.capabilities(&account);
        let repetition = connector.repetition(&account, Deed::Modify(known.kind));
        let proves_after = capabilities.search_proves_after.filter(|_| capabilities.find_modification);
        Ok((Course::of(repetition, proves_after, known.created, unanswered), capabilities))
    }
}

#[cfg(test)]
mod tests {
    use domain::DAY;

    use super::*;

    const T: Millis = 1_800_000_000_000;

    #[test]
    fn a_key_older_than_it_is_kept_is_never_sent_again() {
        for (kept_for, proves_after) in [(DAY, Some(2 * MINUTE)), (31 * DAY, None), (DAY, None)] {
            for unanswered in [None, Some(T), Some(T + DAY)] {
                let course = Course::of(Repetition::Key { kept_for }, proves_after, T, unanswered);
                assert!(course.may_send(true, T) && course.may_send(false, T));
                let mut now = T;
                while now < T + 40 * DAY {
                    let sends = course.may_send(false, now) || course.may_send(true, now);
                    assert!(!sends || now + UNDER_WAY_MAX < T + kept_for, "{course:?} at {now}");
                    now += MINUTE;
                }
            }
        }
    }

    #[test]
    fn an_unanswered_request_is_repeated_for_two_minutes_where_the_provider_can_be_searched() {
        let key = Repetition::Key { kept_for: DAY };
        let course = Course::of(key, Some(2 * MINUTE), T, Some(T));
        assert!(course.may_send(false, T + REPEATED) && !course.may_send(false, T + REPEATED + 1));
        assert!(!course.may_send(true, T + REPEATED + 1), "a server that was stopped in between leaves it to the job");
        let proved = T + REPEATED + UNDER_WAY_MAX + 2 * MINUTE;
        assert_eq!(course.proved(), Some(proved));
        assert!(!course.is_proved(proved - 1) && course.is_proved(proved));
        // A request that never reached the provider is sent for as long as its key would be kept.
        assert!(Course::of(key, Some(2 * MINUTE), T, None).may_send(false, T + DAY / 2));
    }

    #[test]
    fn without_a_key_only_whoever_wrote_it_down_sends_it_and_only_at_once() {
        for (repetition, proves_after) in
            [(Repetition::Query, Some(MINUTE)), (Repetition::Query, None), (Repetition::None, None)]
        {
            let course = Course::of(repetition, proves_after, T, None);
            assert!(course.may_send(true, T) && !course.may_send(true, T + OPEN_GRACE + 1));
            assert!(!course.may_send(false, T) && !course.may_send(false, 0));
            assert_eq!(course.proved(), proves_after.map(|after| T + OPEN_GRACE + UNDER_WAY_MAX + after));
        }
    }

    #[test]
    fn an_id_of_ours_can_be_used_for_ever() {
        let course = Course::of(Repetition::ClientId, None, T, Some(T));
        assert!(course.may_send(false, T + 1_000 * DAY) && !course.is_proved(Millis::MAX));
    }
}
