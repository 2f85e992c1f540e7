//! Captures, cancels, refunds, reversals. Each is only acknowledged, and a notification reports its result (Adyen API Explorer, Checkout
//! API v72, Modifications).

use serde_json::{Value, json};

use super::{
    checkouts::{self, REFERENCE},
    error::ApiError,
    fields::Fields,
    ids,
    objects::{Action, Modification},
    operation::Ctx,
    results,
    state::Timer,
};

const WITH_AMOUNT: &[&str] = &[
    "amount",
    "applicationInfo",
    "capturePspReference",
    "enhancedSchemeData",
    "lineItems",
    "merchantAccount",
    "merchantRefundReason",
    "platformChargebackLogic",
    "reference",
    "splits",
    "store",
    "subMerchants",
];
const WITHOUT_AMOUNT: &[&str] = &["applicationInfo", "enhancedSchemeData", "merchantAccount", "reference"];
const BY_REFERENCE: &[&str] =
    &["applicationInfo", "enhancedSchemeData", "merchantAccount", "paymentReference", "reference"];

/// `POST /payments/{paymentPspReference}/captures`
pub fn capture(ctx: &mut Ctx<'_>) -> Result<(u16, Value), ApiError> {
    let fields = Fields::read(ctx.body, "PaymentCaptureRequest", WITH_AMOUNT)?;
    let psp = ctx.id.to_owned();
    receive(ctx, &fields, Action::Capture, psp)
}

/// `POST /payments/{paymentPspReference}/refunds`
pub fn refund(ctx: &mut Ctx<'_>) -> Result<(u16, Value), ApiError> {
    let fields = Fields::read(ctx.body, "PaymentRefundRequest", WITH_AMOUNT)?;
    let psp = ctx.id.to_owned();
    receive(ctx, &fields, Action::Refund, psp)
}

/// `POST /payments/{paymentPspReference}/cancels`
pub fn cancel(ctx: &mut Ctx<'_>) -> Result<(u16, Value), ApiError> {
    let fields = Fields::read(ctx.body, "PaymentCancelRequest", WITHOUT_AMOUNT)?;
    let psp = ctx.id.to_owned();
    receive(ctx, &fields, Action::Cancel, psp)
}

/// `POST /payments/{paymentPspReference}/reversals`
pub fn reversal(ctx: &mut Ctx<'_>) -> Result<(u16, Value), ApiError> {
    let fields = Fields::read(ctx.body, "PaymentReversalRequest", WITHOUT_AMOUNT)?;
    let psp = ctx.id.to_owned();
    receive(ctx, &fields, Action::Reversal, psp)
}

/// `POST /cancels`: the newest payment with the merchant's own reference.
pub fn cancel_by_reference(ctx: &mut Ctx<'_>) -> Result<(u16, Value), ApiError> {
    let fields = Fields::read(ctx.body, "StandalonePaymentCancelRequest", BY_REFERENCE)?;
    let reference = fields.required("paymentReference", REFERENCE)?;
    let payment = ctx.account.payments.newest().find(|payment| payment.reference == reference);
    let psp = payment.map(|payment| payment.psp.clone()).ok_or_else(ApiError::no_payment)?;
    let (status, mut reply) = receive(ctx, &fields, Action::Cancel, psp)?;
    reply["paymentReference"] = reference.into();
    if let Some(reply) = reply.as_object_mut() {
        reply.remove("paymentPspReference");
    }
    Ok((status, reply))
}

/// Records a modification. A timer carries it out.
fn receive(ctx: &mut Ctx<'_>, fields: &Fields, action: Action, psp: String) -> Result<(u16, Value), ApiError> {
    let merchant_account = checkouts::merchant_account(ctx.account, fields)?;
    let reference = fields.text("reference", REFERENCE)?;
    let amount = match action {
        Action::Capture | Action::Refund => Some(fields.amount()?),
        Action::Cancel | Action::Reversal => None,
    };
    let Some(payment) = ctx.account.payments.get(&psp) else {
        return Err(ApiError::no_payment());
    };
    if amount.as_ref().is_some_and(|(_, currency)| *currency != payment.currency) {
        return Err(ApiError::invalid("138", "The currency is not the one of the payment."));
    }
    let modification = Modification {
        psp: ids::psp(),
        payment: psp,
        action,
        amount: amount.as_ref().map(|(value, _)| *value),
        reference,
        success: None,
        moved: 0,
        created: ctx.now_ms / 1000,
    };
    let mut reply = json!({
        "merchantAccount": merchant_account,
        "paymentPspReference": modification.payment,
        "pspReference": modification.psp,
        "status": "received",
    });
    if let Some(reference) = &modification.reference {
        reply["reference"] = reference.clone().into();
    }
    if let Some((value, currency)) = amount {
        reply["amount"] = json!({"currency": currency, "value": value});
    }
    if let Some(reason) = fields.get("merchantRefundReason").filter(|_| action == Action::Refund) {
        reply["merchantRefundReason"] = reason.clone();
    }
    let psp = modification.psp.clone();
    ctx.account.modifications.insert(modification);
    if ctx.account.hastens(results::code(action)) {
        // Its notice must come before this reply, so the modification is carried out at once.
        ctx.account.finish_modification(&psp, ctx.now_ms, ctx.now_ms);
    } else {
        let common = &mut ctx.account.common;
        common.timers.insert((ctx.now_ms + i64::from(common.rules.own.modification_ms), Timer::Modify(psp)));
    }
    Ok((201, reply))
}
