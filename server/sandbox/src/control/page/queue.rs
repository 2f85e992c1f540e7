//! The pending webhooks, the switches for all of them, and time.

use std::fmt::Write;

use super::{ROWS, activity::account};
use crate::{
    clock,
    delivery::{Delivery, DeliveryStatus},
    page::escape,
    provider::{DeliveryRow, STATES, View},
};

/// The counts of deliveries, the buttons for all of them, and the pending deliveries.
pub fn html(views: &[View]) -> String {
    let counts: Vec<usize> = (0..STATES.len()).map(|at| views.iter().map(|view| view.counts[at]).sum()).collect();
    let mut counters = String::new();
    for ((_, name), count) in STATES.iter().zip(&counts) {
        let _ = write!(counters, r#"<div><dt>{name}</dt><dd>{count}</dd></div>"#);
    }
    let holding = views.iter().any(|view| view.holding);
    let held: usize = STATES
        .iter()
        .zip(&counts)
        .filter(|((status, _), _)| *status == DeliveryStatus::Held)
        .map(|(_, count)| count)
        .sum();
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
        switches = switches(views),
        way = on_their_way(views),
    )
}

/// The switches that the control API has turned on for every webhook, if any.
fn switches(views: &[View]) -> String {
    let on: Vec<String> = views
        .iter()
        .filter(|view| !view.turned.is_empty())
        .map(|view| format!("{}: {}", view.about.title, view.turned.join(", ")))
        .collect();
    if on.is_empty() {
        return String::new();
    }
    format!(
        r#"<p class="says">Turned on for all webhooks by the control API: {}.</p><form method="post" action="/_control/form/reset" class="row"><button type="submit">Reset switches and faults</button></form>"#,
        escape(&on.join("; "))
    )
}

fn on_their_way(views: &[View]) -> String {
    let mut rows: Vec<(&View, &DeliveryRow)> =
        views.iter().flat_map(|view| view.on_way.iter().map(move |row| (view, row))).collect();
    if rows.is_empty() {
        return r#"<p class="empty">None: everything has been delivered or given up.</p>"#.to_owned();
    }
    rows.sort_by_key(|(_, row)| row.delivery.due_ms);
    let mut html = String::from(
        "<table><thead><tr><th>Event</th><th>To</th><th>State</th><th>Faults</th><th>Account</th></tr></thead><tbody>",
    );
    for (view, row) in rows.into_iter().take(ROWS) {
        let faults: Vec<&str> = row.delivery.plan.kinds().iter().map(|kind| kind.title()).collect();
        let _ = write!(
            html,
            r#"<tr><td data-label="Event">{event}</td><td data-label="To"><code>{url}</code></td><td data-label="State">{state}</td><td data-label="Faults">{faults}</td><td data-label="Account">{account}</td></tr>"#,
            event = escape(&row.kind),
            url = escape(&row.url),
            state = standing(&row.delivery),
            faults = if faults.is_empty() { "none".to_owned() } else { escape(&faults.join(", ")) },
            account = account(view, &row.key),
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

/// The forms for advancing time and for the seed.
pub fn time(views: &[View], seed: u64) -> String {
    let timers: usize = views.iter().map(|view| view.timers).sum();
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
