//! Payment links: create, get, update (Adyen API Explorer, Checkout API v72, Payment links).

use serde_json::Value;

use super::{
    checkouts::{self, Lifetime},
    error::ApiError,
    fields::Fields,
    ids,
    objects::{Checkout, Kind, Status},
    operation::Ctx,
};

const DAY: i64 = 24 * 3600;

/// The time for which a link can be paid.
const LIFETIME: Lifetime = Lifetime { default: DAY, longest: 70 * DAY };

/// The fields of a `PaymentLinkRequest`.
const FIELDS: &[&str] = &[
    "allowedPaymentMethods",
    "amount",
    "applicationInfo",
    "billingAddress",
    "blockedPaymentMethods",
    "captureDelayHours",
    "countryCode",
    "dateOfBirth",
    "deliverAt",
    "deliveryAddress",
    "description",
    "expiresAt",
    "fundOrigin",
    "fundRecipient",
    "installmentOptions",
    "lineItems",
    "manualCapture",
    "mcc",
    "merchantAccount",
    "merchantOrderReference",
    "metadata",
    "platformChargebackLogic",
    "recurringProcessingModel",
    "reference",
    "requiredShopperFields",
    "returnUrl",
    "reusable",
    "riskData",
    "shopperEmail",
    "shopperLocale",
    "shopperName",
    "shopperReference",
    "shopperStatement",
    "showRemovePaymentMethodButton",
    "socialSecurityNumber",
    "splitCardFundingSources",
    "splits",
    "store",
    "storePaymentMethodMode",
    "telephoneNumber",
    "themeId",
    "threeDS2RequestData",
];

/// `POST /paymentLinks`
pub fn create(ctx: &mut Ctx<'_>) -> Result<(u16, Value), ApiError> {
    let fields = Fields::read(ctx.body, "PaymentLinkRequest", FIELDS)?;
    let link = checkouts::read(ctx, fields, Kind::Link, ids::link(), &LIFETIME)?;
    let reply = link.wire(ctx.base);
    ctx.account.open_checkout(link);
    Ok((201, reply))
}

/// `GET /paymentLinks/{linkId}`
pub fn get(ctx: &mut Ctx<'_>) -> Result<(u16, Value), ApiError> {
    Ok((200, find(ctx)?.wire(ctx.base)))
}

/// `PATCH /paymentLinks/{linkId} {"status":"expired"}`
pub fn update(ctx: &mut Ctx<'_>) -> Result<(u16, Value), ApiError> {
    let fields = Fields::read(ctx.body, "UpdatePaymentLinkRequest", &["status"])?;
    let status = fields.required("status", 20)?;
    let current = find(ctx)?.status;
    if status != "expired" {
        return Err(ApiError::invalid("702", "The only status a payment link can be given is 'expired'."));
    }
    if current != Status::Active {
        return Err(ApiError::invalid("702", format!("A payment link that is {current} cannot be expired.")));
    }
    let id = ctx.id;
    ctx.account.close(id);
    get(ctx)
}

fn find<'a>(ctx: &'a Ctx<'_>) -> Result<&'a Checkout, ApiError> {
    let link = ctx.account.checkouts.get(ctx.id).filter(|checkout| checkout.kind == Kind::Link);
    link.ok_or_else(|| ApiError::not_found("Payment link not found"))
}
