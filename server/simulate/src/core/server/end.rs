//! What happens when all is over: the session ends, and what was paid beyond the debt goes back.

use domain::mutant::{self, Mutant};
use domain::payment::{CloseReason, Fact, Modification, News, Observation, Outcome, Stage};
use domain::session::SessionState;
use domain::{MINUTE, SECOND};

use super::{Asker, Next};
use crate::core::world::{World, note};

/// Refunds or voids of one attempt that may fail before a person must decide.
const FAILURES_MAX: usize = 3;

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

    /// Treats what was paid beyond the debt by the merchant's policy.
    pub(super) fn surplus(&mut self) -> Next {
        let Some((attempt, kind)) = self.database.payment.wanted_back() else { return Next::Done };
        let failed = |known: &&Modification| known.outcome(&attempt.book) == Outcome::Failed;
        let stuck = attempt.modifications.iter().filter(failed).count() >= FAILURES_MAX;
        if stuck || !self.refunds_surplus {
            self.database.held = true;
            note!(self, "  a person is told of the surplus");
            return Next::Done;
        }
        if attempt.refs.payment.is_none() {
            return Next::Failed;
        }
        let number = self.number_of(&attempt.id).unwrap_or(0);
        self.ask(number, kind, Asker::Policy);
        Next::At(self.now)
    }
}
