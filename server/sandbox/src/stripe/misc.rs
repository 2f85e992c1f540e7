//! The account, its balance and its balance transactions, as far as payments need them.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{
    error::ApiError,
    objects::{
        charge::{Charge, ChargeStatus, tail},
        refund::Refund,
    },
    operation::Ctx,
    params::Params,
    state::Account,
};

/// `GET /v1/account`
pub fn account(ctx: &mut Ctx<'_>, params: Params) -> Result<Value, ApiError> {
    params.finish()?;
    Ok(json!({
        "id": ctx.account.common.id, "object": "account", "business_profile": {"name": "Demo shop", "url": null, "mcc": null},
        "business_type": "company", "capabilities": {"card_payments": "active", "us_bank_account_ach_payments": "active", "transfers": "active"},
        "charges_enabled": true, "country": "US", "created": ctx.account.created, "default_currency": "usd",
        "details_submitted": true, "email": null, "metadata": {}, "payouts_enabled": true,
        "settings": {"dashboard": {"display_name": "Demo shop", "timezone": "Etc/UTC"}}, "type": "standard",
    }))
}

/// `GET /v1/balance`: all money counts as available at once.
pub fn balance(ctx: &mut Ctx<'_>, params: Params) -> Result<Value, ApiError> {
    params.finish()?;
    let mut sums = BTreeMap::<&str, i64>::new();
    for charge in ctx.account.charges.oldest().filter(|charge| charge.status == ChargeStatus::Succeeded) {
        *sums.entry(&charge.currency).or_default() += charge.captured - charge.refunded - fee_minor(charge.captured);
    }
    if sums.is_empty() {
        sums.insert("usd", 0);
    }
    let rows: Vec<Value> = sums
        .iter()
        .map(|(currency, amount)| json!({"amount": amount, "currency": currency, "source_types": {"card": amount}}))
        .collect();
    let nothing: Vec<Value> =
        sums.keys().map(|currency| json!({"amount": 0, "currency": currency, "source_types": {"card": 0}})).collect();
    Ok(json!({"object": "balance", "available": rows, "livemode": false, "pending": nothing}))
}

/// `GET /v1/balance_transactions/:id`
pub fn balance_transaction(ctx: &mut Ctx<'_>, params: Params) -> Result<Value, ApiError> {
    params.finish()?;
    transaction(ctx.account, ctx.id).ok_or_else(|| ApiError::no_such("balance_transaction", ctx.id, "id"))
}

/// The balance transaction of a charge or refund. It is derived from that object and not stored.
pub fn transaction(account: &Account, id: &str) -> Option<Value> {
    let tail = tail(id);
    let charge = ["ch_", "py_"].iter().find_map(|prefix| account.charges.get(&format!("{prefix}{tail}")));
    if let Some(charge) = charge.filter(|charge| charge.transaction().is_some()) {
        return Some(of_charge(charge));
    }
    account.refunds.get(&format!("re_{tail}")).filter(|refund| refund.transaction().is_some()).map(of_refund)
}

/// The simulated fee of a payment: 1.5 % and 25 minor units, never more than the payment.
fn fee_minor(amount: i64) -> i64 {
    if amount <= 0 { 0 } else { (amount * 15 / 1000 + 25).min(amount) }
}

fn of_charge(charge: &Charge) -> Value {
    let fee = fee_minor(charge.captured);
    let kind = if charge.method == "card" { "charge" } else { "payment" };
    let details = json!([{"amount": fee, "application": null, "currency": charge.currency, "description": "Processing fees", "type": "stripe_fee"}]);
    row(&charge.id, charge.created, &charge.currency, charge.captured, (fee, details), (kind, "charge"))
}

fn of_refund(refund: &Refund) -> Value {
    let kind = if refund.method == "card" { "refund" } else { "payment_refund" };
    row(&refund.id, refund.created, &refund.currency, -refund.amount, (0, json!([])), (kind, "refund"))
}

fn row(
    source: &str,
    created: i64,
    currency: &str,
    amount: i64,
    (fee, details): (i64, Value),
    (kind, category): (&str, &str),
) -> Value {
    json!({
        "id": format!("txn_{}", tail(source)), "object": "balance_transaction", "amount": amount, "available_on": created,
        "balance_type": "payments", "created": created, "currency": currency, "description": null,
        "exchange_rate": null, "fee": fee, "fee_details": details, "net": amount - fee,
        "reporting_category": category, "source": source, "status": "available", "type": kind,
    })
}
