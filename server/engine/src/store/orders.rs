//! Orders. A row is added when the shopper first acts, and never changed: see [`super::dialect`]. It is removed if its payment was never
//! started.

use domain::id::{LinkId, OrderId};
use domain::money::Money;
use domain::order::Order;
use sqlx::any::AnyRow;

use super::Connection;
use super::many::{filled, list, lists};
use super::row::{Columns, to_json};
use super::statement::Reach;
use crate::error::Error;
use crate::scope::{Installation, Scope};

/// Adds an order. `once` says that the order's link has only this order. Returns false if that link has its order already.
pub async fn insert(connection: &mut Connection, scope: &Scope, order: &Order, once: bool) -> Result<bool, Error> {
    let done = scope
        .query(
            "INSERT INTO orders
         (merchant_id, live, id, link_id, once, currency, total, basket, customer, fields, metadata, returns, policies,
          created)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) ON CONFLICT DO NOTHING",
        )
        .bind(order.id.as_str())
        .bind(order.link.as_ref().map(LinkId::as_str))
        .bind(i64::from(once))
        .bind(order.total.currency.code())
        .bind(order.total.minor)
        .bind(to_json(&order.basket)?)
        .bind(to_json(&order.customer)?)
        .bind(to_json(&order.fields)?)
        .bind(to_json(&order.metadata)?)
        .bind(to_json(&order.returns)?)
        .bind(to_json(&order.policies)?)
        .bind(order.created)
        .execute(connection)
        .await?;
    Ok(done.rows_affected() > 0)
}

/// An order by id.
pub async fn find(connection: &mut Connection, by: &impl Reach, id: &OrderId) -> Result<Option<Order>, Error> {
    let row = by
        .either(
            "SELECT * FROM orders WHERE merchant_id = $1 AND live = $2 AND id = $3",
            "SELECT * FROM orders WHERE id = $1",
        )
        .bind(id.as_str())
        .fetch_optional(connection)
        .await?;
    row.as_ref().map(order).transpose()
}

/// The order of a one-time link, if there is one.
pub async fn once_of_link(connection: &mut Connection, scope: &Scope, link: &LinkId) -> Result<Option<Order>, Error> {
    let row = scope
        .query("SELECT * FROM orders WHERE merchant_id = $1 AND live = $2 AND link_id = $3 AND once = 1")
        .bind(link.as_str())
        .fetch_optional(connection)
        .await?;
    row.as_ref().map(order).transpose()
}

/// Removes those of the given orders that have no payment.
pub async fn forget(connection: &mut Connection, by: &Installation, ids: &[OrderId]) -> Result<(), Error> {
    for (portion, size) in lists(ids) {
        let text = list(
            connection,
            "DELETE FROM orders WHERE id IN ({})
                AND NOT EXISTS (SELECT 1 FROM payments WHERE payments.order_id = orders.id)",
            0,
            size,
        );
        let delete = filled(portion, size).fold(by.query(text), |delete, id| delete.bind(id.as_str()));
        delete.execute(&mut *connection).await?;
    }
    Ok(())
}

fn order(row: &AnyRow) -> Result<Order, Error> {
    Ok(Order {
        id: row.parsed("id")?,
        merchant: row.parsed("merchant_id")?,
        live: row.flag("live")?,
        link: row.maybe_text("link_id")?.map(|id| id.parse().map_err(Error::corrupt)).transpose()?,
        basket: row.json("basket")?,
        total: Money::new(row.number("total")?, row.parsed("currency")?),
        customer: row.json("customer")?,
        fields: row.json("fields")?,
        metadata: row.json("metadata")?,
        returns: row.json("returns")?,
        policies: row.json("policies")?,
        created: row.number("created")?,
    })
}
