//! Hosted sessions: create, and the result that a return address names (Adyen API Explorer, Checkout API v72, Payments).

use serde_json::{Value, json};

use super::{
    checkouts::{self, Lifetime},
    error::ApiError,
    fields::Fields,
    ids,
    objects::{Checkout, Kind, Payment, PaymentStatus, Status},
    operation::Ctx,
    state::Account,
};

/// The time for which a session can be paid.
const LIFETIME: Lifetime = Lifetime { default: 3600, longest: 24 * 3600 };

/// The number of results kept per session.
const RESULTS: usize = 20;

/// The fields of a `CreateCheckoutSessionRequest` that this sandbox knows.
const FIELDS: &[&str] = &[
    "accountInfo",
    "additionalData",
    "allowedPaymentMethods",
    "amount",
    "applicationInfo",
    "authenticationData",
    "billingAddress",
    "blockedPaymentMethods",
    "captureDelayHours",
    "channel",
    "company",
    "countryCode",
    "dateOfBirth",
    "deliverAt",
    "deliveryAddress",
    "expiresAt",
    "lineItems",
    "manualCapture",
    "mcc",
    "merchantAccount",
    "merchantOrderReference",
    "metadata",
    "mode",
    "recurringProcessingModel",
    "reference",
    "returnUrl",
    "riskData",
    "shopperConversionId",
    "shopperEmail",
    "shopperIP",
    "shopperInteraction",
    "shopperLocale",
    "shopperName",
    "shopperReference",
    "shopperStatement",
    "socialSecurityNumber",
    "splits",
    "store",
    "storePaymentMethodMode",
    "telephoneNumber",
    "themeId",
    "threeDS2RequestData",
];

/// `POST /sessions` with `mode: hosted`
pub fn create(ctx: &mut Ctx<'_>) -> Result<(u16, Value), ApiError> {
    let fields = Fields::read(ctx.body, "CreateCheckoutSessionRequest", FIELDS)?;
    fields.required("returnUrl", 1_024)?;
    let mode = fields.text("mode", 20)?.unwrap_or_else(|| "embedded".to_owned());
    if mode != "hosted" {
        return Err(ApiError::invalid("702", "This sandbox has hosted sessions only: set mode to 'hosted'."));
    }
    let session = checkouts::read(ctx, fields, Kind::Session, ids::session(), &LIFETIME)?;
    let reply = session.wire(ctx.base);
    ctx.account.open_checkout(session);
    Ok((201, reply))
}

/// `GET /sessions/{sessionId}?sessionResult=…`: the result at the time of the shopper's return. It never changes.
pub fn get(ctx: &mut Ctx<'_>) -> Result<(u16, Value), ApiError> {
    let session = ctx.account.checkouts.get(ctx.id).filter(|checkout| checkout.kind == Kind::Session);
    let session = session.ok_or_else(|| ApiError::not_found("Session not found"))?;
    let mut query = url::form_urlencoded::parse(ctx.query.as_bytes());
    let Some((_, token)) = query.find(|(name, _)| name == "sessionResult") else {
        return Err(ApiError::missing("sessionResult"));
    };
    let known = session.results.iter().find(|(known, _)| *known == *token);
    known.map(|(_, result)| (200, result.clone())).ok_or_else(|| ApiError::invalid("702", "Invalid sessionResult"))
}

/// A session's status in its result.
fn status(session: &Checkout, payments: &[&Payment], cancelled: bool) -> &'static str {
    match session.status {
        Status::Completed => "completed",
        Status::PaymentPending => "paymentPending",
        Status::Expired => "expired",
        Status::Active if cancelled => "canceled",
        Status::Active if payments.iter().any(|payment| payment.status == PaymentStatus::Refused) => "refused",
        Status::Active => "active",
    }
}

impl Account {
    /// Freezes a session's result for the return address. Returns the token that opens it.
    pub fn freeze_result(&mut self, id: &str, cancelled: bool) -> Option<String> {
        let session = self.checkouts.get(id)?;
        let payments: Vec<&Payment> =
            self.payments.newest().take(1_000).filter(|payment| payment.checkout == id).collect();
        let list: Vec<Value> = payments
            .iter()
            .map(|payment| {
                json!({
                    "amount": {"currency": payment.currency, "value": payment.amount},
                    "paymentMethod": {"brand": payment.instrument.brand, "type": "scheme"},
                    "pspReference": payment.psp,
                    "resultCode": payment.status,
                })
            })
            .collect();
        let result = json!({
            "id": id,
            "status": status(session, &payments, cancelled),
            "reference": session.reference,
            "payments": list,
        });
        let token = ids::opaque();
        let session = self.checkouts.get_mut(id)?;
        if session.results.len() >= RESULTS {
            session.results.remove(0);
        }
        session.results.push((token.clone(), result));
        Some(token)
    }
}
