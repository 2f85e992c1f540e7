//! Follows a session for an open page.

use std::sync::Arc;

use domain::Mode;
use domain::id::{PaymentId, Token};

use super::{Checkout, PageError};
use crate::live::Watch;
use crate::scope::Scope;
use crate::store::{payments, sessions};

/// Follows a session for an open page.
pub struct Follower {
    checkout: Checkout,
    scope: Scope,
    watch: Watch,
    last: Option<Arc<str>>,
    /// Whether there may be a change that the last revision does not show.
    is_due: bool,
}

impl Follower {
    /// The revision of the session's payment and of its sessions: at once the first time, then whenever it has changed. Revisions can
    /// only be compared for equality. A call that is dropped loses no change.
    pub async fn next(&mut self) -> Result<Arc<str>, PageError> {
        loop {
            if !self.is_due {
                self.watch.changed().await;
                self.is_due = true;
            }
            // On the heap, because most pages wait most of the time.
            let now = Box::pin(self.look()).await?;
            self.is_due = false;
            if self.last.as_ref() != Some(&now) {
                self.last = Some(Arc::clone(&now));
                return Ok(now);
            }
        }
    }

    async fn look(&mut self) -> Result<Arc<str>, PageError> {
        let payment = self.watch.payment().clone();
        let question = self.checkout.revision(&self.scope, &payment);
        // A new page asks itself, so that its first revision is no older than the page.
        if self.last.is_none() { question.await } else { self.watch.ask(question).await }
    }
}

impl Checkout {
    /// Follows a session.
    pub async fn follow(&self, token: &Token) -> Result<Follower, PageError> {
        let mut connection = self.context.store().reader().await?;
        let found = sessions::by_token(&mut connection, token).await?.ok_or(PageError::NotFound)?;
        let watch = self.context.live().watch(&found.session.payment);
        let scope = Scope::of_shopper(found.session.merchant, Mode::of(found.live));
        Ok(Follower { checkout: self.clone(), scope, watch, last: None, is_due: true })
    }

    async fn revision(&self, scope: &Scope, payment: &PaymentId) -> Result<Arc<str>, PageError> {
        // This semaphore is never closed.
        let _turn = self.context.live().questions.acquire().await;
        let mut connection = self.context.store().reader().await?;
        let revision = payments::revision(&mut connection, scope, payment).await?.ok_or(PageError::NotFound)?;
        Ok(revision.into())
    }
}
