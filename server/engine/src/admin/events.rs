//! Merchants' events.

use super::check_merchant;
use crate::context::Context;
use crate::error::Error;
use crate::paging::{Listed, Page};
use crate::scope::Scope;
use crate::store::events::{self, EventSummary};

/// A merchant's events, in one mode.
#[derive(Clone)]
pub struct Events {
    context: Context,
    scope: Scope,
}

impl Events {
    pub(crate) fn new(context: Context, scope: Scope) -> Events {
        Events { context, scope }
    }

    /// The events, newest first.
    ///
    /// # Errors
    /// There is no such merchant, or no such row to begin after.
    pub async fn list(&self, page: &Page) -> Result<Listed<EventSummary>, Error> {
        check_merchant(&self.context, &self.scope).await?;
        events::of_merchant(&mut *self.context.store().reader().await?, &self.scope, page).await
    }
}
