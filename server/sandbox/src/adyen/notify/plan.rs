//! The item of a delivery, with the changes that faults and switches make to it.

use serde_json::Value;

use super::Notice;
use crate::control::faults::Plan;

/// A key that no endpoint has, for signatures that must not be accepted.
const WRONG_KEY: &str = "5A4E44424F58A40C9DE1B7036F2805C71B8E3D96720FA4C5536B19E8D07C2F4A";

/// A merchant account that does not exist, for notices about another merchant.
const ANOTHER_ACCOUNT: &str = "SandboxSomebodyElse";

/// The item to send. Changed values are signed like true ones, while the notice itself keeps the true values. An amount of zero stays zero.
pub fn told(notice: &Notice, plan: &Plan, hmac_key: &str) -> Value {
    let mut told = notice.clone();
    if told.amount != 0 {
        told.amount = told.amount.saturating_add(plan.amount_delta).max(0);
    }
    if plan.another_account {
        ANOTHER_ACCOUNT.clone_into(&mut told.merchant_account);
    }
    told.unheard_of |= plan.unknown_value;
    let mut item = told.wire(if plan.wrong_key { WRONG_KEY } else { hmac_key });
    if plan.tampered {
        item["amount"]["value"] = told.amount.saturating_add(1).into();
    }
    if plan.unsigned
        && let Some(additional) = item["additionalData"].as_object_mut()
    {
        additional.remove("hmacSignature");
    }
    item
}
