//! The providers, the latest payments, events and calls, and the test cards.

use std::fmt::Write;

use super::ROWS;
use crate::{
    clock,
    delivery::{Delivery, DeliveryStatus},
    page::escape,
    provider::{AccountRow, CallRow, EventRow, PaymentRow, View, mask},
};

/// An account, without its key.
pub fn account(view: &View, key: &str) -> String {
    format!(r#"<div>{} <code>{}</code></div>"#, view.about.title, escape(&mask(key)))
}

/// The providers, each with the address of its API and the way to open an account.
pub fn providers(base: &str, views: &[View]) -> String {
    let row = |view: &View| {
        let about = view.about;
        format!(
            "<li><strong>{}</strong> <code>{}{}</code><span>{}</span></li>",
            about.title,
            escape(base),
            about.api,
            about.keys
        )
    };
    views.iter().map(row).collect()
}

/// A part of the page for each provider with content, under its name. Without any content, a sentence says so.
fn each(views: &[View], part: impl Fn(&View) -> Option<String>, none: &str) -> String {
    let parts: String =
        views.iter().filter_map(|view| Some(format!("<h3>{}</h3>{}", view.about.title, part(view)?))).collect();
    if parts.is_empty() { format!(r#"<p class="empty">{none}</p>"#) } else { parts }
}

/// All providers' rows in one list, newest first.
fn newest<'a, T>(
    views: &'a [View],
    rows: impl Fn(&'a View) -> &'a [T],
    at: impl Fn(&T) -> i64,
) -> Vec<(&'a View, &'a T)> {
    let mut all: Vec<_> = views.iter().flat_map(|view| rows(view).iter().map(move |row| (view, row))).collect();
    // The sort is stable, so that rows of the same second keep their order.
    all.sort_by_key(|(_, row)| std::cmp::Reverse(at(row)));
    all.truncate(ROWS);
    all
}

/// The newest payments.
pub fn payments(views: &[View]) -> String {
    let part = |view: &View| (!view.payments.is_empty()).then(|| payments_of(&view.payments));
    each(views, part, "None yet: create a payment through a provider's API, and pay it.")
}

fn payments_of(rows: &[PaymentRow]) -> String {
    let mut html = String::from(
        r#"<table><thead><tr><th>Time (UTC)</th><th>Payment</th><th>For</th><th>State</th><th class="price">Amount</th></tr></thead><tbody>"#,
    );
    for payment in rows {
        let _ = write!(
            html,
            r#"<tr><td data-label="Time (UTC)">{time}</td><td data-label="Payment"><a href="{page}"><code>{id}</code></a></td><td data-label="For">{what}</td><td data-label="State">{state}</td><td data-label="Amount" class="price">{amount}</td></tr>"#,
            time = clock::time_of_day(payment.at),
            page = escape(&payment.page),
            id = escape(&payment.id),
            what = escape(&payment.what.chars().take(60).collect::<String>()),
            state = escape(&payment.state),
            amount = escape(&payment.amount),
        );
    }
    html + "</tbody></table>"
}

/// The newest events, each with its deliveries and a button to send it again.
pub fn events(views: &[View]) -> String {
    let rows = newest(views, |view| &view.events, |row: &EventRow| row.event.at);
    if rows.is_empty() {
        return r#"<p class="empty">None yet: events come with payments, refunds and disputes.</p>"#.to_owned();
    }
    let mut html = String::from(
        "<table><thead><tr><th>Time (UTC)</th><th>Event</th><th>About</th><th>Webhooks</th><th><span class=\"unseen\">Action</span></th></tr></thead><tbody>",
    );
    for (_, EventRow { event, deliveries }) in rows {
        let tries: Vec<String> = deliveries.iter().map(describe).collect();
        let tries =
            if tries.is_empty() { r#"<span class="muted">nobody asked</span>"#.to_owned() } else { tries.join("<br>") };
        let _ = write!(
            html,
            r#"<tr><td data-label="Time (UTC)">{time}</td><td data-label="Event">{kind}</td><td data-label="About"><code>{about}</code></td><td data-label="Webhooks"><div>{tries}</div></td><td class="action"><form method="post" action="/_control/events/{id}/resend"><button type="submit" aria-label="Send again: {kind}">Send again</button></form></td></tr>"#,
            time = clock::time_of_day(event.at),
            kind = escape(&event.kind),
            about = escape(&event.about.chars().take(18).collect::<String>()),
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
pub fn calls(views: &[View]) -> String {
    let rows = newest(views, |view| &view.calls, |row: &CallRow| row.call.at_ms);
    if rows.is_empty() {
        return r#"<p class="empty">None yet: point a client at this address.</p>"#.to_owned();
    }
    let mut html = String::from(
        "<table><thead><tr><th>Time (UTC)</th><th>Call</th><th>Reply</th><th>Fault</th><th>Account</th></tr></thead><tbody>",
    );
    for (view, CallRow { key, call }) in rows {
        let name = if call.operation.is_empty() { &call.path } else { call.operation };
        let status = match call.status {
            0 => r#"<span class="bad">no reply</span>"#.to_owned(),
            status @ 200..300 => format!(r#"<span class="good">{status}</span>"#),
            status => format!(r#"<span class="bad">{status}</span>"#),
        };
        let _ = write!(
            html,
            r#"<tr><td data-label="Time (UTC)">{time}</td><td data-label="Call">{method} {name}</td><td data-label="Reply"><div>{status}{replayed}</div></td><td data-label="Fault">{fault}</td><td data-label="Account">{account}</td></tr>"#,
            time = clock::time_of_day(call.at_ms / 1000),
            method = escape(&call.method),
            name = escape(&name.chars().take(60).collect::<String>()),
            replayed = if call.replayed { ", as stored" } else { "" },
            fault = call
                .fault
                .map_or(r#"<span class="muted">none</span>"#.to_owned(), |fault| format!("<code>{fault}</code>")),
            account = account(view, key),
        );
    }
    html + "</tbody></table>"
}

/// The accounts.
pub fn accounts(views: &[View]) -> String {
    let part = |view: &View| (!view.accounts.is_empty()).then(|| accounts_of(&view.accounts));
    each(views, part, "None yet: the first request with a test key makes one.")
}

fn accounts_of(rows: &[AccountRow]) -> String {
    let mut html =
        String::from("<table><thead><tr><th>Key</th><th>Keeps</th><th>Webhook endpoints</th></tr></thead><tbody>");
    for row in rows.iter().take(ROWS) {
        let holds: Vec<String> = row.holds.iter().map(|(what, count)| format!("{what}: {count}")).collect();
        let endpoints: Vec<String> = row.endpoints.iter().map(|url| format!("<code>{}</code>", escape(url))).collect();
        let _ = write!(
            html,
            r#"<tr><td data-label="Key"><code>{key}</code></td><td data-label="Keeps">{holds}</td><td data-label="Webhook endpoints"><div>{endpoints}</div></td></tr>"#,
            key = escape(&mask(&row.key)),
            holds = holds.join(", "),
            endpoints = if endpoints.is_empty() {
                r#"<span class="muted">none</span>"#.to_owned()
            } else {
                endpoints.join("<br>")
            },
        );
    }
    html + "</tbody></table>"
}

/// Test cards and bank accounts for the payment pages.
pub fn trials(views: &[View]) -> String {
    let part = |view: &View| {
        let mut rows = String::new();
        for trial in (view.about.trials)() {
            let kind = if trial.kind.is_empty() { String::new() } else { format!("{} ", trial.kind) };
            let _ = write!(
                rows,
                r#"<li><span class="digits">{kind}{}</span> <span class="does">{}</span></li>"#,
                trial.number,
                escape(trial.does)
            );
        }
        (!rows.is_empty()).then(|| format!(r#"<ul class="cards">{rows}</ul>"#))
    };
    each(views, part, "These providers have none.")
}
