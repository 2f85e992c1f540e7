//! Renders the pages that a shopper may see.

use std::fmt::Write;

use axum::{http::StatusCode, response::Response};

use super::form::Fields;
use crate::{
    page::{
        escape, layout,
        parts::{self, Input, Notice},
    },
    stripe::{
        cards::{BANK_ACCOUNTS, CARDS, TEST_ROUTING},
        money,
        objects::session::Session,
    },
};

/// The provider's name on the pages.
const NAME: &str = "Stripe";

/// The payment form, with a sentence about the last attempt.
pub fn pay(status: StatusCode, session: &Session, fields: &Fields, message: Option<&str>) -> Response {
    let amount = escape(&money::display(session.amount, &session.currency));
    let message = if fields.errors.is_empty() { message } else { Some("Check the marked fields.") };
    let (inputs, hints) =
        if fields.method == "card" { (card_inputs(fields), card_hints()) } else { (bank_inputs(fields), bank_hints()) };
    let body = format!(
        r#"<main class="checkout">
<section class="summary" aria-label="Order summary">{summary}</section>
<section class="panel" aria-label="Payment">
<h2>Pay with {method}</h2>
{tabs}{alert}
<form method="post" action="/c/pay/{id}" novalidate>
<input type="hidden" name="method" value="{kind}">
<input type="hidden" name="attempt" value="{attempt}">
{inputs}
<button class="primary" type="submit">Pay {amount}</button>
</form>
{back}
{hints}
</section>
</main>"#,
        alert = parts::alert(message),
        summary = summary(session),
        method = if fields.method == "card" { "card" } else { "US bank account" },
        tabs = tabs(session, fields.method),
        id = escape(&session.id),
        kind = fields.method,
        attempt = session.attempts,
        back = back_link(session),
    );
    layout(NAME, status, &format!("Pay {}", session.shop()), "pay", &body)
}

fn summary(session: &Session) -> String {
    let mut lines = String::new();
    for line in &session.lines {
        let quantity = if line.quantity == 1 {
            String::new()
        } else {
            format!(r#"<span class="quantity">× {}</span>"#, line.quantity)
        };
        let description =
            line.description.as_ref().map(|text| format!("<small>{}</small>", escape(text))).unwrap_or_default();
        let _ = write!(
            lines,
            r#"<li><span class="what">{name} {quantity}{description}</span><span class="price">{price}</span></li>"#,
            name = escape(&line.name),
            price = escape(&money::display(line.total(), &session.currency)),
        );
    }
    format!(
        r#"<h1 class="shop">{shop}</h1>
<p class="amount">{amount}</p>
<ul class="lines">{lines}</ul>
<p class="total"><span>Total due</span><span class="price">{amount}</span></p>"#,
        shop = escape(session.shop()),
        amount = escape(&money::display(session.amount, &session.currency)),
    )
}

/// The links between the methods, if the session offers several.
fn tabs(session: &Session, current: &str) -> String {
    if session.methods.len() < 2 {
        return String::new();
    }
    let mut tabs = String::from(r#"<nav class="tabs" aria-label="Payment method">"#);
    for method in &session.methods {
        let label = if method == "card" { "Card" } else { "Bank account" };
        let here = if method == current { r#" aria-current="page""# } else { "" };
        let _ = write!(tabs, r#"<a href="?method={}"{here}>{label}</a>"#, escape(method));
    }
    tabs + "</nav>"
}

fn input(fields: &Fields, name: &str, label: &str, value: &str, attributes: &str) -> String {
    Input { name, id: name, label, value, attributes, error: fields.error(name) }.html()
}

fn card_inputs(fields: &Fields) -> String {
    [
        input(fields, "email", "Email", &fields.email, r#"type="email" autocomplete="email" inputmode="email" placeholder="optional""#),
        input(
            fields,
            "number",
            "Card number",
            "",
            r#"type="text" autocomplete="cc-number" inputmode="numeric" placeholder="4242 4242 4242 4242" maxlength="23" required"#,
        ),
        r#"<div class="pair">"#.to_owned(),
        input(fields, "expiry", "Expiry", "", r#"type="text" autocomplete="cc-exp" inputmode="numeric" placeholder="MM / YY" maxlength="9" required"#),
        input(fields, "cvc", "CVC", "", r#"type="text" autocomplete="cc-csc" inputmode="numeric" placeholder="123" maxlength="4" required"#),
        "</div>".to_owned(),
        input(fields, "name", "Name on card", &fields.name, r#"type="text" autocomplete="cc-name" placeholder="optional" maxlength="120""#),
    ]
    .concat()
}

fn bank_inputs(fields: &Fields) -> String {
    [
        input(
            fields,
            "email",
            "Email",
            &fields.email,
            r#"type="email" autocomplete="email" inputmode="email" placeholder="optional""#,
        ),
        input(
            fields,
            "routing",
            "Routing number",
            &fields.routing,
            &format!(r#"type="text" inputmode="numeric" placeholder="{TEST_ROUTING}" maxlength="9" required"#),
        ),
        input(
            fields,
            "account",
            "Account number",
            "",
            r#"type="text" inputmode="numeric" placeholder="000123456789" maxlength="17" required"#,
        ),
        input(
            fields,
            "name",
            "Account holder",
            &fields.name,
            r#"type="text" autocomplete="name" placeholder="optional" maxlength="120""#,
        ),
    ]
    .concat()
}

fn card_hints() -> String {
    let rows: String = CARDS.iter().map(|card| parts::fill_card(card.number, "", card.label)).collect();
    let text = r#"Any future expiry and any security code will do.<span class="with-script"> Tap a card to fill the form.</span>"#;
    parts::hints("Test cards", text, &rows)
}

fn bank_hints() -> String {
    let row = |(number, label, _): &(&str, &str, _)| parts::fill(&format!(r#"data-account="{number}""#), number, label);
    let rows: String = BANK_ACCOUNTS.iter().map(row).collect();
    parts::hints("Test bank accounts", &format!("Routing number {TEST_ROUTING}."), &rows)
}

fn back_link(session: &Session) -> String {
    match &session.cancel_url {
        Some(url) => format!(r#"<p class="back"><a href="{}">Back to {}</a></p>"#, escape(url), escape(session.shop())),
        None => String::new(),
    }
}

/// The bank's page in a 3-D Secure challenge.
pub fn bank(session: &Session) -> Response {
    let amount = money::display(session.amount, &session.currency);
    parts::bank(NAME, &amount, session.shop(), &format!("/c/pay/{}/3ds", session.id))
}

/// The page for a session that is already paid.
pub fn already_paid(session: &Session) -> Response {
    let amount = money::display(session.amount, &session.currency);
    let text = if session.paid {
        format!("The payment of {amount} to {} is already complete. Nothing more was charged.", session.shop())
    } else {
        format!(
            "The payment of {amount} to {} was already submitted and is on its way. Nothing more was charged.",
            session.shop()
        )
    };
    Notice {
        status: StatusCode::OK,
        kind: "done",
        title: "You have already paid",
        text: &text,
        back: Some((&session.return_url(), session.shop())),
    }
    .page(NAME)
}

/// The page for an expired session.
pub fn expired(session: &Session) -> Response {
    let text = "This payment page is no longer open, and nothing was charged. Go back to the shop to start again.";
    let link = session.cancel_url.as_deref().map(|url| (url, session.shop()));
    Notice { status: StatusCode::GONE, kind: "late", title: "This payment page has expired", text, back: link }
        .page(NAME)
}

/// The page for an unknown address.
pub fn unknown() -> Response {
    let text = "Check the address, or go back to the shop and start again.";
    Notice { status: StatusCode::NOT_FOUND, kind: "late", title: "There is no such payment page", text, back: None }
        .page(NAME)
}
