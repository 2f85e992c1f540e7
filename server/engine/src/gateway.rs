//! Calls to the providers: bounded, counted, recorded with secrets masked, and explicit about unknown outcomes.

use std::time::{Duration, UNIX_EPOCH};

use connectors::{Account, Connector, Fail, HttpRequest, HttpResponse, Operation, Outcome, Sent, Wire};
use domain::id::{AttemptId, JobId};
use domain::mutant::{self, Mutant};
use domain::{Millis, SECOND};
use tracing::warn;

use crate::breaker::Admitted;
use crate::context::Context;
use crate::error::{CallError, Error};
use crate::scope::ENGINE;
use crate::store::exchanges::{self, Exchange};
use crate::transport::TransportError;

/// The most requests of one operation.
const STEPS_MAX: usize = 4;
/// The most requests of a search. A busy account makes thousands of pages in the time that is searched, and a list has a hundred.
const SEARCH_STEPS_MAX: usize = 40;
/// How often a request is sent while the shopper waits, if it did not leave or was turned away by a rate limit.
const SENDS_MAX: u32 = 3;
/// The longest pause between two sends.
const PAUSE_MAX: Millis = 2 * SECOND;

/// A connector's account together with the context that does the sending.
pub(crate) struct Gateway<'a> {
    pub context: &'a Context,
    pub account: &'a Account,
    pub connector: &'static dyn Connector,
    /// The stored request of this operation, if there is one. It is sent again as it was stored.
    pub sent: Option<Sent>,
}

impl Gateway<'_> {
    /// Runs an operation to its end. Every repetition, now or later, carries the same idempotency key.
    pub(crate) async fn call(&self, attempt: Option<&AttemptId>, operation: &Operation) -> Result<Outcome, CallError> {
        let mut key = operation.key();
        if mutant::on(Mutant::NewKeyOnRetry) {
            key.push_str(&hex::encode(self.context.env().bits()));
        }
        let mut request = self.connector.begin(self.account, operation, &key)?;
        if let Some(sent) = self.sent.clone().filter(|_| !mutant::on(Mutant::NewKeyOnRetry)) {
            request = request.repeated(sent);
        }
        let admitted = self.context.admit(&self.account.id).map_err(|until| self.held_back(until))?;
        let searches = matches!(operation, Operation::Find(_) | Operation::FindModification(_));
        for _ in 0..if searches { SEARCH_STEPS_MAX } else { STEPS_MAX } {
            let reply = self.send(&admitted, attempt, &request).await?;
            let now = provider_time(&reply).unwrap_or_else(|| self.context.env().now());
            let resumed = self.connector.resume(self.account, operation, &request, &reply, now);
            if let Some(why) = resumed.as_ref().err().and_then(Fail::about_credentials) {
                self.tell_unauthorized(&request, reply.status, why).await;
            }
            if (200..300).contains(&reply.status) {
                self.close_authorized(&request).await;
            }
            match resumed? {
                Wire::Send(next) => request = next,
                Wire::Done(outcome) => return Ok(outcome),
            }
        }
        match operation {
            // The list is too long to be searched.
            Operation::Find(_) | Operation::FindModification(_) => Ok(Outcome::Inconclusive),
            _ => Err(CallError::Fail(Fail::Unsure(format!("no outcome after {STEPS_MAX} requests")))),
        }
    }

    /// Raises an alert at once, because only a change of the key or of its rights helps.
    async fn tell_unauthorized(&self, request: &HttpRequest, status: u16, why: &str) {
        let (id, name) = (&self.account.id, request.name);
        // The detail below continues the provider's sentence.
        let why = why.trim_end_matches('.');
        if status == 403 {
            let right = self.connector.right(name).unwrap_or("the right the provider names");
            let detail = format!(
                "{name}: {why}. Grant the key at the provider: {right}; or give another key: till provider set-credential {id} \
                 NAME=@FILE"
            );
            return self.context.alert("provider_rights", &format!("{id} {name}"), &detail).await;
        }
        let detail = format!("{name}: {why}. Give a valid key: till provider set-credential {id} NAME=@FILE");
        self.context.alert("provider_credentials", id.as_str(), &detail).await;
    }

    /// Closes the alerts about the key: the provider has accepted it and its right to make this request.
    async fn close_authorized(&self, request: &HttpRequest) {
        let id = &self.account.id;
        self.context.close_alert("provider_credentials", id.as_str()).await;
        self.context.close_alert("provider_rights", &format!("{id} {}", request.name)).await;
    }

    /// Asks a question about a delivery, once, because the provider waits for the reply to its delivery. The exchange is not recorded:
    /// its subject is stored with the delivery, or was not the provider's.
    pub(crate) async fn ask(&self, request: &HttpRequest) -> Result<HttpResponse, CallError> {
        let admitted = self.context.admit(&self.account.id).map_err(|until| self.held_back(until))?;
        let result = self.context.env().transport.send_for(self.account, request).await;
        self.count(request, result.as_ref().ok().map(|reply| reply.status));
        admitted.report(is_answered(&result)).await;
        let reply = result?;
        if matches!(reply.status, 401 | 403) {
            let why = format!("status {}, asked about a delivery", reply.status);
            self.tell_unauthorized(request, reply.status, &why).await;
        }
        Ok(reply)
    }

    fn count(&self, request: &HttpRequest, status: Option<u16>) {
        metrics::counter!("till_provider_calls_total", "provider" => self.connector.provider(),
            "operation" => request.name, "status" => label(status))
        .increment(1);
    }

    fn held_back(&self, until: Millis) -> TransportError {
        let left = until - self.context.env().now();
        TransportError::NotSent(format!("its last calls failed; this one was held back, try again in {left} ms"))
    }

    async fn send(
        &self,
        admitted: &Admitted<'_>,
        attempt: Option<&AttemptId>,
        request: &HttpRequest,
    ) -> Result<HttpResponse, TransportError> {
        for sent in 1.. {
            let began = self.context.env().now();
            let result = self.context.env().transport.send_for(self.account, request).await;
            self.write_down(attempt, request, &result, began).await;
            admitted.report(is_answered(&result)).await;
            let pause = match &result {
                Ok(reply) if reply.status == 429 => retry_after(reply).unwrap_or_else(|| self.pause(sent)),
                Err(TransportError::NotSent(_)) => self.pause(sent),
                _ => return result,
            };
            if sent >= SENDS_MAX || pause > PAUSE_MAX {
                return result;
            }
            self.context.env().clock.sleep(Duration::from_millis(u64::try_from(pause).unwrap_or(0))).await;
        }
        unreachable!("the loop returns")
    }

    /// Full jitter over a doubling bound.
    fn pause(&self, sent: u32) -> Millis {
        self.context.env().below((200 << sent).min(PAUSE_MAX))
    }

    async fn write_down(
        &self,
        attempt: Option<&AttemptId>,
        request: &HttpRequest,
        result: &Result<HttpResponse, TransportError>,
        at: Millis,
    ) {
        let duration = self.context.env().now() - at;
        let status = result.as_ref().ok().map(|reply| reply.status);
        self.count(request, status);
        let exchange = Exchange {
            account: self.account.id.clone(),
            attempt: attempt.cloned(),
            operation: request.name.to_owned(),
            request: self.connector.kept().request(request),
            status: status.map(i64::from),
            reply: match result {
                Ok(reply) => self.connector.kept().reply(reply),
                Err(error) => error.to_string(),
            },
            duration,
            at,
        };
        if let Err(error) = self.store(&exchange).await {
            warn!(%error, operation = request.name, "an exchange could not be written down");
        }
    }

    async fn store(&self, exchange: &Exchange) -> Result<(), Error> {
        let id = JobId::from_random(self.context.env().timed_bits());
        let mut tx = self.context.store().begin().await?;
        exchanges::insert(&mut tx, &ENGINE, id.as_str().trim_start_matches("job_"), exchange).await?;
        tx.commit().await?;
        Ok(())
    }
}

/// A reply's status as a metric's label. The number of labels is bounded, whatever a provider replies.
fn label(status: Option<u16>) -> String {
    match status {
        Some(status @ 100..=599) => status.to_string(),
        Some(_) => "other".to_owned(),
        None => "none".to_owned(),
    }
}

/// Whether the provider has answered. The error of a gateway in front of the provider does not count.
fn is_answered(result: &Result<HttpResponse, TransportError>) -> bool {
    match result {
        Ok(reply) => !matches!(reply.status, 502..=504),
        Err(error) => matches!(error, TransportError::TooLarge(_)),
    }
}

/// The time of the reply by the provider's clock. It puts the result of a fetch in order with the provider's own events.
fn provider_time(reply: &HttpResponse) -> Option<Millis> {
    let date = httpdate::parse_http_date(reply.headers.get(http::header::DATE)?.to_str().ok()?).ok()?;
    Millis::try_from(date.duration_since(UNIX_EPOCH).ok()?.as_millis()).ok()
}

/// How long the provider asks its caller to wait.
fn retry_after(reply: &HttpResponse) -> Option<Millis> {
    let seconds = reply.headers.get(http::header::RETRY_AFTER)?.to_str().ok()?.parse::<Millis>().ok()?;
    Some(seconds.clamp(0, 3600) * SECOND)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_provider_that_says_something_is_there() {
        let reply = |status| Ok(HttpResponse { status, headers: http::HeaderMap::new(), body: bytes::Bytes::new() });
        for said in [reply(200), reply(402), reply(429), reply(500), Err(TransportError::TooLarge(1))] {
            assert!(is_answered(&said), "{said:?}");
        }
        let nothing = "nothing".to_owned();
        let lost = [Err(TransportError::NotSent(nothing.clone())), Err(TransportError::Lost(nothing))];
        for silent in lost.into_iter().chain([502, 503, 504].map(reply)) {
            assert!(!is_answered(&silent), "{silent:?}");
        }
    }

    #[test]
    fn only_what_was_not_sent_is_certain_not_to_have_been_done() {
        let definite = |error| CallError::Transport(error).is_definite();
        assert!(definite(TransportError::NotSent("no".to_owned())));
        assert!(!definite(TransportError::Lost("no".to_owned())) && !definite(TransportError::TooLarge(1)));
    }
}
