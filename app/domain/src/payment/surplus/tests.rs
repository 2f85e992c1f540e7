//! Tests with a debt of 10.00: attempt 1 is owed, attempt 2 succeeds although no debt is left.

use crate::checkout::{Phase, phase};
use crate::id::{AttemptId, MerchantId, ModificationId, OrderId, PaymentId, SessionId, Token};
use crate::money::Money;
use crate::payment::decide::tests::{after, attempt, captured, id, opened, seen, walk};
use crate::payment::*;
use crate::session::{Session, SessionState};

fn refund(reference: &str, amount: i64, state: EntryState) -> News {
    News::Moved(Movement::Refund { reference: reference.into(), amount, state })
}

fn refunded(number: u8, reference: &str, amount: i64) -> Fact {
    seen(number, refund(reference, amount, EntryState::Succeeded))
}

fn took(number: u8, total: i64) -> Fact {
    seen(number, News::Moved(Movement::Captured { total }))
}

/// A payment with two attempts, of which the first was paid.
fn paid() -> Payment {
    let closed = seen(1, News::Closed(CloseReason::Expired));
    after(&[Fact::Start(Box::new(attempt(1))), opened(1), closed, Fact::Start(Box::new(attempt(2))), captured(1)])
}

fn with(facts: &[Fact]) -> Payment {
    let mut payment = paid();
    for fact in facts {
        payment.handle(fact).unwrap();
    }
    payment
}

fn page(payment: &Payment) -> Phase {
    let session = Session {
        id: SessionId::from_random([4; 16]),
        token: Token::from_random([2; 16]),
        merchant: MerchantId::from_random([2; 16]),
        order: OrderId::from_random([4; 16]),
        payment: PaymentId::from_random([1; 16]),
        state: SessionState::Complete,
        notice: None,
        created: 0,
        expires: crate::HOUR,
        extension: 0,
    };
    phase(&session, payment, false, 1)
}

fn back(payment: &Payment) -> Option<(AttemptId, i64)> {
    payment.wanted_back().map(|(attempt, kind)| match kind {
        ModificationKind::Refund { amount } => (attempt.id.clone(), amount),
        other => panic!("{other:?}"),
    })
}

#[test]
fn a_second_payment_goes_back_although_the_order_was_refunded_before_it() {
    let payment = with(&[refunded(1, "re_1", 1000), captured(2)]);
    assert_eq!((payment.surplus(), back(&payment)), (1000, Some((id(2), 1000))));
    assert_eq!(page(&payment), Phase::Overpaid, "until it has gone back");
    let payment = with(&[refunded(1, "re_1", 1000), captured(2), refunded(2, "re_2", 1000)]);
    assert_eq!((payment.surplus(), back(&payment), page(&payment)), (0, None, Phase::Refunded));
    let flags = payment.flags();
    assert!(flags.refunded && !flags.partially_refunded && flags.second_success);
}

#[test]
fn the_order_of_refund_and_second_payment_makes_no_difference() {
    let before = with(&[refunded(1, "re_1", 1000), captured(2)]);
    let after = with(&[captured(2), refunded(1, "re_1", 1000)]);
    assert_eq!((before.surplus(), back(&before)), (after.surplus(), back(&after)));
}

#[test]
fn a_part_refunded_of_the_order_takes_nothing_from_a_second_payment() {
    let payment = with(&[refunded(1, "re_1", 400), captured(2)]);
    assert_eq!((payment.surplus(), back(&payment)), (1000, Some((id(2), 1000))));
    let payment = with(&[refunded(1, "re_1", 400), captured(2), refunded(2, "re_2", 1000)]);
    assert_eq!((payment.surplus(), page(&payment)), (0, Phase::PartlyRefunded));
    assert_eq!((payment.refunded_of_order(), payment.arrived()), (400, 1000), "the page names the order's part");
}

#[test]
fn a_second_payment_that_was_sent_back_leaves_the_order_paid() {
    let payment = with(&[captured(2), refunded(2, "re_2", 1000)]);
    assert_eq!((payment.surplus(), page(&payment)), (0, Phase::Paid));
    assert!(!payment.flags().refunded && !payment.flags().partially_refunded);
    let pending = with(&[captured(2), seen(2, refund("re_2", 1000, EntryState::Pending))]);
    assert_eq!((pending.surplus(), back(&pending), page(&pending)), (0, None, Phase::Overpaid), "it is on its way");
}

#[test]
fn disputes_and_returns_of_the_order_take_nothing_from_a_second_payment() {
    let taken = Movement::Returned { reference: "du".into(), amount: 1000 };
    let lost = |state| Movement::Dispute {
        reference: "dp".into(),
        amount: 1000,
        state,
        at: 1,
        due: None,
        part: false,
        dated: None,
    };
    for movement in [taken, lost(DisputeState::Open), lost(DisputeState::Lost)] {
        let payment = with(&[captured(2), seen(1, News::Moved(movement.clone()))]);
        assert_eq!((payment.surplus(), back(&payment)), (1000, Some((id(2), 1000))), "{movement:?}");
    }
    let returned = Movement::Returned { reference: "du".into(), amount: 1000 };
    let payment = with(&[captured(2), seen(2, News::Moved(returned))]);
    assert_eq!((payment.surplus(), page(&payment)), (0, Phase::Paid), "the bank took the second payment back");
}

#[test]
fn what_is_kept_is_kept_of_the_attempt_it_came_from() {
    let mut payment = with(&[refunded(1, "re_1", 1000), captured(2)]);
    let kept = Event::Kept { attempt: id(2), amount: 1000 };
    assert_eq!(payment.handle(&Fact::Keep), Ok(vec![kept]));
    assert_eq!((payment.surplus(), payment.kept(), payment.handle(&Fact::Keep)), (0, 1000, Ok(vec![])));
    assert_eq!(page(&payment), Phase::Paid, "it stands in for what was refunded");
    payment.handle(&refunded(2, "re_2", 300)).unwrap();
    assert_eq!((payment.surplus(), back(&payment)), (0, None), "what is refunded of kept money was not too much");
    assert_eq!(page(&payment), Phase::PartlyRefunded);
    let still_kept = |payment: &Payment| payment.claims().map(|claim| claim.still_kept()).collect::<Vec<_>>();
    assert_eq!(still_kept(&payment), [0, 700], "what has gone back is not kept any more");
    payment.handle(&refunded(2, "re_3", 700)).unwrap();
    assert_eq!(still_kept(&payment), [0, 0]);
}

#[test]
fn what_is_being_sent_back_is_not_kept() {
    let mut payment = with(&[captured(2), seen(2, refund("re_2", 400, EntryState::Pending))]);
    assert_eq!(payment.handle(&Fact::Keep), Ok(vec![Event::Kept { attempt: id(2), amount: 600 }]));
    payment.handle(&seen(2, refund("re_2", 400, EntryState::Failed))).unwrap();
    assert_eq!((payment.surplus(), back(&payment)), (400, Some((id(2), 400))), "it failed, so it is too much again");
}

#[test]
fn a_second_payment_is_owed_once_the_first_has_come_to_nothing() {
    let failed = Movement::Capture { reference: "c1".into(), amount: 1000, state: EntryState::Failed };
    let payment = with(&[captured(2), seen(1, News::Moved(failed))]);
    assert_eq!((payment.totals().captured, payment.surplus(), back(&payment)), (1000, 0, None));
    assert_eq!(page(&payment), Phase::Paid);
}

#[test]
fn more_than_the_debt_on_one_attempt_is_surplus_until_as_much_has_gone_back() {
    let payment = with(&[took(1, 1300)]);
    assert_eq!((payment.surplus(), back(&payment), page(&payment)), (300, Some((id(1), 300)), Phase::Overpaid));
    let payment = with(&[took(1, 1300), refunded(1, "re_1", 500)]);
    assert_eq!((payment.surplus(), payment.refunded_of_order(), page(&payment)), (0, 200, Phase::PartlyRefunded));
}

#[test]
fn a_payment_called_off_owes_nothing_and_all_of_it_goes_back() {
    let mut payment = after(&[Fact::Start(Box::new(attempt(1))), opened(1)]);
    payment.handle(&Fact::Cancel).unwrap();
    payment.handle(&captured(1)).unwrap();
    assert_eq!((payment.surplus(), back(&payment)), (1000, Some((id(1), 1000))));
    payment.handle(&refunded(1, "re_1", 1000)).unwrap();
    assert_eq!((payment.surplus(), page(&payment)), (0, Phase::Refunded));
}

#[test]
fn more_refunded_than_captured_is_overdrawn() {
    let mut payment = after(&[Fact::Start(Box::new(attempt(1))), opened(1)]);
    payment.handle(&refunded(1, "re_1", 1000)).unwrap();
    assert_eq!((payment.attempts[0].overdrawn(), payment.surplus()), (1000, 0));
    payment.handle(&captured(1)).unwrap();
    assert_eq!(payment.attempts[0].overdrawn(), 0, "the capture was only told later");
    let dispute = Movement::Dispute {
        reference: "dp".into(),
        amount: 1000,
        state: DisputeState::Open,
        at: 1,
        due: None,
        part: false,
        dated: None,
    };
    payment.handle(&seen(1, News::Moved(dispute))).unwrap();
    assert_eq!(payment.attempts[0].overdrawn(), 1000, "refunded and charged back");
}

/// A payment of 24.50 with capture by the merchant and two attempts whose pages are closed. The first attempt is authorised.
fn to_capture() -> Payment {
    let mut payment = paid();
    payment.attempts.clear();
    (payment.amount, payment.capture) = (Money::new(2450, payment.amount.currency), Capture::Manual);
    for number in [1, 2] {
        let mut new = attempt(number);
        new.amount = payment.amount;
        payment.handle(&Fact::Start(Box::new(new))).unwrap();
        payment.handle(&seen_of(number, News::Closed(CloseReason::Expired))).unwrap();
    }
    payment.handle(&seen_of(1, News::Moved(Movement::Authorised { total: 2450 }))).unwrap();
    payment
}

fn seen_of(number: u8, news: News) -> Fact {
    let Fact::Observed { attempt, mut observation } = seen(number, news) else { unreachable!() };
    observation.debt = observation.debt.map(|debt| Money::new(2450, debt.currency));
    Fact::Observed { attempt, observation }
}

fn money_of(number: u8, movement: Movement) -> Fact {
    seen_of(number, News::Moved(movement))
}

/// A capture by the merchant, accepted by the provider and reported as an entry of its own.
fn capture(payment: &mut Payment, number: u8, amount: i64, last: bool, state: EntryState) {
    let modification = ModificationId::from_random([number * 10 + u8::from(last); 16]);
    let new = Modification::new(modification.clone(), ModificationKind::Capture { amount, last }, 0);
    let limits = Limits { partial_capture: true, multi_capture: true, partial_refund: true };
    payment.handle(&Fact::Modify { attempt: id(number), modification: Box::new(new), limits }).unwrap();
    let reference = format!("C{number}{last}");
    let answer = Answer::Accepted { reference: Some(reference.clone()) };
    payment.handle(&Fact::Answered { attempt: id(number), modification, answer }).unwrap();
    payment.handle(&money_of(number, Movement::Capture { reference, amount, state })).unwrap();
}

fn paid_by_second(payment: &mut Payment) {
    payment.handle(&money_of(2, Movement::Captured { total: 2450 })).unwrap();
}

#[test]
fn a_merchant_who_takes_less_has_settled_and_a_second_payment_is_too_much_wholly() {
    let mut payment = to_capture();
    capture(&mut payment, 1, 1000, true, EntryState::Succeeded);
    assert_eq!((payment.surplus(), page(&payment)), (0, Phase::PartlyCollected));
    paid_by_second(&mut payment);
    // 34.50 were captured; the merchant wanted 10.00.
    assert_eq!((payment.surplus(), back(&payment)), (2450, Some((id(2), 2450))));
    assert_eq!((payment.taken_for_order(), payment.outstanding(), page(&payment)), (1000, 2450, Phase::Overpaid));
    payment.handle(&money_of(2, refund_movement("re_2", 2450))).unwrap();
    assert_eq!((payment.surplus(), payment.refunded_of_order(), payment.arrived()), (0, 0, 1000));
    assert_eq!((back(&payment), page(&payment)), (None, Phase::PartlyCollected));
    assert!(!payment.flags().refunded && !payment.flags().partially_refunded);
}

fn refund_movement(reference: &str, amount: i64) -> Movement {
    Movement::Refund { reference: reference.into(), amount, state: EntryState::Succeeded }
}

#[test]
fn what_was_released_after_a_part_was_taken_is_not_owed_whoever_took_it() {
    // Captured at the provider, where the rest of the authorisation is released.
    let mut payment = to_capture();
    payment.handle(&money_of(1, Movement::Captured { total: 1000 })).unwrap();
    payment.handle(&money_of(1, Movement::Voided)).unwrap();
    paid_by_second(&mut payment);
    assert_eq!((payment.surplus(), back(&payment)), (2450, Some((id(2), 2450))));
}

#[test]
fn two_parts_of_which_the_second_is_too_much_are_overpaid_although_they_are_less_than_the_debt() {
    let mut payment = to_capture();
    capture(&mut payment, 1, 1000, true, EntryState::Succeeded);
    payment.handle(&money_of(2, Movement::Authorised { total: 2450 })).unwrap();
    capture(&mut payment, 2, 700, true, EntryState::Succeeded);
    assert_eq!((payment.surplus(), back(&payment)), (700, Some((id(2), 700))));
    assert_eq!((page(&payment), payment.flags().overpaid), (Phase::Overpaid, true));
}

#[test]
fn where_more_captures_may_come_the_rest_is_not_settled_and_nobody_can_pay_it() {
    let mut payment = to_capture();
    capture(&mut payment, 1, 1000, false, EntryState::Succeeded);
    let mut third = attempt(3);
    third.amount = payment.amount;
    assert_eq!(payment.handle(&Fact::Start(Box::new(third))), Err(Refusal::Settled));
    assert!(!page(&payment).can_choose());
    paid_by_second(&mut payment);
    assert_eq!(payment.surplus(), 1000, "14.50 are still open");
    // The second payment is surplus as a whole, whether the merchant takes no more or takes the rest.
    for (amount, owed) in [(500, 1500), (1450, 2450)] {
        let mut payment = payment.clone();
        capture(&mut payment, 1, amount, true, EntryState::Succeeded);
        assert_eq!((payment.taken_for_order(), payment.surplus(), back(&payment)), (owed, 2450, Some((id(2), 2450))));
    }
    payment.handle(&money_of(1, Movement::Voided)).unwrap();
    assert_eq!((payment.taken_for_order(), payment.surplus()), (1000, 2450), "the rest was released");
}

#[test]
fn a_last_capture_that_fails_settles_nothing() {
    let mut payment = to_capture();
    capture(&mut payment, 1, 1000, true, EntryState::Succeeded);
    paid_by_second(&mut payment);
    let failed = Movement::Capture { reference: "C1true".into(), amount: 1000, state: EntryState::Failed };
    payment.handle(&money_of(1, failed)).unwrap();
    assert_eq!((payment.taken_for_order(), payment.surplus()), (2450, 0));
    assert_eq!(payment.wanted_back().map(|(one, kind)| (one.id.clone(), kind)), Some((id(1), ModificationKind::Void)));
}

#[test]
fn less_than_the_debt_without_a_merchant_who_chose_it_leaves_the_rest_due() {
    let mut payment = to_capture();
    payment.capture = Capture::Automatic;
    payment.handle(&money_of(1, Movement::Captured { total: 1000 })).unwrap();
    payment.handle(&money_of(1, Movement::Voided)).unwrap();
    paid_by_second(&mut payment);
    assert_eq!((payment.taken_for_order(), payment.surplus()), (2450, 1000));
}

#[test]
fn a_merchant_who_captures_less_after_the_capture_at_once_failed_has_settled_too() {
    let mut payment = to_capture();
    payment.capture = Capture::Automatic;
    payment.handle(&money_of(1, Movement::Captured { total: 2450 })).unwrap();
    let failed = Movement::Capture { reference: "C0".into(), amount: 2450, state: EntryState::Failed };
    payment.handle(&money_of(1, failed)).unwrap();
    capture(&mut payment, 1, 1000, true, EntryState::Succeeded);
    paid_by_second(&mut payment);
    assert_eq!((payment.taken_for_order(), payment.surplus(), back(&payment)), (1000, 2450, Some((id(2), 2450))));
}

#[test]
fn of_two_authorisations_the_one_that_is_captured_first_pays_the_debt() {
    let mut payment = to_capture();
    payment.handle(&money_of(2, Movement::Authorised { total: 2450 })).unwrap();
    assert_eq!(payment.wanted_back().map(|(one, kind)| (one.id.clone(), kind)), Some((id(2), ModificationKind::Void)));
    capture(&mut payment, 2, 2450, true, EntryState::Succeeded);
    assert!(payment.attempts[0].second && !payment.attempts[1].second);
    assert_eq!((payment.taken_for_order(), payment.surplus(), page(&payment)), (2450, 0, Phase::Paid));
    assert_eq!(payment.wanted_back().map(|(one, kind)| (one.id.clone(), kind)), Some((id(1), ModificationKind::Void)));
    // The first attempt is captured all the same. Its money goes back, not that of the attempt that paid.
    payment.handle(&money_of(1, Movement::Captured { total: 2450 })).unwrap();
    assert_eq!((payment.surplus(), back(&payment)), (2450, Some((id(1), 2450))));
}

#[test]
fn a_part_captured_first_of_the_second_authorisation_settles_the_debt() {
    let mut payment = to_capture();
    payment.handle(&money_of(2, Movement::Authorised { total: 2450 })).unwrap();
    capture(&mut payment, 2, 1000, true, EntryState::Succeeded);
    assert_eq!((payment.taken_for_order(), payment.surplus()), (1000, 0));
    payment.handle(&money_of(1, Movement::Captured { total: 2450 })).unwrap();
    assert_eq!((payment.surplus(), back(&payment)), (2450, Some((id(1), 2450))));
}

#[test]
fn a_capture_that_falls_back_leaves_the_debt_to_the_one_that_is_captured() {
    let mut payment = to_capture();
    payment.handle(&money_of(2, Movement::Authorised { total: 2450 })).unwrap();
    capture(&mut payment, 1, 2450, true, EntryState::Succeeded);
    capture(&mut payment, 2, 2450, true, EntryState::Succeeded);
    assert_eq!(back(&payment), Some((id(2), 2450)));
    let sent_back = {
        let mut payment = payment.clone();
        payment.handle(&money_of(2, refund_movement("re_2", 2450))).unwrap();
        payment
    };
    for (mut payment, owed) in [(payment, id(2)), (sent_back, id(1))] {
        let failed = Movement::Capture { reference: "C1true".into(), amount: 2450, state: EntryState::Failed };
        payment.handle(&money_of(1, failed)).unwrap();
        let first: Vec<_> = payment.attempts.iter().filter(|one| !one.second).map(|one| one.id.clone()).collect();
        assert_eq!(first, vec![owed], "money that has gone back pays nothing");
    }
}

/// The debt, or the amount captured up to the merchant's last capture.
fn owed(payment: &Payment) -> i64 {
    let mut turn: Vec<&Attempt> = payment.attempts.iter().collect();
    turn.sort_by_key(|attempt| attempt.second);
    let last = turn.iter().position(|attempt| attempt.is_captured_finally());
    let taken = |last: usize| turn[..=last].iter().map(|attempt| attempt.book.captured_net()).sum();
    last.map_or(payment.debt(), |last| payment.debt().min(taken(last)))
}

/// The excess of each attempt, counted the other way round: it is taken off the attempts from the last to the first, until the debt is
/// left.
fn excess_of_each(payment: &Payment) -> Vec<(AttemptId, i64)> {
    let captured = payment.totals().captured;
    let mut beyond = captured - captured.min(owed(payment));
    let mut last_first: Vec<&Attempt> = payment.attempts.iter().rev().collect();
    last_first.sort_by_key(|attempt| !attempt.second);
    let take = |attempt: &Attempt| {
        let part = attempt.book.captured_net().min(beyond);
        beyond -= part;
        (attempt.id.clone(), part)
    };
    last_first.into_iter().map(take).collect()
}

#[test]
fn shares_and_excesses_add_up_whatever_happens() {
    for seed in 0..3_000 {
        walk(seed, 60, |_, _, after| {
            let captured = after.totals().captured;
            let shares: i64 = after.claims().map(|claim| claim.share).sum();
            assert_eq!(shares, captured.min(owed(after)));
            for (attempt, excess) in excess_of_each(after) {
                let claim = after.claims().find(|claim| claim.attempt.id == attempt).unwrap();
                assert_eq!((claim.excess, claim.share + claim.excess), (excess, claim.attempt.book.captured_net()));
                assert!(claim.surplus() >= 0 && claim.surplus() <= claim.excess);
                let gone = claim.attempt.book.gone();
                assert!(claim.surplus() == 0 || claim.surplus() + gone + claim.attempt.kept == claim.excess);
            }
            if let Some((attempt, ModificationKind::Refund { amount })) = after.wanted_back() {
                let claim = after.claims().find(|claim| claim.attempt.id == attempt.id).unwrap();
                assert!(amount <= claim.surplus(), "only surplus goes back, and from where it came");
            }
        });
    }
}
