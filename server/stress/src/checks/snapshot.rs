//! A snapshot of the database, read once.

use std::collections::{BTreeMap, HashMap};

use domain::currency::Currency;
use domain::money::Money;
use domain::payment::{Attempt, Event};
use serde::de::DeserializeOwned;
use serde_json::json;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row, query, query_scalar};

use crate::Failure;
use crate::database::Database;

/// A row of `inbox`.
#[derive(Debug, Clone)]
pub struct Inbox {
    /// The id.
    pub id: String,
    /// The state of the delivery.
    pub state: String,
    /// Whether the delivery waits for a payment to become known.
    pub waits: bool,
}

/// A row of `payments`.
#[derive(Debug, Clone)]
pub struct Payment {
    /// The payment as `domain` has it, without attempts.
    pub empty: domain::payment::Payment,
    /// Whether the payment was canceled.
    pub canceled: bool,
    /// The derived columns.
    pub status: String,
    /// Minor units: authorised, captured, refunded.
    pub totals: [i64; 3],
}

/// A row of `attempts`.
#[derive(Debug, Clone)]
pub struct AttemptRow {
    /// The payment.
    pub payment: String,
    /// The column `live`.
    pub live: bool,
    /// The column `data`.
    pub attempt: Attempt,
}

/// A row of `payment_events`.
#[derive(Debug, Clone)]
pub struct EventRow {
    /// The event's number.
    pub seq: i64,
    /// The event.
    pub event: Event,
    /// The inbox row that caused it.
    pub cause: Option<String>,
    /// The time at which it was stored.
    pub at: i64,
}

/// A row of `entries` of a payment: a change of an account.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The payment.
    pub payment: String,
    /// The payment's event that the entry was posted with.
    pub seq: i64,
    /// The account.
    pub account: String,
    /// Minor units; a debit is positive.
    pub amount: i64,
}

/// A row of `events`: a message to the merchant.
#[derive(Debug, Clone)]
pub struct Notice {
    /// The payment.
    pub payment: String,
    /// The payment's event that the message is about.
    pub seq: i64,
}

/// All tables that the checks need.
#[derive(Debug, Default)]
pub struct Snapshot {
    /// The inbox by account and the provider's event id.
    pub inbox: HashMap<(String, String), Inbox>,
    /// The payments by id.
    pub payments: BTreeMap<String, Payment>,
    /// The attempts by their payment's id, in the order of their ordinals.
    pub attempts: Vec<AttemptRow>,
    /// The events by payment, in order.
    pub events: HashMap<String, Vec<EventRow>>,
    /// The ledger, if this version has one.
    pub ledger: Option<Vec<Entry>>,
    /// The outbox, if this version has one.
    pub outbox: Option<Vec<Notice>>,
}

fn parsed<T: DeserializeOwned>(row: &AnyRow, column: &str) -> Result<T, Failure> {
    let text: String = row.try_get(column)?;
    Ok(serde_json::from_str(&text).map_err(|error| format!("{column}: {error}: {text}"))?)
}

impl Snapshot {
    /// Reads the snapshot.
    pub async fn read(database: &Database) -> Result<Snapshot, Failure> {
        let mut connection = database.look().await?;
        let mut found = Snapshot::default();
        found.read_inbox(&mut connection).await?;
        found.read_payments(&mut connection).await?;
        found.read_attempts(&mut connection).await?;
        found.read_events(&mut connection).await?;
        if exists(&mut connection, database.name, "entries").await? {
            found.ledger = Some(read_ledger(&mut connection).await?);
        }
        if exists(&mut connection, database.name, "events").await? {
            found.outbox = Some(read_outbox(&mut connection).await?);
        }
        Ok(found)
    }

    async fn read_inbox(&mut self, connection: &mut AnyConnection) -> Result<(), Failure> {
        let rows = query(
            "SELECT id, account_id, event, state,
                (SELECT COUNT(*) FROM inbox_waits WHERE inbox_id = inbox.id) AS waits FROM inbox",
        )
        .fetch_all(connection)
        .await?;
        for row in rows {
            let (account, event): (String, String) = (row.try_get("account_id")?, row.try_get("event")?);
            let waits: i64 = row.try_get("waits")?;
            let inbox = Inbox { id: row.try_get("id")?, state: row.try_get("state")?, waits: waits > 0 };
            self.inbox.insert((account, event), inbox);
        }
        Ok(())
    }

    async fn read_payments(&mut self, connection: &mut AnyConnection) -> Result<(), Failure> {
        let rows = query(
            "SELECT id, merchant_id, currency, amount, capture, canceled, status, authorised, captured, refunded
             FROM payments",
        )
        .fetch_all(connection)
        .await?;
        for row in rows {
            let id: String = row.try_get("id")?;
            let capture: String = row.try_get("capture")?;
            let currency: String = row.try_get("currency")?;
            let merchant: String = row.try_get("merchant_id")?;
            let amount: Currency = currency.parse().map_err(|_| format!("currency {currency}"))?;
            let amount = Money::new(row.try_get("amount")?, amount);
            // JSON gives the fields of later versions their defaults.
            let empty = serde_json::from_value(json!({"id": id, "merchant": merchant, "amount": amount,
                "capture": capture, "canceled": false, "attempts": []}))?;
            let canceled: i64 = row.try_get("canceled")?;
            let totals = [row.try_get("authorised")?, row.try_get("captured")?, row.try_get("refunded")?];
            let payment = Payment { empty, canceled: canceled != 0, status: row.try_get("status")?, totals };
            self.payments.insert(id, payment);
        }
        Ok(())
    }

    async fn read_attempts(&mut self, connection: &mut AnyConnection) -> Result<(), Failure> {
        let rows = query("SELECT payment_id, live, data FROM attempts ORDER BY payment_id, ordinal")
            .fetch_all(connection)
            .await?;
        for row in rows {
            let live: i64 = row.try_get("live")?;
            let attempt = parsed(&row, "data")?;
            self.attempts.push(AttemptRow { payment: row.try_get("payment_id")?, live: live != 0, attempt });
        }
        Ok(())
    }

    async fn read_events(&mut self, connection: &mut AnyConnection) -> Result<(), Failure> {
        let rows = query("SELECT payment_id, seq, data, cause, at FROM payment_events ORDER BY payment_id, seq")
            .fetch_all(connection)
            .await?;
        for row in rows {
            let event = EventRow {
                seq: row.try_get("seq")?,
                event: parsed(&row, "data")?,
                cause: row.try_get("cause")?,
                at: row.try_get("at")?,
            };
            self.events.entry(row.try_get("payment_id")?).or_default().push(event);
        }
        Ok(())
    }

    /// The attempts of a payment, oldest first.
    pub fn attempts_of<'a>(&'a self, payment: &'a str) -> impl Iterator<Item = &'a AttemptRow> {
        let start = self.attempts.partition_point(|row| row.payment.as_str() < payment);
        self.attempts[start..].iter().take_while(move |row| row.payment == payment)
    }
}

/// Whether this version has a table.
async fn exists(connection: &mut AnyConnection, database: &str, table: &str) -> Result<bool, Failure> {
    let asked = match database {
        "sqlite" => "SELECT COUNT(*) FROM sqlite_master WHERE type = 'table' AND name = $1",
        _ => "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = 'public' AND table_name = $1",
    };
    let count: i64 = query_scalar(asked).bind(table).fetch_one(connection).await?;
    Ok(count > 0)
}

async fn read_ledger(connection: &mut AnyConnection) -> Result<Vec<Entry>, Failure> {
    let rows = query(
        "SELECT entries.source_id, entries.number, account, amount FROM entries JOIN transactions
         ON transactions.source_id = entries.source_id AND transactions.number = entries.number
         WHERE source = 'payment_event'",
    );
    let entry = |row: &AnyRow| -> Result<Entry, Failure> {
        Ok(Entry {
            payment: row.try_get("source_id")?,
            seq: row.try_get("number")?,
            account: row.try_get("account")?,
            amount: row.try_get("amount")?,
        })
    };
    rows.fetch_all(connection).await?.iter().map(entry).collect()
}

async fn read_outbox(connection: &mut AnyConnection) -> Result<Vec<Notice>, Failure> {
    let rows = query("SELECT payment_id, seq FROM events WHERE payment_id IS NOT NULL").fetch_all(connection).await?;
    let notice = |row: &AnyRow| Ok(Notice { payment: row.try_get("payment_id")?, seq: row.try_get("seq")? });
    rows.iter().map(notice).collect()
}
