//! Raises alerts about facts that were refused because their consequences break a rule that protects money.

use domain::id::PaymentId;
use domain::payment::Refusal;

use crate::context::Context;
use crate::error::Error;

/// The kind of the alert. Its subject is the payment.
pub(crate) const PAYMENT_BREACH: &str = "payment_breach";

/// Whether a fact was refused because a rule would be broken.
pub(crate) fn is_breach(error: &Error) -> bool {
    matches!(error, Error::Refused(Refusal::Breach(_)))
}

/// The alert's text.
pub(crate) fn advice(payment: &PaymentId, from: &str, error: &Error) -> String {
    format!(
        "payment {payment} refused what came from the {from}; {error}; nothing was changed; compare `till payment show {payment}` with \
         the provider's own list, and report it as a bug of Till"
    )
}

/// Passes a result on. A breach raises an alert first; the caller's transaction must be over.
pub(crate) async fn tell_breach<T>(
    context: &Context,
    payment: &PaymentId,
    from: &str,
    result: Result<T, Error>,
) -> Result<T, Error> {
    if let Err(error) = &result
        && is_breach(error)
    {
        context.alert(PAYMENT_BREACH, payment.as_str(), &advice(payment, from, error)).await;
    }
    result
}
