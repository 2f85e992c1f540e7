//! Captures, refunds, disputes and returns as rows. Written by `crate::record` alone, in the transaction of the change.

use domain::Millis;
use domain::id::PaymentId;
use domain::payment::MovementKind;
use serde::Serialize;
use sqlx::any::AnyRow;

use super::Connection;
use super::many::{filled, list, lists, portions, values};
use super::pages::List;
use super::row::Columns;
use super::statement::Reach;
use crate::error::{Error, Thing};
use crate::paging::{Listed, Page};
use crate::scope::{Installation, Scope};

/// A capture, refund, dispute or return. Amounts are minor units.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Movement {
    /// The id: `cap_`, `re_`, `du_` or `ret_` and 26 letters and digits.
    pub id: String,
    /// The kind.
    pub kind: String,
    /// The merchant.
    pub merchant: String,
    /// Whether real money moves.
    pub live: bool,
    /// The payment.
    pub payment: String,
    /// The attempt.
    pub attempt: String,
    /// The currency's code.
    pub currency: String,
    /// The amount; for a dispute that was won, the amount that came back.
    pub amount: i64,
    /// The amount that a dispute took for good; zero for other kinds.
    pub lost: i64,
    /// The state.
    pub state: String,
    /// Why the movement failed, if the provider gave a reason.
    pub reason: Option<String>,
    /// The id of the capture that a refund acts on, where only one is possible.
    pub capture: Option<String>,
    /// The provider's reference.
    pub reference: Option<String>,
    /// Until when evidence can be handed in, in milliseconds since 1970.
    pub deadline: Option<Millis>,
    /// When the movement was first known, in milliseconds since 1970.
    pub created: Millis,
    /// When the row last changed, in milliseconds since 1970.
    pub updated: Millis,
}

/// Adds rows, or replaces the columns of existing rows that may have changed.
pub async fn put(connection: &mut Connection, by: &Installation, rows: &[Movement]) -> Result<(), Error> {
    for portion in portions(rows) {
        let text = values(
            connection,
            "INSERT INTO movements (id, merchant_id, live, payment_id, attempt_id, kind, currency, amount, lost, state,
                reason, capture, reference, deadline, created, updated) VALUES {}
             ON CONFLICT (id) DO UPDATE SET amount = excluded.amount, lost = excluded.lost, state = excluded.state,
                reason = excluded.reason, capture = excluded.capture, reference = excluded.reference,
                deadline = excluded.deadline, updated = excluded.updated",
            portion.len(),
            16,
        );
        let mut insert = by.query(text);
        for row in portion {
            insert = insert
                .bind(&row.id)
                .bind(&row.merchant)
                .bind(i64::from(row.live))
                .bind(&row.payment)
                .bind(&row.attempt)
                .bind(&row.kind)
                .bind(&row.currency)
                .bind(row.amount)
                .bind(row.lost)
                .bind(&row.state)
                .bind(&row.reason)
                .bind(&row.capture)
                .bind(&row.reference)
                .bind(row.deadline)
                .bind(row.created)
                .bind(row.updated);
        }
        insert.execute(&mut *connection).await?;
    }
    Ok(())
}

/// Removes rows that turned out to be other rows under another id.
pub async fn remove(connection: &mut Connection, by: &Installation, ids: &[String]) -> Result<(), Error> {
    for (portion, size) in lists(ids) {
        let text = list(connection, "DELETE FROM movements WHERE id IN ({})", 0, size);
        let delete = filled(portion, size).fold(by.query(text), |delete, id| delete.bind(id.as_str()));
        delete.execute(&mut *connection).await?;
    }
    Ok(())
}

/// A payment's rows, oldest first.
pub async fn of_payment(
    connection: &mut Connection,
    by: &impl Reach,
    payment: &PaymentId,
) -> Result<Vec<Movement>, Error> {
    let rows = by
        .either(
            "SELECT * FROM movements WHERE merchant_id = $1 AND live = $2 AND payment_id = $3
             ORDER BY created, id LIMIT 10000",
            "SELECT * FROM movements WHERE payment_id = $1 ORDER BY created, id LIMIT 10000",
        )
        .bind(payment.as_str())
        .fetch_all(connection)
        .await?;
    rows.iter().map(read).collect()
}

/// A row by its id.
pub async fn find(connection: &mut Connection, by: &impl Reach, id: &str) -> Result<Option<Movement>, Error> {
    let row = by
        .either(
            "SELECT * FROM movements WHERE merchant_id = $1 AND live = $2 AND id = $3",
            "SELECT * FROM movements WHERE id = $1",
        )
        .bind(id)
        .fetch_optional(connection)
        .await?;
    row.as_ref().map(read).transpose()
}

/// The rows that have a provider's reference, oldest first. Different providers may use the same reference.
pub async fn of_reference(
    connection: &mut Connection,
    by: &impl Reach,
    reference: &str,
) -> Result<Vec<Movement>, Error> {
    let rows = by
        .either(
            "SELECT * FROM movements WHERE merchant_id = $1 AND live = $2 AND reference = $3
             ORDER BY created, id LIMIT 100",
            "SELECT * FROM movements WHERE reference = $1 ORDER BY created, id LIMIT 100",
        )
        .bind(reference)
        .fetch_all(connection)
        .await?;
    rows.iter().map(read).collect()
}

/// The row with an id, or the rows that have a provider's reference, oldest first.
///
/// # Errors
/// There is no row with this id or reference.
pub async fn named(connection: &mut Connection, by: &impl Reach, name: &str) -> Result<Vec<Movement>, Error> {
    if let Some(found) = find(connection, by, name).await? {
        return Ok(vec![found]);
    }
    let found = of_reference(connection, by, name).await?;
    if found.is_empty() {
        return Err(Error::NotFound(Thing::Movement(name.to_owned())));
    }
    Ok(found)
}

/// A merchant's rows of a kind, newest first.
pub async fn of_merchant(
    connection: &mut Connection,
    scope: &Scope,
    kind: MovementKind,
    page: &Page,
) -> Result<Listed<Movement>, Error> {
    let whose = match kind {
        MovementKind::Capture => "merchant_id = $1 AND live = $2 AND kind = 'capture'",
        MovementKind::Refund => "merchant_id = $1 AND live = $2 AND kind = 'refund'",
        MovementKind::Dispute => "merchant_id = $1 AND live = $2 AND kind = 'dispute'",
        MovementKind::Return => "merchant_id = $1 AND live = $2 AND kind = 'return'",
    };
    List { table: "movements", whose, newest_first: true }.page(connection, scope, page, read).await
}

fn read(row: &AnyRow) -> Result<Movement, Error> {
    Ok(Movement {
        id: row.text("id")?,
        kind: row.text("kind")?,
        merchant: row.text("merchant_id")?,
        live: row.flag("live")?,
        payment: row.text("payment_id")?,
        attempt: row.text("attempt_id")?,
        currency: row.text("currency")?,
        amount: row.number("amount")?,
        lost: row.number("lost")?,
        state: row.text("state")?,
        reason: row.maybe_text("reason")?,
        capture: row.maybe_text("capture")?,
        reference: row.maybe_text("reference")?,
        deadline: row.maybe_number("deadline")?,
        created: row.number("created")?,
        updated: row.number("updated")?,
    })
}
