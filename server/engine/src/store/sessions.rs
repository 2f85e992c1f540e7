//! Checkout sessions.

use domain::Millis;
use domain::id::{OrderId, PaymentId, SessionId, Token};
use domain::session::{Notice, Session};

use super::Connection;
use super::many::{filled, list, lists};
use super::row::{Columns, unword, word};
use super::statement::{Reach, query_by_token};
use crate::error::Error;
use crate::scope::{Installation, Scope};

/// A session with its revision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// The session.
    pub session: Session,
    /// Whether real money moves.
    pub live: bool,
    /// The number of changes.
    pub revision: i64,
}

/// Adds a session. Returns false if the order already has a current one.
pub async fn insert(connection: &mut Connection, scope: &Scope, session: &Session) -> Result<bool, Error> {
    let done = scope
        .query(
            "INSERT INTO sessions
         (merchant_id, live, id, token, order_id, payment_id, state, extension, expires, revision, created)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0, $10) ON CONFLICT DO NOTHING",
        )
        .bind(session.id.as_str())
        .bind(session.token.as_str())
        .bind(session.order.as_str())
        .bind(session.payment.as_str())
        .bind(word(&session.state)?)
        .bind(session.extension)
        .bind(session.expires)
        .bind(session.created)
        .execute(connection)
        .await?;
    Ok(done.rows_affected() > 0)
}

/// A session by the token in its address.
pub async fn by_token(connection: &mut Connection, token: &Token) -> Result<Option<Stored>, Error> {
    let row = query_by_token(token, "SELECT * FROM sessions WHERE token = $1").fetch_optional(connection).await?;
    row.as_ref().map(stored).transpose()
}

/// A session by id.
pub async fn find(connection: &mut Connection, by: &impl Reach, id: &SessionId) -> Result<Option<Stored>, Error> {
    let row = by
        .either(
            "SELECT * FROM sessions WHERE merchant_id = $1 AND live = $2 AND id = $3",
            "SELECT * FROM sessions WHERE id = $1",
        )
        .bind(id.as_str())
        .fetch_optional(connection)
        .await?;
    row.as_ref().map(stored).transpose()
}

/// The newest session of an order. An open or completed session comes before expired ones.
pub async fn newest_of_order(
    connection: &mut Connection,
    scope: &Scope,
    order: &OrderId,
) -> Result<Option<Stored>, Error> {
    let row = scope
        .query(
            "SELECT * FROM sessions WHERE merchant_id = $1 AND live = $2 AND order_id = $3
         ORDER BY CASE WHEN state = 'expired' THEN 1 ELSE 0 END, created DESC, id LIMIT 1",
        )
        .bind(order.as_str())
        .fetch_optional(connection)
        .await?;
    row.as_ref().map(stored).transpose()
}

/// The open session of a payment, if there is one.
pub async fn open_of_payment(
    connection: &mut Connection,
    scope: &Scope,
    payment: &PaymentId,
) -> Result<Option<Stored>, Error> {
    let row = scope
        .query(
            "SELECT * FROM sessions WHERE merchant_id = $1 AND live = $2 AND payment_id = $3 AND state = 'open'
             ORDER BY created DESC LIMIT 1",
        )
        .bind(payment.as_str())
        .fetch_optional(connection)
        .await?;
    row.as_ref().map(stored).transpose()
}

/// Ends an open session whose time has run out. Returns whether the session was ended: it may have been extended meanwhile.
pub async fn expire(connection: &mut Connection, by: &impl Reach, id: &SessionId, now: Millis) -> Result<bool, Error> {
    let done = by
        .either(
            "UPDATE sessions SET state = 'expired', notice = NULL, revision = revision + 1
         WHERE merchant_id = $1 AND live = $2 AND id = $3 AND state = 'open' AND expires <= $4",
            "UPDATE sessions SET state = 'expired', notice = NULL, revision = revision + 1
         WHERE id = $1 AND state = 'open' AND expires <= $2",
        )
        .bind(id.as_str())
        .bind(now)
        .execute(connection)
        .await?;
    Ok(done.rows_affected() > 0)
}

/// Completes every open session of payments.
pub async fn complete_of_payments(
    connection: &mut Connection,
    by: &Installation,
    payments: &[PaymentId],
) -> Result<(), Error> {
    for (portion, size) in lists(payments) {
        let text = list(
            connection,
            "UPDATE sessions SET state = 'complete', notice = NULL, revision = revision + 1
             WHERE payment_id IN ({}) AND state = 'open'",
            0,
            size,
        );
        let update = filled(portion, size).fold(by.query(text), |update, payment| update.bind(payment.as_str()));
        update.execute(&mut *connection).await?;
    }
    Ok(())
}

/// Opens the completed sessions of a payment again, until `expires` at least. Returns the open sessions with their ends.
pub async fn reopen_of_payment(
    connection: &mut Connection,
    by: &Installation,
    payment: &PaymentId,
    expires: Millis,
) -> Result<Vec<(SessionId, Millis)>, Error> {
    let rows = by
        .query(
            "UPDATE sessions SET state = 'open', notice = NULL, revision = revision + 1,
            expires = CASE WHEN expires < $1 THEN $1 ELSE expires END
         WHERE payment_id = $2 AND state <> 'expired' RETURNING id, expires",
        )
        .bind(expires)
        .bind(payment.as_str())
        .fetch_all(connection)
        .await?;
    rows.iter().map(|row| Ok((row.parsed("id")?, row.number("expires")?))).collect()
}

/// Stores the outcome of the shopper's last action.
pub async fn set_notice(
    connection: &mut Connection,
    by: &impl Reach,
    id: &SessionId,
    notice: Option<Notice>,
) -> Result<(), Error> {
    let notice = notice.as_ref().map(word).transpose()?;
    by.either(
        "UPDATE sessions SET notice = $3, revision = revision + 1 WHERE merchant_id = $1 AND live = $2 AND id = $4",
        "UPDATE sessions SET notice = $1, revision = revision + 1 WHERE id = $2",
    )
    .bind(notice)
    .bind(id.as_str())
    .execute(connection)
    .await?;
    Ok(())
}

/// Extends an open session. Returns whether it was extended.
pub async fn extend(
    connection: &mut Connection,
    scope: &Scope,
    id: &SessionId,
    expires: Millis,
) -> Result<bool, Error> {
    let done = scope
        .query(
            "UPDATE sessions SET expires = $3, notice = 'extended', revision = revision + 1
         WHERE merchant_id = $1 AND live = $2 AND id = $4 AND state = 'open' AND expires < $3",
        )
        .bind(expires)
        .bind(id.as_str())
        .execute(connection)
        .await?;
    Ok(done.rows_affected() > 0)
}

fn stored(row: &sqlx::any::AnyRow) -> Result<Stored, Error> {
    let notice = row.maybe_text("notice")?;
    let session = Session {
        id: row.parsed("id")?,
        token: row.parsed("token")?,
        merchant: row.parsed("merchant_id")?,
        order: row.parsed("order_id")?,
        payment: row.parsed("payment_id")?,
        state: row.word("state")?,
        notice: notice.as_deref().map(unword).transpose().map_err(Error::corrupt)?,
        created: row.number("created")?,
        expires: row.number("expires")?,
        extension: row.number("extension")?,
    };
    Ok(Stored { session, live: row.flag("live")?, revision: row.number("revision")? })
}
