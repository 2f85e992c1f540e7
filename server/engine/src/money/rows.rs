//! Lists and finds captures, refunds, disputes and returns.

use domain::payment::MovementKind;

use super::Payments;
use crate::context::check_merchant;
use crate::error::Error;
use crate::paging::{Listed, Page};
use crate::store::movements::{self, Movement};

impl Payments {
    /// The captures, refunds, disputes or returns, newest first.
    ///
    /// # Errors
    /// There is no such merchant, or no such row to begin after.
    pub async fn movements(&self, kind: MovementKind, page: &Page) -> Result<Listed<Movement>, Error> {
        check_merchant(&self.context, &self.scope).await?;
        movements::of_merchant(&mut *self.context.store().reader().await?, &self.scope, kind, page).await
    }

    /// Captures, refunds, disputes and returns by id or by the provider's reference, oldest first. Different providers may use the same
    /// reference.
    ///
    /// # Errors
    /// There is no row with this id or reference.
    pub async fn find_movements(&self, name: &str) -> Result<Vec<Movement>, Error> {
        let mut connection = self.context.store().reader().await?;
        movements::named(&mut connection, &self.scope, name).await
    }
}
