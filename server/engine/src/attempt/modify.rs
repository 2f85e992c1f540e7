//! Captures, voids and refunds of an attempt: recorded first and sent afterwards, always with the modification's own id as the
//! idempotency key.

use connectors::ModifySpec;
use domain::id::{AttemptId, ModificationId};
use domain::money::Money;
use domain::payment::{Answer, Event, Fact, Limits, Modification, ModificationKind, Outcome};
use domain::{MINUTE, Millis};

use super::{Attempts, Found};
use crate::error::{CallError, Error, Thing};
use crate::problem::MoneyProblem;
use crate::record::{self, Source};
use crate::scope::ENGINE;
use crate::store::payments;

/// The longest pause between two questions about a modification.
pub(crate) const PAUSE_MAX: Millis = 60 * MINUTE;

/// The result of a modification so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Modified {
    /// The modification.
    pub modification: Modification,
    /// The modification's result so far.
    pub outcome: Outcome,
}

impl Attempts<'_> {
    /// Checks that the provider can count the amount to be captured or sent back. An amount that it cannot count would be refused later.
    pub(crate) async fn check_part(&self, attempt: &AttemptId, kind: ModificationKind) -> Result<(), Error> {
        let (ModificationKind::Capture { amount, .. } | ModificationKind::Refund { amount }) = kind else {
            return Ok(());
        };
        let attempt = self.find(attempt.as_str()).await?.attempt;
        let connector = self.connector(&attempt.account).await?;
        let part = Money::new(amount, attempt.amount.currency);
        connector.takes_part(part).map_err(Error::Amount)
    }

    /// A modification about to be recorded, and the provider's limits.
    pub(crate) async fn modification(
        &self,
        attempt: &AttemptId,
        kind: ModificationKind,
    ) -> Result<(Modification, Limits), Error> {
        let found = self.find(attempt.as_str()).await?;
        if found.attempt.refs.payment.is_none() {
            return Err(MoneyProblem::NotNamed { attempt: found.attempt.id }.into());
        }
        let (account, connector) = self.context.unseal(&self.context.account(&found.attempt.account).await?)?;
        let limits = connector.limits(&account, found.attempt.method);
        let id = ModificationId::from_random(self.context.env().bits());
        Ok((Modification::new(id, kind, self.context.env().now()), limits))
    }

    /// Sends a modification that has just been recorded, and returns its result so far.
    pub(crate) async fn send_first(&self, attempt: &AttemptId, id: &ModificationId) -> Result<Modified, Error> {
        // Once the modification is stored a job will send it, so trouble from here on is no reason to report failure.
        if let Err(error) = self.send_modification(attempt.as_str(), id, true).await {
            tracing::warn!(%attempt, modification = %id, %error, "a modification was not sent yet");
        }
        self.modified(attempt.as_str(), id).await
    }

    pub(crate) async fn modified(&self, attempt: &str, id: &ModificationId) -> Result<Modified, Error> {
        let attempt = self.find(attempt).await?.attempt;
        let known = attempt.modification(id).ok_or_else(|| Error::NotFound(Thing::Modification(id.clone())))?;
        Ok(Modified { modification: known.clone(), outcome: known.outcome(&attempt.book) })
    }

    /// Sends a modification whose result is open, or asks for its outcome. `first` says that the modification has certainly not been
    /// sent before.
    pub(crate) async fn send_modification(&self, attempt: &str, id: &ModificationId, first: bool) -> Result<(), Error> {
        let found = self.find(attempt).await?;
        let known = found.attempt.modification(id).ok_or_else(|| Error::NotFound(Thing::Modification(id.clone())))?;
        let outcome = known.outcome(&found.attempt.book);
        let spec = || ModifySpec {
            target: found.target(),
            modification: id.clone(),
            kind: known.kind,
            capture: known.capture.clone(),
            created: known.created,
        };
        let began = self.context.env().now();
        let waits = matches!(outcome, Outcome::Requested | Outcome::Unknown);
        let unanswered = self.unanswered_since(&found, known).await?;
        let (course, capabilities) = self.modification_course(&found, known, unanswered).await?;
        if outcome.is_open() && !first && capabilities.find_modification {
            match self.call(&found.attempt, &connectors::Operation::FindModification(spec())).await? {
                Ok(connectors::Outcome::NotFound) => {
                    if waits && course.is_proved(began) {
                        return self.give_up_modification(&found, known).await;
                    }
                }
                Ok(connectors::Outcome::Inconclusive) => {}
                // A failed question proves nothing about an earlier request.
                Err(error) => return Err(Error::Provider(error)),
                found_it => return self.take_reply(&found, id, found_it).await,
            }
        }
        if !waits {
            return Ok(());
        }
        if !course.may_send(first, began) {
            // If this is the first request, the server was stopped for a while before it could send, and the job has taken over.
            return if first { Ok(()) } else { self.modification_left(&found, known, course.proved().is_some()).await };
        }
        let reply = self.call(&found.attempt, &connectors::Operation::Modify(spec())).await?;
        if first
            && !course.may_send(false, began)
            && let Err(error) = &reply
            && error.is_definite()
        {
            // The request will not be sent again, and it has certainly done nothing.
            let answer = Answer::Refused { reason: format!("{error}; nothing was done, ask again with another key") };
            return self.answered(&found, id, answer).await;
        }
        self.take_reply(&found, id, reply).await
    }

    /// When a modification became known to be sent and unanswered. Each try before that has certainly not reached the provider, however
    /// long the tries went on.
    async fn unanswered_since(&self, found: &Found, known: &Modification) -> Result<Option<Millis>, Error> {
        if known.outcome(&found.attempt.book) != Outcome::Unknown {
            return Ok(None);
        }
        let events = payments::events(&mut *self.context.store().reader().await?, &ENGINE, &found.payment).await?;
        let unanswered = |event: &Event| matches!(event, Event::Answered { modification, answer: Answer::Unanswered, .. } if *modification == known.id);
        Ok(events.iter().find(|happened| unanswered(&happened.event)).map(|happened| happened.at))
    }

    /// When to look again at a modification that is not sent any more: when a search is a proof, or now and then. None if the
    /// modification may still be sent, or if a search would be a proof now.
    pub(crate) async fn modification_rests(&self, attempt: &str, id: &ModificationId) -> Result<Option<Millis>, Error> {
        let found = self.find(attempt).await?;
        let known = found.attempt.modification(id).ok_or_else(|| Error::NotFound(Thing::Modification(id.clone())))?;
        let unanswered = self.unanswered_since(&found, known).await?;
        let (course, _) = self.modification_course(&found, known, unanswered).await?;
        let now = self.context.env().now();
        let rests = course.proved().map_or(Some(now + PAUSE_MAX), |proved| (now < proved).then_some(proved));
        Ok(rests.filter(|_| !course.may_send(false, now)))
    }

    /// Handles a modification that is not sent any more and whose outcome is unknown. If no search can ever tell the outcome, an alert
    /// is raised.
    async fn modification_left(&self, found: &Found, known: &Modification, provable: bool) -> Result<(), Error> {
        if known.outcome(&found.attempt.book) == Outcome::Requested {
            self.answered(found, &known.id, Answer::Unanswered).await?;
        }
        if !provable {
            let (what, currency) = (known.kind.as_str(), found.attempt.amount.currency);
            let amount = match known.amount() {
                0 => String::new(),
                minor => format!(" of {}", Money::new(minor, currency)),
            };
            let detail = format!(
                "payment {}: the provider did not answer the {what} {}{amount}. To send it again could do it twice, so it is not done. Look \
                 at the provider for this reference. If it was done, the provider's delivery or report settles it here; if it was \
                 not, do it in the provider's own dashboard",
                found.payment, known.id
            );
            self.context.alert_once("modification_unknown", known.id.as_str(), &detail).await;
        }
        Ok(())
    }

    async fn answered(&self, found: &Found, id: &ModificationId, answer: Answer) -> Result<(), Error> {
        let fact = Fact::Answered { attempt: found.attempt.id.clone(), modification: id.clone(), answer };
        record::record(self.context, &found.payment, &fact, Source::Engine).await.map(drop)
    }

    /// Gives up a modification that was proved not to be done and is not sent any more. An alert says that the merchant may ask for it
    /// anew.
    async fn give_up_modification(&self, found: &Found, known: &Modification) -> Result<(), Error> {
        let reason = "the provider did not answer and has not done it; ask again with another key".to_owned();
        self.answered(found, &known.id, Answer::Refused { reason }).await?;
        // Till repeats the modifications that it began by itself.
        if !known.is_own() {
            let what = known.kind.as_str();
            let detail = format!(
                "payment {}: the {what} {} was not answered, and the provider has not done it; ask for it again with another key",
                found.payment, known.id
            );
            self.context.alert("modification_failed", known.id.as_str(), &detail).await;
        }
        Ok(())
    }

    async fn take_reply(
        &self,
        found: &Found,
        id: &ModificationId,
        reply: Result<connectors::Outcome, CallError>,
    ) -> Result<(), Error> {
        let answer = match reply {
            Ok(connectors::Outcome::Observed(observation)) => {
                return self.observe(found, observation, Source::Fetch).await.map(|_| ());
            }
            Ok(connectors::Outcome::Accepted { reference }) => Answer::Accepted { reference },
            Ok(_) => return Ok(()),
            // A request that was refused, or that the provider's API cannot express, is not repeated.
            Err(CallError::Fail(connectors::Fail::Refused(reason) | connectors::Fail::Unsupported(reason))) => {
                Answer::Refused { reason }
            }
            // This request has certainly done nothing, so the modification is still to be done.
            Err(error) if error.is_definite() => return Err(Error::Provider(error)),
            Err(error) => {
                tracing::warn!(modification = %id, %error, "a provider did not answer a modification");
                Answer::Unanswered
            }
        };
        self.answered(found, id, answer).await
    }
}
