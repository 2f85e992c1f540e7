//! The amounts that a page speaks of beside the order's total.

use serde::{Deserialize, Serialize};

use super::phase::net;
use crate::money::Money;
use crate::payment::Payment;

/// Amounts of a payment, as its shopper should read them. Each is shown only where the phase's words name it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Figures {
    /// The amount that has arrived, less what was paid too much and went back.
    pub received: Money,
    /// The amount refunded of the order; all that was refunded, if the merchant had called the payment off.
    pub refunded: Money,
    /// The amount that banks took back.
    pub returned: Money,
    /// The amount beyond the order that the merchant has and keeps.
    pub kept: Money,
    /// The amount that the merchant takes for the order: less than its total, if the merchant left it at a part.
    pub wanted: Money,
}

impl Figures {
    /// The amounts of a payment.
    #[must_use]
    pub fn of(payment: &Payment) -> Figures {
        let money = |minor| Money::new(minor, payment.amount.currency);
        let totals = payment.totals();
        let order = (payment.arrived(), payment.refunded_of_order());
        let (received, refunded) = if payment.canceled { (totals.captured, totals.refunded) } else { order };
        let beyond = net(payment).saturating_sub(payment.amount.minor);
        Figures {
            received: money(received),
            refunded: money(refunded),
            returned: money(totals.returned),
            kept: money(beyond.clamp(0, payment.kept())),
            wanted: money(payment.wanted()),
        }
    }
}
