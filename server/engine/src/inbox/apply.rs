//! Applies stored deliveries: many in one transaction, and one by one where that fails.

use std::collections::BTreeMap;
use std::time::Duration;

use connectors::Incoming;
use domain::id::{AttemptId, PaymentId};
use domain::payment::{Fact, News, Observation, Refs, Refusal};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tracing::{error, warn};

use super::Taken;
use super::judge::{Closed, Verdict, judge, read_all};
use super::stranger::{ORPHAN_MAX, shelve};
use crate::alerts;
use crate::context::Context;
use crate::error::{Error, Later, Raced};
use crate::record::{Batch, PAYMENT_BREACH, Source, Written, breach_advice, is_breach};
use crate::scope::ENGINE;
use crate::store::attempts::{self, Located};
use crate::store::inbox::{self, InboxState, Settled};
use crate::store::{Connection, Tx};
use crate::work::backoff;

/// From this try on an event is applied alone, because it may have made the others fail.
const ALONE_FROM: i64 = 4;
/// From this try on an event that claims another payment's reference is a mismatch. Before, a concurrent write may have caused the
/// clash.
const CLASH_FROM: i64 = 2;
/// How long applying may take: far longer than usual, and less than the lease.
const RUN_MAX: Duration = Duration::from_secs(12);
/// How often a batch is tried while the database does not answer. After that its lease runs out.
const ROUNDS_MAX: u32 = 3;
/// Failed tries in a row after which an alert is raised. The event is never given up, because it concerns money.
const TRIES_ALERT: i64 = 20;

/// Applies the deliveries that were taken up. A delivery that fails for a reason of its own is put off. When the database fails, all
/// deliveries are due again after their lease has run out.
pub(super) async fn apply_all(context: &Context, rows: Vec<Taken>) {
    let (mut alone, together): (Vec<_>, Vec<_>) = rows.into_iter().partition(|row| row.tries >= ALONE_FROM);
    if let Err(error) = try_apply(context, &together).await {
        if !error.is_of_one() {
            return warn!(%error, deliveries = together.len(), "deliveries cannot be applied now; they are taken up again");
        }
        if together.len() > 1 {
            warn!(%error, deliveries = together.len(), "deliveries cannot be applied together; applying them one by one");
        }
        alone.extend(together);
    }
    for row in alone {
        if let Err(failure) = try_apply(context, std::slice::from_ref(&row)).await
            && let Err(error) = put_off(context, &row, &failure).await
        {
            error!(%error, delivery = %row.id, "a failed delivery could not be put off; its lease will run out");
        }
    }
}

async fn try_apply(context: &Context, rows: &[Taken]) -> Result<(), Error> {
    if rows.is_empty() {
        return Ok(());
    }
    let mut round = 0;
    loop {
        let result = guarded(context, rows.to_vec()).await;
        round += 1;
        match result {
            Err(error) if !error.is_of_one() && round < ROUNDS_MAX => {
                warn!(%error, "deliveries cannot be applied now");
                sleep(Duration::from_millis(200 << round)).await;
            }
            result => return result,
        }
    }
}

/// Applies events. A hang or a panic counts as a failure.
async fn guarded(context: &Context, rows: Vec<Taken>) -> Result<(), Error> {
    let context = context.clone();
    let mut task = JoinSet::new();
    task.spawn(async move { apply(&context, rows).await });
    match timeout(RUN_MAX, task.join_next()).await {
        Ok(Some(Ok(result))) => result,
        Ok(_) => Err(Later::Panicked.into()),
        Err(_) => Err(Later::TookTooLong(RUN_MAX).into()),
    }
}

/// Judges the events, then changes payments and inbox in one transaction.
async fn apply(context: &Context, rows: Vec<Taken>) -> Result<(), Error> {
    let readings = read_all(context, &rows).await;
    let mut tx = context.store().begin().await?;
    let verdicts = judge(&mut tx, &rows, readings).await?;
    let mut outcome = Outcome::default();
    let written = decide(context, &mut tx, &rows, verdicts, &mut outcome).await?;
    if !outcome.write(context, &mut tx, &rows).await? {
        tx.rollback().await?;
        // A single delivery has been settled by the other server. Of several deliveries, some may still be pending.
        return if rows.len() == 1 { Ok(()) } else { Err(Raced::Deliveries.into()) };
    }
    tx.commit().await?;
    written.payments.iter().for_each(|payment| context.live().tell(payment));
    context.wake_for(written.work);
    metrics::counter!("till_inbox_applied_total").increment(outcome.settled.len() as u64);
    for settled in &outcome.settled {
        settled.state.count(1);
    }
    // Strangers are shelved in a transaction of their own, because this one may have written references. A delivery whose payment became
    // known in it is not shelved.
    shelve(context, &outcome.strange).await
}

/// Lets the payments decide, in the order of arrival, and writes the consequences for payments and waiting deliveries.
async fn decide(
    context: &Context,
    tx: &mut Tx,
    rows: &[Taken],
    verdicts: Vec<Verdict>,
    outcome: &mut Outcome,
) -> Result<Written, Error> {
    let located = verdicts.iter().filter_map(|verdict| match verdict {
        Verdict::Concerns(located, _) => Some(located.payment.clone()),
        _ => None,
    });
    let mut batch = Batch::lock(context, tx, &located.collect::<Vec<_>>()).await?;
    for (row, verdict) in rows.iter().zip(verdicts) {
        match verdict {
            Verdict::Concerns(located, incoming) => {
                let (attempt, observation) = (located.attempt.clone(), incoming.observation);
                let fact = Fact::Observed { attempt, observation };
                let source = Source::Webhook(row.id.as_str());
                let mut taken = batch.take(&located.payment, &fact, source).map(drop);
                if let (Err(Error::Refused(Refusal::Contradiction(_))), Fact::Observed { attempt, observation }) =
                    (&taken, fact)
                    && let Some(fact) = twin(context, tx, &batch, &located, &attempt, observation).await?
                {
                    taken = batch.take(&located.payment, &fact, source).map(drop);
                }
                if taken.is_ok() && context.env().now() - row.received >= ORPHAN_MAX {
                    outcome.found.push(located.attempt.clone());
                }
                outcome.taken(row, &located, incoming.kind, taken);
            }
            Verdict::Strange(incoming) => outcome.strange.push((row.clone(), incoming)),
            Verdict::Closed(closed) => outcome.close(row, closed),
            Verdict::Failed(error) => outcome.failed.push((row.clone(), error)),
        }
    }
    batch.write(tx).await
}

/// A provider that reports another payment under our reference has taken two payments on one page. The second becomes an attempt of its
/// own, so that no charge is without a record.
async fn twin(
    context: &Context,
    tx: &mut Tx,
    batch: &Batch<'_>,
    located: &Located,
    attempt: &AttemptId,
    observation: Observation,
) -> Result<Option<Fact>, Error> {
    let moves = observation.news.iter().any(|news| matches!(news, News::Moved(_)));
    let Some(reference) = observation.refs.payment.clone().filter(|_| moves) else { return Ok(None) };
    let payment = batch.payment(&located.payment)?;
    let known = |refs: &Refs| refs.payment.as_ref() == Some(&reference);
    // The session belongs to the first attempt.
    let refs = Refs { session: None, payment: Some(reference.clone()) };
    if let Some(other) = payment.attempts.iter().find(|other| known(&other.refs)) {
        let observation = Observation { refs, ..observation };
        return Ok(Some(Fact::Observed { attempt: other.id.clone(), observation }));
    }
    let Some(first) = payment.attempt(attempt) else { return Ok(None) };
    if first.refs.payment.is_none() || attempts::locate_by_refs(tx, &ENGINE, &located.account, &refs).await?.is_some() {
        return Ok(None);
    }
    let id = AttemptId::from_random(context.env().bits());
    let attempt = Box::new(first.twin(id, reference, context.env().now()));
    Ok(Some(Fact::Twin { attempt, observation: Observation { refs, ..observation } }))
}

/// The results for the inbox's rows.
#[derive(Default)]
struct Outcome {
    settled: Vec<Settled>,
    strange: Vec<(Taken, Box<Incoming>)>,
    failed: Vec<(Taken, Error)>,
    /// Attempts to which an old event was applied. The event may have been given up as an orphan before.
    found: Vec<AttemptId>,
    /// Payments to which an event was applied that had failed before. The event may have been refused as a breach.
    mended: Vec<PaymentId>,
    /// The newest text and the number of occurrences, by kind and subject, so that all servers write alerts in one order.
    alerts: BTreeMap<(&'static str, String), (String, i64)>,
}

impl Outcome {
    fn taken(&mut self, row: &Taken, located: &Located, kind: String, result: Result<(), Error>) {
        let kind = Some(kind);
        match result {
            Ok(()) => {
                if row.tries > 1 {
                    self.mended.push(located.payment.clone());
                }
                self.settled.push(Settled { id: row.id.clone(), state: InboxState::Applied, kind, note: None });
            }
            Err(Error::Refused(refusal @ (Refusal::Mismatch { .. } | Refusal::Contradiction(_)))) => {
                let note = Some(format!("payment {}: {refusal}", located.payment));
                let (state, alert) = (InboxState::Mismatch, Some("webhook_mismatch"));
                let subject = Some(located.payment.to_string());
                self.close(row, Closed { state, kind, note, alert, subject });
            }
            Err(error) => {
                if is_breach(&error) {
                    let counted = self.alerts.entry((PAYMENT_BREACH, located.payment.to_string())).or_default();
                    *counted =
                        (breach_advice(&located.payment, &format!("delivery {}", row.id), &error), counted.1 + 1);
                }
                self.failed.push((row.clone(), error));
            }
        }
    }

    fn close(&mut self, row: &Taken, closed: Closed) {
        let Closed { state, kind, note, alert, subject } = closed;
        if let Some(alert) = alert {
            let detail = format!("delivery {}: {}", row.id, note.as_deref().unwrap_or_default());
            let subject = subject.unwrap_or_else(|| row.account.to_string());
            let counted = self.alerts.entry((alert, subject)).or_default();
            *counted = (detail, counted.1 + 1);
        }
        self.settled.push(Settled { id: row.id.clone(), state, kind, note });
    }

    /// The alerts that these results end: of failing deliveries that are settled, and of orphans and breaches that are applied. Few are
    /// old enough.
    fn ended(&self, rows: &[Taken]) -> Vec<(&'static str, String)> {
        let settled = |row: &&Taken| self.settled.iter().any(|settled| settled.id == row.id);
        let failing = rows.iter().filter(|row| row.tries > TRIES_ALERT).filter(settled);
        let failing = failing.map(|row| ("webhook_failing", row.id.to_string()));
        let found = self.found.iter().map(|attempt| ("webhook_orphan", attempt.to_string()));
        let mended = self.mended.iter().map(|payment| (PAYMENT_BREACH, payment.to_string()));
        failing.chain(found).chain(mended).collect()
    }

    /// Writes the results. Returns false if some of the rows were no longer pending.
    async fn write(&self, context: &Context, connection: &mut Connection, rows: &[Taken]) -> Result<bool, Error> {
        let now = context.env().now();
        for (row, failure) in &self.failed {
            write_off(context, connection, row, failure).await?;
        }
        let settled = inbox::settle(connection, &ENGINE, &self.settled, now).await?;
        // Events that were handed over have never waited.
        let is_settled = |row: &&Taken| !row.handed && self.settled.iter().any(|settled| settled.id == row.id);
        let done: Vec<_> = rows.iter().filter(is_settled).map(|row| row.id.clone()).collect();
        inbox::stop_waiting(connection, &ENGINE, &done).await?;
        for (kind, subject) in self.ended(rows) {
            alerts::close(connection, kind, &subject).await?;
        }
        for ((kind, subject), (detail, times)) in &self.alerts {
            alerts::raise_times(context, connection, kind, subject, detail, *times).await?;
        }
        Ok(usize::try_from(settled).is_ok_and(|settled| settled == self.settled.len()))
    }
}

async fn put_off(context: &Context, row: &Taken, failure: &Error) -> Result<(), Error> {
    let mut tx = context.store().begin().await?;
    if failure.is_reference_clash() && row.tries >= CLASH_FROM {
        let note = Some(format!("it claims what is known of another payment: {failure}"));
        let mut outcome = Outcome::default();
        // The reference is another payment's, so only the delivery itself can be the subject.
        let (alert, subject) = (Some("webhook_mismatch"), Some(row.id.to_string()));
        outcome.close(row, Closed { state: InboxState::Mismatch, kind: None, note, alert, subject });
        outcome.write(context, &mut tx, std::slice::from_ref(row)).await?;
    } else {
        write_off(context, &mut tx, row, failure).await?;
    }
    tx.commit().await?;
    Ok(())
}

/// Puts off a delivery that cannot be applied, and raises an alert from time to time.
async fn write_off(context: &Context, connection: &mut Connection, row: &Taken, failure: &Error) -> Result<(), Error> {
    warn!(delivery = %row.id, tries = row.tries, error = %failure, "a delivery cannot be applied");
    metrics::counter!("till_inbox_failed_total").increment(1);
    let due = context.env().now() + backoff(context, row.tries);
    inbox::put_off(connection, &ENGINE, row, due, &failure.to_string()).await?;
    if row.tries % TRIES_ALERT == 0 {
        alerts::raise(context, connection, "webhook_failing", row.id.as_str(), &failure.to_string()).await?;
    }
    Ok(())
}
