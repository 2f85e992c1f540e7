//! Payment links.

use domain::id::{LinkId, Token};
use domain::link::{Link, Usage};
use domain::money::Money;

use super::Connection;
use super::pages::{List, OF_SCOPE};
use super::row::{Columns, to_json, word};
use super::statement::query_by_token;
use crate::error::Error;
use crate::paging::{Listed, Page};
use crate::scope::Scope;

/// Adds a link.
pub async fn insert(connection: &mut Connection, scope: &Scope, link: &Link) -> Result<(), Error> {
    scope
        .query(
            "INSERT INTO links
         (merchant_id, live, id, token, state, once, currency, total, basket, metadata, returns, policies, created)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
        )
        .bind(link.id.as_str())
        .bind(link.token.as_str())
        .bind(word(&link.state)?)
        .bind(i64::from(link.usage == Usage::Once))
        .bind(link.total.currency.code())
        .bind(link.total.minor)
        .bind(to_json(&link.basket)?)
        .bind(to_json(&link.metadata)?)
        .bind(to_json(&link.returns)?)
        .bind(to_json(&link.policies)?)
        .bind(link.created)
        .execute(connection)
        .await?;
    Ok(())
}

/// A link by the token in its address.
pub async fn by_token(connection: &mut Connection, token: &Token) -> Result<Option<Link>, Error> {
    let row = query_by_token(token, "SELECT * FROM links WHERE token = $1").fetch_optional(connection).await?;
    row.as_ref().map(link).transpose()
}

/// A link by id.
pub async fn find(connection: &mut Connection, scope: &Scope, id: &LinkId) -> Result<Option<Link>, Error> {
    let row = scope
        .query("SELECT * FROM links WHERE merchant_id = $1 AND live = $2 AND id = $3")
        .bind(id.as_str())
        .fetch_optional(connection)
        .await?;
    row.as_ref().map(link).transpose()
}

/// A merchant's links, newest first.
pub async fn of_merchant(connection: &mut Connection, scope: &Scope, page: &Page) -> Result<Listed<Link>, Error> {
    let list = List { table: "links", whose: OF_SCOPE, newest_first: true };
    list.page(connection, scope, page, link).await
}

/// Switches a link on or off. Returns whether there was one.
pub async fn set_state(
    connection: &mut Connection,
    scope: &Scope,
    id: &LinkId,
    state: domain::link::LinkState,
) -> Result<bool, Error> {
    let done = scope
        .query("UPDATE links SET state = $3 WHERE merchant_id = $1 AND live = $2 AND id = $4")
        .bind(word(&state)?)
        .bind(id.as_str())
        .execute(connection)
        .await?;
    Ok(done.rows_affected() > 0)
}

fn link(row: &sqlx::any::AnyRow) -> Result<Link, Error> {
    Ok(Link {
        id: row.parsed("id")?,
        token: row.parsed("token")?,
        merchant: row.parsed("merchant_id")?,
        state: row.word("state")?,
        usage: if row.flag("once")? { Usage::Once } else { Usage::Reusable },
        live: row.flag("live")?,
        basket: row.json("basket")?,
        total: Money::new(row.number("total")?, row.parsed("currency")?),
        metadata: row.json("metadata")?,
        returns: row.json("returns")?,
        policies: row.json("policies")?,
        created: row.number("created")?,
    })
}
