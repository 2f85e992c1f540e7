//! What happened lately: payments, events, calls; and what there is to try with.

use std::fmt::Write;

use super::{Accounts, ROWS};
use crate::{
    adyen::{control::recent_payments, state::Adyen},
    api::call::Call,
    clock,
    delivery::DeliveryStatus,
    page::escape,
    stripe::{
        auth, cards, money,
        objects::{
            event::{Delivery, Event},
            session::Session,
        },
        state::Account,
    },
};

/// A key that may stand on a page.
pub fn masked(key: &str) -> String {
    escape(&auth::mask(key))
}

/// The newest of all accounts' objects.
fn newest<'a, T>(
    accounts: &Accounts<'a>,
    of: impl Fn(&'a Account) -> Vec<&'a T>,
    at: impl Fn(&T) -> i64,
) -> Vec<(&'a Account, &'a T)> {
    let mut all: Vec<_> =
        accounts.iter().flat_map(|(_, account)| of(account).into_iter().map(move |item| (*account, item))).collect();
    // Stable, so that what happened within one second keeps its order.
    all.sort_by_key(|(_, item)| std::cmp::Reverse(at(item)));
    all.truncate(ROWS);
    all
}

/// The newest checkout sessions.
pub fn sessions(accounts: &Accounts<'_>) -> String {
    let rows =
        newest(accounts, |account| account.sessions.newest().take(ROWS).collect(), |session: &Session| session.created);
    if rows.is_empty() {
        return r#"<p class="empty">None yet: create a checkout session through the API.</p>"#.to_owned();
    }
    let mut html = String::from(
        r#"<table><thead><tr><th>Time (UTC)</th><th>Session</th><th>For</th><th>State</th><th class="price">Amount</th></tr></thead><tbody>"#,
    );
    for (_, session) in rows {
        let paid =
            if session.paid { r#"<span class="good">paid</span>"# } else { r#"<span class="muted">unpaid</span>"# };
        let what = session.lines.first().map(|line| line.name.as_str()).unwrap_or_default();
        let _ = write!(
            html,
            r#"<tr><td data-label="Time (UTC)">{time}</td><td data-label="Session"><a href="/c/pay/{id}"><code>{short}…</code></a></td><td data-label="For">{what}</td><td data-label="State"><div>{status}, {paid}</div></td><td data-label="Amount" class="price">{amount}</td></tr>"#,
            time = clock::time_of_day(session.created),
            id = escape(&session.id),
            short = escape(&session.id.chars().take(18).collect::<String>()),
            what = escape(&what.chars().take(60).collect::<String>()),
            status = session.status,
            amount = escape(&money::display(session.amount, &session.currency)),
        );
    }
    html + "</tbody></table>"
}

/// The newest payments at Adyen.
pub fn adyen_payments(adyen: &Adyen) -> String {
    let rows = recent_payments(adyen, ROWS);
    if rows.is_empty() {
        return r#"<p class="empty">None yet: create a payment link or a session through the API, and pay it.</p>"#
            .to_owned();
    }
    let mut html = String::from(
        r#"<table><thead><tr><th>Time (UTC)</th><th>Payment</th><th>Reference</th><th>State</th><th class="price">Amount</th></tr></thead><tbody>"#,
    );
    for payment in rows {
        let _ = write!(
            html,
            r#"<tr><td data-label="Time (UTC)">{time}</td><td data-label="Payment"><a href="/adyen/pay/{page}"><code>{psp}</code></a></td><td data-label="Reference">{reference}</td><td data-label="State">{status}</td><td data-label="Amount" class="price">{amount}</td></tr>"#,
            time = clock::time_of_day(payment.at),
            page = escape(&payment.checkout),
            psp = escape(&payment.psp),
            reference = escape(&payment.reference.chars().take(60).collect::<String>()),
            status = payment.status,
            amount = escape(&payment.amount),
        );
    }
    html + "</tbody></table>"
}

/// The newest events, each with its deliveries and a button that sends it again.
pub fn events(accounts: &Accounts<'_>) -> String {
    let rows = newest(accounts, |account| account.events.newest().take(ROWS).collect(), |event: &Event| event.created);
    if rows.is_empty() {
        return r#"<p class="empty">None yet: events come with payments, refunds and disputes.</p>"#.to_owned();
    }
    let mut html = String::from(
        "<table><thead><tr><th>Time (UTC)</th><th>Event</th><th>About</th><th>Webhooks</th><th><span class=\"unseen\">Action</span></th></tr></thead><tbody>",
    );
    for (account, event) in rows {
        let tries: Vec<String> =
            account.deliveries.newest().take(500).filter(|delivery| delivery.event == event.id).map(describe).collect();
        let tries =
            if tries.is_empty() { r#"<span class="muted">nobody asked</span>"#.to_owned() } else { tries.join("<br>") };
        let _ = write!(
            html,
            r#"<tr><td data-label="Time (UTC)">{time}</td><td data-label="Event">{kind}</td><td data-label="About"><code>{about}</code></td><td data-label="Webhooks"><div>{tries}</div></td><td class="action"><form method="post" action="/_control/events/{id}/resend"><button type="submit" aria-label="Send again: {kind}">Send again</button></form></td></tr>"#,
            time = clock::time_of_day(event.created),
            kind = escape(&event.kind),
            about = escape(&event.object["id"].as_str().unwrap_or_default().chars().take(18).collect::<String>()),
            id = escape(&event.id),
        );
    }
    html + "</tbody></table>"
}

/// One delivery in a few words.
fn describe(delivery: &Delivery) -> String {
    let class = match delivery.status {
        DeliveryStatus::Delivered => "good",
        DeliveryStatus::Failed | DeliveryStatus::Dropped => "bad",
        _ => "muted",
    };
    let last = delivery.tries.last().map(|attempt| match (attempt.http_status, &attempt.error) {
        (Some(status), _) => status.to_string(),
        (None, Some(error)) => error.clone(),
        (None, None) => String::new(),
    });
    let tries = match delivery.tries.len() {
        0 => String::new(),
        1 => " · 1 try".to_owned(),
        count => format!(" · {count} tries"),
    };
    let last = last.map(|last| format!(" ({})", escape(&last))).unwrap_or_default();
    let faults: Vec<&str> = delivery.plan.kinds().iter().map(|kind| kind.title()).collect();
    let faults = if faults.is_empty() { String::new() } else { format!(" · {}", escape(&faults.join(", "))) };
    format!(r#"<span class="{class}">{}</span>{last}{tries}{faults}"#, delivery.status)
}

/// The newest API calls.
pub fn calls(accounts: &Accounts<'_>) -> String {
    let mut rows: Vec<(&str, &Call)> = accounts
        .iter()
        .flat_map(|(key, account)| account.calls.iter().rev().take(ROWS).map(move |call| (*key, call)))
        .collect();
    if rows.is_empty() {
        return r#"<p class="empty">None yet: point a client at this address.</p>"#.to_owned();
    }
    rows.sort_by_key(|(_, call)| std::cmp::Reverse(call.at_ms));
    let mut html = String::from(
        "<table><thead><tr><th>Time (UTC)</th><th>Call</th><th>Reply</th><th>Fault</th><th>Account</th></tr></thead><tbody>",
    );
    for (key, call) in rows.into_iter().take(ROWS) {
        let name = if call.operation.is_empty() { &call.path } else { call.operation };
        let status = match call.status {
            0 => r#"<span class="bad">no reply</span>"#.to_owned(),
            status @ 200..300 => format!(r#"<span class="good">{status}</span>"#),
            status => format!(r#"<span class="bad">{status}</span>"#),
        };
        let _ = write!(
            html,
            r#"<tr><td data-label="Time (UTC)">{time}</td><td data-label="Call">{method} {name}</td><td data-label="Reply"><div>{status}{replayed}</div></td><td data-label="Fault">{fault}</td><td data-label="Account"><code>{key}</code></td></tr>"#,
            time = clock::time_of_day(call.at_ms / 1000),
            method = escape(&call.method),
            name = escape(&name.chars().take(60).collect::<String>()),
            replayed = if call.replayed { ", as stored" } else { "" },
            fault = call
                .fault
                .map_or(r#"<span class="muted">none</span>"#.to_owned(), |fault| format!("<code>{fault}</code>")),
            key = masked(key),
        );
    }
    html + "</tbody></table>"
}

/// The accounts.
pub fn list(accounts: &Accounts<'_>) -> String {
    if accounts.is_empty() {
        return r#"<p class="empty">None yet: the first request with a test key makes one.</p>"#.to_owned();
    }
    let mut html = String::from(
        "<table><thead><tr><th>Key</th><th>Sessions</th><th>Payments</th><th>Refunds</th><th>Webhook endpoints</th></tr></thead><tbody>",
    );
    for (key, account) in accounts.iter().take(ROWS) {
        let endpoints: Vec<String> =
            account.endpoints.oldest().map(|endpoint| format!("<code>{}</code>", escape(&endpoint.url))).collect();
        let _ = write!(
            html,
            r#"<tr><td data-label="Key"><code>{}</code></td><td data-label="Sessions">{}</td><td data-label="Payments">{}</td><td data-label="Refunds">{}</td><td data-label="Webhook endpoints"><div>{}</div></td></tr>"#,
            masked(key),
            account.sessions.len(),
            account.intents.len(),
            account.refunds.oldest().filter(|refund| !refund.release).count(),
            if endpoints.is_empty() { r#"<span class="muted">none</span>"#.to_owned() } else { endpoints.join("<br>") },
        );
    }
    html + "</tbody></table>"
}

/// What can be typed on the payment page.
pub fn test_cards() -> String {
    let mut html = String::new();
    for card in cards::CARDS {
        let _ = write!(
            html,
            r#"<li><span class="digits">{}</span> <span class="does">{}</span></li>"#,
            card.number,
            escape(card.label)
        );
    }
    for (number, label, _) in cards::BANK_ACCOUNTS {
        let _ = write!(
            html,
            r#"<li><span class="digits">Bank {number}</span> <span class="does">{}</span></li>"#,
            escape(label)
        );
    }
    html
}
