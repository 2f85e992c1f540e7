//! The amounts on a page beside the order's total.

use serde::{Deserialize, Serialize};

use super::phase::net;
use crate::money::Money;
use crate::payment::Payment;

/// The amounts of a payment, as its shopper should read them. Each amount is shown only in phases whose words name it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Figures {
    /// The amount received, less surplus that was refunded.
    pub received: Money,
    /// The amount of the order that was refunded. For a payment that the merchant called off, all refunds.
    pub refunded: Money,
    /// The amount that banks took back.
    pub returned: Money,
    /// The amount beyond the order that the merchant has and keeps.
    pub kept: Money,
    /// The amount that the merchant takes for the order: less than the total if the merchant settled for a part.
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
            returned: money(payment.taken_back()),
            kept: money(beyond.clamp(0, payment.kept())),
            wanted: money(payment.wanted()),
        }
    }
}
