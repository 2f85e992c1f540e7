//! Captures, voids and refunds: requested, sent, answered and looked up, see `engine::jobs::modify`.

use domain::MINUTE;
use domain::payment::{Answer, Fact, Limits, Modification, ModificationKind, Outcome};

use super::{Call, Next, Work};
use crate::core::names::NAMES;
use crate::core::network::{Op, Reply};
use crate::core::provider::Kind;
use crate::core::world::{World, note};

/// Modifications that a merchant may request in a seed. The policy for second payments has no such bound.
const BY_MERCHANT_MAX: usize = 8;

/// The origin of a capture, void or refund.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::core) enum Asker {
    Merchant,
    /// The policy for second payments.
    Policy,
}

impl World {
    /// Writes a capture, void or refund down. A task sends it; a job does so if the task is lost.
    pub fn ask(&mut self, attempt: usize, kind: ModificationKind, asker: Asker) {
        let number = self.database.modified.len();
        let most = if asker == Asker::Merchant { BY_MERCHANT_MAX } else { NAMES };
        if number >= most.min(NAMES) {
            return;
        }
        if let (Asker::Policy, ModificationKind::Refund { amount }) = (asker, kind) {
            self.check_sent_back(attempt, amount);
        }
        let limits = match self.kind_of(attempt) {
            Kind::Results => Limits { partial_capture: true, multi_capture: false, partial_refund: true },
            Kind::Receipts => Limits { partial_capture: true, multi_capture: true, partial_refund: true },
        };
        let modification = Modification::new(self.names.modifications[number].clone(), kind, self.now);
        let id = self.database.attempt(attempt).id.clone();
        self.database.modified.push(attempt);
        self.by_policy.push(asker == Asker::Policy);
        self.finishes.push(matches!(kind, ModificationKind::Capture { last: true, .. }));
        let fact = Fact::Modify { attempt: id, modification: Box::new(modification), limits };
        match self.record(&fact) {
            Ok(_) => self.spawn(Work::Modify { modification: number, first: true, unknown: false, call: Call::None }),
            Err(refusal) => {
                self.database.modified.pop();
                self.by_policy.pop();
                self.finishes.pop();
                note!(self, "merchant: {kind:?} of attempt {attempt} is refused: {refusal}");
            }
        }
    }

    pub(super) fn modification(&mut self, modification: usize, first: bool, unknown: bool, call: Call) -> Next {
        let attempt = self.database.modified[modification];
        let again = |unknown, call| Next::Again(Work::Modify { modification, first, unknown, call });
        match call {
            Call::None => {
                let Some(outcome) = self.outcome(attempt, modification) else { return Next::Done };
                let unknown = outcome == Outcome::Unknown;
                if outcome.is_open() && !first && self.kind_of(attempt) == Kind::Results {
                    return again(unknown, Call::Sent(Op::FindModification { modification }));
                }
                if !matches!(outcome, Outcome::Requested | Outcome::Unknown) {
                    return self.modified(attempt, modification, first);
                }
                let key = self.key(2_000 + modification, !first);
                again(unknown, Call::Sent(Op::Modify { modification, key }))
            }
            Call::Sent(op) => {
                let reply = self.transmit(op);
                let outcome = self.outcome(attempt, modification);
                if reply == Reply::NotFound && matches!(outcome, Some(Outcome::Requested | Outcome::Unknown)) {
                    let key = self.key(2_000 + modification, !first);
                    return again(unknown, Call::Sent(Op::Modify { modification, key }));
                }
                again(unknown, Call::Answered(reply))
            }
            Call::Answered(reply) => self.take_reply(attempt, modification, first, reply),
        }
    }

    fn outcome(&self, attempt: usize, modification: usize) -> Option<Outcome> {
        let known = self.database.attempt(attempt);
        known.modification(&self.names.modifications[modification]).map(|found| found.outcome(&known.book))
    }

    fn take_reply(&mut self, number: usize, modification: usize, first: bool, reply: Reply) -> Next {
        let attempt = self.names.attempts[number].clone();
        let answer = match reply {
            Reply::Seen(observation) => {
                self.observe(number, *observation);
                return self.modified(number, modification, first);
            }
            Reply::Accepted { movement } => {
                Answer::Accepted { reference: movement.map(|number| self.names.moves[number].clone()) }
            }
            Reply::Refused => Answer::Refused { reason: "refused".to_owned() },
            Reply::NotFound | Reply::Opened { .. } => return self.modified(number, modification, first),
            // This request had no effect. The outcome of an earlier request is as open as before.
            Reply::NotSent | Reply::RateLimited => return Next::Failed,
            Reply::Lost => Answer::Unanswered,
        };
        let id = self.names.modifications[modification].clone();
        let _ = self.record(&Fact::Answered { attempt, modification: id.clone(), answer });
        let failed = self.outcome(number, modification) == Some(Outcome::Failed);
        if first && failed && !self.ending && self.random.percent(60) {
            let kind = self.database.attempt(number).modification(&id).map(|known| known.kind);
            note!(self, "merchant: tries again what has failed");
            kind.into_iter().for_each(|kind| self.ask(number, kind, Asker::Merchant));
        }
        self.modified(number, modification, first)
    }

    /// The job's next step, see `engine::jobs::modify`.
    fn modified(&mut self, attempt: usize, modification: usize, first: bool) -> Next {
        if first {
            return Next::Done;
        }
        match self.outcome(attempt, modification) {
            Some(Outcome::Requested | Outcome::Unknown) => Next::Failed,
            Some(Outcome::Pending) => {
                let id = &self.names.modifications[modification];
                let created = self.database.attempt(attempt).modification(id).map_or(self.now, |known| known.created);
                Next::At(self.now + (self.now - created).clamp(MINUTE, 6 * 60 * MINUTE))
            }
            _ => Next::Done,
        }
    }
}
