//! What of the exchanges with Adyen may be written down (Adyen API reference, Checkout: Payment links, Modifications, error codes).
//! Not among it: the shopper and where to find them, cards, the addresses of pages, and what a merchant sells.

use crate::kept::Kept;

pub(super) const KEPT: Kept = Kept {
    headers: &["pspreference", "idempotency-key", "transient-error"],
    fields: &[
        // Objects, their references and their states.
        "id",
        "status",
        "reference",
        "pspReference",
        "paymentPspReference",
        "originalReference",
        "merchantReference",
        "merchantAccount",
        "metadata.till_attempt",
        "reusable",
        "expiresAt",
        "updatedAt",
        "captureDelayHours",
        "manualCapture",
        "allowedPaymentMethods",
        "shopperLocale",
        "resultCode",
        // Money.
        "amount.value",
        "amount.currency",
        "lineItems.quantity",
        "lineItems.amountIncludingTax",
        // What went wrong.
        "errorCode",
        "errorType",
        "refusalReason",
        "refusalReasonCode",
    ],
};
