//! Stripe's decline codes in Till's vocabulary (Stripe documentation, Decline codes and Error codes).

use domain::decline::{Decline, DeclineClass};

use super::object::PaymentError;

pub(super) fn decline(error: &PaymentError) -> Decline {
    let code = error.decline_code.as_deref().or(error.code.as_deref()).unwrap_or("unknown");
    Decline { class: class(code), code: code.chars().take(64).collect() }
}

fn class(code: &str) -> DeclineClass {
    match code {
        "insufficient_funds" | "withdrawal_count_limit_exceeded" | "card_velocity_exceeded" => {
            DeclineClass::InsufficientFunds
        }
        "try_again_later" | "processing_error" | "reenter_transaction" | "issuer_not_available" | "approve_with_id" => {
            DeclineClass::TryAgainLater
        }
        "incorrect_cvc"
        | "invalid_cvc"
        | "incorrect_number"
        | "invalid_number"
        | "invalid_expiry_month"
        | "invalid_expiry_year"
        | "incorrect_zip"
        | "incorrect_address"
        | "incorrect_pin"
        | "invalid_pin" => DeclineClass::DataError,
        "expired_card" => DeclineClass::ExpiredCard,
        "authentication_required" | "payment_intent_authentication_failure" | "authentication_not_handled" => {
            DeclineClass::AuthenticationRequired
        }
        "do_not_try_again"
        | "restricted_card"
        | "revocation_of_authorization"
        | "revocation_of_all_authorizations"
        | "stop_payment_order"
        | "invalid_account"
        | "new_account_information_available" => DeclineClass::DoNotRetry,
        "lost_card" | "stolen_card" | "pickup_card" | "fraudulent" | "merchant_blacklist" | "highest_risk_level"
        | "security_violation" => DeclineClass::SuspectedFraud,
        "payment_method_customer_decline" => DeclineClass::CancelledByPayer,
        "currency_not_supported"
        | "card_not_supported"
        | "testmode_decline"
        | "test_mode_live_card"
        | "live_mode_test_card"
        | "account_invalid"
        | "parameter_invalid_integer" => DeclineClass::ProviderError,
        _ => DeclineClass::Generic,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_more_specific_code_wins_and_unknown_codes_are_generic() {
        let error = |code: Option<&str>, decline_code: Option<&str>| PaymentError {
            code: code.map(str::to_owned),
            decline_code: decline_code.map(str::to_owned),
        };
        let funds = decline(&error(Some("card_declined"), Some("insufficient_funds")));
        assert_eq!((funds.class, funds.code.as_str()), (DeclineClass::InsufficientFunds, "insufficient_funds"));
        assert_eq!(decline(&error(Some("expired_card"), None)).class, DeclineClass::ExpiredCard);
        assert_eq!(decline(&error(Some("card_declined"), Some("a_new_one"))).class, DeclineClass::Generic);
        assert_eq!(decline(&error(None, None)).code, "unknown");
        assert_eq!(decline(&error(None, Some("stolen_card"))).class.shown(), DeclineClass::Generic);
    }
}
