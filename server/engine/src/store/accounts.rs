//! Provider accounts. Credentials stay sealed here.

use domain::Millis;
use domain::id::{MerchantId, ProviderAccountId};

use super::Connection;
use super::row::Columns;
use super::statement::Reach;
use crate::error::Error;
use crate::scope::{Installation, Scope};

/// A merchant's account at a provider, as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountRow {
    /// The id, which is part of the address of the account's webhooks.
    pub id: ProviderAccountId,
    /// The merchant.
    pub merchant: MerchantId,
    /// The provider.
    pub provider: String,
    /// The base address of the provider's API.
    pub base_url: String,
    /// Whether real money moves.
    pub live: bool,
    /// Whether new payments use the account. Webhooks are taken all the same.
    pub enabled: bool,
    /// Credentials and webhook secrets, sealed.
    pub sealed: Vec<u8>,
    /// When the account was made.
    pub created: Millis,
}

/// The most accounts of one merchant in one mode. All of them are asked when a page is made.
pub const OF_MERCHANT_MAX: i64 = 100;

/// The number of a merchant's accounts.
pub async fn count_of_merchant(connection: &mut Connection, scope: &Scope) -> Result<i64, Error> {
    let count = scope.query("SELECT COUNT(*) AS accounts FROM provider_accounts WHERE merchant_id = $1 AND live = $2");
    count.fetch_one(connection).await?.number("accounts")
}

/// Adds an account.
pub async fn insert(connection: &mut Connection, scope: &Scope, account: &AccountRow) -> Result<(), Error> {
    scope
        .query(
            "INSERT INTO provider_accounts (merchant_id, live, id, provider, base_url, enabled, sealed, created)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        )
        .bind(account.id.as_str())
        .bind(&account.provider)
        .bind(&account.base_url)
        .bind(i64::from(account.enabled))
        .bind(account.sealed.as_slice())
        .bind(account.created)
        .execute(connection)
        .await?;
    Ok(())
}

/// Replaces the columns that can change.
pub async fn update(connection: &mut Connection, scope: &Scope, account: &AccountRow) -> Result<(), Error> {
    scope
        .query(
            "UPDATE provider_accounts SET base_url = $3, enabled = $4, sealed = $5
         WHERE merchant_id = $1 AND live = $2 AND id = $6",
        )
        .bind(&account.base_url)
        .bind(i64::from(account.enabled))
        .bind(account.sealed.as_slice())
        .bind(account.id.as_str())
        .execute(connection)
        .await?;
    Ok(())
}

/// An account by id.
pub async fn find(
    connection: &mut Connection,
    by: &impl Reach,
    id: &ProviderAccountId,
) -> Result<Option<AccountRow>, Error> {
    let row = by
        .either(
            "SELECT * FROM provider_accounts WHERE merchant_id = $1 AND live = $2 AND id = $3",
            "SELECT * FROM provider_accounts WHERE id = $1",
        )
        .bind(id.as_str())
        .fetch_optional(connection)
        .await?;
    row.as_ref().map(account).transpose()
}

/// A merchant's accounts, oldest first.
pub async fn of_merchant(connection: &mut Connection, scope: &Scope) -> Result<Vec<AccountRow>, Error> {
    let rows = scope
        .query("SELECT * FROM provider_accounts WHERE merchant_id = $1 AND live = $2 ORDER BY created, id LIMIT $3")
        .bind(OF_MERCHANT_MAX)
        .fetch_all(connection)
        .await?;
    rows.iter().map(account).collect()
}

/// Whether there is any account.
pub async fn any(connection: &mut Connection, by: &Installation) -> Result<bool, Error> {
    Ok(by.query("SELECT id FROM provider_accounts LIMIT 1").fetch_optional(connection).await?.is_some())
}

/// Every account.
pub async fn all(connection: &mut Connection, by: &Installation) -> Result<Vec<AccountRow>, Error> {
    let rows = by.query("SELECT * FROM provider_accounts ORDER BY created, id").fetch_all(connection).await?;
    rows.iter().map(account).collect()
}

/// The accounts with an id after the given one, in the order of their ids.
pub async fn following(
    connection: &mut Connection,
    by: &Installation,
    after: &str,
    limit: i64,
) -> Result<Vec<AccountRow>, Error> {
    let rows = by.query("SELECT * FROM provider_accounts WHERE id > $1 ORDER BY id LIMIT $2").bind(after).bind(limit);
    rows.fetch_all(connection).await?.iter().map(account).collect()
}

/// Replaces the sealed secrets, unless they have been replaced since they were read. Returns whether they were replaced.
pub async fn replace_sealed(
    connection: &mut Connection,
    by: &Installation,
    id: &ProviderAccountId,
    read: &[u8],
    sealed: &[u8],
) -> Result<bool, Error> {
    let done = by
        .query("UPDATE provider_accounts SET sealed = $1 WHERE id = $2 AND sealed = $3")
        .bind(sealed)
        .bind(id.as_str())
        .bind(read)
        .execute(connection)
        .await?;
    Ok(done.rows_affected() > 0)
}

/// Locks an account until the transaction ends, and loads it.
pub async fn lock(
    connection: &mut Connection,
    scope: &Scope,
    id: &ProviderAccountId,
) -> Result<Option<AccountRow>, Error> {
    let row = scope.query(
        "UPDATE provider_accounts SET enabled = enabled WHERE merchant_id = $1 AND live = $2 AND id = $3 RETURNING *",
    )
        .bind(id.as_str())
        .fetch_optional(connection)
        .await?;
    row.as_ref().map(account).transpose()
}

/// Up to when an account's events have been listed at its provider; at first, the time when the account was made.
pub async fn events_seen(
    connection: &mut Connection,
    by: &Installation,
    id: &ProviderAccountId,
) -> Result<Millis, Error> {
    let row = by.query("SELECT CASE WHEN events_seen > created THEN events_seen ELSE created END AS seen FROM provider_accounts WHERE id = $1")
        .bind(id.as_str())
        .fetch_optional(connection)
        .await?;
    row.map_or(Ok(0), |row| row.number("seen"))
}

/// Stores up to when an account's events have been listed.
pub async fn set_events_seen(
    connection: &mut Connection,
    by: &Installation,
    id: &ProviderAccountId,
    until: Millis,
) -> Result<(), Error> {
    by.query("UPDATE provider_accounts SET events_seen = $1 WHERE id = $2")
        .bind(until)
        .bind(id.as_str())
        .execute(connection)
        .await?;
    Ok(())
}

fn account(row: &sqlx::any::AnyRow) -> Result<AccountRow, Error> {
    Ok(AccountRow {
        id: row.parsed("id")?,
        merchant: row.parsed("merchant_id")?,
        provider: row.text("provider")?,
        base_url: row.text("base_url")?,
        live: row.flag("live")?,
        enabled: row.flag("enabled")?,
        sealed: row.bytes("sealed")?,
        created: row.number("created")?,
    })
}
