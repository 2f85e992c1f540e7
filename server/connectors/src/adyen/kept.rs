//! The fields of exchanges with Adyen that may be logged (Adyen API reference, Checkout: Payment links, Modifications, error codes). The
//! list leaves out the shopper's name and contacts, cards, the addresses of pages, and the goods that a merchant sells.

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
        // Errors.
        "errorCode",
        "errorType",
        "refusalReason",
        "refusalReasonCode",
    ],
};
