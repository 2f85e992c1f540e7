//! Events for merchants. Events of payments are added by `crate::record`, in the transaction of the change; other events are added by
//! the service that changes the object.

use domain::Millis;
use domain::id::{EventId, MerchantId, PaymentId};
use domain::payment::Told;
use serde::Serialize;
use serde_json::Value;
use sqlx::any::AnyRow;

use super::Connection;
use super::many::{portions, values};
use super::pages::{List, OF_SCOPE};
use super::row::{Columns, to_json};
use crate::error::Error;
use crate::paging::{Listed, Page};
use crate::scope::{Installation, Scope};

/// The place of an event in its payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfPayment {
    /// The payment.
    pub payment: PaymentId,
    /// The event's number among the payment's events for the merchant, from one, without gaps.
    pub number: i64,
    /// The number of the payment's own event that caused this one.
    pub seq: i64,
    /// The news.
    pub told: Told,
}

/// An event to be added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEvent {
    /// The id.
    pub id: EventId,
    /// The merchant that the event is for.
    pub merchant: MerchantId,
    /// Whether real money moves.
    pub live: bool,
    /// The name, such as `refund.succeeded`.
    pub name: String,
    /// The kind of the object, such as `refund`.
    pub object_kind: &'static str,
    /// The object's id.
    pub object_id: String,
    /// The object as it is now.
    pub snapshot: Value,
    /// The event's place in a payment, if it concerns one.
    pub place: Option<OfPayment>,
    /// The source of the change.
    pub source: &'static str,
    /// The actor, as stored.
    pub actor: String,
    /// The time of the event.
    pub at: Millis,
}

/// Adds events.
pub async fn insert(connection: &mut Connection, by: &Installation, rows: &[NewEvent]) -> Result<(), Error> {
    for portion in portions(rows) {
        let text = values(
            connection,
            "INSERT INTO events (id, merchant_id, live, name, object_kind, object_id, payment_id, number, seq, change,
                snapshot, source, actor, created) VALUES {}",
            portion.len(),
            14,
        );
        let mut insert = by.query(text);
        for row in portion {
            let place = row.place.as_ref();
            insert = insert
                .bind(row.id.as_str())
                .bind(row.merchant.as_str())
                .bind(i64::from(row.live))
                .bind(row.name.as_str())
                .bind(row.object_kind)
                .bind(row.object_id.as_str())
                .bind(place.map(|place| place.payment.as_str()))
                .bind(place.map(|place| place.number))
                .bind(place.map(|place| place.seq))
                .bind(place.map(|place| to_json(&place.told)).transpose()?)
                .bind(to_json(&row.snapshot)?)
                .bind(row.source)
                .bind(&row.actor)
                .bind(row.at);
        }
        insert.execute(&mut *connection).await?;
    }
    Ok(())
}

/// Adds an event about an object that is no payment's. The merchant and the mode are those of the scope.
pub async fn add(connection: &mut Connection, scope: &Scope, event: &NewEvent) -> Result<(), Error> {
    scope
        .query(
            "INSERT INTO events (merchant_id, live, id, name, object_kind, object_id, snapshot, source, actor, created)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        )
        .bind(event.id.as_str())
        .bind(event.name.as_str())
        .bind(event.object_kind)
        .bind(event.object_id.as_str())
        .bind(to_json(&event.snapshot)?)
        .bind(event.source)
        .bind(&event.actor)
        .bind(event.at)
        .execute(connection)
        .await?;
    Ok(())
}

/// The names of a payment's events, oldest first.
pub async fn names_of_payment(
    connection: &mut Connection,
    scope: &Scope,
    payment: &PaymentId,
) -> Result<Vec<String>, Error> {
    let rows = scope.query(
        "SELECT name FROM events WHERE merchant_id = $1 AND live = $2 AND payment_id = $3 ORDER BY number LIMIT 10000",
    )
        .bind(payment.as_str())
        .fetch_all(connection)
        .await?;
    rows.iter().map(|row| row.text("name")).collect()
}

/// The news in a payment's events, oldest first.
pub async fn of_payment(
    connection: &mut Connection,
    by: &Installation,
    payment: &PaymentId,
) -> Result<Vec<OfPayment>, Error> {
    let rows = by
        .query("SELECT number, seq, change FROM events WHERE payment_id = $1 ORDER BY number LIMIT 10000")
        .bind(payment.as_str())
        .fetch_all(connection)
        .await?;
    let read = |row: &AnyRow| {
        let (payment, number, seq) = (payment.clone(), row.number("number")?, row.number("seq")?);
        Ok(OfPayment { payment, number, seq, told: row.json("change")? })
    };
    rows.iter().map(read).collect()
}

/// An event in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EventSummary {
    /// The id.
    pub id: String,
    /// The name, such as `refund.succeeded`.
    pub name: String,
    /// The kind of the object, such as `refund`.
    pub object_kind: String,
    /// The object's id.
    pub object_id: String,
    /// The payment, if the event concerns one.
    pub payment: Option<String>,
    /// The event's number among the payment's events for the merchant, from one.
    pub number: Option<i64>,
    /// The object as it was then.
    pub snapshot: Value,
    /// The source of the change.
    pub source: String,
    /// The actor, such as `command_line`, or `api_key` with the key's id.
    pub actor: String,
    /// The time of the event, in milliseconds since 1970.
    pub created: Millis,
}

/// A merchant's events, newest first.
pub async fn of_merchant(
    connection: &mut Connection,
    scope: &Scope,
    page: &Page,
) -> Result<Listed<EventSummary>, Error> {
    let read = |row: &AnyRow| {
        Ok(EventSummary {
            id: row.text("id")?,
            name: row.text("name")?,
            object_kind: row.text("object_kind")?,
            object_id: row.text("object_id")?,
            payment: row.maybe_text("payment_id")?,
            number: row.maybe_number("number")?,
            snapshot: row.json("snapshot")?,
            source: row.text("source")?,
            actor: row.text("actor")?,
            created: row.number("created")?,
        })
    };
    let list = List { table: "events", whose: OF_SCOPE, newest_first: true };
    list.page(connection, scope, page, read).await
}

/// Removes at most `limit` events older than a time, the oldest first. Returns their number.
pub async fn prune(connection: &mut Connection, by: &Installation, before: Millis, limit: i64) -> Result<u64, Error> {
    let text = "DELETE FROM events WHERE id IN (SELECT id FROM events WHERE created < $1 ORDER BY created LIMIT $2)";
    Ok(by.query(text).bind(before).bind(limit).execute(connection).await?.rows_affected())
}
