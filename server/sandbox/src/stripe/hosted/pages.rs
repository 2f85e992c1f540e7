//! The pages themselves.

use std::fmt::Write;

use axum::{http::StatusCode, response::Response};

use super::{
    form::Fields,
    html::{escape, layout},
};
use crate::stripe::{
    cards::{BANK_ACCOUNTS, CARDS, TEST_ROUTING},
    money,
    objects::session::Session,
};

/// The payment form, with a sentence about the last try.
pub fn pay(status: StatusCode, session: &Session, fields: &Fields, message: Option<&str>) -> Response {
    let amount = escape(&money::display(session.amount, &session.currency));
    let message = if fields.errors.is_empty() { message } else { Some("Check the marked fields.") };
    let alert =
        message.map(|text| format!(r#"<p class="alert" role="alert">{}</p>"#, escape(text))).unwrap_or_default();
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
        summary = summary(session),
        method = if fields.method == "card" { "card" } else { "US bank account" },
        tabs = tabs(session, fields.method),
        id = escape(&session.id),
        kind = fields.method,
        attempt = session.attempts,
        back = back_link(session),
    );
    layout(status, &format!("Pay {}", session.shop()), "pay", &body)
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

/// Links between the methods, when there are several.
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

/// One labelled input; `attributes` is trusted.
fn input(fields: &Fields, name: &str, label: &str, value: &str, attributes: &str) -> String {
    let error = fields.error(name);
    let (mark, sentence) = match error {
        Some(text) => (
            format!(r#" aria-invalid="true" aria-describedby="{name}-error""#),
            format!(r#"<p class="error" id="{name}-error">{}</p>"#, escape(text)),
        ),
        None => (String::new(), String::new()),
    };
    format!(
        r#"<div class="field field-{name}"><label for="{name}">{label}</label><input id="{name}" name="{name}" value="{value}" {attributes}{mark}>{sentence}</div>"#,
        value = escape(value),
    )
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
    let mut rows = String::new();
    for card in CARDS {
        let grouped = group(card.number);
        let _ = write!(
            rows,
            r#"<li><button type="button" class="fill" data-number="{number}"><span class="digits">{grouped}</span> <span class="does">{label}</span></button></li>"#,
            number = card.number,
            label = escape(card.label),
        );
    }
    format!(
        r#"<details class="hints" open><summary>Test cards</summary><p>Any future expiry and any security code will do.<span class="with-script"> Tap a card to fill the form.</span></p><ul>{rows}</ul></details>"#
    )
}

fn bank_hints() -> String {
    let mut rows = String::new();
    for (number, label, _) in BANK_ACCOUNTS {
        let _ = write!(
            rows,
            r#"<li><button type="button" class="fill" data-account="{number}"><span class="digits">{number}</span> <span class="does">{label}</span></button></li>"#,
            label = escape(label),
        );
    }
    format!(
        r#"<details class="hints" open><summary>Test bank accounts</summary><p>Routing number {TEST_ROUTING}.</p><ul>{rows}</ul></details>"#
    )
}

/// A card number as it is embossed.
pub fn group(number: &str) -> String {
    let cuts: &[usize] = if number.len() == 15 { &[4, 10] } else { &[4, 8, 12] };
    number
        .chars()
        .enumerate()
        .flat_map(|(at, digit)| cuts.contains(&at).then_some(' ').into_iter().chain([digit]))
        .collect()
}

fn back_link(session: &Session) -> String {
    match &session.cancel_url {
        Some(url) => format!(r#"<p class="back"><a href="{}">Back to {}</a></p>"#, escape(url), escape(session.shop())),
        None => String::new(),
    }
}

/// The bank's page in a 3-D Secure challenge.
pub fn bank(session: &Session) -> Response {
    let body = format!(
        r#"<main class="single"><section class="panel bank">
<p class="bank-name"><span class="mark" aria-hidden="true"></span>Test bank</p>
<h1>Your bank asks you to confirm this payment of {amount}</h1>
<p>{shop} wants to be paid. In real life you would use your bank's app or a code here; in the sandbox you choose what happens.</p>
<form method="post" action="/c/pay/{id}/3ds" class="choices">
<button class="primary" type="submit" name="result" value="complete">Complete authentication</button>
<button class="secondary" type="submit" name="result" value="fail">Fail authentication</button>
</form>
</section></main>"#,
        amount = escape(&money::display(session.amount, &session.currency)),
        shop = escape(session.shop()),
        id = escape(&session.id),
    );
    layout(StatusCode::OK, "Confirm the payment", "plain", &body)
}

fn notice(status: StatusCode, kind: &str, title: &str, text: &str, link: Option<(&str, &str)>) -> Response {
    let link = link
        .map(|(url, shop)| format!(r#"<p><a class="primary" href="{}">Back to {}</a></p>"#, escape(url), escape(shop)))
        .unwrap_or_default();
    let body = format!(
        r#"<main class="single"><section class="panel notice {kind}"><span class="sign" aria-hidden="true"></span><h1>{title}</h1><p>{text}</p>{link}</section></main>"#,
        title = escape(title),
        text = escape(text),
    );
    layout(status, title, "plain", &body)
}

/// A session that was paid before.
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
    notice(StatusCode::OK, "done", "You have already paid", &text, Some((&session.return_url(), session.shop())))
}

/// A session whose time is up.
pub fn expired(session: &Session) -> Response {
    let text = "This payment page is no longer open, and nothing was charged. Go back to the shop to start again.";
    let link = session.cancel_url.as_deref().map(|url| (url, session.shop()));
    notice(StatusCode::GONE, "late", "This payment page has expired", text, link)
}

/// No session at this address.
pub fn unknown() -> Response {
    let text = "Check the address, or go back to the shop and start again.";
    notice(StatusCode::NOT_FOUND, "late", "There is no such payment page", text, None)
}

#[cfg(test)]
mod tests {
    #[test]
    fn numbers_are_grouped_as_on_the_card() {
        assert_eq!(super::group("4242424242424242"), "4242 4242 4242 4242");
        assert_eq!(super::group("378282246310005"), "3782 822463 10005");
    }
}
