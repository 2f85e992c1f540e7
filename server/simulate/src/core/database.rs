//! Till's database, which survives a crash. Every method that changes it is one transaction.

use domain::ledger::{self, Account};
use domain::money::Money;
use domain::mutant::{self, Mutant};
use domain::payment::{
    Answer, Attempt, Capture, Event, Fact, Payment, Refusal, Stage, Told, decide, told, transitions,
};
use domain::session::{Session, SessionState};
use domain::{MINUTE, Millis, SECOND};

use super::names::Names;
use super::provider::Kind;
use super::world::{SESSION_TTL, START, World, note};

/// See `engine::record`.
const OPEN_GRACE: Millis = 30 * SECOND;
const UNKNOWN_RETRY: Millis = 2 * SECOND;
const FIRST_CHECK: Millis = MINUTE;

/// The kind of a job; the subject of a job is a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum JobKind {
    Apply,
    Check,
    Close,
    Expire,
    Modify,
    Open,
    Surplus,
}

/// A row of the job queue, see `engine::store::jobs`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Job {
    pub kind: JobKind,
    pub subject: usize,
    pub run_at: Millis,
    pub leased_until: Millis,
    pub generation: u32,
    pub tries: u32,
    pub failed: bool,
}

/// The state of a stored delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum InboxState {
    /// To be applied.
    Pending,
    Applied,
    Mismatch,
    /// The delivery's attempt is unknown. The transaction that makes the attempt known takes the delivery up.
    Waiting,
}

/// A row of the inbox.
#[derive(Debug, Clone, Copy)]
pub(super) struct InboxRow {
    pub event: usize,
    pub state: InboxState,
    /// How often a transaction has applied the delivery.
    pub applied: u32,
}

/// All tables.
pub(super) struct Database {
    pub payment: Payment,
    /// The same payment, folded from the stored events alone. During a transaction this copy is one transaction behind.
    pub replayed: Payment,
    pub session: Session,
    /// The ledger's balances, debit positive, in the order of [`Account::OF_PAYMENTS`].
    pub balances: [i64; 5],
    pub outbox: Vec<Told>,
    pub inbox: Vec<InboxRow>,
    pub jobs: Vec<Job>,
    /// The attempt of each modification.
    pub modified: Vec<usize>,
    /// Alerts of second payments.
    pub alerts: usize,
    /// Whether a person was alerted that too much was paid and that the excess is held or could not be sent back. The
    /// flag is reset when the merchant asks for it to be sent back.
    pub held: bool,
}

impl Database {
    pub fn new(payment: Payment, session: Session) -> Self {
        Database {
            replayed: payment.clone(),
            payment,
            session,
            balances: [0; 5],
            outbox: vec![],
            inbox: vec![],
            jobs: vec![],
            modified: vec![],
            alerts: 0,
            held: false,
        }
    }

    pub fn clear(&mut self, amount: Money, capture: Capture) {
        for payment in [&mut self.payment, &mut self.replayed] {
            (payment.amount, payment.capture, payment.canceled) = (amount, capture, false);
            payment.attempts.clear();
        }
        self.session.state = SessionState::Open;
        (self.session.created, self.session.expires) = (START, START + SESSION_TTL);
        self.balances = [0; 5];
        self.outbox.clear();
        self.inbox.clear();
        self.jobs.clear();
        self.modified.clear();
        (self.alerts, self.held) = (0, false);
        self.enqueue(JobKind::Expire, 0, START + SESSION_TTL);
    }

    /// Enqueues a job. An existing job is brought forward, never put off.
    pub fn enqueue(&mut self, kind: JobKind, subject: usize, run_at: Millis) {
        match self.job(kind, subject) {
            Some(job) => (job.run_at, job.generation) = (job.run_at.min(run_at), job.generation + 1),
            None => {
                self.jobs.push(Job { kind, subject, run_at, leased_until: 0, generation: 0, tries: 0, failed: false })
            }
        }
    }

    pub fn job(&mut self, kind: JobKind, subject: usize) -> Option<&mut Job> {
        self.jobs.iter_mut().find(|job| job.kind == kind && job.subject == subject)
    }

    fn hasten(&mut self, kind: JobKind, subject: usize, now: Millis) {
        if let Some(job) = self.job(kind, subject) {
            let wanted = if job.failed { now + 30 * SECOND } else { now };
            if job.leased_until > now || job.run_at > wanted {
                job.generation += u32::from(job.leased_until > now);
                job.run_at = wanted;
            }
        }
    }

    pub fn attempt(&self, number: usize) -> &Attempt {
        &self.payment.attempts[number]
    }

    /// The page that the database has for an attempt.
    pub fn page_of(&self, attempt: usize) -> Option<usize> {
        self.payment.attempts.get(attempt)?.refs.session.as_deref().and_then(Names::number)
    }
}

impl World {
    /// One transaction: decides about a fact and stores the consequences, as `engine::record` does. Returns whether the
    /// fact was news.
    pub fn record(&mut self, fact: &Fact) -> Result<bool, Refusal> {
        let events = decide(&self.database.payment, fact)?;
        if events.is_empty() {
            return Ok(false);
        }
        let before = self.database.payment.clone();
        for event in &events {
            self.census.event(event, &self.database.payment);
            self.database.payment.apply(event);
        }
        note!(self, "  stored {}: {:?} → {:?}", names(&events), before.status(), self.database.payment.status());
        if let Err(how) = transitions::allow(&before, fact, &self.database.payment) {
            self.violate("every change is in the tables", |_| format!("{how:?} after {fact:?}"));
        }
        self.post(&events);
        self.follow_up(&events);
        for event in &events {
            self.database.replayed.apply(event);
        }
        self.check_each(&events);
        Ok(true)
    }

    /// The ledger's entries and the outbox' rows.
    fn post(&mut self, _events: &[Event]) {
        let Database { payment, replayed, balances, outbox, .. } = &mut self.database;
        for entry in ledger::entries(replayed, payment) {
            for (balance, account) in balances.iter_mut().zip(Account::OF_PAYMENTS) {
                *balance += entry.effect(account);
            }
            if mutant::on(Mutant::LedgerPostsTwice) && entry.business == ledger::Business::RefundSent {
                for (balance, account) in balances.iter_mut().zip(Account::OF_PAYMENTS) {
                    *balance += entry.effect(account);
                }
            }
        }
        outbox.extend(told(replayed, payment));
    }

    /// The jobs that the events require, enqueued in the same transaction: `engine::record::follow_up`.
    fn follow_up(&mut self, events: &[Event]) {
        let now = self.now;
        for event in events {
            let Some(attempt) = event.attempt().and_then(|id| self.number_of(id)) else { continue };
            match event {
                Event::Started { .. } => {
                    self.database.enqueue(JobKind::Open, attempt, now + OPEN_GRACE);
                    self.wake(attempt);
                }
                Event::Staged { stage: Stage::Closed(_), .. } => self.database.hasten(JobKind::Expire, 0, now),
                Event::Staged { stage: Stage::Unknown, .. } => {
                    self.database.enqueue(JobKind::Open, attempt, now + UNKNOWN_RETRY);
                }
                Event::Staged { stage: Stage::Open, .. } => {
                    self.database.enqueue(JobKind::Check, attempt, now + FIRST_CHECK);
                }
                Event::Staged { stage: Stage::Closing(_), .. } => self.database.enqueue(JobKind::Close, attempt, now),
                Event::SecondSuccess { .. } => {
                    self.database.alerts += 1;
                    self.database.enqueue(JobKind::Surplus, 0, now);
                }
                Event::Modifying { modification, .. } => {
                    let number = self.modification_number(&modification.id);
                    self.database.enqueue(JobKind::Modify, number, now + OPEN_GRACE);
                }
                Event::Answered { modification, answer, .. } => {
                    let number = self.modification_number(modification);
                    let wait = if *answer == Answer::Unanswered { UNKNOWN_RETRY } else { FIRST_CHECK };
                    self.database.enqueue(JobKind::Modify, number, now + wait);
                }
                _ => {}
            }
        }
        let (payment, before) = (&self.database.payment, &self.database.replayed);
        let anew = payment.wanted_back().is_some() && before.wanted_back().is_none();
        if anew || payment.surplus() > before.surplus() {
            self.database.enqueue(JobKind::Surplus, 0, now);
        }
        if self.database.payment.status().is_settled() && self.database.session.state == SessionState::Open {
            self.database.session.state = SessionState::Complete;
        }
    }

    /// Takes up the deliveries that wait for an attempt: `engine::store::inbox::bring_forward`.
    fn wake(&mut self, attempt: usize) {
        for inbox in 0..self.database.inbox.len() {
            let row = self.database.inbox[inbox];
            if row.state == InboxState::Waiting && self.events[row.event].attempt == attempt {
                self.database.inbox[inbox].state = InboxState::Pending;
                self.database.enqueue(JobKind::Apply, inbox, self.now);
            }
        }
    }

    pub fn number_of(&self, id: &domain::id::AttemptId) -> Option<usize> {
        self.database.payment.attempts.iter().position(|attempt| attempt.id == *id)
    }

    fn modification_number(&self, id: &domain::id::ModificationId) -> usize {
        self.names.modifications.iter().position(|known| known == id).unwrap_or(0)
    }

    /// The kind of provider of an attempt.
    pub fn kind_of(&self, attempt: usize) -> Kind {
        let card = self.database.attempt(attempt).account == self.names.accounts[0];
        self.kinds[usize::from(!card)]
    }
}

fn names(events: &[Event]) -> String {
    let one = |event: &Event| match event {
        Event::Staged { stage, .. } => format!("{stage:?}"),
        Event::Moved { movement, .. } => format!("{movement:?}"),
        Event::Modifying { modification, .. } => format!("modifying {:?}", modification.kind),
        Event::Answered { answer, .. } => format!("{answer:?}"),
        other => other.name().to_owned(),
    };
    events.iter().map(one).collect::<Vec<_>>().join(", ")
}
