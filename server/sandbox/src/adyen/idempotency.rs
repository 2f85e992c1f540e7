//! Idempotency keys (Adyen, API idempotency): a repetition within 31 days gets the reply of the first request.

use super::error::ApiError;
use crate::{
    api::Refusal,
    idempotency::{Limits, Unusable},
};

/// The limits of keys.
pub const LIMITS: Limits = Limits { retention_ms: 31 * 24 * 3600 * 1000, longest: 64 };

/// The error for a key that cannot be used.
pub fn refusal(unusable: &Unusable) -> ApiError {
    match unusable {
        Unusable::Length => ApiError::invalid("702", "The idempotency key must have 1 to 64 characters."),
        Unusable::AnotherRequest => {
            ApiError::invalid("702", "The idempotency key was used before with another request.")
        }
        Unusable::InProgress => ApiError::in_progress(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_body_is_refused_and_a_running_request_conflicts() {
        assert_eq!(refusal(&Unusable::Length).status, 422);
        assert_eq!(refusal(&Unusable::AnotherRequest).status, 422);
        let running = refusal(&Unusable::InProgress);
        assert!(running.status == 409 && running.transient && running.body("")["errorCode"] == "704");
    }
}
