//! The shopper's other actions. Their outcomes are kept on the session, and its page shows them.

use domain::id::Token;
use domain::payment::{CloseReason, Stage};
use domain::session::{Notice, Session};

use super::view::Loaded;
use super::{Checkout, PageError, to_its_end};
use crate::error::Error;
use crate::scope::Scope;
use crate::store::{payments, sessions};

impl Checkout {
    /// Cancels the attempt under way. An attempt that turns out to have succeeded stays paid.
    pub async fn cancel(&self, token: &Token) -> Result<(), PageError> {
        let (checkout, token) = (self.clone(), token.clone());
        // A cancellation that takes longer continues in the background; the page shows what is known so far.
        to_its_end(&self.context, async move { checkout.cancel_live(&token).await }).await.map(|_ended| ())
    }

    async fn cancel_live(&self, token: &Token) -> Result<(), PageError> {
        let Loaded { scope, session, payment, .. } = self.load(token).await?;
        let Some(live) = payment.live().filter(|live| live.stage == Stage::Open) else { return Ok(()) };
        self.close_now(&payment.id, &live.id, CloseReason::Cancelled).await?;
        let after = self.attempts().find(live.id.as_str()).await?.attempt.stage;
        if after == Stage::Closed(CloseReason::Cancelled) {
            self.notice(&scope, &session, Some(Notice::Cancelled)).await?;
        }
        Ok(())
    }

    /// Extends the session, if it can be extended.
    pub async fn extend(&self, token: &Token) -> Result<(), PageError> {
        let Loaded { scope, session, .. } = self.load(token).await?;
        match session.extended(self.context.env().now()) {
            Some(expires) => {
                let mut tx = self.context.store().begin().await?;
                sessions::extend(&mut tx, &scope, &session.id, expires).await?;
                self.publish(tx, &session).await?;
            }
            None => self.notice(&scope, &session, Some(Notice::NotExtendable)).await?,
        }
        Ok(())
    }

    /// The session in which a payment continues once this session is over: the open one, or a new one. While an attempt is live, or if
    /// the payment or its link allows no other session, this session is returned.
    pub async fn renew(&self, token: &Token) -> Result<Token, PageError> {
        let Loaded { scope, session, order, can_begin, .. } = self.load(token).await?;
        let mut tx = self.context.store().begin().await?;
        let stored = payments::lock(&mut tx, &scope, &session.payment).await?;
        let payment = stored.ok_or(PageError::NotFound)?.payment;
        let done = payment.status().is_settled() || payment.is_called_off() || payment.live().is_some();
        if done || !session.is_over(self.context.env().now()) || !can_begin {
            return Ok(session.token);
        }
        sessions::expire(&mut tx, &scope, &session.id, self.context.env().now()).await?;
        let renewed = match sessions::open_of_payment(&mut tx, &scope, &payment.id).await? {
            Some(open) => open.session.token,
            None => self.new_session(&mut tx, &scope, &order, payment.id.clone()).await?,
        };
        self.publish(tx, &session).await?;
        Ok(renewed)
    }

    pub(super) async fn notice(&self, scope: &Scope, session: &Session, notice: Option<Notice>) -> Result<(), Error> {
        let mut tx = self.context.store().begin().await?;
        sessions::set_notice(&mut tx, scope, &session.id, notice).await?;
        self.publish(tx, session).await
    }

    /// Commits a change of a session and notifies its open pages, on this server and on others.
    async fn publish(&self, mut tx: crate::store::Tx, session: &Session) -> Result<(), Error> {
        payments::notify(&mut tx, self.context.store().dialect(), &session.payment).await?;
        self.context.commit(tx).await?;
        self.context.live().tell(&session.payment);
        Ok(())
    }
}
