//! The scopes of rows that an operator names by their ids: an id says whose the row is.

use domain::id::{ApiKeyId, LinkId, PaymentId, ProviderAccountId};

use crate::context::Context;
use crate::error::{Error, Thing};
use crate::scope::{Installation, Scope};
use crate::store::scopes::{self, Owner};

/// Finds the scope of a row. The actor is that of the installation.
#[derive(Clone)]
pub struct Scopes {
    context: Context,
    installation: Installation,
}

impl Scopes {
    pub(crate) fn new(context: Context, installation: Installation) -> Scopes {
        Scopes { context, installation }
    }

    /// The scope of a payment.
    ///
    /// # Errors
    /// There is no such payment.
    pub async fn of_payment(&self, id: &PaymentId) -> Result<Scope, Error> {
        let mut connection = self.context.store().reader().await?;
        self.found(scopes::of_payment(&mut connection, &self.installation, id).await?, Thing::Payment(id.clone()))
    }

    /// The scope of a payment link.
    ///
    /// # Errors
    /// There is no such link.
    pub async fn of_link(&self, id: &LinkId) -> Result<Scope, Error> {
        let mut connection = self.context.store().reader().await?;
        self.found(scopes::of_link(&mut connection, &self.installation, id).await?, Thing::Link(id.clone()))
    }

    /// The scope of a provider account.
    ///
    /// # Errors
    /// There is no such account.
    pub async fn of_account(&self, id: &ProviderAccountId) -> Result<Scope, Error> {
        let mut connection = self.context.store().reader().await?;
        self.found(scopes::of_account(&mut connection, &self.installation, id).await?, Thing::Account(id.clone()))
    }

    /// The scope of an API key.
    ///
    /// # Errors
    /// There is no such key.
    pub async fn of_key(&self, id: &ApiKeyId) -> Result<Scope, Error> {
        let mut connection = self.context.store().reader().await?;
        self.found(scopes::of_key(&mut connection, &self.installation, id).await?, Thing::ActiveKey(id.clone()))
    }

    fn found(&self, owner: Option<Owner>, what: Thing) -> Result<Scope, Error> {
        let (merchant, mode) = owner.ok_or_else(|| Error::NotFound(what))?;
        Ok(self.installation.acting_for(&merchant, mode))
    }
}
