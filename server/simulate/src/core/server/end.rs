//! The end of a session, and the refund of payments beyond the debt.

use domain::mutant::{self, Mutant};
use domain::payment::{Attempt, CloseReason, Event, Fact, Modification, ModificationKind};
use domain::payment::{News, Observation, Outcome, Stage};
use domain::session::SessionState;
use domain::{DAY, HOUR, MINUTE, Millis, SECOND};

use super::{Asker, Next};
use crate::core::world::{World, note};

/// The policy's pause after its first failure with an attempt, its second and so on, see `engine::jobs::surplus`.
const PAUSES: [Millis; 8] = [MINUTE, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 6 * HOUR, 12 * HOUR, DAY, 3 * DAY];

impl World {
    pub(super) fn expire(&mut self) -> Next {
        let session = &self.database.session;
        if session.state != SessionState::Open {
            return Next::Done;
        }
        if self.now < session.expires {
            return Next::At(session.expires);
        }
        let expires = session.expires;
        if let Some(live) = self.database.payment.live() {
            let attempt = live.id.clone();
            let (number, open) = (self.number_of(&attempt).unwrap_or(0), live.stage == Stage::Open);
            if open && mutant::on(Mutant::ExpiredWithoutAsking) {
                let news = vec![News::Closed(CloseReason::Expired)];
                self.observe(number, Observation { at: self.now, news, ..Observation::default() });
            } else {
                let _ = self.record(&Fact::CloseRequested { attempt, reason: CloseReason::Expired });
            }
            return Next::At(self.now + (self.now - expires).clamp(5 * SECOND, 15 * MINUTE));
        }
        self.database.session.state = SessionState::Expired;
        note!(self, "  the session has ended");
        Next::Done
    }

    /// Treats the surplus beyond the debt by the merchant's policy.
    pub(super) fn surplus(&mut self) -> Next {
        if self.database.payment.wanted_back().is_none() {
            return Next::Done;
        }
        if !self.refunds_surplus {
            self.database.held = true;
            note!(self, "  a person is told of the surplus");
            return Next::Done;
        }
        let (mut rest, mut next) = (self.database.payment.clone(), Millis::MAX);
        while let Some((attempt, kind)) = rest.wanted_back() {
            if attempt.refs.payment.is_none() {
                return Next::Failed;
            }
            let due = self.due(attempt);
            if due <= self.now {
                let number = self.number_of(&attempt.id).unwrap_or(0);
                self.ask(number, kind, Asker::Policy);
                return Next::At(self.now);
            }
            next = next.min(due);
            // The copy counts this refund as requested, so the next turn finds the next surplus.
            let modification = Box::new(Modification::new(self.names.modifications[0].clone(), kind, self.now));
            let asked = Event::Modifying { attempt: attempt.id.clone(), modification };
            rest.apply(&asked);
        }
        Next::At(next)
    }

    /// When the policy may try an attempt again: some time after its last failure, or at once if the policy was set
    /// since.
    fn due(&self, attempt: &Attempt) -> Millis {
        let back = |one: &&Modification| !matches!(one.kind, ModificationKind::Capture { .. });
        let failed = |one: &&Modification| one.outcome(&attempt.book) == Outcome::Failed;
        let mut failures = attempt.modifications.iter().filter(back).filter(failed);
        match (failures.clone().count(), failures.next_back()) {
            (count @ 1.., Some(last)) if self.policy_since <= last.created => {
                last.created + PAUSES[(count - 1).min(PAUSES.len() - 1)]
            }
            _ => self.now,
        }
    }
}
