//! Adaptive pricing: the shopper is asked for a currency other than the merchant's (Stripe documentation, Adaptive Pricing).
//!
//! Readers on an API version before 2025-03-31 see the shopper's currency and amount instead of the merchant's. Later versions show the
//! merchant's amount and the shopper's beside it.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::version;

/// The account's adaptive pricing, for sessions that do not refuse it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pricing {
    /// The shopper's currency, lower-case ISO 4217.
    pub currency: String,
    /// The rate: thousandths of the shopper's currency for one of the merchant's.
    pub rate_permille: i64,
}

/// The currency and rate that a shopper is offered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Presented {
    /// Lower-case ISO 4217.
    pub currency: String,
    /// The rate: thousandths of the shopper's currency for one of the merchant's.
    pub rate_permille: i64,
}

impl Pricing {
    /// The offer for a price in the merchant's currency. `None` if both currencies are the same.
    pub fn present(&self, currency: &str) -> Option<Presented> {
        let Pricing { currency: local, rate_permille } = self.clone();
        (local != currency).then_some(Presented { currency: local, rate_permille })
    }
}

impl Presented {
    fn amount(&self, amount: i64) -> i64 {
        amount.saturating_mul(self.rate_permille) / 1000
    }

    /// Puts the offer into an object with these amounts, of which the first is the whole.
    pub fn show(&self, object: &mut Value, amounts: &[&str], version: &str) {
        let own = object["currency"].clone();
        let whole = object[amounts[0]].as_i64().unwrap_or_default();
        if !version::shows_releases(version) {
            object["presentment_details"] =
                json!({"presentment_amount": self.amount(whole), "presentment_currency": self.currency});
            return;
        }
        object["currency"] = self.currency.clone().into();
        for name in amounts {
            if let Some(amount) = object[*name].as_i64() {
                object[*name] = self.amount(amount).into();
            }
        }
        if object.get("currency_conversion").is_some() {
            let rate = format!("{}.{:03}", self.rate_permille / 1000, self.rate_permille % 1000);
            object["currency_conversion"] =
                json!({"amount_subtotal": whole, "amount_total": whole, "fx_rate": rate, "source_currency": own});
        }
    }
}
