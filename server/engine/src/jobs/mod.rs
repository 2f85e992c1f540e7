//! Durable jobs: enqueued in the transaction that makes them necessary, run at least once, on any server.
//!
//! A kind is one file and one line in [`Kind`]. Handlers must tolerate running twice.

mod check;
mod close;
mod expire;
mod hint;
pub(crate) mod modify;
pub(crate) mod open;
pub(crate) mod overdrawn;
mod places;
mod policy;
pub(crate) mod proof;
mod prune;
mod repair;
mod rescue;
mod surplus;
mod sweep;

use std::time::Duration;

use domain::{MINUTE, Millis, SECOND};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{error, warn};

use crate::engine::Engine;
use crate::error::{Error, Later, Thing};
use crate::store::jobs::{self, Leased};
use places::Places;

/// How long a job may run. The lease outlasts the run, so that no other worker begins the job meanwhile.
const RUN_MAX: Duration = Duration::from_secs(75);
const LEASE: Millis = 90 * SECOND;
/// The longest time without a look for jobs that another server enqueued.
const IDLE_MAX: Duration = Duration::from_secs(1);
/// The shortest time until the next look, after a look that found no jobs.
const EMPTY_PAUSE: Duration = Duration::from_millis(50);
/// How often rows that a wrong clock has put off are looked for.
const RESCUE: Duration = Duration::from_secs(5);
/// Failed tries in a row after which an alert is raised. The job continues, because it concerns money.
const TRIES_ALERT: i64 = 20;
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
    const ALL: [Kind; 12] = [
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

    async fn run(self, engine: &Engine, subject: &str) -> Result<Next, Error> {
        match self {
            Kind::Check => check::run(engine, subject).await,
            Kind::Close => close::run(engine, subject).await,
            Kind::Expire => expire::run(engine, subject).await,
            Kind::Hint => hint::run(engine, subject).await,
            Kind::Modify => modify::run(engine, subject).await,
            Kind::Open => open::run(engine, subject).await,
            Kind::Overdrawn => overdrawn::run(engine, subject).await,
            Kind::Policy => policy::run(engine, subject).await,
            Kind::Prune => prune::run(engine).await,
            Kind::Repair => repair::run(engine, subject).await,
            Kind::Surplus => surplus::run(engine, subject).await,
            Kind::Sweep => sweep::run(engine).await,
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

/// Enqueues the jobs that always run.
pub(crate) async fn plant(engine: &Engine) {
    let planted = async {
        let mut tx = engine.store().begin().await?;
        let soon = engine.env().now() + MINUTE;
        engine.enqueue(&mut tx, Kind::Prune, None, "old", soon).await?;
        engine.enqueue(&mut tx, Kind::Sweep, None, "inbox", soon).await?;
        for account in crate::store::accounts::all(&mut tx).await? {
            engine.enqueue(&mut tx, Kind::Repair, Some(&account.id), account.id.as_str(), soon).await?;
        }
        engine.commit(tx).await
    };
    if let Err(error) = planted.await {
        warn!(%error, "the jobs that always run could not be enqueued");
    }
}

/// Runs jobs until shutdown, then waits for the running jobs.
pub(crate) async fn run(engine: Engine, shutdown: CancellationToken) {
    let mut places = Places::default();
    let mut looked: Option<Instant> = None;
    while !shutdown.is_cancelled() {
        if looked.is_none_or(|looked| looked.elapsed() > RESCUE) {
            looked = Some(Instant::now());
            if let Err(error) = rescue::run(&engine).await {
                warn!(%error, "what a wrong clock has put off could not be looked for");
            }
        }
        let begun = match begin(&engine, &mut places).await {
            Ok(begun) => begun,
            Err(error) => {
                warn!(%error, "no jobs can be leased");
                sleep(IDLE_MAX).await;
                continue;
            }
        };
        // A due job that cannot be claimed is leased by another worker at the moment.
        let pause = if begun { Duration::ZERO } else { until_next(&engine, &places.full()).await.max(EMPTY_PAUSE) };
        let room = places.has_room();
        tokio::select! {
            () = shutdown.cancelled() => {}
            () = places.ended(), if !places.is_empty() => {}
            () = engine.work(), if room => {}
            () = sleep(pause), if room => {}
        }
    }
    while !places.is_empty() {
        places.ended().await;
    }
}

/// Begins the due jobs that have a place. Returns whether there may be more.
async fn begin(engine: &Engine, places: &mut Places) -> Result<bool, Error> {
    let wanted = places.wanted();
    let leased = claim(engine, wanted, &places.full()).await?;
    let more = leased.len() == wanted;
    for job in places.begin(engine, leased) {
        // One job in a transaction: two transactions that hold several jobs' rows can block each other.
        let mut tx = engine.store().begin().await?;
        jobs::give_back(&mut tx, &job).await?;
        tx.commit().await?;
    }
    Ok(more)
}

async fn claim(engine: &Engine, wanted: usize, full: &[String]) -> Result<Vec<Leased>, Error> {
    let now = engine.env().now();
    // A read comes first, so that an idle server does not take the write lock every second.
    let due = jobs::next_due(&mut *engine.store().reader().await?, full).await?;
    if wanted == 0 || due.is_none_or(|due| due > now) {
        return Ok(vec![]);
    }
    let limit = i64::try_from(wanted).unwrap_or(1);
    let mut tx = engine.store().begin().await?;
    let leased = jobs::claim(&mut tx, engine.store().dialect(), full, now, now + LEASE, limit).await?;
    tx.commit().await?;
    Ok(leased)
}

impl Engine {
    /// Runs one job that is due, if there is one, and returns its kind and subject. For callers that drive the engine by hand instead of
    /// by [`Engine::run`].
    pub async fn run_one_due(&self) -> Result<Option<String>, Error> {
        let Some(job) = claim(self, 1, &[]).await?.pop() else { return Ok(None) };
        run_one(self, &job).await;
        Ok(Some(format!("{} {}", job.kind, job.subject)))
    }

    /// When the next job is due, if there is one.
    pub async fn next_job_due(&self) -> Result<Option<Millis>, Error> {
        jobs::next_due(&mut *self.store().reader().await?, &[]).await
    }
}

async fn until_next(engine: &Engine, full: &[String]) -> Duration {
    let next = async { jobs::next_due(&mut *engine.store().reader().await?, full).await };
    let wait = match next.await {
        Ok(Some(due)) => due - engine.env().now(),
        _ => Millis::MAX,
    };
    Duration::from_millis(u64::try_from(wait).unwrap_or(0)).min(IDLE_MAX)
}

async fn run_one(engine: &Engine, job: &Leased) {
    let kind = Kind::ALL.into_iter().find(|kind| kind.as_str() == job.kind);
    let result = match kind {
        Some(kind) => run_guarded(engine, kind, job.subject.clone()).await,
        None => Err(Error::NotFound(Thing::JobKind(job.kind.clone()))),
    };
    let outcome = if result.is_ok() { "done" } else { "failed" };
    let label = kind.map_or("other", Kind::as_str);
    metrics::counter!("till_jobs_total", "kind" => label, "outcome" => outcome).increment(1);
    if let Err(error) = settle(engine, job, result).await {
        error!(%error, kind = job.kind, subject = job.subject, "a job's outcome could not be stored; its lease will run out");
    }
}

/// A handler that hangs or panics has failed like any other.
async fn run_guarded(engine: &Engine, kind: Kind, subject: String) -> Result<Next, Error> {
    let engine = engine.clone();
    let mut task = JoinSet::new();
    task.spawn(async move { kind.run(&engine, &subject).await });
    match timeout(RUN_MAX, task.join_next()).await {
        Ok(Some(Ok(result))) => result,
        Ok(_) => Err(Later::Panicked.into()),
        Err(_) => Err(Later::TookTooLong(RUN_MAX).into()),
    }
}

async fn settle(engine: &Engine, job: &Leased, result: Result<Next, Error>) -> Result<(), Error> {
    let now = engine.env().now();
    let mut tx = engine.store().begin().await?;
    match result {
        Ok(next) => {
            match next {
                Next::Done => jobs::finish(&mut tx, job, now).await?,
                Next::At(time) => jobs::again(&mut tx, job, time, None).await?,
            }
            if job.tries > TRIES_ALERT {
                crate::alerts::close(&mut tx, "job_failing", &format!("{} {}", job.kind, job.subject)).await?;
            }
        }
        Err(failure) if is_hopeless(&failure) && job.tries >= TRIES_ALERT => {
            error!(kind = job.kind, subject = job.subject, error = %failure, "a job is given up");
            jobs::bury(&mut tx, job, &failure.to_string(), now).await?;
            let subject = format!("{} {}", job.kind, job.subject);
            crate::alerts::raise(engine, &mut tx, "job_dead", &subject, &failure.to_string()).await?;
        }
        Err(failure) => {
            warn!(kind = job.kind, subject = job.subject, tries = job.tries, error = %failure, "a job failed");
            let at = now + backoff(engine, job.tries);
            jobs::again(&mut tx, job, at, Some(&failure.to_string())).await?;
            if job.tries % TRIES_ALERT == 0 {
                let subject = format!("{} {}", job.kind, job.subject);
                crate::alerts::raise(engine, &mut tx, "job_failing", &subject, &failure.to_string()).await?;
            }
        }
    }
    engine.commit(tx).await
}

/// Whether only a person can help: the job's subject is missing or cannot be read. Trouble at a provider or in the database is never
/// hopeless, because the job concerns money.
fn is_hopeless(failure: &Error) -> bool {
    matches!(failure, Error::NotFound(_) | Error::Corrupt(_))
}

/// Full jitter over a doubling bound.
pub(crate) fn backoff(engine: &Engine, tries: i64) -> Millis {
    let doubled = SECOND.checked_shl(u32::try_from(tries.clamp(0, 20)).unwrap_or(20)).unwrap_or(BACKOFF_MAX);
    100 + engine.env().below(doubled.min(BACKOFF_MAX))
}
