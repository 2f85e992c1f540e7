//! Lists and finds captures, refunds, disputes, returns and events.

use domain::id::MerchantId;
use domain::payment::MovementKind;

use crate::engine::Engine;
use crate::error::{Error, Thing};
use crate::paging::{Listed, Page};
use crate::store::events::{self, EventSummary};
use crate::store::movements::{self, Movement};

impl Engine {
    /// A merchant's captures, refunds, disputes or returns, newest first.
    ///
    /// # Errors
    /// There is no such merchant, or no such row to begin after.
    pub async fn movements(
        &self,
        merchant: &MerchantId,
        kind: MovementKind,
        page: &Page,
    ) -> Result<Listed<Movement>, Error> {
        self.check_merchant(merchant).await?;
        movements::of_merchant(&mut *self.store().reader().await?, merchant, kind, page).await
    }

    /// Captures, refunds, disputes and returns by id or by the provider's reference, oldest first. Different providers may use the same
    /// reference.
    ///
    /// # Errors
    /// There is no row with this id or reference.
    pub async fn find_movements(&self, name: &str) -> Result<Vec<Movement>, Error> {
        let mut connection = self.store().reader().await?;
        if let Some(found) = movements::find(&mut connection, name).await? {
            return Ok(vec![found]);
        }
        let found = movements::of_reference(&mut connection, name).await?;
        if found.is_empty() {
            return Err(Error::NotFound(Thing::Movement(name.to_owned())));
        }
        Ok(found)
    }

    /// A merchant's events, newest first.
    ///
    /// # Errors
    /// There is no such merchant, or no such row to begin after.
    pub async fn events(&self, merchant: &MerchantId, page: &Page) -> Result<Listed<EventSummary>, Error> {
        self.check_merchant(merchant).await?;
        events::of_merchant(&mut *self.store().reader().await?, merchant, page).await
    }
}
