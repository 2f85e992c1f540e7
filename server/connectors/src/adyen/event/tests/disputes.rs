//! Chargebacks: their stages, their parts, and the ids under which they are stored.

use super::*;

#[test]
fn a_part_of_a_dispute_is_an_event_of_its_own_and_a_repetition_is_not() {
    for (code, _) in DISPUTES {
        let one = item(code, true, attempt().as_str());
        let mut other = one.clone();
        other["amount"]["value"] = json!(300);
        assert_ne!(stored_id(&one), stored_id(&other), "{code}");
        assert_eq!(stored_id(&one), stored_id(&one.clone()), "{code}");
        let mut again = one.clone();
        again["reason"] = json!("told in other words");
        assert_eq!(stored_id(&one), stored_id(&again), "{code}");
    }
}

#[test]
fn parts_of_a_chargeback_that_come_back_one_by_one_are_added_up() {
    let part = |code: &str, amount: i64| {
        let mut event = item(code, true, attempt().as_str());
        event["amount"]["value"] = json!(amount);
        event
    };
    let (paid, taken) = (payment(true, attempt().as_str()), part("CHARGEBACK", 1000));
    let (one, other) = (part("CHARGEBACK_REVERSED", 300), part("CHARGEBACK_REVERSED", 500));
    assert_eq!(in_any_order(&[paid.clone(), taken.clone(), one.clone()]).disputes_lost(), 700);
    let all = [paid, taken, one.clone(), other.clone(), one.clone(), other];
    assert_eq!(in_any_order(&all).disputes_lost(), 200);
    let again = [&all[..], &[part("SECOND_CHARGEBACK", 300), part("SECOND_CHARGEBACK", 500)]].concat();
    assert_eq!(in_any_order(&again).disputes_lost(), 1000);
}

pub(super) const DISPUTES: &[(&str, DisputeState)] = &[
    ("REQUEST_FOR_INFORMATION", DisputeState::Inquiry),
    ("NOTIFICATION_OF_CHARGEBACK", DisputeState::Inquiry),
    ("CHARGEBACK", DisputeState::Open),
    ("DISPUTE_DEFENSE_PERIOD_ENDED", DisputeState::Lost),
    ("CHARGEBACK_REVERSED", DisputeState::Won),
    ("ISSUER_RESPONSE_TIMEFRAME_EXPIRED", DisputeState::Won),
    ("SECOND_CHARGEBACK", DisputeState::Lost),
    ("PREARBITRATION_WON", DisputeState::Won),
    ("PREARBITRATION_LOST", DisputeState::Lost),
    ("SCHEME_ARBITRATION_WON", DisputeState::Won),
    ("SCHEME_ARBITRATION_LOST", DisputeState::Lost),
];

#[test]
fn a_dispute_is_told_by_its_reference_and_its_place() {
    for (code, expected) in DISPUTES {
        let mut event = item(code, true, attempt().as_str());
        event["additionalData"]["defensePeriodEndsAt"] = json!("2027-01-15T09:00:00+01:00");
        let seen = read_item(&event);
        assert_eq!((seen.attempt, seen.observation.refs.payment.as_deref()), (Some(attempt()), Some("PAY")));
        let [News::Moved(Movement::Dispute { reference, amount, state, due, .. })] = &seen.observation.news[..] else {
            panic!("no dispute in {code}")
        };
        assert_eq!((reference.as_str(), *amount, state), ("OWN", 400, expected));
        assert_eq!(*due, Some(1_800_000_000_000));
        assert_eq!(self::seen(code, false, attempt().as_str()).news, vec![]);
    }
}

#[test]
fn a_defended_dispute_can_be_lost_in_the_end() {
    let told = |codes: &[&str]| {
        let all: Vec<_> = codes.iter().map(|code| seen(code, true, attempt().as_str())).collect();
        book_of(&all).charged_back()
    };
    assert_eq!(told(&["NOTIFICATION_OF_CHARGEBACK"]), 0);
    assert_eq!(told(&["NOTIFICATION_OF_CHARGEBACK", "CHARGEBACK"]), 400);
    assert_eq!(told(&["CHARGEBACK_REVERSED", "CHARGEBACK"]), 0);
    assert_eq!(told(&["SECOND_CHARGEBACK", "CHARGEBACK_REVERSED", "CHARGEBACK"]), 400);
    assert_eq!(told(&["PREARBITRATION_WON", "SECOND_CHARGEBACK"]), 0);
    assert_eq!(told(&["SCHEME_ARBITRATION_LOST", "PREARBITRATION_WON"]), 400);
}
