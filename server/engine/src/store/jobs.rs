//! The queue of jobs.

use domain::id::{JobId, ProviderAccountId};
use domain::{Millis, SECOND};

use super::Connection;
use super::dialect::Dialect;
use super::many::{filled, list, lists, portions, values};
use super::pages::{is_full, no_such_row};
use super::row::Columns;
use super::statement::Statement;
use crate::error::Error;
use crate::paging::{Listed, Page};
use crate::scope::Installation;

/// The shortest pause of a failed job that is brought forward.
const FAILED_PAUSE: Millis = 30 * SECOND;

/// A leased job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leased {
    /// The id.
    pub id: JobId,
    /// The kind, see `crate::jobs`.
    pub kind: String,
    /// The subject.
    pub subject: String,
    /// The address of the provider that the job calls, if it is known.
    pub provider: Option<String>,
    /// How often the job was begun, this time included, since it last succeeded or a person retried it.
    pub tries: i64,
    /// The number of the request that this run answers.
    pub generation: i64,
    /// Until when this run holds the lease. A run must not touch another run's lease.
    pub lease: Millis,
}

/// A job to be enqueued.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewJob {
    /// The id, if there is no job of this kind and subject yet.
    pub id: JobId,
    /// The kind, see `crate::jobs`.
    pub kind: &'static str,
    /// The subject.
    pub subject: String,
    /// The account with which the job calls a provider, if it is known.
    pub account: Option<ProviderAccountId>,
    /// When the job should run.
    pub run_at: Millis,
}

/// Enqueues jobs, each at a time. A job of the same kind and subject is brought forward, never put off. A kind and subject may appear in
/// the list once.
pub async fn enqueue(
    connection: &mut Connection,
    by: &Installation,
    jobs: &[NewJob],
    now: Millis,
) -> Result<(), Error> {
    for portion in portions(jobs) {
        let text = values(
            connection,
            "INSERT INTO jobs (id, kind, subject, account_id, run_at, tries, generation, leased_until, created) VALUES {}
             ON CONFLICT (kind, subject) DO UPDATE SET
                run_at = CASE WHEN excluded.run_at < jobs.run_at THEN excluded.run_at ELSE jobs.run_at END,
                generation = jobs.generation + 1, dead = NULL, account_id = COALESCE(excluded.account_id, jobs.account_id)",
            portion.len(),
            9,
        );
        let mut insert = by.query(text);
        for job in portion {
            insert = insert.bind(job.id.as_str()).bind(job.kind).bind(&job.subject);
            insert = insert.bind(job.account.as_ref().map(ProviderAccountId::as_str)).bind(job.run_at);
            insert = insert.bind(0i64).bind(0i64).bind(0i64).bind(now);
        }
        insert.execute(&mut *connection).await?;
    }
    Ok(())
}

/// Brings an existing job forward, see [`hasten_many`].
pub async fn hasten(
    connection: &mut Connection,
    by: &Installation,
    kind: &str,
    subject: &str,
    run_at: Millis,
    now: Millis,
) -> Result<(), Error> {
    hasten_many(connection, by, kind, &[subject.to_owned()], run_at, now).await
}

/// Brings existing jobs forward; a running job is run again. A failed job keeps a pause, however often it is brought forward: haste
/// would only add to the provider's trouble.
pub async fn hasten_many(
    connection: &mut Connection,
    by: &Installation,
    kind: &str,
    subjects: &[String],
    run_at: Millis,
    now: Millis,
) -> Result<(), Error> {
    for (portion, size) in lists(subjects) {
        let text = list(
            connection,
            "UPDATE jobs SET run_at = CASE WHEN last_error IS NULL THEN $1 ELSE $2 END,
                generation = CASE WHEN leased_until > $3 THEN generation + 1 ELSE generation END
             WHERE kind = $4 AND subject IN ({})
                AND (leased_until > $3 OR run_at > CASE WHEN last_error IS NULL THEN $1 ELSE $2 END)",
            4,
            size,
        );
        let update = by.query(text).bind(run_at).bind(run_at.max(now + FAILED_PAUSE)).bind(now).bind(kind);
        let update = filled(portion, size).fold(update, |update, subject| update.bind(subject));
        update.execute(&mut *connection).await?;
    }
    Ok(())
}

/// Whether there is a job that will run and has not begun.
pub async fn is_waiting(
    connection: &mut Connection,
    by: &Installation,
    kind: &str,
    subject: &str,
    now: Millis,
) -> Result<bool, Error> {
    let row = by
        .query("SELECT id FROM jobs WHERE kind = $1 AND subject = $2 AND leased_until <= $3 AND dead IS NULL")
        .bind(kind)
        .bind(subject)
        .bind(now)
        .fetch_optional(connection)
        .await?;
    Ok(row.is_some())
}

/// When a job is due.
pub async fn due(
    connection: &mut Connection,
    by: &Installation,
    kind: &str,
    subject: &str,
) -> Result<Option<Millis>, Error> {
    let row = by
        .query("SELECT run_at FROM jobs WHERE kind = $1 AND subject = $2")
        .bind(kind)
        .bind(subject)
        .fetch_optional(connection)
        .await?;
    row.map(|row| row.number("run_at")).transpose()
}

/// Leases jobs that are due, but no jobs that call certain providers.
pub async fn claim(
    connection: &mut Connection,
    by: &Installation,
    dialect: Dialect,
    without: &[String],
    now: Millis,
    until: Millis,
    limit: i64,
) -> Result<Vec<Leased>, Error> {
    let (without, size) = exceptions(without);
    let text = list(connection, dialect.claim_jobs(), 3, size);
    let claim = by.query(text).bind(until).bind(now).bind(limit);
    let claim = filled(&without, size).fold(claim, |claim, provider| claim.bind(*provider));
    let rows = claim.fetch_all(connection).await?;
    let leased = |row: &sqlx::any::AnyRow| {
        Ok(Leased {
            id: row.parsed("id")?,
            kind: row.text("kind")?,
            subject: row.text("subject")?,
            provider: row.maybe_text("provider")?,
            tries: row.number("tries")?,
            generation: row.number("generation")?,
            lease: until,
        })
    };
    rows.iter().map(leased).collect()
}

/// Providers to be left out, as a list for a statement. The list must not be empty.
fn exceptions(providers: &[String]) -> (Vec<&str>, usize) {
    let mut names: Vec<&str> = providers.iter().map(String::as_str).take(EXCEPTIONS_MAX).collect();
    if names.is_empty() {
        names.push(NOBODY);
    }
    let size = if names.len() == 1 { 1 } else { EXCEPTIONS_MAX };
    (names, size)
}

/// The most providers that can be left out at a time. More providers cannot be nearly full at once.
const EXCEPTIONS_MAX: usize = 4;
/// An address that no provider has.
const NOBODY: &str = "";

/// Gives back a leased job that has not begun.
pub async fn give_back(connection: &mut Connection, by: &Installation, job: &Leased) -> Result<(), Error> {
    by.query("UPDATE jobs SET leased_until = 0, tries = tries - 1 WHERE id = $1 AND leased_until = $2")
        .bind(job.id.as_str())
        .bind(job.lease)
        .execute(connection)
        .await?;
    Ok(())
}

/// Removes a finished job. A job that was enqueued again while it ran stays and is due at once.
pub async fn finish(connection: &mut Connection, by: &Installation, job: &Leased, now: Millis) -> Result<(), Error> {
    let done = by
        .query("DELETE FROM jobs WHERE id = $1 AND generation = $2 AND leased_until = $3")
        .bind(job.id.as_str())
        .bind(job.generation)
        .bind(job.lease)
        .execute(&mut *connection)
        .await?;
    if done.rows_affected() == 0 {
        by.query("UPDATE jobs SET leased_until = 0, tries = 0, last_error = NULL, run_at = $1 WHERE id = $2 AND leased_until = $3")
            .bind(now)
            .bind(job.id.as_str())
            .bind(job.lease)
            .execute(connection)
            .await?;
    }
    Ok(())
}

/// Removes jobs that were given up before a time. Returns their number, `limit` at most.
pub async fn prune(connection: &mut Connection, by: &Installation, before: Millis, limit: i64) -> Result<u64, Error> {
    let done = by.query(
        "DELETE FROM jobs WHERE dead < $1 AND id IN (SELECT id FROM jobs WHERE dead < $1 ORDER BY dead LIMIT $2)",
    );
    Ok(done.bind(before).bind(limit).execute(connection).await?.rows_affected())
}

/// Removes jobs that would find nothing to do. A running job ends by itself.
pub async fn remove(
    connection: &mut Connection,
    by: &Installation,
    kind: &str,
    subjects: &[&str],
) -> Result<(), Error> {
    for (portion, size) in lists(subjects) {
        let text = list(connection, "DELETE FROM jobs WHERE kind = $1 AND subject IN ({})", 1, size);
        let delete = filled(portion, size).fold(by.query(text).bind(kind), |delete, subject| delete.bind(*subject));
        delete.execute(&mut *connection).await?;
    }
    Ok(())
}

/// Puts a job off. `error` is why the job failed. Without an error the job simply runs again and its tries start anew.
pub async fn again(
    connection: &mut Connection,
    by: &Installation,
    job: &Leased,
    run_at: Millis,
    error: Option<&str>,
) -> Result<(), Error> {
    let tries = if error.is_some() { job.tries } else { 0 };
    by.query(
        "UPDATE jobs SET leased_until = 0, tries = $1, last_error = $2,
            run_at = CASE WHEN generation <> $3 AND run_at < $4 THEN run_at ELSE $4 END
         WHERE id = $5 AND leased_until = $6",
    )
    .bind(tries)
    .bind(error)
    .bind(job.generation)
    .bind(run_at)
    .bind(job.id.as_str())
    .bind(job.lease)
    .execute(connection)
    .await?;
    Ok(())
}

/// The longest lease, and how far jobs are put off at most.
#[derive(Debug, Clone)]
pub struct Bounds {
    /// The longest lease.
    pub lease: Millis,
    /// The farthest that a job of a kind is put off, for every kind.
    pub kinds: Vec<(&'static str, Millis)>,
}

/// Whether there are jobs that are leased or put off further than their bounds, because the clock was set back. Jobs that were given up
/// count too: a condition on them would let the planner walk along an index of all times.
pub async fn is_stranded(
    connection: &mut Connection,
    by: &Installation,
    now: Millis,
    bounds: &Bounds,
) -> Result<bool, Error> {
    // The second comparison is the condition of the index.
    let leased = by.query("SELECT id FROM jobs WHERE dead IS NULL AND leased_until > $1 AND leased_until > 0 LIMIT 1");
    if leased.bind(now + bounds.lease).fetch_optional(&mut *connection).await?.is_some() {
        return Ok(true);
    }
    for portion in portions(&bounds.kinds) {
        let text = values(
            connection,
            "SELECT v.column1 AS kind FROM (VALUES {}) AS v
             WHERE (SELECT MAX(run_at) FROM jobs WHERE jobs.kind = v.column1) > v.column2 LIMIT 1",
            portion.len(),
            2,
        );
        let select = portion.iter().fold(by.query(text), |select, (kind, most)| select.bind(*kind).bind(now + most));
        if select.fetch_optional(&mut *connection).await?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Frees jobs beyond their bounds and makes them due. Returns their number.
pub async fn rescue(
    connection: &mut Connection,
    by: &Installation,
    now: Millis,
    bounds: &Bounds,
) -> Result<u64, Error> {
    let update = by.query(
        "UPDATE jobs SET leased_until = 0, run_at = CASE WHEN run_at > $1 THEN $1 ELSE run_at END
         WHERE dead IS NULL AND leased_until > $2 AND leased_until > 0",
    );
    let mut rescued = update.bind(now).bind(now + bounds.lease).execute(&mut *connection).await?.rows_affected();
    for portion in portions(&bounds.kinds) {
        let text = values(
            connection,
            "UPDATE jobs SET run_at = v.column3
             FROM (VALUES {}) AS v WHERE jobs.kind = v.column1 AND jobs.run_at > v.column2",
            portion.len(),
            3,
        );
        let bind =
            |update: Statement, (kind, most): &(&'static str, Millis)| update.bind(*kind).bind(now + most).bind(now);
        rescued += portion.iter().fold(by.query(text), bind).execute(&mut *connection).await?.rows_affected();
    }
    Ok(rescued)
}

/// Gives a job up until it is enqueued again or a person retries it.
pub async fn bury(
    connection: &mut Connection,
    by: &Installation,
    job: &Leased,
    error: &str,
    now: Millis,
) -> Result<(), Error> {
    by.query("UPDATE jobs SET leased_until = 0, dead = $1, last_error = $2 WHERE id = $3 AND leased_until = $4")
        .bind(now)
        .bind(error)
        .bind(job.id.as_str())
        .bind(job.lease)
        .execute(connection)
        .await?;
    Ok(())
}

/// Runs a job again that was given up or waits. Returns its kind and subject, with a blank between, if there is such a job.
pub async fn retry(
    connection: &mut Connection,
    by: &Installation,
    id: &JobId,
    now: Millis,
) -> Result<Option<String>, Error> {
    let row = by.query(
        "UPDATE jobs SET dead = NULL, tries = 0, run_at = $1 WHERE id = $2 AND leased_until <= $1 RETURNING kind, subject",
    );
    let row = row.bind(now).bind(id.as_str()).fetch_optional(connection).await?;
    row.map(|row| Ok(format!("{} {}", row.text("kind")?, row.text("subject")?))).transpose()
}

/// A job, for a person.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct JobRow {
    /// The id.
    pub id: String,
    /// The kind.
    pub kind: String,
    /// The subject.
    pub subject: String,
    /// When the job is due, in milliseconds since 1970.
    pub run_at: Millis,
    /// Tries in a row that failed.
    pub tries: i64,
    /// Why the last try failed.
    pub last_error: Option<String>,
    /// When the job was given up, in milliseconds since 1970.
    pub dead: Option<Millis>,
}

/// The first jobs that have failed. With `dead`, only jobs that were given up.
pub async fn failing(
    connection: &mut Connection,
    by: &Installation,
    dead: bool,
    limit: i64,
) -> Result<Vec<JobRow>, Error> {
    Ok(failing_page(connection, by, dead, &Page::first(limit)).await?.rows)
}

/// Failing jobs after a given one, in the order of their index, whose condition comes first. `$1` is whether only jobs that were given
/// up are selected; `$2` to `$4` are the given job's place, time and id.
macro_rules! failing {
    () => {
        "WHERE (dead IS NOT NULL OR last_error IS NOT NULL) AND ($1 = 0 OR dead IS NOT NULL)
            AND CASE WHEN dead IS NULL THEN 1 ELSE 0 END >= $2
            AND (CASE WHEN dead IS NULL THEN 1 ELSE 0 END > $2 OR run_at > $3 OR (run_at = $3 AND id > $4))
         ORDER BY CASE WHEN dead IS NULL THEN 1 ELSE 0 END, run_at, id LIMIT $5"
    };
}

/// Jobs that have failed; jobs that were given up come first. With `dead`, only jobs that were given up.
pub async fn failing_page(
    connection: &mut Connection,
    by: &Installation,
    dead: bool,
    page: &Page,
) -> Result<Listed<JobRow>, Error> {
    let mut from = (-1, Millis::MIN, String::new());
    if let Some(after) = &page.after {
        let found = by.query(
            "SELECT CASE WHEN dead IS NULL THEN 1 ELSE 0 END AS place, run_at FROM jobs
             WHERE id = $2 AND (dead IS NOT NULL OR ($1 = 0 AND last_error IS NOT NULL))",
        );
        let found = found.bind(i64::from(dead)).bind(after).fetch_optional(&mut *connection).await?;
        let found = found.ok_or_else(|| no_such_row(after))?;
        from = (found.number("place")?, found.number("run_at")?, after.clone());
    }
    let rows =
        by.query(concat!("SELECT jobs.*, CASE WHEN dead IS NULL THEN 1 ELSE 0 END AS place FROM jobs ", failing!()));
    let rows = rows.bind(i64::from(dead)).bind(from.0).bind(from.1).bind(&from.2).bind(page.limit);
    let rows = rows.fetch_all(&mut *connection).await?;
    let mut more = 0;
    if let Some(last) = rows.last().filter(|_| is_full(&rows, page)) {
        let count = by.query(concat!("SELECT COUNT(*) AS more FROM (SELECT id FROM jobs ", failing!(), ") AS rest"));
        let count = count.bind(i64::from(dead)).bind(last.number("place")?).bind(last.number("run_at")?);
        let count = count.bind(last.text("id")?).bind(Page::COUNTED_MAX + 1);
        more = count.fetch_one(&mut *connection).await?.number("more")?;
    }
    let job = |row: &sqlx::any::AnyRow| {
        Ok(JobRow {
            id: row.text("id")?,
            kind: row.text("kind")?,
            subject: row.text("subject")?,
            run_at: row.number("run_at")?,
            tries: row.number("tries")?,
            last_error: row.maybe_text("last_error")?,
            dead: row.maybe_number("dead")?,
        })
    };
    Ok(Listed { rows: rows.iter().map(job).collect::<Result<_, Error>>()?, more })
}

/// When the next job is due that does not call certain providers, if there is one. Only the first jobs are examined: some of them are
/// always free, unless so many jobs are leased that a worker looks again soon.
pub async fn next_due(
    connection: &mut Connection,
    by: &Installation,
    without: &[String],
) -> Result<Option<Millis>, Error> {
    let (without, size) = exceptions(without);
    let text = list(
        connection,
        "SELECT MIN(next) AS next FROM (
            SELECT CASE WHEN leased_until > run_at THEN leased_until ELSE run_at END AS next
            FROM jobs WHERE dead IS NULL AND COALESCE(
                (SELECT base_url FROM provider_accounts WHERE provider_accounts.id = jobs.account_id), '-') NOT IN ({})
            ORDER BY run_at LIMIT 100
         ) AS first",
        0,
        size,
    );
    let select = filled(&without, size).fold(by.query(text), |select, provider| select.bind(*provider));
    select.fetch_one(connection).await?.maybe_number("next")
}
