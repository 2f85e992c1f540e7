//! Attempts and where they belong. Written by `crate::record` alone.

use std::collections::HashMap;

use connectors::Sent;
use domain::Millis;
use domain::id::{AttemptId, PaymentId, ProviderAccountId};
use domain::payment::{Attempt, Refs};
use sqlx::any::AnyRow;

use super::Connection;
use super::many::{filled, list, lists, portions, values};
use super::row::{Columns, to_json};
use super::statement::query;
use crate::error::Error;

/// An attempt with its place in its payment.
#[derive(Debug, Clone, Copy)]
pub struct AttemptRow<'a> {
    /// Its payment.
    pub payment: &'a PaymentId,
    /// Its place, from zero.
    pub ordinal: i64,
    /// The attempt.
    pub attempt: &'a Attempt,
}

/// Adds attempts.
pub async fn insert(connection: &mut Connection, rows: &[AttemptRow<'_>], now: Millis) -> Result<(), Error> {
    for portion in portions(rows) {
        let text = values(
            connection,
            "INSERT INTO attempts
             (id, payment_id, account_id, ordinal, live, session_ref, payment_ref, data, created, updated) VALUES {}",
            portion.len(),
            10,
        );
        let mut insert = query(text);
        for AttemptRow { payment, ordinal, attempt } in portion {
            insert = insert
                .bind(attempt.id.as_str())
                .bind(payment.as_str())
                .bind(attempt.account.as_str())
                .bind(*ordinal)
                .bind(i64::from(attempt.is_live()))
                .bind(&attempt.refs.session)
                .bind(&attempt.refs.payment)
                .bind(to_json(attempt)?)
                .bind(attempt.created)
                .bind(now);
        }
        insert.execute(&mut *connection).await?;
    }
    Ok(())
}

/// An attempt before and after a change.
pub type Change<'a> = (&'a Attempt, &'a Attempt);

/// Writes attempts that have changed. A column with an index is only written if it has changed: the database would take the
/// same value out of the index and put it in again.
pub async fn update(connection: &mut Connection, changed: &[Change<'_>], now: Millis) -> Result<(), Error> {
    for columns in [Written::Inside, Written::Paid, Written::Opened] {
        let those: Vec<Change<'_>> = changed.iter().copied().filter(|change| Written::of(*change) == columns).collect();
        for portion in portions(&those) {
            let text = values(connection, columns.template(), portion.len(), columns.count());
            let mut update = query(text);
            for (_, attempt) in portion {
                update = update.bind(attempt.id.as_str()).bind(to_json(attempt)?).bind(now);
                if columns != Written::Inside {
                    update = update.bind(i64::from(attempt.is_live())).bind(&attempt.refs.payment);
                }
                if columns == Written::Opened {
                    update = update.bind(&attempt.refs.session);
                }
            }
            update.execute(&mut *connection).await?;
        }
    }
    Ok(())
}

/// Which columns of an attempt are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Written {
    /// None with an index.
    Inside,
    /// And whether it is live, and the payment's reference.
    Paid,
    /// And the session's reference.
    Opened,
}

impl Written {
    fn of((before, after): Change<'_>) -> Written {
        if before.refs.session != after.refs.session {
            Written::Opened
        } else if before.refs.payment != after.refs.payment || before.is_live() != after.is_live() {
            Written::Paid
        } else {
            Written::Inside
        }
    }

    fn count(self) -> usize {
        match self {
            Written::Inside => 3,
            Written::Paid => 5,
            Written::Opened => 6,
        }
    }

    fn template(self) -> &'static str {
        match self {
            Written::Inside => {
                "UPDATE attempts SET data = v.column2, updated = v.column3
                 FROM (VALUES {}) AS v WHERE attempts.id = v.column1"
            }
            Written::Paid => {
                "UPDATE attempts SET data = v.column2, updated = v.column3, live = v.column4, payment_ref = v.column5
                 FROM (VALUES {}) AS v WHERE attempts.id = v.column1"
            }
            Written::Opened => {
                "UPDATE attempts SET data = v.column2, updated = v.column3, live = v.column4, payment_ref = v.column5,
                    session_ref = v.column6
                 FROM (VALUES {}) AS v WHERE attempts.id = v.column1"
            }
        }
    }
}

/// Stores the request that opens an attempt, unless one is stored. Returns whether it is this one now.
pub async fn keep_sent(connection: &mut Connection, attempt: &AttemptId, sent: &Sent) -> Result<bool, Error> {
    let done = query("UPDATE attempts SET sent = $2 WHERE id = $1 AND sent IS NULL")
        .bind(attempt.as_str())
        .bind(to_json(sent)?)
        .execute(connection)
        .await?;
    Ok(done.rows_affected() > 0)
}

/// The stored request that opens an attempt.
pub async fn sent(connection: &mut Connection, attempt: &AttemptId) -> Result<Option<Sent>, Error> {
    let row =
        query("SELECT sent FROM attempts WHERE id = $1").bind(attempt.as_str()).fetch_optional(connection).await?;
    let text = row.map(|row| row.maybe_text("sent")).transpose()?.flatten();
    text.map(|text| serde_json::from_str(&text).map_err(Error::corrupt)).transpose()
}

/// The attempts of payments, by payment and in order.
pub(super) async fn of_payments(
    connection: &mut Connection,
    payments: &[PaymentId],
    size: usize,
) -> Result<HashMap<String, Result<Vec<Attempt>, Error>>, Error> {
    let text = list(
        connection,
        "SELECT payment_id, data FROM attempts WHERE payment_id IN ({}) ORDER BY payment_id, ordinal",
        0,
        size,
    );
    let select = filled(payments, size).fold(query(text), |select, id| select.bind(id.as_str()));
    let mut found: HashMap<String, Result<Vec<Attempt>, Error>> = HashMap::with_capacity(payments.len());
    for row in select.fetch_all(connection).await? {
        let of_payment = found.entry(row.text("payment_id")?).or_insert_with(|| Ok(vec![]));
        match (row.json("data"), &mut *of_payment) {
            (Ok(attempt), Ok(attempts)) => attempts.push(attempt),
            (Err(error), _) => *of_payment = Err(error),
            (Ok(_), Err(_)) => {}
        }
    }
    Ok(found)
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

/// Finds attempts by our own ids.
pub async fn locate_many(connection: &mut Connection, attempts: &[AttemptId]) -> Result<Vec<Located>, Error> {
    let mut found = Vec::with_capacity(attempts.len());
    for (portion, size) in lists(attempts) {
        let text = list(connection, "SELECT id, payment_id, account_id FROM attempts WHERE id IN ({})", 0, size);
        let select = filled(portion, size).fold(query(text), |select, id| select.bind(id.as_str()));
        for row in select.fetch_all(&mut *connection).await? {
            found.push(located(&row)?);
        }
    }
    Ok(found)
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

/// Finds attempts by their providers' references, whether of a session or of a payment, each within its account.
pub async fn locate_many_by_refs(
    connection: &mut Connection,
    references: &[(ProviderAccountId, String)],
) -> Result<HashMap<(ProviderAccountId, String), Located>, Error> {
    let mut found = HashMap::with_capacity(references.len());
    for portion in portions(references) {
        // Two statements, so that each finds its rows in an index.
        for template in [
            "SELECT id, payment_id, account_id, payment_ref AS reference FROM (VALUES {}) AS v
             JOIN attempts ON account_id = v.column1 AND payment_ref = v.column2",
            "SELECT id, payment_id, account_id, session_ref AS reference FROM (VALUES {}) AS v
             JOIN attempts ON account_id = v.column1 AND session_ref = v.column2",
        ] {
            let text = values(connection, template, portion.len(), 2);
            let select = portion.iter().fold(query(text), |select, (account, reference)| {
                select.bind(account.as_str()).bind(reference.as_str())
            });
            for row in select.fetch_all(&mut *connection).await? {
                let located = located(&row)?;
                found.insert((located.account.clone(), row.text("reference")?), located);
            }
        }
    }
    Ok(found)
}

fn located(row: &AnyRow) -> Result<Located, Error> {
    Ok(Located { attempt: row.parsed("id")?, payment: row.parsed("payment_id")?, account: row.parsed("account_id")? })
}
