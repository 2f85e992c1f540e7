//! The two servers: what is under way in their memory, step by step. The rules are those of `engine::checkout` and
//! `engine::jobs`, with the same reads before and transactions after every call.

use domain::method::Method;
use domain::mutant::{self, Mutant};
use domain::payment::{
    Answer, Attempt, CloseReason, Fact, Handoff, Limits, Modification, ModificationKind, Observation, Outcome, Refs,
    Refusal, Stage,
};
use domain::session::SessionState;
use domain::{DAY, MINUTE, Millis, SECOND};

use super::database::{InboxRow, InboxState, Job, JobKind};
use super::names::NAMES;
use super::network::{Forgery, Op, Reply};
use super::provider::{Kind, PageState};
use super::world::{PAGE_MARGIN, World, note};
use crate::census::Seen;

const LEASE: Millis = 90 * SECOND;
/// How much later than asked for a provider may close a page.
const PAGE_END_MARGIN: Millis = 5 * MINUTE;
/// Looks one press of the button takes.
pub(super) const TURNS_MAX: u8 = 4;
/// Attempts and modifications a seed may make.
const ATTEMPTS_MAX: usize = 5;
const MODIFICATIONS_MAX: usize = 8;
/// Refunds or voids of one attempt that may fail before a person must decide.
const FAILURES_MAX: usize = 3;

/// A press of the button that is being served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Press {
    pub method: Method,
    pub tab: usize,
    pub turns: u8,
}

/// Where a call to a provider is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Call {
    None,
    Sent(Op),
    Answered(Reply),
}

/// What a task does.
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
    /// The job's work is done; its row is settled in a transaction of its own.
    Finish(Ending),
}

/// How a job's run ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    Done,
    At(Millis),
    Failed,
}

/// Something under way on a server; a crash forgets it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Task {
    pub server: u8,
    pub work: Work,
    /// The job it runs: kind, subject, generation and lease.
    pub job: Option<(JobKind, usize, u32, Millis)>,
}

/// What a step leads to.
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

    /// Leases a due job, if there is one.
    pub fn claim(&mut self) -> bool {
        let now = self.now;
        let count = self.database.jobs.len();
        let from = self.random.below(count.max(1));
        let due = |job: &Job| job.run_at <= now && job.leased_until <= now;
        let found = (0..count).map(|offset| (from + offset) % count).find(|at| due(&self.database.jobs[*at]));
        let Some(at) = found else { return false };
        let job = &mut self.database.jobs[at];
        job.leased_until = now + LEASE;
        job.tries += 1;
        let (kind, subject) = (job.kind, job.subject);
        let lease = Some((kind, subject, job.generation, job.leased_until));
        let work = match kind {
            JobKind::Apply => Work::Apply { inbox: subject },
            JobKind::Check => Work::Check { attempt: subject, call: Call::None },
            JobKind::Close => Work::Close { attempt: subject, press: None, call: Call::None },
            JobKind::Expire => Work::Expire,
            JobKind::Modify => Work::Modify { modification: subject, first: false, unknown: false, call: Call::None },
            JobKind::Open => Work::Open { attempt: subject, press: None, unknown: false, call: Call::None },
            JobKind::Surplus => Work::Surplus,
        };
        let server = self.random.below(2) as u8;
        note!(self, "server {server}: job {kind:?} {subject}");
        self.tasks.push(Task { server, work, job: lease });
        true
    }

    /// One server dies between two steps. What it had sent may still arrive.
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

    fn finish(&mut self, server: u8, job: Option<(JobKind, usize, u32, Millis)>, ending: Ending) {
        if job.is_some() {
            self.tasks.push(Task { server, work: Work::Finish(ending), job });
        }
    }

    fn settle(&mut self, lease: Option<(JobKind, usize, u32, Millis)>, ending: Ending) {
        let Some((kind, subject, generation, leased_until)) = lease else { return };
        let found = self
            .database
            .jobs
            .iter()
            .position(|job| (job.kind, job.subject, job.leased_until) == (kind, subject, leased_until));
        let Some(at) = found else { return };
        let jitter = self.random.below(1_000) as Millis;
        let now = self.now;
        let job = &mut self.database.jobs[at];
        match ending {
            Ending::Done if job.generation == generation => drop(self.database.jobs.swap_remove(at)),
            Ending::Done => (job.leased_until, job.tries, job.failed, job.run_at) = (0, 0, false, now),
            Ending::At(_) | Ending::Failed => {
                let failed = ending == Ending::Failed;
                let backoff = now + 100 + jitter + (SECOND << job.tries.min(8));
                let time = if let Ending::At(time) = ending { time } else { backoff };
                let sooner = job.generation != generation && job.run_at < time;
                job.run_at = if sooner { job.run_at } else { time };
                job.tries = if failed { job.tries } else { 0 };
                (job.leased_until, job.failed) = (0, failed);
            }
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

    /// The network between, with its faults; the provider acts when the request arrives.
    fn transmit(&mut self, op: Op) -> Reply {
        // What moves money is the place to look.
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

    fn turn(&mut self, press: Press) -> Next {
        let (payment, session) = (&self.database.payment, &self.database.session);
        if press.turns == 0 {
            return Next::Done;
        }
        if let Some(live) = payment.live() {
            let attempt = self.number_of(&live.id).unwrap_or(0);
            return match live.stage {
                Stage::Opening | Stage::Closing(_) => {
                    Next::Again(Work::Start(Press { turns: press.turns - 1, ..press }))
                }
                Stage::Open if live.method == press.method && live.usable_handoff(self.now).is_some() => {
                    self.hand_over(attempt, press.tab);
                    Next::Done
                }
                Stage::Open if !live.is_processing() && !session.is_over(self.now) => {
                    Next::Again(Work::CloseFirst { attempt, reason: CloseReason::Superseded, press: Some(press) })
                }
                Stage::Unknown if mutant::on(Mutant::StartWhileUnknown) => Next::Again(Work::Begin(press)),
                _ => Next::Done,
            };
        }
        if session.is_over(self.now) || payment.status().is_settled() || payment.canceled {
            return Next::Done;
        }
        Next::Again(Work::Begin(press))
    }

    fn begin_attempt(&mut self, press: Press) -> Next {
        let number = self.database.payment.attempts.len();
        if number >= ATTEMPTS_MAX {
            return Next::Done;
        }
        // In the same transaction as the insertion, see `engine::checkout::start::insert`.
        if self.database.session.is_over(self.now) {
            return Next::Done;
        }
        let account = self.names.accounts[usize::from(press.method == Method::BankDebit)].clone();
        let (id, session) = (self.names.attempts[number].clone(), self.names.session.clone());
        let until = self.database.session.expires.max(self.now + PAGE_MARGIN);
        let amount = self.database.payment.amount;
        let attempt = Attempt::new(id, session, account, press.method, amount, self.now, until);
        match self.record(&Fact::Start(Box::new(attempt))) {
            Ok(_) => Next::Again(Work::Open { attempt: number, press: Some(press), unknown: false, call: Call::None }),
            Err(Refusal::Live(_)) => Next::Again(Work::Start(Press { turns: press.turns - 1, ..press })),
            Err(_) => Next::Done,
        }
    }

    /// The shopper's tab goes to the provider's page.
    fn hand_over(&mut self, attempt: usize, tab: usize) {
        // See `engine::checkout::view::handoff`.
        let payment = &self.database.payment;
        if self.database.session.is_over(self.now) || payment.status().is_settled() {
            return;
        }
        if let Some(page) = self.database.page_of(attempt) {
            note!(self, "shopper: tab {tab} is at page {page}");
            self.tabs[tab] = Some(page);
            self.census.count(Seen::Redirected);
            self.provider.pages[page].given = true;
            self.check_payable();
        }
    }

    fn close_first(&mut self, attempt: usize, reason: CloseReason, press: Option<Press>) -> Next {
        let id = self.database.attempt(attempt).id.clone();
        match self.record(&Fact::CloseRequested { attempt: id, reason }) {
            Ok(_) => Next::Again(Work::Close { attempt, press, call: Call::None }),
            Err(_) => self.next_turn(press),
        }
    }

    fn next_turn(&self, press: Option<Press>) -> Next {
        match press {
            Some(press) if press.turns > 1 => Next::Again(Work::Start(Press { turns: press.turns - 1, ..press })),
            _ => Next::Done,
        }
    }

    fn key(&mut self, regular: usize, again: bool) -> usize {
        if again && mutant::on(Mutant::NewKeyOnRetry) {
            self.stray_keys += 1;
            return regular + 10_000 * self.stray_keys;
        }
        regular
    }

    fn open(&mut self, attempt: usize, press: Option<Press>, unknown: bool, call: Call) -> Next {
        let again = |unknown, call| Next::Again(Work::Open { attempt, press, unknown, call });
        match call {
            Call::None => {
                let stage = self.database.attempt(attempt).stage;
                // Whoever went before may have died after asking.
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

    fn close(&mut self, attempt: usize, press: Option<Press>, call: Call) -> Next {
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

    /// Whether only asking, or waiting, can tell more.
    fn is_waiting(&self, attempt: usize) -> bool {
        matches!(self.database.attempt(attempt).stage, Stage::Open | Stage::Closing(_))
    }

    fn check_attempt(&mut self, attempt: usize, call: Call) -> Next {
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

    /// Writes a capture, void or refund down; it is sent by a task, or by a job if that is lost.
    pub fn ask(&mut self, attempt: usize, kind: ModificationKind) {
        let number = self.database.modified.len();
        if number >= MODIFICATIONS_MAX.min(NAMES) {
            return;
        }
        let limits = match self.kind_of(attempt) {
            Kind::Results => Limits { partial_capture: true, multi_capture: false, partial_refund: true },
            Kind::Receipts => Limits { partial_capture: true, multi_capture: true, partial_refund: true },
        };
        let modification = Modification::new(self.names.modifications[number].clone(), kind, self.now);
        let id = self.database.attempt(attempt).id.clone();
        self.database.modified.push(attempt);
        let fact = Fact::Modify { attempt: id, modification: Box::new(modification), limits };
        match self.record(&fact) {
            Ok(_) => self.spawn(Work::Modify { modification: number, first: true, unknown: false, call: Call::None }),
            Err(refusal) => {
                self.database.modified.pop();
                note!(self, "merchant: {kind:?} of attempt {attempt} is refused: {refusal}");
            }
        }
    }

    fn modification(&mut self, modification: usize, first: bool, unknown: bool, call: Call) -> Next {
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
            // Nothing was done this time; what came of an earlier request is as open as before.
            Reply::NotSent | Reply::RateLimited => return Next::Failed,
            Reply::Lost => Answer::Unanswered,
        };
        let id = self.names.modifications[modification].clone();
        let _ = self.record(&Fact::Answered { attempt, modification: id.clone(), answer });
        let failed = self.outcome(number, modification) == Some(Outcome::Failed);
        if first && failed && !self.ending && self.random.percent(60) {
            let kind = self.database.attempt(number).modification(&id).map(|known| known.kind);
            note!(self, "merchant: tries again what has failed");
            kind.into_iter().for_each(|kind| self.ask(number, kind));
        }
        self.modified(number, modification, first)
    }

    /// How the job goes on, see `engine::jobs::modify`.
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

    fn receive(&mut self, server: u8, event: usize, stored: bool) -> Next {
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
            let row = InboxRow { event, received: self.now, state: InboxState::Pending, applied: 0 };
            self.database.inbox.push(row);
            self.database.enqueue(JobKind::Apply, inbox, self.now);
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

    fn apply(&mut self, inbox: usize) -> Next {
        let row = self.database.inbox[inbox];
        if row.state != InboxState::Pending && !mutant::on(Mutant::AppliedTwice) {
            return Next::Done;
        }
        let event = self.events[row.event];
        if event.attempt >= self.database.payment.attempts.len() {
            if self.now - row.received < DAY {
                return Next::At(self.now + (self.now - row.received).clamp(SECOND, 10 * MINUTE));
            }
            self.database.inbox[inbox].state = InboxState::Orphan;
            return Next::Done;
        }
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

    fn expire(&mut self) -> Next {
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
                let news = vec![domain::payment::News::Closed(CloseReason::Expired)];
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
    fn surplus(&mut self) -> Next {
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
        self.ask(number, kind);
        Next::At(self.now)
    }

    /// At most one page can be paid by somebody at any time.
    pub fn check_payable(&mut self) {
        let payable = |page: &super::provider::Page| page.given && page.state == PageState::Open;
        let count = self.provider.pages.iter().filter(|page| payable(page)).count();
        if count > 1 {
            self.violate("at most one page can be paid on", |_| format!("{count} pages are open to a shopper"));
        }
    }
}
