//! The request that opens a Checkout Session.

use domain::SECOND;
use domain::method::Method;
use domain::payment::Capture;

use super::amount::to_stripe;
use super::form::Form;
use super::object::{ACCOUNT, ATTEMPT, CAPTURE};
use crate::connector::{Account, Fail, OpenSpec};

/// The languages of Stripe's page that we may ask for. Without a language the page follows the browser (API reference, Checkout Sessions).
const LOCALES: &[&str] = &[
    "bg", "cs", "da", "de", "el", "en", "es", "et", "fi", "fil", "fr", "hr", "hu", "id", "it", "ja", "ko", "lt", "lv",
    "ms", "mt", "nb", "nl", "pl", "pt", "ro", "ru", "sk", "sl", "sv", "th", "tr", "vi", "zh",
];

/// The form that opens a session. Stripe does not copy metadata from the session to the intent, so our references go to both.
pub(super) fn form(account: &Account, spec: &OpenSpec) -> Result<String, Fail> {
    let (attempt, account) = (spec.attempt.as_str(), account.id.as_str());
    let mut form = Form::new()
        .set("mode", "payment")
        .set("success_url", &spec.return_url)
        .set("cancel_url", &spec.cancel_url)
        .set("client_reference_id", attempt)
        .set("expires_at", spec.until / SECOND)
        .set("payment_method_types[0]", method_name(spec.method))
        // With adaptive pricing the shopper could pay in another currency, and so another amount than the order's.
        .set("adaptive_pricing[enabled]", false)
        .set_some("locale", spec.lang.as_deref().filter(|lang| LOCALES.contains(lang)))
        .set(&format!("metadata[{ATTEMPT}]"), attempt)
        .set(&format!("metadata[{ACCOUNT}]"), account)
        .set(&format!("payment_intent_data[metadata][{ATTEMPT}]"), attempt)
        .set(&format!("payment_intent_data[metadata][{ACCOUNT}]"), account);
    if spec.capture == Capture::Manual {
        form = form.set(&format!("metadata[{CAPTURE}]"), "manual").set("payment_intent_data[capture_method]", "manual");
    }
    for (index, line) in spec.lines.iter().enumerate() {
        let at = |field: &str| format!("line_items[{index}]{field}");
        let description = line.description.as_deref().filter(|text| !text.is_empty());
        form = form
            .set(&at("[quantity]"), line.quantity)
            .set(&at("[price_data][currency]"), line.unit.currency.code().to_ascii_lowercase())
            .set(&at("[price_data][unit_amount]"), to_stripe(line.unit)?)
            .set(&at("[price_data][product_data][name]"), &line.name)
            .set_some(&at("[price_data][product_data][description]"), description);
    }
    Ok(form.finish())
}

fn method_name(method: Method) -> &'static str {
    match method {
        Method::Card => "card",
        Method::BankDebit => "us_bank_account",
    }
}
