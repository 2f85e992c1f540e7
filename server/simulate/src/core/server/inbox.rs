//! Receives, stores, acknowledges and applies deliveries, see `engine::inbox`.

use domain::mutant::{self, Mutant};
use domain::payment::{Fact, Refusal};

use super::{Next, Work};
use crate::census::Seen;
use crate::core::database::{InboxRow, InboxState, JobKind};
use crate::core::network::Forgery;
use crate::core::world::{World, note};

impl World {
    pub(super) fn receive(&mut self, server: u8, event: usize, stored: bool) -> Next {
        let early = mutant::on(Mutant::AcknowledgedBeforeStored);
        if stored != early {
            if !stored || !early {
                self.acknowledge(event);
            }
            return if early && !stored { Next::Again(Work::Receive { event, stored: true }) } else { Next::Done };
        }
        let one = self.events[event];
        if one.forged == Forgery::Unsigned && !mutant::on(Mutant::ForgedAccepted) {
            note!(self, "server {server}: event {event} is not signed, rejected");
            return Next::Done;
        }
        if !self.database.inbox.iter().any(|row| row.event == event) {
            let inbox = self.database.inbox.len();
            let known = one.attempt < self.database.payment.attempts.len();
            let state = if known { InboxState::Pending } else { InboxState::Waiting };
            self.database.inbox.push(InboxRow { event, state, applied: 0 });
            if known {
                self.database.enqueue(JobKind::Apply, inbox, self.now);
            }
            note!(self, "server {server}: event {event} stored");
        }
        if early { Next::Done } else { Next::Again(Work::Receive { event, stored: true }) }
    }

    fn acknowledge(&mut self, event: usize) {
        if self.fault() {
            note!(self, "network: the reply to event {event} is lost");
            self.census.count(Seen::ReplyLost);
            self.flights.push(event);
        } else {
            self.events[event].acknowledged = true;
        }
    }

    pub(super) fn apply(&mut self, inbox: usize) -> Next {
        let row = self.database.inbox[inbox];
        if row.state != InboxState::Pending && !mutant::on(Mutant::AppliedTwice) {
            return Next::Done;
        }
        let event = self.events[row.event];
        let attempt = self.names.attempts[event.attempt].clone();
        let observation = self.read(&event);
        note!(self, "  applying event {}", row.event);
        match self.record(&Fact::Observed { attempt, observation }) {
            Ok(_) => {
                let row = &mut self.database.inbox[inbox];
                (row.state, row.applied) = (InboxState::Applied, row.applied + 1);
            }
            Err(Refusal::Mismatch { .. } | Refusal::Contradiction(_)) => {
                self.database.inbox[inbox].state = InboxState::Mismatch;
            }
            Err(_) => return Next::Failed,
        }
        Next::Done
    }
}
