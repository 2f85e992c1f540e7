//! The page at `/`, which controls faults and shows the latest activity. It uses plain forms and needs no script.

mod activity;
mod fault_form;
mod fault_list;
mod forms;
mod queue;

use std::sync::Arc;

use axum::{
    Router,
    extract::{DefaultBodyLimit, Query, State},
    http::StatusCode,
    response::{Redirect, Response},
    routing::{get, post},
};
use serde::Deserialize;

use crate::{
    core::House,
    page::{escape, layout},
    provider::View,
};
use fault_form::Draft;

/// The most rows of each kind.
const ROWS: usize = 25;

/// The most bytes of a submitted form.
const FORM: usize = 16 * 1024;

/// The page's addresses.
pub fn router() -> Router<Arc<House>> {
    let forms = Router::new()
        .route("/faults", post(forms::add))
        .route("/faults/clear", post(forms::clear))
        .route("/faults/{id}/remove", post(forms::remove))
        .route("/webhooks", post(forms::webhooks))
        .route("/advance", post(forms::advance))
        .route("/seed", post(forms::seed))
        .route("/reset", post(forms::reset))
        .layer(DefaultBodyLimit::max(FORM));
    Router::new()
        .route("/", get(show))
        .route("/_control", get(async || Redirect::to("/")))
        .nest("/_control/form", forms)
}

/// The result of the last form, shown once after the redirect.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Done {
    Added,
    Removed,
    Gone,
    Cleared,
    Held,
    Released,
    Advanced,
    Seeded,
    Reset,
}

#[derive(Debug, Default, Deserialize)]
struct Shown {
    done: Option<Done>,
    count: Option<u64>,
}

/// `GET /`: shows the page.
async fn show(State(house): State<Arc<House>>, Query(shown): Query<Shown>) -> Response {
    let told = shown.done.map(|done| words(done, shown.count.unwrap_or(0)));
    render(&house, StatusCode::OK, &Draft::default(), told.as_deref())
}

fn words(done: Done, count: u64) -> String {
    let things = |one: &str, more: &str| if count == 1 { format!("1 {one}") } else { format!("{count} {more}") };
    match done {
        Done::Added => "Fault added.".to_owned(),
        Done::Removed => "Fault removed.".to_owned(),
        Done::Gone => "That fault was already gone: it had happened as often as it should.".to_owned(),
        Done::Cleared => format!("{} removed.", things("fault", "faults")),
        Done::Held => "Webhooks are kept back from now on.".to_owned(),
        Done::Released => format!("{} released.", things("webhook", "webhooks")),
        Done::Advanced if count == 0 => "Time advanced. Nothing was due by then.".to_owned(),
        Done::Advanced => format!("Time advanced: {} at once.", things("thing happened", "things happened")),
        Done::Seeded => "The dice start again with this seed.".to_owned(),
        Done::Reset => "Everything is as it was at the start. Sessions, payments and events stay.".to_owned(),
    }
}

/// Renders the whole page. `draft` is a refused form, and `told` the result of the last form.
fn render(house: &House, status: StatusCode, draft: &Draft, told: Option<&str>) -> Response {
    let told = told.map_or_else(String::new, |told| format!(r#"<p class="told" role="status">{}</p>"#, escape(told)));
    let views: Vec<View> = house.providers.iter().map(|provider| provider.view(ROWS)).collect();
    let faults = &house.shared.faults;
    let body = format!(
        r##"<main class="index">
<section class="intro"><h1>Payment providers that take no money</h1>
<p class="lead">This sandbox simulates the APIs of payment providers, their payment pages and their webhooks. Here you make things go wrong on purpose.</p>
<ul class="providers">{providers}</ul>
<nav aria-label="On this page"><a href="#faults">Faults</a><a href="#webhooks">Webhooks</a><a href="#time">Time</a><a href="#payments">Payments</a><a href="#calls">Calls</a><a href="#accounts">Accounts</a><a href="#cards">Test cards</a></nav></section>
{told}
<section class="panel" id="faults" aria-labelledby="faults-title"><h2 id="faults-title">Active faults</h2>{list}</section>
<section class="panel" id="add" aria-labelledby="add-title"><h2 id="add-title">Add a fault</h2>{form}</section>
<section class="panel" id="webhooks" aria-labelledby="webhooks-title"><h2 id="webhooks-title">Webhooks</h2>{queue}<h3>Recent events</h3>{events}</section>
<section class="panel" id="time" aria-labelledby="time-title"><h2 id="time-title">Time and chance</h2>{time}</section>
<section class="panel" id="payments" aria-labelledby="payments-title"><h2 id="payments-title">Recent payments</h2>{payments}</section>
<section class="panel" id="calls" aria-labelledby="calls-title"><h2 id="calls-title">Recent API calls</h2>{calls}</section>
<section class="panel" id="accounts" aria-labelledby="accounts-title"><h2 id="accounts-title">Accounts</h2>{accounts}</section>
<section class="panel" id="cards" aria-labelledby="cards-title"><h2 id="cards-title">Test cards</h2>{trials}</section>
</main>"##,
        providers = activity::providers(&house.shared.base, &views),
        list = fault_list::html(faults, &views),
        form = fault_form::html(draft, faults, &views),
        queue = queue::html(&views),
        events = activity::events(&views),
        time = queue::time(&views, faults.current_seed()),
        payments = activity::payments(&views),
        calls = activity::calls(&views),
        accounts = activity::accounts(&views),
        trials = activity::trials(&views),
    );
    layout("payment provider's", status, "Overview", "wide", &body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_done_is_said_in_words() {
        assert_eq!(words(Done::Advanced, 0), "Time advanced. Nothing was due by then.");
        assert_eq!(words(Done::Advanced, 1), "Time advanced: 1 thing happened at once.");
        assert_eq!(words(Done::Released, 2), "2 webhooks released.");
    }
}
