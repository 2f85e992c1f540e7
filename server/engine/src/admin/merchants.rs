//! Merchants and their API keys.

use domain::id::{ApiKeyId, MerchantId};
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::{checked_name, email};
use crate::engine::Engine;
use crate::error::{Error, Thing};
use crate::jobs::Kind;
use crate::paging::{Listed, Page};
use crate::store::merchants::{self, ApiKey, Merchant, SurplusPolicy};

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

/// An API key, for printing. The secret is shown once, when the key is made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KeySummary {
    /// The id.
    pub id: String,
    /// The whole key, only when it has just been made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
    /// The last four characters.
    pub hint: String,
    /// Whether it is for live mode.
    pub live: bool,
    /// Whether it was revoked.
    pub revoked: bool,
}

impl Engine {
    /// Adds a merchant.
    pub async fn add_merchant(&self, name: &str, support_email: Option<&str>) -> Result<MerchantSummary, Error> {
        let merchant = Merchant {
            id: MerchantId::from_random(self.env().bits()),
            name: checked_name(name)?,
            support_email: support_email.map(email::address).transpose()?,
            created: self.env().now(),
        };
        let mut tx = self.store().begin().await?;
        merchants::insert(&mut tx, &merchant).await?;
        self.commit(tx).await?;
        Ok(merchant.into())
    }

    /// All merchants, oldest first.
    pub async fn merchants(&self, page: &Page) -> Result<Listed<MerchantSummary>, Error> {
        Ok(merchants::list(&mut *self.store().reader().await?, page).await?.map(Into::into))
    }

    /// Sets a merchant's policy for surplus money, paid beyond the debt. A job then sends back surplus that was held, and retries where
    /// a provider refused to send it back.
    pub async fn set_surplus_policy(&self, merchant: &MerchantId, policy: SurplusPolicy) -> Result<(), Error> {
        let now = self.env().now();
        let mut tx = self.store().begin().await?;
        let found = merchants::set_surplus_policy(&mut tx, merchant, policy, now).await?;
        if !found {
            return Err(Error::NotFound(Thing::Merchant(merchant.clone())));
        }
        self.enqueue(&mut tx, Kind::Policy, None, merchant.as_str(), now).await?;
        self.commit(tx).await
    }

    /// Makes an API key. Only its digest is kept.
    pub async fn add_key(&self, merchant: &MerchantId, live: bool) -> Result<KeySummary, Error> {
        self.check_merchant(merchant).await?;
        let mode = if live { "live" } else { "test" };
        let random = [self.env().bits(), self.env().bits()].concat();
        let secret = format!("sk_{mode}_{}", hex::encode(random));
        let key = ApiKey {
            id: ApiKeyId::from_random(self.env().bits()),
            merchant: merchant.clone(),
            hint: secret[secret.len() - 4..].to_owned(),
            live,
            created: self.env().now(),
            revoked: None,
        };
        let mut tx = self.store().begin().await?;
        merchants::insert_key(&mut tx, &key, &hex::encode(Sha256::digest(secret.as_bytes()))).await?;
        self.commit(tx).await?;
        Ok(KeySummary { secret: Some(secret), ..key.into() })
    }

    /// A merchant's API keys, newest first.
    pub async fn keys(&self, merchant: &MerchantId, page: &Page) -> Result<Listed<KeySummary>, Error> {
        self.check_merchant(merchant).await?;
        Ok(merchants::keys(&mut *self.store().reader().await?, merchant, page).await?.map(Into::into))
    }

    /// Revokes an API key.
    pub async fn revoke_key(&self, id: &ApiKeyId) -> Result<(), Error> {
        let mut tx = self.store().begin().await?;
        let revoked = merchants::revoke_key(&mut tx, id, self.env().now()).await?;
        self.commit(tx).await?;
        if revoked { Ok(()) } else { Err(Error::NotFound(Thing::ActiveKey(id.clone()))) }
    }

    pub(crate) async fn check_merchant(&self, id: &MerchantId) -> Result<(), Error> {
        let found = merchants::find(&mut *self.store().reader().await?, id).await?;
        found.map(|_| ()).ok_or_else(|| Error::NotFound(Thing::Merchant(id.clone())))
    }
}

impl From<Merchant> for MerchantSummary {
    fn from(merchant: Merchant) -> Self {
        MerchantSummary { id: merchant.id.into(), name: merchant.name, support_email: merchant.support_email }
    }
}

impl From<ApiKey> for KeySummary {
    fn from(key: ApiKey) -> Self {
        KeySummary { id: key.id.into(), secret: None, hint: key.hint, live: key.live, revoked: key.revoked.is_some() }
    }
}
