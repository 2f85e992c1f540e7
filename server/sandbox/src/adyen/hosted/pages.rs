//! Renders the pages that a shopper may see.

use std::fmt::Write;

use axum::{http::StatusCode, response::Response};
use serde_json::Value;

use super::{form::Fields, was_paid};
use crate::{
    adyen::{
        money,
        objects::Checkout,
        outcomes::{CARDS, TestCard},
    },
    page::{
        escape, layout,
        parts::{self, Input, Notice},
    },
};

/// The most lines shown of an order.
const LINES: usize = 50;

/// The provider's name on the pages.
const NAME: &str = "Adyen";

fn amount(checkout: &Checkout) -> String {
    money::display(checkout.amount, &checkout.currency)
}

/// The payment form, with a sentence about the last attempt.
pub fn pay(status: StatusCode, checkout: &Checkout, fields: &Fields) -> Response {
    let message = match &checkout.refusal {
        _ if fields.refused() => Some("Check the marked fields.".to_owned()),
        Some(reason) => Some(format!("The payment was refused ({reason}). Nothing was charged; try again.")),
        None => None,
    };
    let body = format!(
        r#"<main class="checkout">
<section class="summary" aria-label="Order summary">{summary}</section>
<section class="panel" aria-label="Payment">
<h2>Pay by card</h2>
{alert}
<form method="post" action="/adyen/pay/{id}" novalidate>
<input type="hidden" name="attempt" value="{tries}">
{inputs}
<div class="choices">
<button class="primary" type="submit" name="action" value="pay">Pay {amount}</button>
<button class="secondary" type="submit" name="action" value="challenge">Pay after 3-D Secure</button>
<button class="secondary" type="submit" name="action" value="decline">Be declined</button>
</div>
</form>
<form method="post" action="/adyen/pay/{id}/cancel" class="choices"><button class="secondary" type="submit">Cancel and go back</button></form>
{hints}
</section>
</main>"#,
        alert = parts::alert(message.as_deref()),
        summary = summary(checkout),
        id = escape(&checkout.id),
        tries = checkout.tries,
        inputs = inputs(fields),
        amount = escape(&amount(checkout)),
        hints = hints(),
    );
    layout(NAME, status, &format!("Pay {}", checkout.merchant_account), "pay", &body)
}

fn summary(checkout: &Checkout) -> String {
    let mut lines = String::new();
    let items = checkout.request.get("lineItems").and_then(Value::as_array);
    for item in items.into_iter().flatten().take(LINES) {
        let name = item["description"].as_str().or(item["id"].as_str()).unwrap_or("Item");
        let count = item["quantity"].as_i64().unwrap_or(1);
        let quantity = if count == 1 { String::new() } else { format!(r#" <span class="quantity">× {count}</span>"#) };
        let total = item["amountIncludingTax"].as_i64().and_then(|each| each.checked_mul(count));
        let price = total.map(|total| money::display(total, &checkout.currency));
        let _ = write!(
            lines,
            r#"<li><span class="what">{name}{quantity}</span><span class="price">{price}</span></li>"#,
            name = escape(name),
            price = escape(&price.unwrap_or_default()),
        );
    }
    let text = checkout.request.get("description").and_then(Value::as_str).unwrap_or(&checkout.reference);
    format!(
        r#"<h1 class="shop">{shop}</h1>
<p class="amount">{amount}</p>
<p class="what">{text}</p>
<ul class="lines">{lines}</ul>
<p class="total"><span>Total due</span><span class="price">{amount}</span></p>"#,
        shop = escape(&checkout.merchant_account),
        amount = escape(&amount(checkout)),
        text = escape(text),
    )
}

fn input(fields: &Fields, name: &str, id: &str, label: &str, value: &str, attributes: &str) -> String {
    Input { name, id, label, value, attributes, error: fields.error(name) }.html()
}

fn inputs(fields: &Fields) -> String {
    let number =
        r#"type="text" autocomplete="cc-number" inputmode="numeric" placeholder="4111 1111 1111 1111" maxlength="23""#;
    let expiry = r#"type="text" autocomplete="cc-exp" inputmode="numeric" placeholder="03 / 30" maxlength="9""#;
    let cvc = r#"type="text" autocomplete="cc-csc" inputmode="numeric" placeholder="737" maxlength="4""#;
    let holder = r#"type="text" autocomplete="cc-name" placeholder="J. Smith" maxlength="80""#;
    [
        input(fields, "number", "number", "Card number", "", number),
        r#"<div class="pair">"#.to_owned(),
        input(fields, "expiry", "expiry", "Expiry", "", expiry),
        input(fields, "cvc", "cvc", "Security code", "", cvc),
        "</div>".to_owned(),
        input(fields, "holderName", "name", "Name on card", &fields.holder, holder),
    ]
    .concat()
}

fn hints() -> String {
    let row = |card: &TestCard| {
        let code = if card.number.starts_with('3') { "7373" } else { "737" };
        parts::fill_card(card.number, &format!(r#" data-expiry="03 / 30" data-cvc="{code}""#), card.label)
    };
    let rows: String = CARDS.iter().map(row).collect();
    let text = r#"They expire 03/30 and have the security code 737 (American Express: 7373). The name on the card chooses the outcome: DECLINED, NOT_ENOUGH_BALANCE, CARD_EXPIRED, FRAUD, PENDING, capture failed, refund failed, …<span class="with-script"> Tap a card to fill the form.</span>"#;
    parts::hints("Test cards", text, &rows)
}

/// The bank's page in a 3-D Secure challenge.
pub fn bank(checkout: &Checkout) -> Response {
    let action = format!("/adyen/pay/{}/3ds", checkout.id);
    parts::bank(NAME, &amount(checkout), &checkout.merchant_account, &action)
}

fn notice(status: StatusCode, kind: &'static str, title: &str, text: &str, back: Option<&str>) -> Response {
    let back = back.map(|url| (url, "the shop"));
    Notice { status, kind, title, text, back }.page(NAME)
}

/// The page that explains why no payment is taken.
pub fn closed(checkout: &Checkout) -> Response {
    let back = checkout.return_url.as_deref();
    if was_paid(checkout) {
        let text = format!(
            "The payment of {} to {} was already made. Nothing more was charged.",
            amount(checkout),
            checkout.merchant_account
        );
        return notice(StatusCode::CONFLICT, "done", "You have already paid", &text, back);
    }
    let text = "This payment page is no longer open, and nothing was charged. Ask the shop for a new link.";
    notice(StatusCode::GONE, "late", "This payment page has expired", text, back)
}

/// The page after a payment, for a checkout without a return address.
pub fn paid(checkout: &Checkout) -> Response {
    let text = format!("{} to {}. You can close this page.", amount(checkout), checkout.merchant_account);
    notice(StatusCode::OK, "done", "Thank you", &text, None)
}

/// The page after giving up, for a checkout without a return address.
pub fn cancelled(checkout: &Checkout) -> Response {
    let text = format!("Nothing was charged. You can still pay {} with the same link.", checkout.merchant_account);
    notice(StatusCode::OK, "late", "You have not paid", &text, None)
}

/// The page for an unknown address.
pub fn unknown() -> Response {
    let text = "Check the address, or ask the shop for a new link.";
    notice(StatusCode::NOT_FOUND, "late", "There is no such payment page", text, None)
}
