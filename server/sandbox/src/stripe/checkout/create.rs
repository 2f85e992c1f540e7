//! `POST /v1/checkout/sessions` (Stripe API reference, Create a Checkout Session).

use serde_json::{Map, Value, json};
use url::Url;

use super::lines;
use crate::stripe::{
    error::ApiError,
    ids,
    objects::session::{IntentData, Session, SessionStatus},
    operation::Ctx,
    params::{Metadata, MetadataChange, Params, apply},
    state::Timer,
};

/// A session lives between 30 minutes and a day. Without a wish of the merchant it lives a day. Seconds.
const SHORTEST: i64 = 30 * 60;
const LONGEST: i64 = 24 * 3600;

/// The tolerance of the limits, so that a clock that is a little off causes no errors. Seconds.
const TOLERANCE: i64 = 60;

/// Documented parameters that change neither the money nor the flow here. They are stored and shown again.
const SHOWN_AGAIN: &[&str] = &[
    "after_expiration",
    "allow_promotion_codes",
    "billing_address_collection",
    "branding_settings",
    "consent_collection",
    "custom_fields",
    "custom_text",
    "customer_creation",
    "customer_update",
    "excluded_payment_method_types",
    "integration_identifier",
    "locale",
    "name_collection",
    "origin_context",
    "payment_method_collection",
    "payment_method_options",
    "permissions",
    "phone_number_collection",
    "redirect_on_completion",
    "saved_payment_method_options",
    "shipping_address_collection",
    "submit_type",
    "tax_id_collection",
    "wallet_options",
];

/// Documented parameters that would change the amount or the kind of session. They are refused and never ignored.
const REFUSED: &[&str] = &[
    "discounts",
    "shipping_options",
    "optional_items",
    "subscription_data",
    "setup_intent_data",
    "return_url",
    "payment_method_configuration",
    "payment_method_data",
    "managed_payments",
];

/// Creates a session.
pub fn run(ctx: &mut Ctx<'_>, mut params: Params) -> Result<Value, ApiError> {
    let session = build(ctx, &mut params)?;
    params.finish()?;
    let wire = session.wire(&ctx.view());
    ctx.account.common.timers.insert((session.expires_at * 1000, Timer::ExpireSession(session.id.clone())));
    ctx.account.sessions.insert(session);
    Ok(wire)
}

fn build(ctx: &Ctx<'_>, params: &mut Params) -> Result<Session, ApiError> {
    check_kind(params)?;
    let now = ctx.moment.now();
    let success_url = params.required("success_url", 5_000).and_then(|url| absolute(url, "success_url"))?;
    let cancel_url = params.string("cancel_url", 5_000)?.map(|url| absolute(url, "cancel_url")).transpose()?;
    let (currency, lines) = lines::line_items(params)?;
    let amount = lines::total(&lines, &currency)?;
    let (methods, allowed_methods) = methods(params, &currency)?;
    let intent_data = match params.object("payment_intent_data")? {
        Some(data) => intent_data(data)?,
        None => IntentData::default(),
    };
    let (adaptive, mut extra) = (adaptive_pricing(ctx, params)?, shown_again(params));
    extra.insert("adaptive_pricing".to_owned(), json!({ "enabled": adaptive }));
    let session = Session {
        id: ids::session(),
        created: now,
        expires_at: expires_at(params, now)?,
        status: SessionStatus::Open,
        paid: false,
        amount,
        currency: currency.clone(),
        lines,
        metadata: metadata(params)?,
        success_url,
        cancel_url,
        client_reference_id: params.string("client_reference_id", 200)?,
        customer_email: email(params, "customer_email")?,
        methods,
        allowed_methods,
        intent: None,
        intent_data,
        extra,
        presented: ctx.account.pricing.as_ref().filter(|_| adaptive).and_then(|pricing| pricing.present(&currency)),
        customer: None,
        authenticating: None,
        attempts: 0,
        last_message: None,
    };
    debug_assert!(session.amount > 0 && session.payable(now), "a new session can be paid");
    Ok(session)
}

/// Whether shoppers may be asked for a currency of their own. The request decides, and otherwise the account's setting.
fn adaptive_pricing(ctx: &Ctx<'_>, params: &mut Params) -> Result<bool, ApiError> {
    let Some(mut given) = params.object("adaptive_pricing")? else { return Ok(ctx.account.pricing.is_some()) };
    let enabled = given.boolean("enabled")?;
    given.finish()?;
    Ok(enabled.unwrap_or(ctx.account.pricing.is_some()))
}

/// Refuses all but hosted sessions in payment mode, and parameters that would change the amount unseen.
fn check_kind(params: &mut Params) -> Result<(), ApiError> {
    match params.one_of("mode", &["payment", "setup", "subscription"])?.as_deref() {
        Some("payment") => {}
        Some(_) => {
            return Err(
                ApiError::invalid("This sandbox simulates Checkout Sessions with mode=payment only.").param("mode")
            );
        }
        None => return Err(ApiError::missing("mode")),
    }
    match params.text("ui_mode")?.as_deref() {
        None | Some("hosted" | "hosted_page") => {}
        Some(_) => {
            return Err(ApiError::invalid(
                "Invalid ui_mode: this sandbox simulates the hosted page (hosted_page) only.",
            )
            .param("ui_mode"));
        }
    }
    if let Some(key) = REFUSED.iter().find(|key| params.has(key)) {
        return Err(ApiError::invalid(format!("This sandbox does not simulate {key}.")).param(key));
    }
    for (object, flag) in [("automatic_tax", "enabled"), ("invoice_creation", "enabled")] {
        if let Some(mut given) = params.object(object)? {
            if given.boolean(flag)? == Some(true) {
                return Err(
                    ApiError::invalid(format!("This sandbox does not simulate {object}.")).param(&given.name(flag))
                );
            }
            given.finish()?;
        }
    }
    for key in ["customer", "customer_account"] {
        if let Some(id) = params.string(key, 200)? {
            return Err(ApiError::no_such(key, &id, key).status(400));
        }
    }
    Ok(())
}

/// An absolute address that is safe to put in a link. `{CHECKOUT_SESSION_ID}` is allowed.
fn absolute(text: String, param: &str) -> Result<String, ApiError> {
    let refused = || ApiError::invalid("Not a valid URL").code("url_invalid").param(param);
    let parsed = Url::parse(&text).map_err(|_| refused())?;
    let script = matches!(parsed.scheme(), "javascript" | "data" | "vbscript" | "file" | "blob" | "about");
    let plain = !text.chars().any(|c| c.is_control() || c.is_whitespace());
    if script || !plain || (matches!(parsed.scheme(), "http" | "https") && parsed.host_str().is_none()) {
        return Err(refused());
    }
    Ok(text)
}

/// `payment_method_types`, or `allowed_payment_method_types` in newer SDKs.
fn methods(params: &mut Params, currency: &str) -> Result<(Vec<String>, bool), ApiError> {
    let allowed = params.strings("allowed_payment_method_types")?;
    let named = allowed.is_some();
    let param = if named { "allowed_payment_method_types" } else { "payment_method_types" };
    let methods = match (allowed, params.strings("payment_method_types")?) {
        (Some(_), Some(_)) => {
            return Err(ApiError::invalid(
                "You may only specify one of payment_method_types and allowed_payment_method_types.",
            )
            .param(param));
        }
        (Some(methods), None) | (None, Some(methods)) => methods,
        (None, None) => vec!["card".to_owned()],
    };
    for (at, method) in methods.iter().enumerate() {
        let param = format!("{param}[{at}]");
        if !["card", "us_bank_account"].contains(&method.as_str()) {
            return Err(ApiError::invalid(format!(
                "The payment method type \"{method}\" is invalid: this sandbox simulates card and us_bank_account."
            ))
            .param(&param));
        }
        if method == "us_bank_account" && currency != "usd" {
            return Err(ApiError::invalid(
                "The currency provided is invalid for us_bank_account payment method types: use usd.",
            )
            .param(&param));
        }
    }
    if methods.is_empty() {
        return Err(ApiError::empty(param));
    }
    Ok((methods, named))
}

fn expires_at(params: &mut Params, now: i64) -> Result<i64, ApiError> {
    let Some(at) = params.integer("expires_at")? else {
        return Ok(now + LONGEST);
    };
    let refused = |message: &str| Err(ApiError::invalid(message).param("expires_at"));
    if at < now + SHORTEST - TOLERANCE {
        return refused("The `expires_at` timestamp must be at least 30 minutes from Checkout Session creation.");
    }
    if at > now + LONGEST + TOLERANCE {
        return refused("The `expires_at` timestamp must be less than 24 hours from Checkout Session creation.");
    }
    Ok(at)
}

fn intent_data(mut data: Params) -> Result<IntentData, ApiError> {
    let capture = data.one_of("capture_method", &["automatic", "automatic_async", "manual"])?;
    for key in ["application_fee_amount", "on_behalf_of", "transfer_data"] {
        if data.has(key) {
            return Err(ApiError::invalid(format!("This sandbox does not simulate {key}.")).param(&data.name(key)));
        }
    }
    let filled = IntentData {
        manual: capture.as_deref() == Some("manual"),
        metadata: metadata(&mut data)?,
        description: data.string("description", 1_000)?,
        receipt_email: email(&mut data, "receipt_email")?,
        statement_descriptor: data.string("statement_descriptor", 22)?,
        statement_descriptor_suffix: data.string("statement_descriptor_suffix", 22)?,
        transfer_group: data.string("transfer_group", 200)?,
        setup_future_usage: data.one_of("setup_future_usage", &["off_session", "on_session"])?,
        shipping: data.raw("shipping"),
    };
    data.finish()?;
    Ok(filled)
}

/// The metadata of a new object. A request to clear it changes nothing.
pub fn metadata(params: &mut Params) -> Result<Metadata, ApiError> {
    let mut metadata = Metadata::new();
    if let Some(change @ MetadataChange::Set(_)) = params.metadata()? {
        apply(&mut metadata, change)?;
    }
    Ok(metadata)
}

fn email(params: &mut Params, key: &str) -> Result<Option<String>, ApiError> {
    let name = params.name(key);
    let Some(email) = params.string(key, 800)? else {
        return Ok(None);
    };
    let ok =
        email.split_once('@').is_some_and(|(user, host)| !user.is_empty() && host.contains('.') && !host.contains('@'));
    if !ok || email.chars().any(char::is_whitespace) {
        return Err(ApiError::invalid(format!("Invalid email address: {email}")).code("email_invalid").param(&name));
    }
    Ok(Some(email))
}

fn shown_again(params: &mut Params) -> Map<String, Value> {
    SHOWN_AGAIN.iter().filter_map(|key| Some(((*key).to_owned(), params.raw(key)?))).collect()
}
