//! Opens an attempt at its provider: while the shopper waits, or later in a job when the opening was interrupted or unanswered.

use connectors::{Fail, Operation, Outcome, Target};
use domain::mutant::{self, Mutant};
use domain::payment::{Attempt, CloseReason, Fact, Stage};
use domain::session::Notice;
use domain::{MINUTE, Millis, time};

use super::{Attempts, Found};
use crate::error::{CallError, Error, Thing};
use crate::record::{self, OPEN_GRACE, Source};
use crate::scope::ENGINE;
use crate::store::{orders, sessions};
use crate::work::{Kind, Next};

/// Whether a page was opened for an attempt that had been closed as never opened.
fn is_opened_late(attempt: &Attempt, fact: &Fact) -> bool {
    matches!(fact, Fact::Opened { .. }) && attempt.stage == Stage::Closed(CloseReason::NotFound)
}

/// How often a page is looked for after a search has proved that it does not exist. If it appears after all, it is not shown.
pub(crate) const LOOK_AGAIN: Millis = 15 * MINUTE;

/// How much later than requested a provider may close a page.
pub(crate) const PAGE_END_MARGIN: Millis = 5 * MINUTE;

impl Attempts<'_> {
    /// Opens an attempt that is waiting for it, and records the outcome. Returns why the attempt is not open. `first` says that the
    /// provider has certainly not been asked before. An earlier caller may have died before the answer was stored.
    pub(crate) async fn open(&self, attempt: &str, first: bool) -> Result<Option<CallError>, Error> {
        let found = self.find(attempt).await?;
        if !matches!(found.attempt.stage, Stage::Opening | Stage::Unknown) {
            return Ok(None);
        }
        let id = found.attempt.id.clone();
        let unknown = found.attempt.stage == Stage::Unknown || !first;
        let began = self.context.env().now();
        let (course, capabilities) = self.opening_course(&found).await?;
        let mut outcome = Ok(Outcome::NotFound);
        if unknown && capabilities.find {
            outcome = self.call(&found.attempt, &Operation::Find(found.target())).await?;
            if let Err(error) = outcome {
                // A failed question proves nothing about an earlier request.
                record::record(self.context, &found.payment, &Fact::Unanswered { attempt: id }, Source::Engine).await?;
                return Ok(Some(error));
            }
        }
        let nothing = matches!(outcome, Ok(Outcome::NotFound | Outcome::Inconclusive));
        if nothing && !course.may_send(!unknown, began) {
            // Otherwise this is the first request: the server was stopped for minutes before it could send, and the job has taken over.
            if unknown {
                let proved = course.is_proved(began) && matches!(outcome, Ok(Outcome::NotFound));
                self.opening_left(&found, proved, course.proved().is_some()).await?;
            }
            return Ok(None);
        }
        if nothing {
            // As far as is known there is no page, and the connector says that the request may be sent again unchanged.
            let operation = self.opening(&found).await?;
            let sent = self.sent(&found.attempt, &operation).await?;
            outcome = self.call_as_sent(&found.attempt, &operation, sent).await?;
        }
        let (fact, failure) = match outcome {
            Ok(Outcome::Opened { refs, handoff, until }) => (Fact::Opened { attempt: id, refs, handoff, until }, None),
            Ok(Outcome::Observed(observation)) => {
                self.observe(&found, observation, Source::Fetch).await?;
                return Ok(None);
            }
            Ok(Outcome::Accepted { .. } | Outcome::NotFound | Outcome::Inconclusive | Outcome::Events { .. }) => {
                (Fact::Unanswered { attempt: id }, None)
            }
            Err(error) => {
                // After so long a delay this may not be the only caller: a job may have asked meanwhile.
                let alone = self.context.env().now() < found.attempt.created + OPEN_GRACE;
                (self.not_opened(&found.attempt, unknown || !alone, &error).await, Some(error))
            }
        };
        let payment = record::record(self.context, &found.payment, &fact, Source::Engine).await?;
        if matches!(fact, Fact::Opened { .. }) {
            self.context.close_alert("open_failed", found.attempt.account.as_str()).await;
        }
        if let Some(late) = payment.attempt(&found.attempt.id).filter(|late| is_opened_late(late, &fact)) {
            // The server was stopped for minutes in the middle of its request. This page is shown to no shopper.
            self.close_late(&found, late).await?;
        }
        Ok(failure)
    }

    /// Handles an attempt whose request is not sent any more. If a search has proved that the request did nothing, the attempt is
    /// closed. If no search can ever prove that, an alert is raised.
    async fn opening_left(&self, found: &Found, proved: bool, provable: bool) -> Result<(), Error> {
        let attempt = &found.attempt;
        if proved && attempt.handoff.is_none() {
            return self.give_up_opening(found).await;
        }
        if attempt.stage == Stage::Opening {
            record::record(
                self.context,
                &found.payment,
                &Fact::Unanswered { attempt: attempt.id.clone() },
                Source::Engine,
            )
            .await?;
        }
        if !provable {
            let until = attempt.until.map_or_else(|| "later".to_owned(), |until| time::format(until + PAGE_END_MARGIN));
            let detail = format!(
                "payment {}: the provider did not answer when {} was opened for {}. To ask again could open a second page, so it is not \
                 done. Look at the provider for this reference. If it was paid, its delivery settles it here; if there is nothing, do \
                 nothing: the shopper can pay again from {until} on",
                found.payment, attempt.id, attempt.amount
            );
            self.context.alert_once("open_unknown", attempt.id.as_str(), &detail).await;
        }
        Ok(())
    }

    /// Closes an attempt that is proved not to have been opened, and notifies the shopper, who may choose again.
    async fn give_up_opening(&self, found: &Found) -> Result<(), Error> {
        let fact = Fact::NotOpened { attempt: found.attempt.id.clone(), reason: CloseReason::NotFound };
        let mut tx = self.context.store().begin().await?;
        match record::record_in(self.context, &mut tx, &found.payment, &fact, Source::Engine).await {
            Ok((_, true)) => {}
            Ok((_, false)) => return Ok(()),
            Err(error) => {
                tx.rollback().await?;
                return record::tell_breach(self.context, &found.payment, Source::Engine.name(), Err(error)).await;
            }
        }
        sessions::set_notice(&mut tx, &ENGINE, &found.attempt.session, Some(Notice::ProviderUnreachable)).await?;
        let (account, id) = (&found.attempt.account, found.attempt.id.as_str());
        self.context.enqueue(&mut tx, Kind::Open, Some(account), id, self.context.env().now() + LOOK_AGAIN).await?;
        self.context.commit(tx).await?;
        self.context.live().tell(&found.payment);
        Ok(())
    }

    /// Looks for the page of an attempt that was given up, until the page would have closed by itself, and closes it if it is there.
    /// Such a page exists only if a server was stopped for minutes in the middle of its request.
    pub(crate) async fn look_again(&self, found: &Found) -> Result<Next, Error> {
        let now = self.context.env().now();
        if found.attempt.until.is_none_or(|until| now > until + PAGE_END_MARGIN) {
            return Ok(Next::Done);
        }
        match self.call(&found.attempt, &Operation::Find(found.target())).await? {
            Ok(Outcome::Opened { refs, handoff, until }) => {
                let fact = Fact::Opened { attempt: found.attempt.id.clone(), refs, handoff, until };
                let payment = record::record(self.context, &found.payment, &fact, Source::Engine).await?;
                if let Some(late) = payment.attempt(&found.attempt.id) {
                    self.close_late(found, late).await?;
                }
            }
            Ok(Outcome::Observed(observation)) => {
                self.observe(found, observation, Source::Fetch).await?;
                return Ok(Next::Done);
            }
            Ok(_) => {}
            Err(error) => return Err(Error::Provider(error)),
        }
        Ok(Next::At(now + LOOK_AGAIN))
    }

    /// Closes a page that was opened for an attempt that had been given up.
    async fn close_late(&self, found: &Found, late: &Attempt) -> Result<(), Error> {
        let target = Target { refs: late.refs.clone(), ..found.target() };
        if let Err(error) = self.call(late, &Operation::Close(target)).await? {
            tracing::warn!(attempt = %late.id, %error, "a page that was opened too late was not closed yet");
        }
        Ok(())
    }

    /// The operation that opens an attempt, built from its stored order and session.
    async fn opening(&self, found: &Found) -> Result<Operation, Error> {
        let mut connection = self.context.store().reader().await?;
        let order = orders::find(&mut connection, &ENGINE, &found.order).await?;
        let order = order.ok_or_else(|| Error::NotFound(Thing::Order(found.order.clone())))?;
        let session = sessions::find(&mut connection, &ENGINE, &found.attempt.session).await?;
        let missing = || Error::NotFound(Thing::Session(found.attempt.session.clone()));
        let token = session.ok_or_else(missing)?.session.token;
        Ok(Operation::Open(Box::new(self.open_spec(&found.attempt, &order, &token)?)))
    }

    async fn not_opened(&self, attempt: &Attempt, unknown: bool, error: &CallError) -> Fact {
        let id = attempt.id.clone();
        // Credentials have an alert of their own.
        if let CallError::Fail(fail) = error
            && fail.about_credentials().is_none()
        {
            self.context.alert("open_failed", attempt.account.as_str(), &format!("attempt {id}: {fail}")).await;
        }
        match error {
            // While the outcome of an earlier request is unknown, a later failure proves nothing about it.
            _ if unknown
                && !mutant::on(Mutant::FailedRetryIsNo)
                && !matches!(error, CallError::Fail(Fail::Refused(_))) =>
            {
                Fact::Unanswered { attempt: id }
            }
            CallError::Transport(_) | CallError::Fail(Fail::RateLimited(_)) if error.is_definite() => {
                Fact::NotOpened { attempt: id, reason: CloseReason::Unreachable }
            }
            CallError::Fail(_) if error.is_definite() => Fact::NotOpened { attempt: id, reason: CloseReason::Refused },
            _ => Fact::Unanswered { attempt: id },
        }
    }
}
