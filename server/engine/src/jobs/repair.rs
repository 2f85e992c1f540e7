//! Lists an account's events at the provider and takes in the events whose deliveries were missed. Subject: provider account.
//!
//! A listed event goes through the inbox, as a delivered one does. An event that had been delivered is a duplicate there.

use connectors::{EventsSpec, Fail, Operation, Outcome};
use domain::id::ProviderAccountId;
use domain::{DAY, HOUR, MINUTE, Millis, SECOND};

use crate::error::{CallError, Error, Later};
use crate::gateway::Gateway;
use crate::inbox::Inbox;
use crate::scope::ENGINE;
use crate::store::accounts;
use crate::work::Next;

/// How often events are listed.
const EVERY: Millis = 15 * MINUTE;
/// How far a listing reaches back before the end of the last one: providers list an event a little after it happened, and clocks differ.
const OVERLAP: Millis = 10 * MINUTE;
/// How far a listing reaches back at most. Stripe keeps events for 30 days.
const BACK_MAX: Millis = 29 * DAY;
/// Events are listed in portions, the oldest first, and the end of each portion is stored. A portion begins this short, so that one fits
/// into a run however busy the account is, and doubles up to the longest while one page holds it.
const PORTION_MIN: Millis = 30 * MINUTE;
// Otherwise a run that has time for one portion would make no progress.
const _: () = assert!(PORTION_MIN > OVERLAP);
const PORTION_MAX: Millis = 6 * HOUR;
/// The most requests of one run, and how long it begins further portions. The next run continues.
const REQUESTS_MAX: usize = 150;
const RUN_MAX: Millis = 45 * SECOND;

pub(super) async fn run(inbox: &Inbox, subject: &str) -> Result<Next, Error> {
    let context = inbox.context();
    let id: ProviderAccountId = subject.parse().map_err(Error::corrupt)?;
    let Some(ready) = context.ready(&id).await? else { return Ok(Next::Done) };
    if !ready.connector.capabilities(&ready.account).event_list {
        return Ok(Next::Done);
    }
    let began = context.env().now();
    let seen = accounts::events_seen(&mut *context.store().reader().await?, &ENGINE, &id).await?;
    // A mark in the future was set by a wrong clock. How much was missed since then is unknown, so the last day is listed.
    let seen = if seen > began { began - DAY } else { seen };
    let mut since = (seen - OVERLAP).max(began - BACK_MAX);
    let gateway = Gateway { context, account: &ready.account, connector: ready.connector, sent: None };
    let (mut portion, mut pages) = (PORTION_MIN, 0);
    let (mut cursor, mut until) = (None, (since + portion).min(began));
    for _ in 0..REQUESTS_MAX {
        let operation = Operation::Events(EventsSpec { since, until, cursor });
        match gateway.call(None, &operation).await {
            Ok(Outcome::Events { items, cursor: next }) => {
                inbox.make_up_for(&ready, items).await?;
                cursor = next;
            }
            Ok(_) => return Err(Later::NoEvents(id).into()),
            Err(CallError::Fail(Fail::RateLimited(pause))) => return Ok(Next::At(context.env().now() + pause)),
            Err(error) => return Err(Error::Provider(error)),
        }
        pages += 1;
        if cursor.is_none() {
            let mut tx = context.store().begin().await?;
            accounts::set_events_seen(&mut tx, &ENGINE, &id, until).await?;
            crate::alerts::close(&mut tx, "repair_overrun", subject).await?;
            context.commit(tx).await?;
            if until >= began {
                return Ok(Next::At(context.env().now() + EVERY));
            }
            if context.env().now() - began > RUN_MAX {
                return Ok(Next::At(context.env().now()));
            }
            portion = if pages > 1 { PORTION_MIN } else { (2 * portion).min(PORTION_MAX) };
            (since, until, pages) = (until, (until + portion).min(began), 0);
        }
    }
    if cursor.is_some() {
        let text = format!("more than {REQUESTS_MAX} pages of events in {portion} ms; webhooks do not seem to arrive");
        context.alert("repair_overrun", subject, &text).await;
        return Ok(Next::At(context.env().now() + EVERY));
    }
    Ok(Next::At(context.env().now()))
}
