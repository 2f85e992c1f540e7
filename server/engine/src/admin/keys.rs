//! Merchants' API keys.

use domain::Mode;
use domain::id::ApiKeyId;
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::check_merchant;
use crate::context::Context;
use crate::error::{Error, Thing};
use crate::paging::{Listed, Page};
use crate::scope::{ENGINE, Scope};
use crate::store::merchants::{self, ApiKey};

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

/// A merchant's API keys, in one mode.
#[derive(Clone)]
pub struct Keys {
    context: Context,
    scope: Scope,
}

impl Keys {
    pub(crate) fn new(context: Context, scope: Scope) -> Keys {
        Keys { context, scope }
    }

    /// Makes an API key. Only its digest is kept.
    pub async fn add(&self) -> Result<KeySummary, Error> {
        check_merchant(&self.context, &self.scope).await?;
        let mode = self.scope.mode();
        let random = [self.context.env().bits(), self.context.env().bits()].concat();
        let secret = format!("sk_{mode}_{}", hex::encode(random));
        let key = ApiKey {
            id: ApiKeyId::from_random(self.context.env().bits()),
            merchant: self.scope.merchant().clone(),
            hint: secret[secret.len() - 4..].to_owned(),
            live: mode.is_live(),
            created: self.context.env().now(),
            revoked: None,
        };
        let mut tx = self.context.store().begin().await?;
        merchants::insert_key(&mut tx, &self.scope, &key, &digest(&secret)).await?;
        self.context.commit(tx).await?;
        Ok(KeySummary { secret: Some(secret), ..key.into() })
    }

    /// The API keys, newest first.
    pub async fn list(&self, page: &Page) -> Result<Listed<KeySummary>, Error> {
        check_merchant(&self.context, &self.scope).await?;
        Ok(merchants::keys(&mut *self.context.store().reader().await?, &self.scope, page).await?.map(Into::into))
    }

    /// Revokes an API key.
    pub async fn revoke(&self, id: &ApiKeyId) -> Result<(), Error> {
        let mut tx = self.context.store().begin().await?;
        let revoked = merchants::revoke_key(&mut tx, &self.scope, id, self.context.env().now()).await?;
        self.context.commit(tx).await?;
        if revoked { Ok(()) } else { Err(Error::NotFound(Thing::ActiveKey(id.clone()))) }
    }
}

/// The scope of an API key, by its secret. None if there is no such key, or if it was revoked.
pub(crate) async fn scope_of_secret(context: &Context, secret: &str) -> Result<Option<Scope>, Error> {
    let mut connection = context.store().reader().await?;
    let key = merchants::key_of_digest(&mut connection, &ENGINE, &digest(secret)).await?;
    Ok(key.map(|key| Scope::of_key(key.merchant, Mode::of(key.live), key.id)))
}

fn digest(secret: &str) -> String {
    hex::encode(Sha256::digest(secret.as_bytes()))
}

impl From<ApiKey> for KeySummary {
    fn from(key: ApiKey) -> Self {
        KeySummary { id: key.id.into(), secret: None, hint: key.hint, live: key.live, revoked: key.revoked.is_some() }
    }
}
