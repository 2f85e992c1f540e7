//! The webhooks on their way, the switches for all of them, and time.

use std::fmt::Write;

use super::{Accounts, ROWS, activity::masked};
use crate::{
    clock,
    core::State,
    delivery::DeliveryStatus,
    page::escape,
    stripe::{objects::event::Delivery, state::Account, webhooks::Rules},
};

/// How the counters call each state.
const STATES: [(DeliveryStatus, &str); 6] = [
    (DeliveryStatus::Held, "held"),
    (DeliveryStatus::Waiting, "waiting"),
    (DeliveryStatus::Sending, "being sent"),
    (DeliveryStatus::Delivered, "delivered"),
    (DeliveryStatus::Failed, "given up"),
    (DeliveryStatus::Dropped, "dropped"),
];

/// The state of the queue, its buttons, and what is on its way.
pub fn html(state: &State, accounts: &Accounts<'_>) -> String {
    let count = |status: DeliveryStatus| -> usize {
        accounts
            .iter()
            .map(|(_, account)| account.deliveries.oldest().filter(|delivery| delivery.status == status).count())
            .sum()
    };
    let mut counters = String::new();
    for (status, name) in STATES {
        let _ = write!(counters, r#"<div><dt>{name}</dt><dd>{}</dd></div>"#, count(status));
    }
    let holding = state.rules.hold || accounts.iter().any(|(_, account)| account.rules.hold);
    let held = count(DeliveryStatus::Held);
    let says = match (holding, held) {
        (true, 0) => "New webhooks are kept back until you release them. None is waiting yet.",
        (true, _) => "New webhooks are kept back until you release them.",
        (false, _) => "Webhooks go out as they happen.",
    };
    let button =
        |what: &str, words: &str| format!(r#"<button type="submit" name="do" value="{what}">{words}</button>"#);
    let buttons = if holding || held > 0 {
        button("release", "Release in order") + &button("release_reversed", "Release in reverse")
    } else {
        button("hold", "Hold all webhooks")
    };
    format!(
        r#"<dl class="counters">{counters}</dl><p class="says">{says}</p><form method="post" action="/_control/form/webhooks" class="row">{buttons}</form>{switches}<h3>On their way</h3>{way}"#,
        switches = switches(state, accounts),
        way = on_their_way(accounts),
    )
}

/// The switches that are turned by the control API for every webhook, if any is.
fn switches(state: &State, accounts: &Accounts<'_>) -> String {
    let mut on: Vec<String> = Vec::new();
    let all = std::iter::once(&state.rules).chain(accounts.iter().map(|(_, account)| &account.rules));
    for word in all.flat_map(turned) {
        if !on.contains(&word) {
            on.push(word);
        }
    }
    if on.is_empty() {
        return String::new();
    }
    format!(
        r#"<p class="says">Turned on for all webhooks by <code>/_control/webhooks</code>: {}.</p><form method="post" action="/_control/form/reset" class="row"><button type="submit">Reset switches and faults</button></form>"#,
        escape(&on.join(", "))
    )
}

fn turned(rules: &Rules) -> Vec<String> {
    let switches = [
        (rules.delay_ms > 0, format!("delayed by {} ms", rules.delay_ms)),
        (rules.before_redirect, "before the redirect".to_owned()),
        (rules.duplicate > 0, format!("{} extra copies", rules.duplicate)),
        (rules.drop, "dropped".to_owned()),
        (rules.tamper, "changed after signing".to_owned()),
        (rules.stale, "signed with an old time".to_owned()),
        (rules.amount_delta != 0, format!("payments off by {} minor units", rules.amount_delta)),
        (rules.unknown_values, "unknown values".to_owned()),
        (rules.retry_permille != 1000, format!("waits between tries at {} ‰", rules.retry_permille)),
    ];
    switches.into_iter().filter(|(is, _)| *is).map(|(_, words)| words).collect()
}

fn on_their_way(accounts: &Accounts<'_>) -> String {
    let open = |delivery: &&Delivery| {
        matches!(delivery.status, DeliveryStatus::Held | DeliveryStatus::Waiting | DeliveryStatus::Sending)
    };
    let mut rows: Vec<(&str, &Account, &Delivery)> = accounts
        .iter()
        .flat_map(|(key, account)| {
            account.deliveries.oldest().filter(open).take(ROWS).map(move |delivery| (*key, *account, delivery))
        })
        .collect();
    if rows.is_empty() {
        return r#"<p class="empty">None: everything has been delivered or given up.</p>"#.to_owned();
    }
    rows.sort_by_key(|(_, _, delivery)| delivery.due_ms);
    let mut html = String::from(
        "<table><thead><tr><th>Event</th><th>To</th><th>State</th><th>Faults</th><th>Account</th></tr></thead><tbody>",
    );
    for (key, account, delivery) in rows.into_iter().take(ROWS) {
        let event = account.events.get(&delivery.event).map(|event| event.kind.as_str()).unwrap_or_default();
        let url = account.endpoints.get(&delivery.endpoint).map(|endpoint| endpoint.url.as_str()).unwrap_or_default();
        let faults: Vec<&str> = delivery.plan.kinds().iter().map(|kind| kind.title()).collect();
        let _ = write!(
            html,
            r#"<tr><td data-label="Event">{event}</td><td data-label="To"><code>{url}</code></td><td data-label="State">{state}</td><td data-label="Faults">{faults}</td><td data-label="Account"><code>{key}</code></td></tr>"#,
            event = escape(event),
            url = escape(url),
            state = standing(delivery),
            faults = if faults.is_empty() { "none".to_owned() } else { escape(&faults.join(", ")) },
            key = masked(key),
        );
    }
    html + "</tbody></table>"
}

fn standing(delivery: &Delivery) -> String {
    let wait_s = (delivery.due_ms - clock::now_ms()).max(0) / 1000;
    match delivery.status {
        DeliveryStatus::Waiting if delivery.plan.reorder_ms > 0 && delivery.tries.is_empty() => {
            format!("waits for the next one, at most {wait_s} s")
        }
        DeliveryStatus::Waiting => format!("in {wait_s} s"),
        other => other.to_string(),
    }
}

/// Advancing time, and the seed of the dice.
pub fn time(accounts: &Accounts<'_>, seed: u64) -> String {
    let timers: usize = accounts.iter().map(|(_, account)| account.timers.len()).sum();
    let waiting = match timers {
        0 => "Nothing is waiting for its time.".to_owned(),
        1 => "1 thing is waiting for its time.".to_owned(),
        count => format!("{count} things are waiting for their time."),
    };
    format!(
        r#"<p class="says">What would happen by itself happens now: sessions expire, bank debits settle, refunds and disputes move, late webhooks go out. {waiting}</p>
<form method="post" action="/_control/form/advance" class="row fields"><div class="field"><label for="amount">Advance time by</label><input id="amount" name="amount" inputmode="numeric" value="1" required autocomplete="off"></div><div class="field"><label for="unit">Unit</label><select id="unit" name="unit"><option value="1">seconds</option><option value="60">minutes</option><option value="3600">hours</option><option value="86400" selected>days</option></select></div><button type="submit">Advance time</button></form>
<p class="says">Faults with a probability throw dice. The same seed makes a run repeatable.</p>
<form method="post" action="/_control/form/seed" class="row fields"><div class="field"><label for="seed">Seed</label><input id="seed" name="seed" inputmode="numeric" value="{seed}" required autocomplete="off"></div><button type="submit">Start with this seed</button></form>"#
    )
}
