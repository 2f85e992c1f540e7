//! Payments and their events. Written by `crate::record` alone.

use std::collections::HashMap;

use domain::Millis;
use domain::id::{LinkId, MerchantId, OrderId, PaymentId};
use domain::money::Money;
use domain::order::Order;
use domain::payment::{Attempt, Event, Payment};
use serde::Serialize;
use sqlx::any::AnyRow;

use super::many::{filled, list, lists, portions, values};
use super::pages::{List, OF_SCOPE};
use super::row::{Columns, to_json, word};
use super::statement::{Reach, query_of_nothing};
use super::{Connection, Dialect, attempts, orders};
use crate::error::Error;
use crate::paging::{Listed, Page};
use crate::scope::{Installation, Scope};

/// A payment with its order, its mode and its revision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// The payment.
    pub payment: Payment,
    /// The order.
    pub order: OrderId,
    /// Whether real money moves.
    pub live: bool,
    /// The number of changes.
    pub revision: i64,
}

/// Adds the payment of an order, without attempts.
pub async fn insert(
    connection: &mut Connection,
    scope: &Scope,
    payment: &Payment,
    order: &Order,
    now: Millis,
) -> Result<(), Error> {
    scope
        .query(
            "INSERT INTO payments
         (merchant_id, live, id, order_id, link_id, currency, amount, capture, canceled, status,
          authorised, captured, refunded, kept, seq, revision, created, updated)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, $9, 0, 0, 0, 0, 0, 0, $10, $10)",
        )
        .bind(payment.id.as_str())
        .bind(order.id.as_str())
        .bind(order.link.as_ref().map(LinkId::as_str))
        .bind(payment.amount.currency.code())
        .bind(payment.amount.minor)
        .bind(word(&payment.capture)?)
        .bind(payment.status().as_str())
        .bind(now)
        .execute(connection)
        .await?;
    Ok(())
}

/// Removes orders whose payments were never started, with those payments and their sessions, if the payments are older than a time and
/// the sessions were over before it. Returns the number of removed payments, `limit` at most. A payment with an event is never removed.
pub async fn forget_unstarted(
    connection: &mut Connection,
    by: &Installation,
    dialect: Dialect,
    before: Millis,
    limit: i64,
) -> Result<u64, Error> {
    let rows = by.query(dialect.unstarted_payments()).bind(before).bind(limit).fetch_all(&mut *connection).await?;
    let payments = rows.iter().map(|row| row.text("id")).collect::<Result<Vec<String>, _>>()?;
    let of = rows.iter().map(|row| row.parsed("order_id")).collect::<Result<Vec<OrderId>, _>>()?;
    // A session that was begun before the payments were locked stays, and so do its payment and its order.
    for (portion, size) in lists(&payments) {
        let text = list(connection, "DELETE FROM sessions WHERE expires < $1 AND payment_id IN ({})", 1, size);
        let delete = filled(portion, size).fold(by.query(text).bind(before), |delete, id| delete.bind(id));
        delete.execute(&mut *connection).await?;
    }
    let mut forgotten = 0;
    for (portion, size) in lists(&payments) {
        let text = list(
            connection,
            "DELETE FROM payments WHERE seq = 0 AND id IN ({})
                AND NOT EXISTS (SELECT 1 FROM sessions WHERE sessions.payment_id = payments.id)",
            0,
            size,
        );
        let delete = filled(portion, size).fold(by.query(text), |delete, id| delete.bind(id));
        forgotten += delete.execute(&mut *connection).await?.rows_affected();
    }
    orders::forget(connection, by, &of).await?;
    Ok(forgotten)
}

/// The payment of an order.
pub async fn of_order(connection: &mut Connection, scope: &Scope, order: &OrderId) -> Result<Option<Stored>, Error> {
    let row = scope
        .query("SELECT * FROM payments WHERE merchant_id = $1 AND live = $2 AND order_id = $3")
        .bind(order.as_str())
        .fetch_optional(&mut *connection)
        .await?;
    match row {
        Some(row) => stored(connection, scope, &row).await.map(Some),
        None => Ok(None),
    }
}

/// How often links have been paid. Links that were never paid are left out.
pub async fn paid_of_links(
    connection: &mut Connection,
    scope: &Scope,
    links: &[LinkId],
) -> Result<HashMap<String, i64>, Error> {
    let mut times = HashMap::with_capacity(links.len());
    for (portion, size) in lists(links) {
        // The condition on the status is that of an index.
        let text = list(
            connection,
            "SELECT link_id, COUNT(*) AS times FROM payments
             WHERE merchant_id = $1 AND live = $2 AND link_id IN ({}) AND status IN ('succeeded', 'requires_capture')
             GROUP BY link_id",
            2,
            size,
        );
        let select = filled(portion, size).fold(scope.query(text), |select, link| select.bind(link.as_str()));
        for row in select.fetch_all(&mut *connection).await? {
            times.insert(row.text("link_id")?, row.number("times")?);
        }
    }
    Ok(times)
}

/// Locks a payment until the transaction ends, and loads it. Counting the revision up is the lock, which works alike on both databases.
pub async fn lock(connection: &mut Connection, by: &impl Reach, id: &PaymentId) -> Result<Option<Stored>, Error> {
    let row = by
        .either(
            "UPDATE payments SET revision = revision + 1 WHERE merchant_id = $1 AND live = $2 AND id = $3 RETURNING *",
            "UPDATE payments SET revision = revision + 1 WHERE id = $1 RETURNING *",
        )
        .bind(id.as_str())
        .fetch_optional(&mut *connection)
        .await?;
    match row {
        Some(row) => stored(connection, by, &row).await.map(Some),
        None => Ok(None),
    }
}

/// Loads a payment without locking it.
pub async fn find(connection: &mut Connection, by: &impl Reach, id: &PaymentId) -> Result<Option<Stored>, Error> {
    let row = by
        .either(
            "SELECT * FROM payments WHERE merchant_id = $1 AND live = $2 AND id = $3",
            "SELECT * FROM payments WHERE id = $1",
        )
        .bind(id.as_str())
        .fetch_optional(&mut *connection)
        .await?;
    match row {
        Some(row) => stored(connection, by, &row).await.map(Some),
        None => Ok(None),
    }
}

/// A text that changes with every change of a payment or of one of its sessions.
pub async fn revision(connection: &mut Connection, scope: &Scope, id: &PaymentId) -> Result<Option<String>, Error> {
    // Revisions only grow, and sessions are only added.
    let row = scope.query(
        "SELECT payments.revision AS own, COUNT(sessions.id) AS sessions,
            CAST(COALESCE(SUM(sessions.revision), 0) AS BIGINT) AS theirs
         FROM payments LEFT JOIN sessions ON sessions.payment_id = payments.id
         WHERE payments.merchant_id = $1 AND payments.live = $2 AND payments.id = $3 GROUP BY payments.id",
    );
    let row = row.bind(id.as_str()).fetch_optional(connection).await?;
    let read =
        |row: AnyRow| Ok(format!("{}.{}.{}", row.number("own")?, row.number("sessions")?, row.number("theirs")?));
    row.map(read).transpose()
}

async fn stored(connection: &mut Connection, by: &impl Reach, row: &AnyRow) -> Result<Stored, Error> {
    let id = row.text("id")?;
    let attempts = by
        .either(
            "SELECT data FROM attempts WHERE payment_id = $3
                AND EXISTS (SELECT 1 FROM payments WHERE merchant_id = $1 AND live = $2 AND id = $3) ORDER BY ordinal",
            "SELECT data FROM attempts WHERE payment_id = $1 ORDER BY ordinal",
        )
        .bind(id)
        .fetch_all(connection)
        .await?;
    let attempts = attempts.iter().map(|row| row.json("data")).collect::<Result<_, _>>()?;
    let payment = payment(row, attempts)?;
    Ok(Stored { payment, order: row.parsed("order_id")?, live: row.flag("live")?, revision: row.number("revision")? })
}

fn payment(row: &AnyRow, attempts: Vec<Attempt>) -> Result<Payment, Error> {
    Ok(Payment {
        id: row.parsed("id")?,
        merchant: row.parsed("merchant_id")?,
        amount: Money::new(row.number("amount")?, row.parsed("currency")?),
        capture: row.word("capture")?,
        canceled: row.flag("canceled")?,
        attempts,
    })
}

/// A payment locked for change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Locked {
    /// The payment.
    pub payment: Payment,
    /// Whether real money moves.
    pub live: bool,
    /// The number of the payment's newest event.
    pub seq: i64,
    /// The number of the newest event for the merchant.
    pub told: i64,
}

/// Locks payments until the transaction ends, and loads them. The ids must be sorted and different. A missing payment is left out. A
/// payment that cannot be read is an error of its own, so that it does not hold up the others.
pub async fn lock_many(
    connection: &mut Connection,
    by: &Installation,
    dialect: Dialect,
    ids: &[PaymentId],
) -> Result<Vec<(PaymentId, Result<Locked, Error>)>, Error> {
    let mut locked = Vec::with_capacity(ids.len());
    for (portion, size) in lists(ids) {
        let text = list(connection, dialect.lock_payments(), 0, size);
        let select = filled(portion, size).fold(by.query(text), |select, id| select.bind(id.as_str()));
        let rows = select.fetch_all(&mut *connection).await?;
        let mut attempts = attempts::of_payments(connection, by, portion, size).await?;
        for row in &rows {
            let id: PaymentId = row.parsed("id")?;
            let attempts = attempts.remove(id.as_str()).unwrap_or_else(|| Ok(vec![]));
            locked.push((id, attempts.and_then(|attempts| read_locked(row, attempts))));
        }
    }
    Ok(locked)
}

fn read_locked(row: &AnyRow, attempts: Vec<Attempt>) -> Result<Locked, Error> {
    Ok(Locked {
        payment: payment(row, attempts)?,
        live: row.flag("live")?,
        seq: row.number("seq")?,
        told: row.number("told")?,
    })
}

/// Writes payments' derived columns and the numbers of their newest events, both of their own events and of those for the merchant, and
/// counts their revisions up.
pub async fn update(
    connection: &mut Connection,
    by: &Installation,
    changed: &[(&Payment, i64, i64)],
    now: Millis,
) -> Result<(), Error> {
    for portion in portions(changed) {
        let text = values(
            connection,
            "UPDATE payments SET canceled = v.column2, status = v.column3, authorised = v.column4, captured = v.column5,
                refunded = v.column6, kept = v.column7, seq = v.column8, revision = payments.revision + 1,
                updated = v.column9, told = v.column10
             FROM (VALUES {}) AS v WHERE payments.id = v.column1",
            portion.len(),
            10,
        );
        let mut update = by.query(text);
        for (payment, seq, told) in portion {
            let totals = payment.totals();
            update = update
                .bind(payment.id.as_str())
                .bind(i64::from(payment.canceled))
                .bind(payment.status().as_str())
                .bind(totals.authorised)
                .bind(totals.captured)
                .bind(totals.refunded)
                .bind(payment.kept())
                .bind(*seq)
                .bind(now)
                .bind(*told);
        }
        update.execute(&mut *connection).await?;
    }
    Ok(())
}

/// An event with its place in its payment's history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventRow {
    /// The event's payment.
    pub payment: PaymentId,
    /// The event's number, from one.
    pub seq: i64,
    /// The event.
    pub event: Event,
    /// The source of the event.
    pub source: &'static str,
    /// The actor, as stored.
    pub actor: String,
    /// The inbox row, if there is one.
    pub cause: Option<String>,
}

/// Appends events.
pub async fn append(
    connection: &mut Connection,
    by: &Installation,
    rows: &[EventRow],
    now: Millis,
) -> Result<(), Error> {
    for portion in portions(rows) {
        let text = values(
            connection,
            "INSERT INTO payment_events (payment_id, seq, name, data, source, actor, cause, at) VALUES {}",
            portion.len(),
            8,
        );
        let mut insert = by.query(text);
        for row in portion {
            insert = insert
                .bind(row.payment.as_str())
                .bind(row.seq)
                .bind(row.event.name())
                .bind(to_json(&row.event)?)
                .bind(row.source)
                .bind(&row.actor)
                .bind(&row.cause)
                .bind(now);
        }
        insert.execute(&mut *connection).await?;
    }
    Ok(())
}

/// A merchant's payments after a given one, in the order of their ids, of which money may have to be sent back: more than the debt was
/// captured or authorised, or the payment was called off. Also returns the payment after which to continue; none at the end.
pub async fn maybe_overpaid(
    connection: &mut Connection,
    by: &Installation,
    merchant: &MerchantId,
    after: &str,
    limit: i64,
) -> Result<(Vec<PaymentId>, Option<PaymentId>), Error> {
    let rows = by
        .query(
            "SELECT id FROM payments WHERE merchant_id = $1 AND status IN ('succeeded', 'requires_capture')
            AND (captured > amount OR authorised > amount OR canceled = 1) AND id > $2 ORDER BY id LIMIT $3",
        )
        .bind(merchant.as_str())
        .bind(after)
        .bind(limit)
        .fetch_all(connection)
        .await?;
    let found = rows.iter().map(|row| row.parsed("id")).collect::<Result<Vec<PaymentId>, _>>()?;
    let is_full = i64::try_from(found.len()).is_ok_and(|rows| rows >= limit);
    let last = found.last().filter(|_| is_full).cloned();
    Ok((found, last))
}

/// The ids of the payments after a given one, in order.
pub async fn ids_after(
    connection: &mut Connection,
    by: &Installation,
    after: &str,
    limit: i64,
) -> Result<Vec<PaymentId>, Error> {
    let rows = by
        .query("SELECT id FROM payments WHERE id > $1 ORDER BY id LIMIT $2")
        .bind(after)
        .bind(limit)
        .fetch_all(connection)
        .await?;
    rows.iter().map(|row| row.parsed("id")).collect()
}

/// A payment in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PaymentRow {
    /// The id.
    pub id: String,
    /// The debt.
    pub amount: Money,
    /// The status.
    pub status: String,
    /// The captured amount, in minor units.
    pub captured: i64,
    /// The refunded amount, in minor units.
    pub refunded: i64,
    /// When the payment was made, in milliseconds since 1970.
    pub created: i64,
}

/// The payments of a merchant and a mode, newest first.
pub async fn of_merchant(connection: &mut Connection, scope: &Scope, page: &Page) -> Result<Listed<PaymentRow>, Error> {
    let payment = |row: &AnyRow| {
        Ok(PaymentRow {
            id: row.text("id")?,
            amount: Money::new(row.number("amount")?, row.parsed("currency")?),
            status: row.text("status")?,
            captured: row.number("captured")?,
            refunded: row.number("refunded")?,
            created: row.number("created")?,
        })
    };
    let list = List { table: "payments", whose: OF_SCOPE, newest_first: true };
    list.page(connection, scope, page, payment).await
}

/// An event of a payment, with its time, its source and its cause.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Happened {
    /// When the event was recorded, in milliseconds since 1970, by the recording server's clock.
    pub at: Millis,
    /// The source of the event: a webhook, a fetch, the merchant, the shopper or the engine.
    pub source: String,
    /// The actor: the command line, an API key with its id, the shopper, the provider or the engine.
    pub actor: String,
    /// The inbox row, if there is one.
    pub cause: Option<String>,
    /// The event.
    pub event: Event,
}

/// A payment's events, oldest first.
pub async fn events(connection: &mut Connection, by: &impl Reach, payment: &PaymentId) -> Result<Vec<Happened>, Error> {
    let rows = by
        .either(
            "SELECT at, source, actor, cause, data FROM payment_events WHERE payment_id = $3
                AND EXISTS (SELECT 1 FROM payments WHERE merchant_id = $1 AND live = $2 AND id = $3)
             ORDER BY seq LIMIT 10000",
            "SELECT at, source, actor, cause, data FROM payment_events WHERE payment_id = $1 ORDER BY seq LIMIT 10000",
        )
        .bind(payment.as_str())
        .fetch_all(connection)
        .await?;
    let happened = |row: &AnyRow| {
        Ok(Happened {
            at: row.number("at")?,
            source: row.text("source")?,
            actor: row.text("actor")?,
            cause: row.maybe_text("cause")?,
            event: row.json("data")?,
        })
    };
    rows.iter().map(happened).collect()
}

/// Notifies other servers, on commit, that a payment's pages have news.
pub async fn notify(connection: &mut Connection, dialect: Dialect, payment: &PaymentId) -> Result<(), Error> {
    notify_many(connection, dialect, std::slice::from_ref(payment)).await
}

/// Notifies other servers, on commit, that several payments' pages have news.
pub async fn notify_many(connection: &mut Connection, dialect: Dialect, payments: &[PaymentId]) -> Result<(), Error> {
    let Some(template) = dialect.notify() else { return Ok(()) };
    for portion in portions(payments) {
        let text = values(connection, template, portion.len(), 1);
        let select = portion.iter().fold(query_of_nothing(text), |select, payment| select.bind(payment.as_str()));
        select.execute(&mut *connection).await?;
    }
    Ok(())
}
