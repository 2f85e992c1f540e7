//! Finds the owner of a row that an operator names by its id: the merchant and the mode.

use domain::Mode;
use domain::id::{ApiKeyId, LinkId, MerchantId, PaymentId, ProviderAccountId};

use super::Connection;
use super::row::Columns;
use crate::error::Error;
use crate::scope::Installation;

/// A merchant and a mode.
pub type Owner = (MerchantId, Mode);

/// The owner of a payment.
pub async fn of_payment(
    connection: &mut Connection,
    by: &Installation,
    id: &PaymentId,
) -> Result<Option<Owner>, Error> {
    find(connection, by, "SELECT merchant_id, live FROM payments WHERE id = $1", id.as_str()).await
}

/// The owner of a link.
pub async fn of_link(connection: &mut Connection, by: &Installation, id: &LinkId) -> Result<Option<Owner>, Error> {
    find(connection, by, "SELECT merchant_id, live FROM links WHERE id = $1", id.as_str()).await
}

/// The owner of a provider account.
pub async fn of_account(
    connection: &mut Connection,
    by: &Installation,
    id: &ProviderAccountId,
) -> Result<Option<Owner>, Error> {
    find(connection, by, "SELECT merchant_id, live FROM provider_accounts WHERE id = $1", id.as_str()).await
}

/// The owner of an API key.
pub async fn of_key(connection: &mut Connection, by: &Installation, id: &ApiKeyId) -> Result<Option<Owner>, Error> {
    find(connection, by, "SELECT merchant_id, live FROM api_keys WHERE id = $1", id.as_str()).await
}

async fn find(
    connection: &mut Connection,
    by: &Installation,
    text: &'static str,
    id: &str,
) -> Result<Option<Owner>, Error> {
    let row = by.query(text).bind(id).fetch_optional(connection).await?;
    row.map(|row| Ok((row.parsed("merchant_id")?, Mode::of(row.flag("live")?)))).transpose()
}
