//! The kinds of jobs, and how jobs are enqueued. A kind's handler is in `crate::jobs`.

use domain::id::{AttemptId, JobId, ModificationId, ProviderAccountId};
use domain::{MINUTE, Millis, SECOND};

use crate::context::Context;
use crate::error::Error;
use crate::scope::ENGINE;
use crate::store::jobs::NewJob;
use crate::store::{Connection, jobs};

/// How long a job is leased. The lease outlasts the longest run, so that no other worker begins the job meanwhile.
pub(crate) const LEASE: Millis = 90 * SECOND;
/// The highest bound of the pause after a failure. The bound doubles up to this.
const BACKOFF_MAX: Millis = 15 * MINUTE;

/// A kind of job. A job's subject is an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Asks the provider for news of an attempt. Subject: attempt.
    Check,
    /// Closes an attempt's page at the provider. Subject: attempt.
    Close,
    /// Ends a session whose time has run out. Subject: session.
    Expire,
    /// Asks the provider about an attempt that an unsigned delivery named. Subject: attempt.
    Hint,
    /// Sends a capture, void or refund, or asks for its outcome. Subject: attempt/modification.
    Modify,
    /// Opens an attempt whose opening was interrupted or not answered. Subject: attempt.
    Open,
    /// Raises an alert if more has gone back of an attempt than it took. Subject: attempt.
    Overdrawn,
    /// Walks through a merchant's payments after the policy for surplus money was set. Subject: merchant, or merchant/payment.
    Policy,
    /// Removes rows that are older than their retention. Subject: a word.
    Prune,
    /// Lists an account's events and takes in the events that were missed. Subject: provider account.
    Repair,
    /// Sends back or holds surplus money, paid beyond the debt. Subject: payment.
    Surplus,
    /// Gives up deliveries whose payment never became known. Subject: a word.
    Sweep,
}

impl Kind {
    pub(crate) const ALL: [Kind; 12] = [
        Kind::Check,
        Kind::Close,
        Kind::Expire,
        Kind::Hint,
        Kind::Modify,
        Kind::Open,
        Kind::Overdrawn,
        Kind::Policy,
        Kind::Prune,
        Kind::Repair,
        Kind::Surplus,
        Kind::Sweep,
    ];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Kind::Check => "check",
            Kind::Close => "close",
            Kind::Expire => "expire",
            Kind::Hint => "hint",
            Kind::Modify => "modify",
            Kind::Open => "open",
            Kind::Overdrawn => "overdrawn",
            Kind::Policy => "policy",
            Kind::Prune => "prune",
            Kind::Repair => "repair",
            Kind::Surplus => "surplus",
            Kind::Sweep => "sweep",
        }
    }
}

/// The next step of a job that did not fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    /// The job has nothing left to do.
    Done,
    /// The job runs again at this time.
    At(Millis),
}

/// The work that is due now because of a change.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Work {
    /// Whether jobs are due.
    pub jobs: bool,
    /// Whether deliveries that have waited are due.
    pub deliveries: bool,
}

/// The subject of a modification's job.
pub(crate) fn modification_subject(attempt: &AttemptId, modification: &ModificationId) -> String {
    format!("{attempt}/{modification}")
}

impl Context {
    /// Enqueues a job in the caller's transaction.
    pub(crate) async fn enqueue(
        &self,
        connection: &mut Connection,
        kind: Kind,
        account: Option<&ProviderAccountId>,
        subject: &str,
        run_at: Millis,
    ) -> Result<(), Error> {
        let job = self.new_job(kind, account, subject, run_at);
        jobs::enqueue(connection, &ENGINE, std::slice::from_ref(&job), self.env().now()).await
    }

    /// A job, with an id of its own.
    pub(crate) fn new_job(
        &self,
        kind: Kind,
        account: Option<&ProviderAccountId>,
        subject: &str,
        run_at: Millis,
    ) -> NewJob {
        let id = JobId::from_random(self.env().timed_bits());
        NewJob { id, kind: kind.as_str(), subject: subject.to_owned(), account: account.cloned(), run_at }
    }
}

/// Full jitter over a doubling bound.
pub(crate) fn backoff(context: &Context, tries: i64) -> Millis {
    let doubled = SECOND.checked_shl(u32::try_from(tries.clamp(0, 20)).unwrap_or(20)).unwrap_or(BACKOFF_MAX);
    100 + context.env().below(doubled.min(BACKOFF_MAX))
}
