//! Reads a stored delivery and changes its payment.

use connectors::Incoming;
use domain::id::{InboxId, ProviderAccountId};
use domain::payment::{Fact, Refusal};
use domain::{DAY, MINUTE, Millis, SECOND};

use super::Next;
use crate::alerts;
use crate::engine::Engine;
use crate::error::Error;
use crate::record::Source;
use crate::store::inbox::{InboxRow, InboxState, find, settle};
use crate::store::payments::{self, Located};

/// How long an event that carries our reference waits for its payment to become known.
const ORPHAN_MAX: Millis = DAY;
/// How long one that does not: most are other payments on the same account.
const STRANGER_MAX: Millis = 10 * MINUTE;

/// What a delivery turned out to be.
enum Verdict {
    Concerns(Located, Box<Incoming>),
    Orphan(Incoming),
    Closed { state: InboxState, kind: Option<String>, note: Option<String>, alert: Option<&'static str> },
}

pub(super) async fn run(engine: &Engine, subject: &str) -> Result<Next, Error> {
    let id: InboxId = subject.parse().map_err(Error::corrupt)?;
    let row = find(&mut *engine.store().reader().await?, &id).await?;
    let Some(row) = row.filter(|row| row.state == InboxState::Pending) else { return Ok(Next::Done) };
    match judge(engine, &row).await? {
        Verdict::Concerns(located, incoming) => apply(engine, &row, &located, &incoming).await?,
        Verdict::Orphan(incoming) => return wait(engine, &row, &incoming).await,
        Verdict::Closed { state, kind, note, alert } => {
            close(engine, &row, state, kind.as_deref(), note.as_deref(), alert).await?;
        }
    }
    Ok(Next::Done)
}

async fn judge(engine: &Engine, row: &InboxRow) -> Result<Verdict, Error> {
    let (account, connector) = engine.unseal(&engine.account(&row.account).await?)?;
    let incoming = match connector.read(&account, &row.body, row.received) {
        Ok(incoming) => incoming,
        Err(error) => {
            let note = Some(error.to_string());
            let alert = Some("webhook_unreadable");
            return Ok(Verdict::Closed { state: InboxState::Unreadable, kind: None, note, alert });
        }
    };
    if let Some(reason) = &incoming.foreign {
        return Ok(foreign(&incoming, reason.clone()));
    }
    match locate(engine, &row.account, &incoming).await? {
        Some(located) if located.account != row.account => {
            let reason = format!("attempt {} belongs to account {}", located.attempt, located.account);
            Ok(foreign(&incoming, reason))
        }
        Some(located) => Ok(Verdict::Concerns(located, Box::new(incoming))),
        None if incoming.observation.news.is_empty() => {
            let kind = Some(incoming.kind);
            Ok(Verdict::Closed { state: InboxState::Ignored, kind, note: None, alert: None })
        }
        None => Ok(Verdict::Orphan(incoming)),
    }
}

fn foreign(incoming: &Incoming, reason: String) -> Verdict {
    let kind = Some(incoming.kind.clone());
    Verdict::Closed { state: InboxState::Foreign, kind, note: Some(reason), alert: Some("webhook_foreign") }
}

/// By our own reference, else by the provider's within the account.
async fn locate(engine: &Engine, account: &ProviderAccountId, incoming: &Incoming) -> Result<Option<Located>, Error> {
    let mut connection = engine.store().reader().await?;
    if let Some(attempt) = &incoming.attempt
        && let Some(located) = payments::locate(&mut connection, attempt).await?
    {
        return Ok(Some(located));
    }
    payments::locate_by_refs(&mut connection, account, &incoming.observation.refs).await
}

async fn apply(engine: &Engine, row: &InboxRow, located: &Located, incoming: &Incoming) -> Result<(), Error> {
    let attempt = located.attempt.clone();
    let fact = Fact::Observed { attempt, observation: incoming.observation.clone() };
    let mut tx = engine.store().begin().await?;
    let now = engine.env().now();
    if !settle(&mut tx, &row.id, InboxState::Applied, Some(&incoming.kind), None, now).await? {
        // Another server was faster; dropping the transaction leaves its work alone.
        return Ok(());
    }
    let recorded = engine.record_in(&mut tx, &located.payment, &fact, Source::Webhook(row.id.as_str())).await;
    match recorded {
        Ok((_, events)) => {
            engine.commit(tx).await?;
            if !events.is_empty() {
                engine.live().tell(&located.payment);
            }
            Ok(())
        }
        Err(Error::Refused(refusal @ (Refusal::Mismatch { .. } | Refusal::Contradiction(_)))) => {
            tx.rollback().await?;
            let note = format!("payment {}: {refusal}", located.payment);
            close(engine, row, InboxState::Mismatch, Some(&incoming.kind), Some(&note), Some("webhook_mismatch")).await
        }
        Err(error) => Err(error),
    }
}

async fn close(
    engine: &Engine,
    row: &InboxRow,
    state: InboxState,
    kind: Option<&str>,
    note: Option<&str>,
    alert: Option<&'static str>,
) -> Result<(), Error> {
    let mut tx = engine.store().begin().await?;
    let first = settle(&mut tx, &row.id, state, kind, note, engine.env().now()).await?;
    if let (true, Some(alert)) = (first, alert) {
        let detail = format!("delivery {}: {}", row.id, note.unwrap_or_default());
        alerts::raise(engine, &mut tx, alert, row.account.as_str(), &detail).await?;
    }
    engine.commit(tx).await
}

/// The attempt may become known in a moment, when the reply that names it arrives; or it is somebody else's payment on
/// the same account.
async fn wait(engine: &Engine, row: &InboxRow, incoming: &Incoming) -> Result<Next, Error> {
    let now = engine.env().now();
    let age = now - row.received;
    let (longest, alert) = match incoming.attempt {
        // It claims to be ours, and yet we do not know it.
        Some(_) => (ORPHAN_MAX, Some("webhook_orphan")),
        None => (STRANGER_MAX, None),
    };
    if age < longest {
        return Ok(Next::At(now + age.clamp(SECOND, 10 * MINUTE)));
    }
    let note = "its payment never became known";
    close(engine, row, InboxState::Orphan, Some(&incoming.kind), Some(note), alert).await?;
    Ok(Next::Done)
}
