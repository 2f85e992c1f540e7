//! Idempotency keys (Stripe API reference, Idempotent requests): a repetition within a day gets the reply of the first request.

use super::error::ApiError;
use crate::idempotency::{Limits, Unusable};

/// The limits of keys.
pub const LIMITS: Limits = Limits { retention_ms: 24 * 3600 * 1000, longest: 255 };

/// The error for a key that cannot be used for this path.
pub fn refusal(unusable: &Unusable, key: &str, path: &str) -> ApiError {
    match unusable {
        Unusable::Length => ApiError::invalid("Idempotency keys must be between 1 and 255 characters long."),
        Unusable::AnotherRequest => ApiError::idempotency(
            format!(
                "Keys for idempotent requests can only be used with the same parameters they were first used with. \
                 Try using a key other than '{key}' if you meant to execute a different request (now: {path})."
            ),
            400,
        ),
        Unusable::InProgress => ApiError::idempotency(
            format!(
                "There is currently another in-progress request using this Idempotent Key ({key}). \
                 Please try again later."
            ),
            409,
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_body_is_refused_and_a_running_request_conflicts() {
        let status = |unusable| refusal(&unusable, "k", "/v1/refunds").status;
        assert_eq!(status(Unusable::Length), 400);
        assert_eq!(status(Unusable::AnotherRequest), 400);
        assert_eq!(status(Unusable::InProgress), 409);
    }
}
