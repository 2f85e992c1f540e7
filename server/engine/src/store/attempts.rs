//! Attempts and their references. Written by `crate::record` alone.

use std::collections::{BTreeSet, HashMap};

use domain::Millis;
use domain::id::{AttemptId, PaymentId, ProviderAccountId};
use domain::payment::{Attempt, Refs};
use sqlx::any::AnyRow;

use super::Connection;
use super::many::{filled, list, lists, portions, values};
use super::row::{Columns, to_json};
use crate::error::Error;
use crate::scope::Installation;

/// An attempt with its place in its payment.
#[derive(Debug, Clone, Copy)]
pub struct AttemptRow<'a> {
    /// The attempt's payment.
    pub payment: &'a PaymentId,
    /// The attempt's place in its payment, from zero.
    pub ordinal: i64,
    /// The attempt.
    pub attempt: &'a Attempt,
}

/// Adds attempts.
pub async fn insert(
    connection: &mut Connection,
    by: &Installation,
    rows: &[AttemptRow<'_>],
    now: Millis,
) -> Result<(), Error> {
    for portion in portions(rows) {
        let text = values(
            connection,
            "INSERT INTO attempts
             (id, payment_id, account_id, ordinal, live, data, created, updated) VALUES {}",
            portion.len(),
            8,
        );
        let mut insert = by.query(text);
        for AttemptRow { payment, ordinal, attempt } in portion {
            insert = insert
                .bind(attempt.id.as_str())
                .bind(payment.as_str())
                .bind(attempt.account.as_str())
                .bind(*ordinal)
                .bind(i64::from(attempt.is_live()))
                .bind(to_json(attempt)?)
                .bind(attempt.created)
                .bind(now);
        }
        insert.execute(&mut *connection).await?;
    }
    let named = |row: &AttemptRow<'_>| named(row.payment, row.attempt, None);
    insert_references(connection, by, &rows.iter().flat_map(named).collect::<Vec<_>>()).await
}

/// An attempt before and after a change, with its payment.
pub type Change<'a> = (&'a PaymentId, &'a Attempt, &'a Attempt);

/// Writes attempts that have changed. The indexed column is only written if it has changed: the database would take the same value out
/// of the index and put it in again.
pub async fn update(
    connection: &mut Connection,
    by: &Installation,
    changed: &[Change<'_>],
    now: Millis,
) -> Result<(), Error> {
    for (written, template, columns) in [
        (
            false,
            "UPDATE attempts SET data = v.column2, updated = v.column3
             FROM (VALUES {}) AS v WHERE attempts.id = v.column1",
            3,
        ),
        (
            true,
            "UPDATE attempts SET data = v.column2, updated = v.column3, live = v.column4
             FROM (VALUES {}) AS v WHERE attempts.id = v.column1",
            4,
        ),
    ] {
        let is_among = |(_, before, after): &Change<'_>| (before.is_live() != after.is_live()) == written;
        let those: Vec<Change<'_>> = changed.iter().copied().filter(is_among).collect();
        for portion in portions(&those) {
            let text = values(connection, template, portion.len(), columns);
            let mut update = by.query(text);
            for (_, _, attempt) in portion {
                update = update.bind(attempt.id.as_str()).bind(to_json(attempt)?).bind(now);
                if written {
                    update = update.bind(i64::from(attempt.is_live()));
                }
            }
            update.execute(&mut *connection).await?;
        }
    }
    let named = |(payment, before, after): &Change<'_>| named(payment, after, Some(before));
    insert_references(connection, by, &changed.iter().flat_map(named).collect::<Vec<_>>()).await
}

/// A provider's name of an attempt, or of a part of it.
struct Reference {
    account: ProviderAccountId,
    reference: String,
    kind: &'static str,
    attempt: AttemptId,
    payment: PaymentId,
}

/// The kinds of references. Where one text names different attempts in different roles, the first role counts.
const REFERENCE_KINDS: [&str; 3] = ["session", "payment", "capture"];

/// The new references of an attempt.
fn named(payment: &PaymentId, attempt: &Attempt, before: Option<&Attempt>) -> Vec<Reference> {
    let all = |of: &Attempt| -> BTreeSet<(&'static str, String)> {
        let [session, payment, capture] = REFERENCE_KINDS;
        let refs = of.refs.session.iter().map(|name| (session, name.clone()));
        let refs = refs.chain(of.refs.payment.iter().map(|name| (payment, name.clone())));
        refs.chain(of.book.captures.keys().map(|name| (capture, name.clone()))).collect()
    };
    let known = before.map(all).unwrap_or_default();
    let new = all(attempt).into_iter().filter(|one| !known.contains(one));
    new.map(|(kind, reference)| Reference {
        account: attempt.account.clone(),
        reference,
        kind,
        attempt: attempt.id.clone(),
        payment: payment.clone(),
    })
    .collect()
}

/// Adds references. A reference that belongs to another attempt is an error.
async fn insert_references(connection: &mut Connection, by: &Installation, rows: &[Reference]) -> Result<(), Error> {
    for portion in portions(rows) {
        let text = values(
            connection,
            "INSERT INTO attempt_references (account_id, reference, kind, attempt_id, payment_id) VALUES {}",
            portion.len(),
            5,
        );
        let insert = portion.iter().fold(by.query(text), |insert, row| {
            let insert = insert.bind(row.account.as_str()).bind(row.reference.as_str()).bind(row.kind);
            insert.bind(row.attempt.as_str()).bind(row.payment.as_str())
        });
        insert.execute(&mut *connection).await?;
    }
    Ok(())
}

/// Stores the request that opens an attempt, unless one is stored already. Returns whether this request was stored.
pub async fn keep_sent(
    connection: &mut Connection,
    by: &Installation,
    attempt: &AttemptId,
    sent: &str,
) -> Result<bool, Error> {
    let done = by
        .query("UPDATE attempts SET sent = $2 WHERE id = $1 AND sent IS NULL")
        .bind(attempt.as_str())
        .bind(sent)
        .execute(connection)
        .await?;
    Ok(done.rows_affected() > 0)
}

/// The stored request that opens an attempt.
pub async fn sent(
    connection: &mut Connection,
    by: &Installation,
    attempt: &AttemptId,
) -> Result<Option<String>, Error> {
    let row =
        by.query("SELECT sent FROM attempts WHERE id = $1").bind(attempt.as_str()).fetch_optional(connection).await?;
    Ok(row.map(|row| row.maybe_text("sent")).transpose()?.flatten())
}

/// The attempts of payments, by payment and in order.
pub(super) async fn of_payments(
    connection: &mut Connection,
    by: &Installation,
    payments: &[PaymentId],
    size: usize,
) -> Result<HashMap<String, Result<Vec<Attempt>, Error>>, Error> {
    let text = list(
        connection,
        "SELECT payment_id, data FROM attempts WHERE payment_id IN ({}) ORDER BY payment_id, ordinal",
        0,
        size,
    );
    let select = filled(payments, size).fold(by.query(text), |select, id| select.bind(id.as_str()));
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
    /// The attempt's payment.
    pub payment: PaymentId,
    /// The attempt's account.
    pub account: ProviderAccountId,
}

/// Finds an attempt by our own id.
pub async fn locate(
    connection: &mut Connection,
    by: &Installation,
    attempt: &AttemptId,
) -> Result<Option<Located>, Error> {
    let row = by
        .query("SELECT id, payment_id, account_id FROM attempts WHERE id = $1")
        .bind(attempt.as_str())
        .fetch_optional(connection)
        .await?;
    row.as_ref().map(located).transpose()
}

/// Finds attempts by our own ids.
pub async fn locate_many(
    connection: &mut Connection,
    by: &Installation,
    attempts: &[AttemptId],
) -> Result<Vec<Located>, Error> {
    let mut found = Vec::with_capacity(attempts.len());
    for (portion, size) in lists(attempts) {
        let text = list(connection, "SELECT id, payment_id, account_id FROM attempts WHERE id IN ({})", 0, size);
        let select = filled(portion, size).fold(by.query(text), |select, id| select.bind(id.as_str()));
        for row in select.fetch_all(&mut *connection).await? {
            found.push(located(&row)?);
        }
    }
    Ok(found)
}

/// Finds an attempt by the provider's references, within one account.
pub async fn locate_by_refs(
    connection: &mut Connection,
    by: &Installation,
    account: &ProviderAccountId,
    refs: &Refs,
) -> Result<Option<Located>, Error> {
    let row = by
        .query(
            "SELECT attempt_id AS id, payment_id, account_id FROM attempt_references
         WHERE account_id = $1 AND reference IN ($2, $3) LIMIT 1",
        )
        .bind(account.as_str())
        .bind(&refs.session)
        .bind(&refs.payment)
        .fetch_optional(connection)
        .await?;
    row.as_ref().map(located).transpose()
}

/// Finds attempts by their providers' references of any kind, each within its account.
pub async fn locate_many_by_refs(
    connection: &mut Connection,
    by: &Installation,
    references: &[(ProviderAccountId, String)],
) -> Result<HashMap<(ProviderAccountId, String), Located>, Error> {
    let mut found: HashMap<(ProviderAccountId, String), (usize, Located)> = HashMap::with_capacity(references.len());
    for portion in portions(references) {
        let text = values(
            connection,
            "SELECT attempt_id AS id, payment_id, account_id, reference, kind FROM (VALUES {}) AS v
             JOIN attempt_references ON account_id = v.column1 AND reference = v.column2",
            portion.len(),
            2,
        );
        let select = portion.iter().fold(by.query(text), |select, (account, reference)| {
            select.bind(account.as_str()).bind(reference.as_str())
        });
        for row in select.fetch_all(&mut *connection).await? {
            let (located, kind) = (located(&row)?, row.text("kind")?);
            let rank = REFERENCE_KINDS.iter().position(|known| *known == kind).unwrap_or(REFERENCE_KINDS.len());
            let key = (located.account.clone(), row.text("reference")?);
            if found.get(&key).is_none_or(|(known, _)| rank < *known) {
                found.insert(key, (rank, located));
            }
        }
    }
    Ok(found.into_iter().map(|(key, (_, located))| (key, located)).collect())
}

fn located(row: &AnyRow) -> Result<Located, Error> {
    Ok(Located { attempt: row.parsed("id")?, payment: row.parsed("payment_id")?, account: row.parsed("account_id")? })
}
