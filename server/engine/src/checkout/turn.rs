//! The shopper's other actions. Their outcomes are kept on the session and shown from there.

use domain::id::Token;
use domain::payment::{CloseReason, Stage};
use domain::session::{Notice, Session};

use super::view::Loaded;
use super::{PageError, to_its_end};
use crate::engine::Engine;
use crate::error::Error;
use crate::store::{payments, sessions};

impl Engine {
    /// Stops the payment under way. If it turns out to have succeeded, that stands.
    pub async fn cancel(&self, token: &Token) -> Result<(), PageError> {
        let (engine, token) = (self.clone(), token.clone());
        // One that has not ended in time goes on; the page shows what is known.
        to_its_end(self, async move { engine.cancel_live(&token).await }).await.map(|_ended| ())
    }

    async fn cancel_live(&self, token: &Token) -> Result<(), PageError> {
        let Loaded { session, payment, .. } = self.load(token).await?;
        let Some(live) = payment.live().filter(|live| live.stage == Stage::Open) else { return Ok(()) };
        self.close_now(&payment.id, &live.id, CloseReason::Cancelled).await?;
        let after = self.find_attempt(live.id.as_str()).await?.attempt.stage;
        if after == Stage::Closed(CloseReason::Cancelled) {
            self.notice(&session, Some(Notice::Cancelled)).await?;
        }
        Ok(())
    }

    /// Gives the session more time, if it may have it.
    pub async fn extend(&self, token: &Token) -> Result<(), PageError> {
        let Loaded { session, .. } = self.load(token).await?;
        match session.extended(self.env().now()) {
            Some(expires) => {
                let mut tx = self.store().begin().await?;
                sessions::extend(&mut tx, &session.id, expires).await?;
                self.publish(tx, &session).await?;
            }
            None => self.notice(&session, Some(Notice::NotExtendable)).await?,
        }
        Ok(())
    }

    /// A new session for the same debt, once this one is over and nothing is under way. Otherwise this one.
    pub async fn renew(&self, token: &Token) -> Result<Token, PageError> {
        let Loaded { session, order, can_begin, .. } = self.load(token).await?;
        let mut tx = self.store().begin().await?;
        let stored = payments::lock(&mut tx, &session.payment).await?;
        let payment = stored.ok_or(PageError::NotFound)?.payment;
        let done = payment.status().is_settled() || payment.is_called_off() || payment.live().is_some();
        if done || !session.is_over(self.env().now()) || !can_begin {
            return Ok(session.token);
        }
        sessions::expire(&mut tx, &session.id, self.env().now()).await?;
        let renewed = match sessions::open_of_payment(&mut tx, &payment.id).await? {
            Some(open) => open.session.token,
            None => self.new_session(&mut tx, &order, payment.id.clone()).await?,
        };
        self.publish(tx, &session).await?;
        Ok(renewed)
    }

    pub(super) async fn notice(&self, session: &Session, notice: Option<Notice>) -> Result<(), Error> {
        let mut tx = self.store().begin().await?;
        sessions::set_notice(&mut tx, &session.id, notice).await?;
        self.publish(tx, session).await
    }

    /// Commits a change of a session and tells its open pages, here and on other servers.
    async fn publish(&self, mut tx: crate::store::Tx, session: &Session) -> Result<(), Error> {
        payments::notify(&mut tx, self.store().dialect(), &session.payment).await?;
        self.commit(tx).await?;
        self.live().tell(&session.payment);
        Ok(())
    }
}
