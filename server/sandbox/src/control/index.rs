//! The page at `/`: what this is, and what happened lately.

use std::{fmt::Write, sync::Arc};

use axum::{extract::State, http::StatusCode, response::Response};

use crate::{
    clock,
    core::Core,
    stripe::{
        auth, cards,
        hosted::{escape, layout},
        money,
        objects::{
            event::{Delivery, DeliveryStatus, Event},
            session::Session,
        },
        state::Account,
    },
};

/// Rows shown of each kind.
const ROWS: usize = 25;

/// `GET /`
pub async fn show(State(core): State<Arc<Core>>) -> Response {
    let body = {
        let state = core.lock();
        let accounts = state.accounts.iter().map(|(key, account)| (key.as_str(), account)).collect::<Vec<_>>();
        format!(
            r#"<main class="index">
<section><h1>A payment provider that takes no money</h1>
<p class="lead">This sandbox simulates Stripe's API, its payment page and its webhooks at <code>{base}</code>. Any key like <code>sk_test_…</code>, with at least eight letters or digits, opens an account of its own. Faults are set through <code>/_control</code>.</p></section>
<section class="panel"><h2>Recent sessions</h2>{sessions}</section>
<section class="panel"><h2>Recent events</h2>{events}</section>
<section class="panel"><h2>Accounts</h2>{list}</section>
<section class="panel"><h2>Test cards</h2><ul class="cards">{cards}</ul></section>
</main>"#,
            base = escape(&core.base),
            sessions = sessions(&accounts),
            events = events(&accounts),
            list = list(&accounts),
            cards = test_cards(),
        )
    };
    layout(StatusCode::OK, "Overview", "wide", &body)
}

/// The newest of all accounts' objects.
fn newest<'a, T>(
    accounts: &[(&'a str, &'a Account)],
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

fn sessions(accounts: &[(&str, &Account)]) -> String {
    let rows =
        newest(accounts, |account| account.sessions.newest().take(ROWS).collect(), |session: &Session| session.created);
    if rows.is_empty() {
        return r#"<p class="empty">None yet.</p>"#.to_owned();
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
            r#"<tr><td>{time}</td><td><a href="/c/pay/{id}"><code>{short}…</code></a></td><td>{what}</td><td>{status}, {paid}</td><td class="price">{amount}</td></tr>"#,
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

fn events(accounts: &[(&str, &Account)]) -> String {
    let rows = newest(accounts, |account| account.events.newest().take(ROWS).collect(), |event: &Event| event.created);
    if rows.is_empty() {
        return r#"<p class="empty">None yet.</p>"#.to_owned();
    }
    let mut html = String::from(
        "<table><thead><tr><th>Time (UTC)</th><th>Event</th><th>About</th><th>Webhooks</th><th></th></tr></thead><tbody>",
    );
    for (account, event) in rows {
        let tries: Vec<String> =
            account.deliveries.newest().take(500).filter(|delivery| delivery.event == event.id).map(describe).collect();
        let tries =
            if tries.is_empty() { r#"<span class="muted">nobody asked</span>"#.to_owned() } else { tries.join("<br>") };
        let _ = write!(
            html,
            r#"<tr><td>{time}</td><td>{kind}</td><td><code>{about}</code></td><td>{tries}</td><td class="action"><form method="post" action="/_control/events/{id}/resend"><button type="submit">Send again</button></form></td></tr>"#,
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
    format!(r#"<span class="{class}">{}</span>{last}{tries}"#, delivery.status)
}

fn list(accounts: &[(&str, &Account)]) -> String {
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
            "<tr><td><code>{}</code></td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
            escape(&auth::mask(key)),
            account.sessions.len(),
            account.intents.len(),
            account.refunds.len(),
            if endpoints.is_empty() { r#"<span class="muted">none</span>"#.to_owned() } else { endpoints.join("<br>") },
        );
    }
    html + "</tbody></table>"
}

fn test_cards() -> String {
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
