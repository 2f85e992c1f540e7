//! Merchants.

use domain::id::MerchantId;
use serde::Serialize;

use super::{checked_name, email};
use crate::context::Context;
use crate::error::{Error, Thing};
use crate::paging::{Listed, Page};
use crate::scope::Installation;
use crate::store::merchants::{self, Merchant, SurplusPolicy};
use crate::work::Kind;

/// A merchant, for printing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MerchantSummary {
    /// The id.
    pub id: String,
    /// The name shoppers see.
    pub name: String,
    /// Where shoppers can ask for help.
    pub support_email: Option<String>,
}

/// The merchants of the installation.
#[derive(Clone)]
pub struct Merchants {
    context: Context,
    installation: Installation,
}

impl Merchants {
    pub(crate) fn new(context: Context, installation: Installation) -> Merchants {
        Merchants { context, installation }
    }

    /// Adds a merchant.
    pub async fn add(&self, name: &str, support_email: Option<&str>) -> Result<MerchantSummary, Error> {
        let merchant = Merchant {
            id: MerchantId::from_random(self.context.env().bits()),
            name: checked_name(name)?,
            support_email: support_email.map(email::address).transpose()?,
            created: self.context.env().now(),
        };
        let mut tx = self.context.store().begin().await?;
        merchants::insert(&mut tx, &self.installation, &merchant).await?;
        self.context.commit(tx).await?;
        Ok(merchant.into())
    }

    /// All merchants, oldest first.
    pub async fn list(&self, page: &Page) -> Result<Listed<MerchantSummary>, Error> {
        Ok(merchants::list(&mut *self.context.store().reader().await?, &self.installation, page).await?.map(Into::into))
    }

    /// Sets a merchant's policy for surplus money, paid beyond the debt. A job then sends back surplus that was held, and retries where
    /// a provider refused to send it back.
    pub async fn set_surplus_policy(&self, merchant: &MerchantId, policy: SurplusPolicy) -> Result<(), Error> {
        let now = self.context.env().now();
        let mut tx = self.context.store().begin().await?;
        let found = merchants::set_surplus_policy(&mut tx, &self.installation, merchant, policy, now).await?;
        if !found {
            return Err(Error::NotFound(Thing::Merchant(merchant.clone())));
        }
        self.context.enqueue(&mut tx, Kind::Policy, None, merchant.as_str(), now).await?;
        self.context.commit(tx).await
    }
}

impl From<Merchant> for MerchantSummary {
    fn from(merchant: Merchant) -> Self {
        MerchantSummary { id: merchant.id.into(), name: merchant.name, support_email: merchant.support_email }
    }
}
