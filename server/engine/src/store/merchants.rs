//! Merchants and their API keys.

use domain::Millis;
use domain::id::{ApiKeyId, MerchantId};

use super::Connection;
use super::pages::{List, OF_SCOPE};
use super::row::Columns;
use crate::error::{Error, Thing};
use crate::paging::{Listed, Page};
use crate::scope::{Installation, Scope};

/// A merchant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Merchant {
    /// The id.
    pub id: MerchantId,
    /// The name shoppers see.
    pub name: String,
    /// Where shoppers can ask for help.
    pub support_email: Option<String>,
    /// When the merchant was made.
    pub created: Millis,
}

/// An API key without its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKey {
    /// The id.
    pub id: ApiKeyId,
    /// The merchant.
    pub merchant: MerchantId,
    /// The last four characters.
    pub hint: String,
    /// Whether the key is for live mode.
    pub live: bool,
    /// When the key was made.
    pub created: Millis,
    /// When the key was revoked, if it was.
    pub revoked: Option<Millis>,
}

/// The policy for surplus money, paid beyond the debt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SurplusPolicy {
    /// Surplus is sent back.
    Refund,
    /// Surplus is held, and an alert is raised.
    Hold,
}

/// A policy and the time since when it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SurplusSetting {
    /// The policy.
    pub policy: SurplusPolicy,
    /// When the policy was last set, even to the same value; zero if it was never set.
    pub since: Millis,
}

/// A merchant's policy for surplus money.
pub async fn surplus_policy(
    connection: &mut Connection,
    by: &Installation,
    id: &MerchantId,
) -> Result<SurplusSetting, Error> {
    let select = by.query("SELECT surplus, surplus_set FROM merchants WHERE id = $1");
    let row = select.bind(id.as_str()).fetch_optional(connection).await?;
    let row = row.ok_or_else(|| Error::NotFound(Thing::Merchant(id.clone())))?;
    Ok(SurplusSetting { policy: row.word("surplus")?, since: row.number("surplus_set")? })
}

/// Sets a merchant's policy for surplus money. Returns whether there is such a merchant.
pub async fn set_surplus_policy(
    connection: &mut Connection,
    by: &Installation,
    id: &MerchantId,
    policy: SurplusPolicy,
    now: Millis,
) -> Result<bool, Error> {
    let done = by
        .query("UPDATE merchants SET surplus = $1, surplus_set = $2 WHERE id = $3")
        .bind(super::row::word(&policy)?)
        .bind(now)
        .bind(id.as_str())
        .execute(connection)
        .await?;
    Ok(done.rows_affected() > 0)
}

/// Adds a merchant.
pub async fn insert(connection: &mut Connection, by: &Installation, merchant: &Merchant) -> Result<(), Error> {
    by.query("INSERT INTO merchants (id, name, support_email, created) VALUES ($1, $2, $3, $4)")
        .bind(merchant.id.as_str())
        .bind(&merchant.name)
        .bind(&merchant.support_email)
        .bind(merchant.created)
        .execute(connection)
        .await?;
    Ok(())
}

/// The merchant of a scope.
pub async fn find(connection: &mut Connection, scope: &Scope) -> Result<Option<Merchant>, Error> {
    let row = scope.query_of_merchant("SELECT * FROM merchants WHERE id = $1").fetch_optional(connection).await?;
    row.as_ref().map(merchant).transpose()
}

/// All merchants, oldest first.
pub async fn list(connection: &mut Connection, by: &Installation, page: &Page) -> Result<Listed<Merchant>, Error> {
    let list = List { table: "merchants", whose: "TRUE", newest_first: false };
    list.page(connection, by, page, merchant).await
}

fn merchant(row: &sqlx::any::AnyRow) -> Result<Merchant, Error> {
    Ok(Merchant {
        id: row.parsed("id")?,
        name: row.text("name")?,
        support_email: row.maybe_text("support_email")?,
        created: row.number("created")?,
    })
}

/// Adds an API key, by the digest of its secret.
pub async fn insert_key(connection: &mut Connection, scope: &Scope, key: &ApiKey, digest: &str) -> Result<(), Error> {
    scope
        .query("INSERT INTO api_keys (merchant_id, live, id, digest, hint, created) VALUES ($1, $2, $3, $4, $5, $6)")
        .bind(key.id.as_str())
        .bind(digest)
        .bind(&key.hint)
        .bind(key.created)
        .execute(connection)
        .await?;
    Ok(())
}

/// A merchant's API keys, newest first.
pub async fn keys(connection: &mut Connection, scope: &Scope, page: &Page) -> Result<Listed<ApiKey>, Error> {
    let list = List { table: "api_keys", whose: OF_SCOPE, newest_first: true };
    list.page(connection, scope, page, key).await
}

/// The key with the digest of this secret, unless the key was revoked. The digest of a secret is a capability, as a token is.
pub async fn key_of_digest(
    connection: &mut Connection,
    by: &Installation,
    digest: &str,
) -> Result<Option<ApiKey>, Error> {
    let found = by.query("SELECT * FROM api_keys WHERE digest = $1 AND revoked IS NULL").bind(digest);
    found.fetch_optional(connection).await?.as_ref().map(key).transpose()
}

fn key(row: &sqlx::any::AnyRow) -> Result<ApiKey, Error> {
    Ok(ApiKey {
        id: row.parsed("id")?,
        merchant: row.parsed("merchant_id")?,
        hint: row.text("hint")?,
        live: row.flag("live")?,
        created: row.number("created")?,
        revoked: row.maybe_number("revoked")?,
    })
}

/// Revokes a key. Returns whether there was one to revoke.
pub async fn revoke_key(connection: &mut Connection, scope: &Scope, id: &ApiKeyId, now: Millis) -> Result<bool, Error> {
    let done = scope
        .query("UPDATE api_keys SET revoked = $3 WHERE merchant_id = $1 AND live = $2 AND id = $4 AND revoked IS NULL")
        .bind(now)
        .bind(id.as_str())
        .execute(connection)
        .await?;
    Ok(done.rows_affected() > 0)
}
