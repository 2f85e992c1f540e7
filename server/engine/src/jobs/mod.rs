//! Durable jobs: enqueued in the transaction that makes them necessary, run at least once, on any server.
//!
//! A kind is one file here and one line in [`Kind`]. Handlers must tolerate running twice.

mod check;
mod close;
mod expire;
mod hint;
mod modify;
mod open;
mod overdrawn;
mod places;
mod policy;
mod prune;
mod repair;
mod rescue;
mod surplus;
mod sweep;

use std::time::Duration;

use domain::{MINUTE, Millis};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{error, warn};

use crate::context::Context;
use crate::error::{Error, Later, Thing};
use crate::inbox::Inbox;
use crate::scope::ENGINE;
use crate::store::jobs::{self, Leased};
use crate::work::{Kind, LEASE, Next, backoff};
use places::Places;

/// How long a job may run. Its lease, see [`crate::work`], lasts longer.
const RUN_MAX: Duration = Duration::from_secs(75);
/// The longest time without a look for jobs that another server enqueued.
const IDLE_MAX: Duration = Duration::from_secs(1);
/// The shortest time until the next look, after a look that found no jobs.
const EMPTY_PAUSE: Duration = Duration::from_millis(50);
/// How often rows that a wrong clock has put off are looked for.
const RESCUE: Duration = Duration::from_secs(5);
/// Failed tries in a row after which an alert is raised. The job continues, because it concerns money.
const TRIES_ALERT: i64 = 20;

/// Runs a job of a kind.
async fn run_kind(kind: Kind, inbox: &Inbox, subject: &str) -> Result<Next, Error> {
    let context = inbox.context();
    match kind {
        Kind::Check => check::run(context, subject).await,
        Kind::Close => close::run(context, subject).await,
        Kind::Expire => expire::run(context, subject).await,
        Kind::Hint => hint::run(context, subject).await,
        Kind::Modify => modify::run(context, subject).await,
        Kind::Open => open::run(context, subject).await,
        Kind::Overdrawn => overdrawn::run(context, subject).await,
        Kind::Policy => policy::run(context, subject).await,
        Kind::Prune => prune::run(context).await,
        Kind::Repair => repair::run(inbox, subject).await,
        Kind::Surplus => surplus::run(context, subject).await,
        Kind::Sweep => sweep::run(context).await,
    }
}

/// Enqueues the jobs that always run.
pub(crate) async fn plant(context: &Context) {
    let planted = async {
        let mut tx = context.store().begin().await?;
        let soon = context.env().now() + MINUTE;
        context.enqueue(&mut tx, Kind::Prune, None, "old", soon).await?;
        context.enqueue(&mut tx, Kind::Sweep, None, "inbox", soon).await?;
        for account in crate::store::accounts::all(&mut tx, &ENGINE).await? {
            context.enqueue(&mut tx, Kind::Repair, Some(&account.id), account.id.as_str(), soon).await?;
        }
        context.commit(tx).await
    };
    if let Err(error) = planted.await {
        warn!(%error, "the jobs that always run could not be enqueued");
    }
}

/// Runs jobs until shutdown, then waits for the running jobs.
pub(crate) async fn run(inbox: Inbox, shutdown: CancellationToken) {
    let context = inbox.context().clone();
    let mut places = Places::default();
    let mut looked: Option<Instant> = None;
    while !shutdown.is_cancelled() {
        if looked.is_none_or(|looked| looked.elapsed() > RESCUE) {
            looked = Some(Instant::now());
            if let Err(error) = rescue::run(&context).await {
                warn!(%error, "what a wrong clock has put off could not be looked for");
            }
        }
        let begun = match begin(&inbox, &mut places).await {
            Ok(begun) => begun,
            Err(error) => {
                warn!(%error, "no jobs can be leased");
                sleep(IDLE_MAX).await;
                continue;
            }
        };
        // A due job that cannot be claimed is leased by another worker at the moment.
        let pause = if begun { Duration::ZERO } else { until_next(&context, &places.full()).await.max(EMPTY_PAUSE) };
        let room = places.has_room();
        tokio::select! {
            () = shutdown.cancelled() => {}
            () = places.ended(), if !places.is_empty() => {}
            () = context.job_work(), if room => {}
            () = sleep(pause), if room => {}
        }
    }
    while !places.is_empty() {
        places.ended().await;
    }
}

/// Begins the due jobs that have a place. Returns whether there may be more.
async fn begin(inbox: &Inbox, places: &mut Places) -> Result<bool, Error> {
    let (context, wanted) = (inbox.context(), places.wanted());
    let leased = claim(context, wanted, &places.full()).await?;
    let more = leased.len() == wanted;
    for job in places.begin(inbox, leased) {
        // One job in a transaction: two transactions that hold several jobs' rows can block each other.
        let mut tx = context.store().begin().await?;
        jobs::give_back(&mut tx, &ENGINE, &job).await?;
        tx.commit().await?;
    }
    Ok(more)
}

async fn claim(context: &Context, wanted: usize, full: &[String]) -> Result<Vec<Leased>, Error> {
    let now = context.env().now();
    // A read comes first, so that an idle server does not take the write lock every second.
    let due = jobs::next_due(&mut *context.store().reader().await?, &ENGINE, full).await?;
    if wanted == 0 || due.is_none_or(|due| due > now) {
        return Ok(vec![]);
    }
    let limit = i64::try_from(wanted).unwrap_or(1);
    let mut tx = context.store().begin().await?;
    let leased = jobs::claim(&mut tx, &ENGINE, context.store().dialect(), full, now, now + LEASE, limit).await?;
    tx.commit().await?;
    Ok(leased)
}

/// Runs one job that is due, if there is one, and returns its kind and subject.
pub(crate) async fn run_one_due(inbox: &Inbox) -> Result<Option<String>, Error> {
    let Some(job) = claim(inbox.context(), 1, &[]).await?.pop() else { return Ok(None) };
    run_one(inbox, &job).await;
    Ok(Some(format!("{} {}", job.kind, job.subject)))
}

/// When the next job is due, if there is one.
pub(crate) async fn next_job_due(context: &Context) -> Result<Option<Millis>, Error> {
    jobs::next_due(&mut *context.store().reader().await?, &ENGINE, &[]).await
}

async fn until_next(context: &Context, full: &[String]) -> Duration {
    let next = async { jobs::next_due(&mut *context.store().reader().await?, &ENGINE, full).await };
    let wait = match next.await {
        Ok(Some(due)) => due - context.env().now(),
        _ => Millis::MAX,
    };
    Duration::from_millis(u64::try_from(wait).unwrap_or(0)).min(IDLE_MAX)
}

async fn run_one(inbox: &Inbox, job: &Leased) {
    let kind = Kind::ALL.into_iter().find(|kind| kind.as_str() == job.kind);
    let result = match kind {
        Some(kind) => run_guarded(inbox, kind, job.subject.clone()).await,
        None => Err(Error::NotFound(Thing::JobKind(job.kind.clone()))),
    };
    let outcome = if result.is_ok() { "done" } else { "failed" };
    let label = kind.map_or("other", Kind::as_str);
    metrics::counter!("till_jobs_total", "kind" => label, "outcome" => outcome).increment(1);
    if let Err(error) = settle(inbox.context(), job, result).await {
        error!(%error, kind = job.kind, subject = job.subject, "a job's outcome could not be stored; its lease will run out");
    }
}

/// A handler that hangs or panics has failed like any other.
async fn run_guarded(inbox: &Inbox, kind: Kind, subject: String) -> Result<Next, Error> {
    let inbox = inbox.clone();
    let mut task = JoinSet::new();
    task.spawn(async move { run_kind(kind, &inbox, &subject).await });
    match timeout(RUN_MAX, task.join_next()).await {
        Ok(Some(Ok(result))) => result,
        Ok(_) => Err(Later::Panicked.into()),
        Err(_) => Err(Later::TookTooLong(RUN_MAX).into()),
    }
}

async fn settle(context: &Context, job: &Leased, result: Result<Next, Error>) -> Result<(), Error> {
    let now = context.env().now();
    let mut tx = context.store().begin().await?;
    match result {
        Ok(next) => {
            match next {
                Next::Done => jobs::finish(&mut tx, &ENGINE, job, now).await?,
                Next::At(time) => jobs::again(&mut tx, &ENGINE, job, time, None).await?,
            }
            if job.tries > TRIES_ALERT {
                crate::alerts::close(&mut tx, "job_failing", &format!("{} {}", job.kind, job.subject)).await?;
            }
        }
        Err(failure) if is_hopeless(&failure) && job.tries >= TRIES_ALERT => {
            error!(kind = job.kind, subject = job.subject, error = %failure, "a job is given up");
            jobs::bury(&mut tx, &ENGINE, job, &failure.to_string(), now).await?;
            let subject = format!("{} {}", job.kind, job.subject);
            crate::alerts::raise(context, &mut tx, "job_dead", &subject, &failure.to_string()).await?;
        }
        Err(failure) => {
            warn!(kind = job.kind, subject = job.subject, tries = job.tries, error = %failure, "a job failed");
            let at = now + backoff(context, job.tries);
            jobs::again(&mut tx, &ENGINE, job, at, Some(&failure.to_string())).await?;
            if job.tries % TRIES_ALERT == 0 {
                let subject = format!("{} {}", job.kind, job.subject);
                crate::alerts::raise(context, &mut tx, "job_failing", &subject, &failure.to_string()).await?;
            }
        }
    }
    context.commit(tx).await
}

/// Whether only a person can help: the job's subject is missing or cannot be read. Trouble at a provider or in the database is never
/// hopeless, because the job concerns money.
fn is_hopeless(failure: &Error) -> bool {
    matches!(failure, Error::NotFound(_) | Error::Corrupt(_))
}
