//! The two servers: the tasks in their memory, step by step. The rules are those of `engine::checkout` and
//! `engine::jobs`, with the same reads before and transactions after every call.

mod attempt;
mod end;
mod inbox;
mod lease;
mod modify;
mod start;

pub(super) use self::modify::Asker;

use domain::Millis;
use domain::method::Method;
use domain::mutant::{self, Mutant};
use domain::payment::{CloseReason, Fact};

use super::database::JobKind;
use super::network::{Op, Reply};
use super::world::{World, note};
use crate::census::Seen;

/// How often one press of the button looks at the payment before it gives up.
pub(super) const TURNS_MAX: u8 = 4;

/// A press of the button on its way through the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Press {
    pub method: Method,
    pub tab: usize,
    pub turns: u8,
}

/// The state of a call to a provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Call {
    None,
    Sent(Op),
    Answered(Reply),
}

/// The work of a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Work {
    Start(Press),
    Begin(Press),
    CloseFirst {
        attempt: usize,
        reason: CloseReason,
        press: Option<Press>,
    },
    Open {
        attempt: usize,
        press: Option<Press>,
        unknown: bool,
        call: Call,
    },
    Close {
        attempt: usize,
        press: Option<Press>,
        call: Call,
    },
    Check {
        attempt: usize,
        call: Call,
    },
    Modify {
        modification: usize,
        first: bool,
        unknown: bool,
        call: Call,
    },
    Apply {
        inbox: usize,
    },
    Expire,
    Surplus,
    Receive {
        event: usize,
        stored: bool,
    },
    Cancel,
    /// The job's work is done. Its row is settled in a transaction of its own.
    Finish(Ending),
}

/// How a job's run ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    Done,
    At(Millis),
    Failed,
}

/// A running job: kind, subject, generation, and the end of its lease.
pub(super) type Lease = (JobKind, usize, u32, Millis);

/// A task on a server; a crash forgets it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Task {
    pub server: u8,
    pub work: Work,
    /// The job that the task runs.
    pub job: Option<Lease>,
}

/// The result of a step.
enum Next {
    Again(Work),
    Done,
    At(Millis),
    Failed,
    Settle(Ending),
}

impl World {
    pub fn spawn(&mut self, work: Work) {
        let server = self.random.below(2) as u8;
        self.tasks.push(Task { server, work, job: None });
    }

    /// One server dies between two steps. A request that it has sent may still arrive.
    pub fn crash(&mut self, server: u8) {
        note!(
            self,
            "server {server} crashes with {} things under way",
            self.tasks.iter().filter(|task| task.server == server).count()
        );
        self.census.count(Seen::Crash);
        let mut at = 0;
        while at < self.tasks.len() {
            if self.tasks[at].server == server {
                let task = self.tasks.swap_remove(at);
                if let Work::Open { call: Call::Sent(op), .. }
                | Work::Close { call: Call::Sent(op), .. }
                | Work::Modify { call: Call::Sent(op), .. } = task.work
                    && self.random.percent(50)
                {
                    self.late.push(op);
                }
                if let Work::Receive { event, .. } = task.work
                    && !self.events[event].acknowledged
                {
                    self.flights.push(event);
                }
            } else {
                at += 1;
            }
        }
    }

    /// Runs one step of a task.
    pub fn advance(&mut self, at: usize) {
        let Task { server, work, job } = self.tasks.swap_remove(at);
        match self.run(server, work) {
            Next::Again(work) => self.tasks.push(Task { server, work, job }),
            Next::Done => self.finish(server, job, Ending::Done),
            Next::At(time) => self.finish(server, job, Ending::At(time)),
            Next::Failed => self.finish(server, job, Ending::Failed),
            Next::Settle(ending) => self.settle(job, ending),
        }
    }

    fn run(&mut self, server: u8, work: Work) -> Next {
        match work {
            Work::Start(press) => self.turn(press),
            Work::Begin(press) => self.begin_attempt(press),
            Work::CloseFirst { attempt, reason, press } => self.close_first(attempt, reason, press),
            Work::Open { attempt, press, unknown, call } => self.open(attempt, press, unknown, call),
            Work::Close { attempt, press, call } => self.close(attempt, press, call),
            Work::Check { attempt, call } => self.check_attempt(attempt, call),
            Work::Modify { modification, first, unknown, call } => {
                self.modification(modification, first, unknown, call)
            }
            Work::Apply { inbox } => self.apply(inbox),
            Work::Expire => self.expire(),
            Work::Surplus => self.surplus(),
            Work::Receive { event, stored } => self.receive(server, event, stored),
            Work::Finish(ending) => Next::Settle(ending),
            Work::Cancel => {
                let _ = self.record(&Fact::Cancel);
                Next::Done
            }
        }
    }

    /// Sends a request through the network, with its faults. The provider acts when the request arrives.
    fn transmit(&mut self, op: Op) -> Reply {
        // Faults are most telling in requests that move money.
        let risky = matches!(op, Op::Modify { .. }) && self.fault();
        if !risky && !self.fault() {
            return self.act(op);
        }
        self.census.count(Seen::RequestLost);
        match self.random.below(5) {
            0 => Reply::NotSent,
            1 => Reply::RateLimited,
            2 => Reply::Lost,
            3 => {
                self.late.push(op);
                Reply::Lost
            }
            _ => {
                self.act(op);
                note!(self, "network: the reply to {op:?} is lost");
                Reply::Lost
            }
        }
    }

    fn key(&mut self, regular: usize, again: bool) -> usize {
        if again && mutant::on(Mutant::NewKeyOnRetry) {
            self.stray_keys += 1;
            return regular + 10_000 * self.stray_keys;
        }
        regular
    }
}
