//! The only way a payment changes: a fact, the domain's decision, and everything that follows from it in one transaction.

use domain::id::{AttemptId, JobId, PaymentId};
use domain::ledger::Business;
use domain::mutant::{self, Mutant};
use domain::payment::{Answer, DisputeState, Event, Fact, Movement, Payment, Stage};
use domain::{MINUTE, Millis, SECOND};

use crate::alerts;
use crate::engine::Engine;
use crate::error::Error;
use crate::jobs::{Kind, modify};
use crate::store::ledger::Posting;
use crate::store::{Connection, Tx, jobs, ledger, outbox, payments, sessions};

/// Who told the engine a fact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source<'a> {
    Shopper,
    Merchant,
    Engine,
    Fetch,
    /// With the id of the inbox row.
    Webhook(&'a str),
}

impl Source<'_> {
    fn name(self) -> &'static str {
        match self {
            Source::Shopper => "shopper",
            Source::Merchant => "merchant",
            Source::Engine => "engine",
            Source::Fetch => "fetch",
            Source::Webhook(_) => "webhook",
        }
    }

    fn cause(&self) -> Option<&str> {
        match self {
            Source::Webhook(inbox) => Some(inbox),
            _ => None,
        }
    }
}

/// How long the request that opens an attempt may take before a job takes over.
const OPEN_GRACE: Millis = 30 * SECOND;
/// How soon an unanswered request is repeated.
const UNKNOWN_RETRY: Millis = 2 * SECOND;
/// How long webhooks may be silent before the provider is asked.
const FIRST_CHECK: Millis = MINUTE;

impl Engine {
    /// Records a fact in a transaction of its own and returns the payment as it is then.
    pub(crate) async fn record(&self, id: &PaymentId, fact: &Fact, source: Source<'_>) -> Result<Payment, Error> {
        let mut tx = self.store().begin().await?;
        let (payment, events) = self.record_in(&mut tx, id, fact, source).await?;
        if events.is_empty() {
            // Nothing new: open pages need not look again.
            tx.rollback().await?;
            return Ok(payment);
        }
        self.commit(tx).await?;
        self.live().tell(id);
        Ok(payment)
    }

    /// Records a fact in the caller's transaction. After the commit the caller tells [`crate::live`].
    pub(crate) async fn record_in(
        &self,
        tx: &mut Tx,
        id: &PaymentId,
        fact: &Fact,
        source: Source<'_>,
    ) -> Result<(Payment, Vec<Event>), Error> {
        let stored = payments::lock(tx, id).await?;
        let stored = stored.ok_or_else(|| Error::NotFound(format!("payment {id}")))?;
        let before = stored.payment;
        let mut payment = before.clone();
        let events = payment.handle(fact)?;
        if !events.is_empty() {
            let now = self.env().now();
            payments::save(tx, &payment, &changed(&events), now).await?;
            let seq = payments::append(tx, id, &events, source.name(), source.cause(), now).await?;
            let (merchant, currency, live) = (&payment.merchant, payment.amount.currency, stored.live);
            let posting = Posting { payment: id, merchant, seq, currency, live, at: now };
            let mut entries = domain::ledger::entries(&before, &payment);
            if mutant::on(Mutant::LedgerPostsTwice) {
                let again = entries.iter().filter(|entry| entry.business == Business::RefundSent).cloned();
                entries.extend(again.collect::<Vec<_>>());
            }
            ledger::insert(tx, posting, &entries).await?;
            outbox::insert(tx, posting, &domain::payment::told(&before, &payment)).await?;
            self.follow_up(tx, &before, &payment, &events, now).await?;
            payments::notify(tx, self.store().dialect(), id).await?;
            count(&events, source);
        }
        Ok((payment, events))
    }

    /// What must happen because of the events, enqueued with them.
    async fn follow_up(
        &self,
        tx: &mut Tx,
        before: &Payment,
        payment: &Payment,
        events: &[Event],
        now: Millis,
    ) -> Result<(), Error> {
        for event in events {
            match event {
                Event::Started { attempt } => {
                    self.enqueue(tx, Kind::Open, attempt.id.as_str(), now + OPEN_GRACE).await?;
                    // What was said about earlier tries is over.
                    sessions::set_notice(tx, &attempt.session, None).await?;
                }
                Event::Staged { attempt, stage: Stage::Closed(_) } => {
                    // A session that has waited for this may be able to end now.
                    if let Some(found) = payment.attempt(attempt) {
                        jobs::hasten(tx, Kind::Expire.as_str(), found.session.as_str(), now, now).await?;
                    }
                }
                Event::Staged { attempt, stage: Stage::Unknown } => {
                    self.enqueue(tx, Kind::Open, attempt.as_str(), now + UNKNOWN_RETRY).await?;
                }
                Event::Staged { attempt, stage: Stage::Open } => {
                    self.enqueue(tx, Kind::Check, attempt.as_str(), now + FIRST_CHECK).await?;
                }
                Event::Staged { attempt, stage: Stage::Closing(_) } => {
                    self.enqueue(tx, Kind::Close, attempt.as_str(), now).await?;
                }
                Event::SecondSuccess { attempt } => {
                    let detail = format!("payment {} was paid although nothing was owed any more", payment.id);
                    alerts::raise(self, tx, "second_success", attempt.as_str(), &detail).await?;
                    self.enqueue(tx, Kind::Surplus, payment.id.as_str(), now).await?;
                }
                Event::Modifying { attempt, modification } => {
                    let subject = modify::subject(attempt, &modification.id);
                    self.enqueue(tx, Kind::Modify, &subject, now + OPEN_GRACE).await?;
                }
                Event::Answered { attempt, modification, answer } => {
                    let subject = modify::subject(attempt, modification);
                    let wait = if *answer == Answer::Unanswered { UNKNOWN_RETRY } else { FIRST_CHECK };
                    self.enqueue(tx, Kind::Modify, &subject, now + wait).await?;
                }
                Event::Moved { attempt, movement: Movement::Dispute { reference, state, due, .. } } => {
                    if *state == DisputeState::Open {
                        let until =
                            due.map_or_else(String::new, |due| format!("; evidence is due by {due} (ms since 1970)"));
                        let detail = format!("payment {}: dispute {reference} was opened{until}", payment.id);
                        alerts::raise(self, tx, "dispute_opened", attempt.as_str(), &detail).await?;
                    }
                }
                _ => {}
            }
        }
        // A refund that was not answered and then failed leaves the surplus as it was, but nobody is at it any more.
        let anew = payment.wanted_back().is_some() && before.wanted_back().is_none();
        if anew || payment.surplus() > before.surplus() {
            self.enqueue(tx, Kind::Surplus, payment.id.as_str(), now).await?;
        }
        if payment.status().is_settled() {
            sessions::complete_of_payment(tx, &payment.id).await?;
        }
        Ok(())
    }

    /// Asks for a job in the caller's transaction.
    pub(crate) async fn enqueue(
        &self,
        connection: &mut Connection,
        kind: Kind,
        subject: &str,
        run_at: Millis,
    ) -> Result<(), Error> {
        let id = JobId::from_random(self.env().bits());
        jobs::enqueue(connection, &id, kind.as_str(), subject, run_at, self.env().now()).await
    }
}

fn changed(events: &[Event]) -> Vec<AttemptId> {
    events.iter().filter_map(|event| event.attempt().cloned()).collect()
}

fn count(events: &[Event], source: Source<'_>) {
    for event in events {
        metrics::counter!("till_payment_events_total", "event" => event.name(), "source" => source.name()).increment(1);
    }
}
