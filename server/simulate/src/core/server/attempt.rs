//! Opens an attempt at its provider, closes it, and asks about it, see `engine::jobs`.

use domain::mutant::{self, Mutant};
use domain::payment::{CloseReason, Fact, Handoff, Observation, Refs, Stage};
use domain::{MINUTE, Millis, SECOND};

use super::{Call, Next, Press, Work};
use crate::core::network::{Op, Reply};
use crate::core::provider::Kind;
use crate::core::world::World;

/// A provider may close a page this much later than requested.
const PAGE_END_MARGIN: Millis = 5 * MINUTE;

impl World {
    pub(super) fn open(&mut self, attempt: usize, press: Option<Press>, unknown: bool, call: Call) -> Next {
        let again = |unknown, call| Next::Again(Work::Open { attempt, press, unknown, call });
        match call {
            Call::None => {
                let stage = self.database.attempt(attempt).stage;
                // An earlier task may have died after sending the request.
                let unknown = stage == Stage::Unknown || press.is_none();
                if !matches!(stage, Stage::Opening | Stage::Unknown) {
                    return Next::Done;
                }
                if unknown && self.kind_of(attempt) == Kind::Results {
                    return again(unknown, Call::Sent(Op::Find { attempt }));
                }
                let key = self.key(1_000 + attempt, unknown);
                again(unknown, Call::Sent(Op::Open { attempt, key }))
            }
            Call::Sent(op) => {
                let reply = self.transmit(op);
                if reply == Reply::NotFound {
                    let key = self.key(1_000 + attempt, unknown);
                    return again(unknown, Call::Sent(Op::Open { attempt, key }));
                }
                again(unknown, Call::Answered(reply))
            }
            Call::Answered(reply) => self.opened(attempt, press, unknown, reply),
        }
    }

    fn opened(&mut self, number: usize, press: Option<Press>, unknown: bool, reply: Reply) -> Next {
        let attempt = self.names.attempts[number].clone();
        let fact = match reply {
            Reply::Opened { page } => {
                let url = self.names.pages[page].clone();
                let refs = Refs { session: Some(url.clone()), payment: None };
                let until = Some(self.provider.pages[page].until);
                Fact::Opened { attempt, refs, handoff: Handoff::Redirect { url }, until }
            }
            Reply::Seen(observation) => Fact::Observed { attempt, observation: *observation },
            Reply::Refused => Fact::NotOpened { attempt, reason: CloseReason::Refused },
            Reply::NotSent | Reply::RateLimited if !unknown || mutant::on(Mutant::FailedRetryIsNo) => {
                Fact::NotOpened { attempt, reason: CloseReason::Unreachable }
            }
            _ => Fact::Unanswered { attempt },
        };
        let _ = self.record(&fact);
        let stage = self.database.attempt(number).stage;
        if let (Some(press), Stage::Open) = (press, stage) {
            self.hand_over(number, press.tab);
        }
        if press.is_some() || !matches!(stage, Stage::Opening | Stage::Unknown) {
            return Next::Done;
        }
        if self.database.attempt(number).until.is_some_and(|until| self.now > until + PAGE_END_MARGIN) {
            let attempt = self.names.attempts[number].clone();
            let _ = self.record(&Fact::NotOpened { attempt, reason: CloseReason::Expired });
            return Next::Done;
        }
        if mutant::on(Mutant::UnknownIsForgotten) {
            return Next::Done;
        }
        Next::Failed
    }

    pub(super) fn close(&mut self, attempt: usize, press: Option<Press>, call: Call) -> Next {
        match call {
            Call::None if !matches!(self.database.attempt(attempt).stage, Stage::Closing(_)) => self.next_turn(press),
            Call::None => Next::Again(Work::Close { attempt, press, call: Call::Sent(Op::Close { attempt }) }),
            Call::Sent(op) => {
                let reply = self.transmit(op);
                Next::Again(Work::Close { attempt, press, call: Call::Answered(reply) })
            }
            Call::Answered(reply) => {
                if let Reply::Seen(observation) = reply {
                    self.observe(attempt, *observation);
                } else if press.is_none() {
                    return Next::Failed;
                }
                if press.is_some() {
                    return self.next_turn(press);
                }
                let known = self.database.attempt(attempt);
                if matches!(known.stage, Stage::Closing(_)) {
                    return Next::At(self.now + ((self.now - known.created) / 4).clamp(10 * SECOND, 15 * MINUTE));
                }
                Next::Done
            }
        }
    }

    pub fn observe(&mut self, number: usize, observation: Observation) {
        let attempt = self.names.attempts[number].clone();
        let _ = self.record(&Fact::Observed { attempt, observation });
    }

    /// Whether only asking, or waiting, can bring news of the attempt.
    fn is_waiting(&self, attempt: usize) -> bool {
        matches!(self.database.attempt(attempt).stage, Stage::Open | Stage::Closing(_))
    }

    pub(super) fn check_attempt(&mut self, attempt: usize, call: Call) -> Next {
        match call {
            Call::None if !self.is_waiting(attempt) => Next::Done,
            Call::None => Next::Again(Work::Check { attempt, call: Call::Sent(Op::Fetch { attempt }) }),
            Call::Sent(op) => {
                let reply = self.transmit(op);
                Next::Again(Work::Check { attempt, call: Call::Answered(reply) })
            }
            Call::Answered(Reply::Seen(observation)) => {
                self.observe(attempt, *observation);
                if !self.is_waiting(attempt) {
                    return Next::Done;
                }
                let age = self.now - self.database.attempt(attempt).created;
                Next::At(self.now + age.clamp(MINUTE, 15 * MINUTE))
            }
            Call::Answered(_) => Next::Failed,
        }
    }
}
