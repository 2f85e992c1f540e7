//! Starts a payment. At most one page is open at a provider for one payment, however often the button is pressed.

use std::time::Duration;

use connectors::{Operation, Sent};
use domain::id::{AttemptId, PaymentId, ProviderAccountId, Token};
use domain::method::Method;
use domain::payment::{Attempt, CloseReason, Fact, Payment, Refusal, Stage};
use domain::session::{Notice, Session};
use domain::{Millis, SECOND};

use super::view::{Loaded, PAGE_MARGIN};
use super::{Checkout, PageError, to_its_end};
use crate::error::Error;
use crate::record::{self, Source};
use crate::scope::Scope;
use crate::store::{payments, sessions};

/// How often a waiting request looks by itself, in case another server made the change.
const LOOK: Duration = Duration::from_millis(500);
/// The most turns of one click: wait, close, open.
const TURNS_MAX: usize = 4;

/// The shopper's next step after a start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Started {
    /// A page is open at the provider.
    Redirect,
    /// No page is open. The session's page says why.
    Stay,
}

/// The step that one look at the payment calls for.
enum Turn {
    Finished(Started),
    Open(AttemptId),
    Close(AttemptId),
    Wait,
}

impl Checkout {
    /// Starts a payment with a method, or returns to the attempt under way. `lang` is the language the shopper chose, if any; it is
    /// carried to the provider and back. An action that takes longer than one click may wait continues in the background.
    pub async fn start(&self, token: &Token, method: Method, lang: Option<&str>) -> Result<Started, PageError> {
        let (checkout, token) = (self.clone(), token.clone());
        let lang = lang.filter(|tag| is_language_tag(tag)).map(str::to_owned);
        let started =
            to_its_end(&self.context, async move { checkout.start_by_turns(&token, method, lang.as_deref()).await })
                .await?;
        Ok(started.unwrap_or(Started::Stay))
    }

    async fn start_by_turns(&self, token: &Token, method: Method, lang: Option<&str>) -> Result<Started, PageError> {
        // All waits share one deadline, so that several waits take no longer than one.
        let click = Millis::try_from(self.context.tuning().click.as_millis()).unwrap_or(Millis::MAX);
        let until = self.context.env().now().saturating_add(click);
        for _ in 0..TURNS_MAX {
            let loaded = self.load(token).await?;
            match self.turn(&loaded, method, lang).await? {
                Turn::Finished(started) => return Ok(started),
                Turn::Open(attempt) => return Ok(self.open_now(&loaded.scope, &loaded.session, &attempt).await?),
                Turn::Close(attempt) => {
                    // A provider that has just refused to close the page will hardly close it a moment later. The session's page says
                    // that it is being closed.
                    if !self.close_now(&loaded.payment.id, &attempt, CloseReason::Superseded).await? {
                        return Ok(Started::Stay);
                    }
                }
                Turn::Wait => {
                    if !self.wait_for_other(&loaded.scope, &loaded.payment.id, until).await? {
                        return Ok(Started::Stay);
                    }
                }
            }
        }
        Ok(Started::Stay)
    }

    async fn turn(&self, loaded: &Loaded, method: Method, lang: Option<&str>) -> Result<Turn, Error> {
        let Loaded { scope, session, payment, order, .. } = loaded;
        let now = self.context.env().now();
        if let Some(live) = payment.live() {
            return Ok(match live.stage {
                Stage::Opening | Stage::Closing(_) => Turn::Wait,
                Stage::Open if live.method == method && live.usable_handoff(now).is_some() => {
                    Turn::Finished(Started::Redirect)
                }
                Stage::Open if !live.is_processing() && !session.is_over(now) => Turn::Close(live.id.clone()),
                _ => Turn::Finished(Started::Stay),
            });
        }
        if session.is_over(now) || payment.status().is_settled() || payment.is_called_off() {
            return Ok(Turn::Finished(Started::Stay));
        }
        let offer = self.offer(scope, order).await?;
        let Some((_, account)) = offer.methods.into_iter().find(|(offered, _)| *offered == method) else {
            self.notice(scope, session, Some(Notice::MethodUnavailable)).await?;
            return Ok(Turn::Finished(Started::Stay));
        };
        self.begin(loaded, method, account, lang).await
    }

    /// Inserts the attempt. When several requests get this far, the database accepts one of them, and the others wait for it.
    async fn begin(
        &self,
        loaded: &Loaded,
        method: Method,
        account: ProviderAccountId,
        lang: Option<&str>,
    ) -> Result<Turn, Error> {
        let now = self.context.env().now();
        let until = self.page_end(&account, loaded.session.expires, now).await?;
        let id = AttemptId::from_random(self.context.env().timed_bits());
        let (session, amount) = (loaded.session.id.clone(), loaded.payment.amount);
        let attempt = Attempt::new(id.clone(), session, account, method, amount, now, until);
        let attempt = Attempt { lang: lang.map(str::to_owned), ..attempt };
        let spec = self.attempts().open_spec(&attempt, &loaded.order, &loaded.session.token)?;
        let sent = self.attempts().written(&attempt.account, &Operation::Open(Box::new(spec))).await?;
        match self.insert(loaded, attempt, sent.as_ref()).await {
            Ok(true) => Ok(Turn::Open(id)),
            Ok(false) => Ok(Turn::Finished(Started::Stay)),
            Err(Error::Refused(Refusal::Live(_))) => Ok(Turn::Wait),
            Err(Error::Refused(Refusal::Settled | Refusal::Canceled)) => Ok(Turn::Finished(Started::Stay)),
            Err(error) => Err(error),
        }
    }

    /// Returns false if the session has just ended. A session is ended only under the payment's lock.
    async fn insert(&self, loaded: &Loaded, attempt: Attempt, sent: Option<&Sent>) -> Result<bool, Error> {
        let mut tx = self.context.store().begin().await?;
        let (payment, session, id) = (&loaded.payment.id, &loaded.session.id, attempt.id.clone());
        let fact = Fact::Start(Box::new(attempt));
        if let Err(error) = record::record_in(&self.context, &mut tx, payment, &fact, Source::Shopper).await {
            tx.rollback().await?;
            return record::tell_breach(&self.context, payment, Source::Shopper.name(), Err(error)).await;
        }
        if let Some(sent) = sent {
            self.attempts().keep_sent(&mut tx, &id, sent).await?;
        }
        let current = sessions::find(&mut tx, &loaded.scope, session).await?;
        if current.is_none_or(|stored| stored.session.is_over(self.context.env().now())) {
            tx.rollback().await?;
            return Ok(false);
        }
        self.context.commit(tx).await?;
        self.context.live().tell(payment);
        Ok(true)
    }

    /// When the provider's page should close: at the session's end, or as near to it as the provider's limits allow.
    async fn page_end(&self, account: &ProviderAccountId, session_end: Millis, now: Millis) -> Result<Millis, Error> {
        let capabilities = self.attempts().capabilities(account).await?;
        // The limits have margins, because the provider's clock is not ours.
        let earliest = now + capabilities.page_life_min + PAGE_MARGIN;
        let latest = now + capabilities.page_life_max - 60 * SECOND;
        Ok(session_end.max(earliest).min(latest))
    }

    async fn open_now(&self, scope: &Scope, session: &Session, attempt: &AttemptId) -> Result<Started, Error> {
        let failure = self.attempts().open(attempt.as_str(), true).await?;
        let stage = self.attempts().find(attempt.as_str()).await?.attempt.stage;
        let notice = match stage {
            Stage::Closed(CloseReason::Unreachable) => Some(Notice::ProviderUnreachable),
            Stage::Closed(CloseReason::Refused) => Some(Notice::ProviderRefused),
            _ => None,
        };
        if notice.is_some() {
            self.notice(scope, session, notice).await?;
        }
        if let Some(error) = failure {
            tracing::warn!(%attempt, %error, "a payment page was not opened");
        }
        Ok(if stage == Stage::Open { Started::Redirect } else { Started::Stay })
    }

    /// Closes an attempt while the shopper waits. Returns false if the provider did not close the page; a job then keeps asking.
    pub(super) async fn close_now(
        &self,
        payment: &PaymentId,
        attempt: &AttemptId,
        reason: CloseReason,
    ) -> Result<bool, Error> {
        let fact = Fact::CloseRequested { attempt: attempt.clone(), reason };
        match record::record(&self.context, payment, &fact, Source::Shopper).await {
            Ok(_) => {}
            Err(Error::Refused(Refusal::InProgress(_))) => return Ok(true),
            Err(error) => return Err(error),
        }
        match self.attempts().close(attempt.as_str()).await {
            Ok(_) => Ok(true),
            Err(Error::Provider(error)) => {
                tracing::warn!(%attempt, %error, "a payment page could not be closed yet");
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }

    /// Waits while another request, perhaps on another server, opens or closes a page. Returns whether that request has finished in
    /// time.
    async fn wait_for_other(&self, scope: &Scope, payment: &PaymentId, until: Millis) -> Result<bool, Error> {
        let mut watch = self.context.live().watch(payment);
        while self.is_between(scope, payment).await? {
            if self.context.env().now() >= until {
                return Ok(false);
            }
            self.context.env().clock.sleep_unless(LOOK, Box::pin(watch.changed())).await;
        }
        Ok(true)
    }

    async fn is_between(&self, scope: &Scope, payment: &PaymentId) -> Result<bool, Error> {
        let stored = payments::find(&mut *self.context.store().reader().await?, scope, payment).await?;
        let between = |payment: &Payment| {
            payment.live().is_some_and(|live| matches!(live.stage, Stage::Opening | Stage::Closing(_)))
        };
        Ok(stored.is_some_and(|stored| between(&stored.payment)))
    }
}

/// Whether a tag has the simple form of our languages. Any other text would end up in an address.
fn is_language_tag(tag: &str) -> bool {
    (2..=8).contains(&tag.len()) && tag.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'-')
}
