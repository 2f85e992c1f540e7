//! Opens an attempt at its provider: while the shopper waits, or later by a job when that was interrupted or unanswered.

use connectors::{Capabilities, Connector, Fail, OpenSpec, Operation, Outcome, Target};
use domain::id::{AttemptId, LinkId, PaymentId, ProviderAccountId};
use domain::mutant::{self, Mutant};
use domain::payment::{Attempt, CloseReason, Fact, Stage};
use domain::{MINUTE, Millis};

use super::Next;
use crate::engine::Engine;
use crate::error::Error;
use crate::gateway::{CallError, Gateway};
use crate::record::{OPEN_GRACE, Source};
use crate::store::{attempts, links, payments, sessions};

pub(super) async fn run(engine: &Engine, subject: &str) -> Result<Next, Error> {
    let failure = engine.open_attempt(subject, false).await?;
    let found = engine.find_attempt(subject).await?;
    if !matches!(found.attempt.stage, Stage::Opening | Stage::Unknown) {
        return Ok(Next::Done);
    }
    if found.attempt.until.is_some_and(|until| engine.env().now() > until + PAGE_END_MARGIN) {
        // Whatever was opened there has closed by itself, and nobody was ever shown the way to it.
        let fact = Fact::NotOpened { attempt: found.attempt.id.clone(), reason: CloseReason::Expired };
        engine.record(&found.payment, &fact, Source::Engine).await?;
        return Ok(Next::Done);
    }
    if mutant::on(Mutant::UnknownIsForgotten) {
        return Ok(Next::Done);
    }
    // The next try repeats the request with the same key.
    Err(Error::Invalid(failure.map_or("not open yet".to_owned(), |error| error.to_string())))
}

/// How much later than asked for a provider may close a page.
const PAGE_END_MARGIN: Millis = 5 * MINUTE;

/// An attempt with what stands around it.
pub(crate) struct Found {
    pub attempt: Attempt,
    pub payment: PaymentId,
    pub link: LinkId,
    pub capture: domain::payment::Capture,
}

impl Found {
    /// The attempt as connectors know it.
    pub(crate) fn target(&self) -> Target {
        Target {
            attempt: self.attempt.id.clone(),
            refs: self.attempt.refs.clone(),
            amount: self.attempt.amount,
            capture: self.capture,
            created: self.attempt.created,
        }
    }
}

impl Engine {
    pub(crate) async fn find_attempt(&self, id: &str) -> Result<Found, Error> {
        let id: AttemptId = id.parse().map_err(Error::corrupt)?;
        let mut connection = self.store().reader().await?;
        let missing = || Error::NotFound(format!("attempt {id}"));
        let located = attempts::locate(&mut connection, &id).await?.ok_or_else(missing)?;
        let stored = payments::find(&mut connection, &located.payment).await?.ok_or_else(missing)?;
        let attempt = stored.payment.attempt(&id).cloned().ok_or_else(missing)?;
        Ok(Found { attempt, payment: located.payment, link: stored.link, capture: stored.payment.capture })
    }

    /// Calls the attempt's provider. The outer error is ours, the inner one the provider's or the network's.
    pub(crate) async fn call(
        &self,
        attempt: &Attempt,
        operation: &Operation,
    ) -> Result<Result<Outcome, CallError>, Error> {
        let (account, connector) = self.unseal(&self.account(&attempt.account).await?)?;
        let gateway = Gateway { engine: self, account: &account, connector };
        Ok(gateway.call(Some(&attempt.id), operation).await)
    }

    /// Opens an attempt that is waiting for it, and records the outcome. Returns why it is not open. `first` is whether it is
    /// certain that nobody has asked the provider before: whoever had may have died before the answer was stored.
    pub(crate) async fn open_attempt(&self, attempt: &str, first: bool) -> Result<Option<CallError>, Error> {
        let found = self.find_attempt(attempt).await?;
        if !matches!(found.attempt.stage, Stage::Opening | Stage::Unknown) {
            return Ok(None);
        }
        let id = found.attempt.id.clone();
        let unknown = found.attempt.stage == Stage::Unknown || !first;
        let mut outcome = Ok(Outcome::NotFound);
        if unknown && self.capabilities(&found.attempt.account).await?.find {
            outcome = self.call(&found.attempt, &Operation::Find(found.target())).await?;
            if let Err(error) = outcome {
                // A question that fails says nothing about what was done.
                self.record(&found.payment, &Fact::Unanswered { attempt: id }, Source::Engine).await?;
                return Ok(Some(error));
            }
        }
        if matches!(outcome, Ok(Outcome::NotFound)) {
            // Nothing there, as far as can be told: the same request again, with the same key.
            let operation = Operation::Open(Box::new(self.open_spec(&found).await?));
            outcome = self.call(&found.attempt, &operation).await?;
        }
        let (fact, failure) = match outcome {
            Ok(Outcome::Opened { refs, handoff, until }) => (Fact::Opened { attempt: id, refs, handoff, until }, None),
            Ok(Outcome::Observed(observation)) => {
                self.observe(&found, observation, Source::Fetch).await?;
                return Ok(None);
            }
            Ok(Outcome::Accepted { .. } | Outcome::NotFound | Outcome::Events { .. }) => {
                (Fact::Unanswered { attempt: id }, None)
            }
            Err(error) => {
                // Who was held up so long is no longer the only one: a job may have asked meanwhile.
                let alone = self.env().now() < found.attempt.created + OPEN_GRACE;
                (self.not_opened(&found.attempt, unknown || !alone, &error).await, Some(error))
            }
        };
        self.record(&found.payment, &fact, Source::Engine).await?;
        Ok(failure)
    }

    /// What the provider of an account can do.
    pub(crate) async fn capabilities(&self, account: &ProviderAccountId) -> Result<&'static Capabilities, Error> {
        Ok(self.connector(account).await?.capabilities())
    }

    /// The connector of an account's provider.
    pub(crate) async fn connector(&self, account: &ProviderAccountId) -> Result<&'static dyn Connector, Error> {
        let row = self.account(account).await?;
        let missing = || Error::NotFound(format!("connector for provider {}", row.provider));
        connectors::by_name(&row.provider).ok_or_else(missing)
    }

    async fn open_spec(&self, found: &Found) -> Result<OpenSpec, Error> {
        let mut connection = self.store().reader().await?;
        let link = links::find(&mut connection, &found.link).await?;
        let link = link.ok_or_else(|| Error::NotFound(format!("link {}", found.link)))?;
        let session = sessions::find(&mut connection, &found.attempt.session).await?;
        let token = session.ok_or_else(|| Error::NotFound("session of the attempt".into()))?.session.token;
        let page = format!("{}/c/{token}", self.public_url());
        let query = found.attempt.lang.as_ref().map_or_else(String::new, |lang| format!("?lang={lang}"));
        Ok(OpenSpec {
            attempt: found.attempt.id.clone(),
            amount: found.attempt.amount,
            lines: link.lines,
            method: found.attempt.method,
            capture: found.capture,
            until: found.attempt.until.ok_or_else(|| Error::Corrupt("an attempt without an end".into()))?,
            return_url: format!("{page}/return{query}"),
            cancel_url: format!("{page}{query}"),
            lang: found.attempt.lang.clone(),
        })
    }

    async fn not_opened(&self, attempt: &Attempt, unknown: bool, error: &CallError) -> Fact {
        let id = attempt.id.clone();
        if let CallError::Fail(fail) = error {
            self.alert("open_failed", attempt.account.as_str(), &fail.to_string()).await;
        }
        match error {
            // While the outcome of an earlier request is unknown, a later one that fails proves nothing about it.
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
