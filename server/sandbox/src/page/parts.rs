//! The parts that the providers' payment pages share: inputs, errors, the bank's page, the last page.

use axum::{http::StatusCode, response::Response};

use super::{escape, layout};
use crate::cards;

/// The sentence about the last attempt, if there is one.
pub fn alert(text: Option<&str>) -> String {
    text.map(|text| format!(r#"<p class="alert" role="alert">{}</p>"#, escape(text))).unwrap_or_default()
}

/// One labelled input of a form.
#[derive(Debug)]
pub struct Input<'a> {
    /// The field's name. Trusted.
    pub name: &'a str,
    /// The field's id for labels and style sheets. Trusted.
    pub id: &'a str,
    /// The field's label for the shopper. Trusted.
    pub label: &'a str,
    /// The value from the last submission.
    pub value: &'a str,
    /// Further attributes. Trusted.
    pub attributes: &'a str,
    /// The error about the field's value.
    pub error: Option<&'a str>,
}

impl Input<'_> {
    /// Renders the input.
    pub fn html(&self) -> String {
        let Input { name, id, label, attributes, .. } = self;
        let (mark, sentence) = match self.error {
            Some(text) => (
                format!(r#" aria-invalid="true" aria-describedby="{id}-error""#),
                format!(r#"<p class="error" id="{id}-error">{}</p>"#, escape(text)),
            ),
            None => (String::new(), String::new()),
        };
        format!(
            r#"<div class="field field-{id}"><label for="{id}">{label}</label><input id="{id}" name="{name}" value="{value}" {attributes}{mark}>{sentence}</div>"#,
            value = escape(self.value),
        )
    }
}

/// A button that fills the form: its `data-` attributes with the values (trusted), its digits (trusted) and the outcome.
pub fn fill(data: &str, digits: &str, does: &str) -> String {
    format!(
        r#"<li><button type="button" class="fill" {data}><span class="digits">{digits}</span> <span class="does">{label}</span></button></li>"#,
        label = escape(does),
    )
}

/// The button of a test card. `more` are further attributes (trusted).
pub fn fill_card(number: &str, more: &str, does: &str) -> String {
    fill(&format!(r#"data-number="{number}"{more}"#), &cards::group(number), does)
}

/// Test values under a title. All arguments are trusted.
pub fn hints(title: &str, text: &str, rows: &str) -> String {
    format!(r#"<details class="hints" open><summary>{title}</summary><p>{text}</p><ul>{rows}</ul></details>"#)
}

/// The bank's page in a 3-D Secure challenge. The answer is sent to `action`.
pub fn bank(provider: &str, amount: &str, shop: &str, action: &str) -> Response {
    let body = format!(
        r#"<main class="single"><section class="panel bank">
<p class="bank-name"><span class="mark" aria-hidden="true"></span>Test bank</p>
<h1>Your bank asks you to confirm this payment of {amount}</h1>
<p>{shop} wants to be paid. In real life you would use your bank's app or a code here; in the sandbox you choose what happens.</p>
<form method="post" action="{action}" class="choices">
<button class="primary" type="submit" name="result" value="complete">Complete authentication</button>
<button class="secondary" type="submit" name="result" value="fail">Fail authentication</button>
</form>
</section></main>"#,
        amount = escape(amount),
        shop = escape(shop),
        action = escape(action),
    );
    layout(provider, StatusCode::OK, "Confirm the payment", "plain", &body)
}

/// A page that ends the shopper's way.
#[derive(Debug)]
pub struct Notice<'a> {
    /// HTTP status.
    pub status: StatusCode,
    /// `done` or `late`. It chooses the sign.
    pub kind: &'static str,
    /// The title, which is also the page's heading.
    pub title: &'a str,
    /// The explanation.
    pub text: &'a str,
    /// The link onwards: its address and the name of its target.
    pub back: Option<(&'a str, &'a str)>,
}

impl Notice<'_> {
    /// Renders the page for this provider.
    pub fn page(&self, provider: &str) -> Response {
        let link = |(url, whom): (&str, &str)| {
            format!(r#"<p><a class="primary" href="{}">Back to {}</a></p>"#, escape(url), escape(whom))
        };
        let body = format!(
            r#"<main class="single"><section class="panel notice {kind}"><span class="sign" aria-hidden="true"></span><h1>{title}</h1><p>{text}</p>{link}</section></main>"#,
            kind = self.kind,
            title = escape(self.title),
            text = escape(self.text),
            link = self.back.map(link).unwrap_or_default(),
        );
        layout(provider, self.status, self.title, "plain", &body)
    }
}
