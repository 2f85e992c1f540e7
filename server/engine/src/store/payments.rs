//! Payments, their attempts and their events. Written by `crate::record` alone.

use std::collections::HashMap;

use domain::Millis;
use domain::id::{AttemptId, LinkId, MerchantId, PaymentId, ProviderAccountId};
use domain::money::Money;
use domain::payment::{Attempt, Event, Payment, Refs};
use sqlx::query;

use super::Connection;
use super::row::{Columns, to_json, word};
use crate::error::Error;
use crate::money::PaymentRow;

/// A payment with what stands around it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// The payment.
    pub payment: Payment,
    /// The link it came from.
    pub link: LinkId,
    /// Whether real money moves.
    pub live: bool,
    /// Counts changes.
    pub revision: i64,
}

/// Adds a payment without attempts. Returns false if the one-time link already has one.
pub async fn insert(
    connection: &mut Connection,
    payment: &Payment,
    link: &LinkId,
    once: bool,
    live: bool,
    now: Millis,
) -> Result<bool, Error> {
    let done = query(
        "INSERT INTO payments
         (id, merchant_id, link_id, once, live, currency, amount, capture, canceled, status,
          authorised, captured, refunded, revision, created, updated)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, $9, 0, 0, 0, 0, $10, $10) ON CONFLICT DO NOTHING",
    )
    .bind(payment.id.as_str())
    .bind(payment.merchant.as_str())
    .bind(link.as_str())
    .bind(i64::from(once))
    .bind(i64::from(live))
    .bind(payment.amount.currency.code())
    .bind(payment.amount.minor)
    .bind(word(&payment.capture)?)
    .bind(payment.status().as_str())
    .bind(now)
    .execute(connection)
    .await?;
    Ok(done.rows_affected() > 0)
}

/// The payment of a one-time link.
pub async fn once_of_link(connection: &mut Connection, link: &LinkId) -> Result<Option<PaymentId>, Error> {
    let row = query("SELECT id FROM payments WHERE link_id = $1 AND once = 1")
        .bind(link.as_str())
        .fetch_optional(connection)
        .await?;
    row.map(|row| row.parsed("id")).transpose()
}

/// How often each of a merchant's links has been paid. Links that never were are left out.
pub async fn paid_by_link(connection: &mut Connection, merchant: &MerchantId) -> Result<HashMap<String, i64>, Error> {
    let rows = query(
        "SELECT link_id, COUNT(*) AS times FROM payments
         WHERE merchant_id = $1 AND status IN ('succeeded', 'requires_capture') GROUP BY link_id",
    )
    .bind(merchant.as_str())
    .fetch_all(connection)
    .await?;
    rows.iter().map(|row| Ok((row.text("link_id")?, row.number("times")?))).collect()
}

/// Locks a payment until the transaction ends, and loads it. Counting the revision up is the lock: it works alike on
/// both databases.
pub async fn lock(connection: &mut Connection, id: &PaymentId) -> Result<Option<Stored>, Error> {
    let row = query("UPDATE payments SET revision = revision + 1 WHERE id = $1 RETURNING *")
        .bind(id.as_str())
        .fetch_optional(&mut *connection)
        .await?;
    match row {
        Some(row) => stored(connection, &row).await.map(Some),
        None => Ok(None),
    }
}

/// Loads a payment without locking it.
pub async fn find(connection: &mut Connection, id: &PaymentId) -> Result<Option<Stored>, Error> {
    let row = query("SELECT * FROM payments WHERE id = $1").bind(id.as_str()).fetch_optional(&mut *connection).await?;
    match row {
        Some(row) => stored(connection, &row).await.map(Some),
        None => Ok(None),
    }
}

/// The number of a payment's last change.
pub async fn revision(connection: &mut Connection, id: &PaymentId) -> Result<i64, Error> {
    let row = query("SELECT revision FROM payments WHERE id = $1").bind(id.as_str()).fetch_optional(connection).await?;
    row.map_or(Ok(0), |row| row.number("revision"))
}

async fn stored(connection: &mut Connection, row: &sqlx::any::AnyRow) -> Result<Stored, Error> {
    let id: PaymentId = row.parsed("id")?;
    let attempts = query("SELECT data FROM attempts WHERE payment_id = $1 ORDER BY ordinal")
        .bind(id.as_str())
        .fetch_all(connection)
        .await?;
    let payment = Payment {
        id,
        merchant: row.parsed("merchant_id")?,
        amount: Money::new(row.number("amount")?, row.parsed("currency")?),
        capture: row.word("capture")?,
        canceled: row.flag("canceled")?,
        kept: row.number("kept")?,
        attempts: attempts.iter().map(|row| row.json("data")).collect::<Result<_, _>>()?,
    };
    Ok(Stored { payment, link: row.parsed("link_id")?, live: row.flag("live")?, revision: row.number("revision")? })
}

/// Writes a payment's derived columns and the attempts named.
pub async fn save(
    connection: &mut Connection,
    payment: &Payment,
    changed: &[AttemptId],
    now: Millis,
) -> Result<(), Error> {
    let totals = payment.totals();
    query(
        "UPDATE payments SET canceled = $1, status = $2, authorised = $3, captured = $4, refunded = $5, updated = $6, kept = $7
         WHERE id = $8",
    )
    .bind(i64::from(payment.canceled))
    .bind(payment.status().as_str())
    .bind(totals.authorised)
    .bind(totals.captured)
    .bind(totals.refunded)
    .bind(now)
    .bind(payment.kept)
    .bind(payment.id.as_str())
    .execute(&mut *connection)
    .await?;
    for (ordinal, attempt) in payment.attempts.iter().enumerate().filter(|(_, a)| changed.contains(&a.id)) {
        let ordinal = i64::try_from(ordinal).map_err(Error::corrupt)?;
        save_attempt(connection, &payment.id, ordinal, attempt, now).await?;
    }
    Ok(())
}

async fn save_attempt(
    connection: &mut Connection,
    payment: &PaymentId,
    ordinal: i64,
    attempt: &Attempt,
    now: Millis,
) -> Result<(), Error> {
    query(
        "INSERT INTO attempts
         (id, payment_id, account_id, ordinal, live, session_ref, payment_ref, data, created, updated)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
         ON CONFLICT (id) DO UPDATE SET live = excluded.live, session_ref = excluded.session_ref,
            payment_ref = excluded.payment_ref, data = excluded.data, updated = excluded.updated",
    )
    .bind(attempt.id.as_str())
    .bind(payment.as_str())
    .bind(attempt.account.as_str())
    .bind(ordinal)
    .bind(i64::from(attempt.is_live()))
    .bind(&attempt.refs.session)
    .bind(&attempt.refs.payment)
    .bind(to_json(attempt)?)
    .bind(attempt.created)
    .bind(now)
    .execute(connection)
    .await?;
    Ok(())
}

/// Appends events. Returns the number of the last.
pub async fn append(
    connection: &mut Connection,
    payment: &PaymentId,
    events: &[Event],
    source: &str,
    cause: Option<&str>,
    now: Millis,
) -> Result<i64, Error> {
    let mut seq = 0;
    for event in events {
        let row = query(
            "INSERT INTO payment_events (payment_id, seq, name, data, source, cause, at)
             SELECT $1, COALESCE(MAX(seq), 0) + 1, $2, $3, $4, $5, $6 FROM payment_events WHERE payment_id = $1
             RETURNING seq",
        )
        .bind(payment.as_str())
        .bind(event.name())
        .bind(to_json(event)?)
        .bind(source)
        .bind(cause)
        .bind(now)
        .fetch_one(&mut *connection)
        .await?;
        seq = row.number("seq")?;
    }
    Ok(seq)
}

/// The ids of payments that follow one, in order.
pub async fn ids_after(connection: &mut Connection, after: &str, limit: i64) -> Result<Vec<PaymentId>, Error> {
    let rows = query("SELECT id FROM payments WHERE id > $1 ORDER BY id LIMIT $2")
        .bind(after)
        .bind(limit)
        .fetch_all(connection)
        .await?;
    rows.iter().map(|row| row.parsed("id")).collect()
}

/// A merchant's payments, newest first.
pub async fn of_merchant(
    connection: &mut Connection,
    merchant: &MerchantId,
    limit: i64,
) -> Result<Vec<PaymentRow>, Error> {
    let rows = query("SELECT * FROM payments WHERE merchant_id = $1 ORDER BY created DESC, id LIMIT $2")
        .bind(merchant.as_str())
        .bind(limit)
        .fetch_all(connection)
        .await?;
    let payment = |row: &sqlx::any::AnyRow| {
        Ok(PaymentRow {
            id: row.text("id")?,
            amount: Money::new(row.number("amount")?, row.parsed("currency")?),
            status: row.text("status")?,
            captured: row.number("captured")?,
            refunded: row.number("refunded")?,
            created: row.number("created")?,
        })
    };
    rows.iter().map(payment).collect()
}

/// A payment's events, oldest first, with their source.
pub async fn events(connection: &mut Connection, payment: &PaymentId) -> Result<Vec<(Event, String)>, Error> {
    let rows = query("SELECT data, source FROM payment_events WHERE payment_id = $1 ORDER BY seq LIMIT 10000")
        .bind(payment.as_str())
        .fetch_all(connection)
        .await?;
    rows.iter().map(|row| Ok((row.json("data")?, row.text("source")?))).collect()
}

/// An attempt's payment and account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Located {
    /// The attempt.
    pub attempt: AttemptId,
    /// Its payment.
    pub payment: PaymentId,
    /// Its account.
    pub account: ProviderAccountId,
}

/// Finds an attempt by our own id.
pub async fn locate(connection: &mut Connection, attempt: &AttemptId) -> Result<Option<Located>, Error> {
    let row = query("SELECT id, payment_id, account_id FROM attempts WHERE id = $1")
        .bind(attempt.as_str())
        .fetch_optional(connection)
        .await?;
    row.as_ref().map(located).transpose()
}

/// Finds an attempt by the provider's references, within one account.
pub async fn locate_by_refs(
    connection: &mut Connection,
    account: &ProviderAccountId,
    refs: &Refs,
) -> Result<Option<Located>, Error> {
    let row = query(
        "SELECT id, payment_id, account_id FROM attempts
         WHERE account_id = $1 AND (session_ref = $2 OR payment_ref = $3) LIMIT 1",
    )
    .bind(account.as_str())
    .bind(&refs.session)
    .bind(&refs.payment)
    .fetch_optional(connection)
    .await?;
    row.as_ref().map(located).transpose()
}

fn located(row: &sqlx::any::AnyRow) -> Result<Located, Error> {
    Ok(Located { attempt: row.parsed("id")?, payment: row.parsed("payment_id")?, account: row.parsed("account_id")? })
}

/// Tells other servers, on commit, that a payment's pages have news.
pub async fn notify(connection: &mut Connection, dialect: super::Dialect, payment: &PaymentId) -> Result<(), Error> {
    if let Some(statement) = dialect.notify() {
        query(statement).bind(payment.as_str()).execute(connection).await?;
    }
    Ok(())
}
