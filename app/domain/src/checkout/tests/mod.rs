use super::*;
use crate::HOUR;
use crate::decline::{Decline, DeclineClass};
use crate::id::{AttemptId, MerchantId, OrderId, PaymentId, ProviderAccountId, SessionId};
use crate::payment::{Attempt, Capture, CloseReason, DisputeState, Handoff, Movement, Payment, Progress, Stage, Step};
use crate::session::{Session, SessionState};

mod truth;

fn session() -> Session {
    Session {
        id: SessionId::from_random([1; 16]),
        token: Token::from_random([2; 16]),
        merchant: MerchantId::from_random([3; 16]),
        order: OrderId::from_random([4; 16]),
        payment: PaymentId::from_random([5; 16]),
        state: SessionState::Open,
        notice: None,
        created: 0,
        expires: HOUR,
        extension: HOUR,
    }
}

fn money(minor: i64) -> Money {
    Money::new(minor, "EUR".parse().unwrap())
}

/// A payment with one attempt, changed by the caller.
fn payment(change: impl FnOnce(&mut Attempt)) -> Payment {
    let account = ProviderAccountId::from_random([6; 16]);
    let id = AttemptId::from_random([7; 16]);
    let mut attempt = Attempt::new(id, session().id, account, Method::Card, money(1000), 0, HOUR);
    attempt.stage = Stage::Open;
    attempt.handoff = Some(Handoff::Redirect { url: "https://pay.example".into() });
    change(&mut attempt);
    Payment {
        id: PaymentId::from_random([5; 16]),
        merchant: MerchantId::from_random([3; 16]),
        amount: money(1000),
        capture: Capture::Automatic,
        canceled: false,
        attempts: vec![attempt],
    }
}

fn with_step(step: Step) -> Payment {
    payment(|attempt| attempt.progress = Some(Progress { at: 1, step }))
}

fn with_money(movements: &[Movement]) -> Payment {
    payment(|attempt| {
        attempt.stage = Stage::Closed(CloseReason::Succeeded);
        movements.iter().for_each(|movement| {
            attempt.book.join(movement);
        });
    })
}

fn declined(class: DeclineClass) -> Step {
    Step::Declined(Decline { class, code: "x".into() })
}

fn on_page(payment: &Payment) -> Phase {
    phase(&session(), payment, false, 0)
}

fn on_return(payment: &Payment) -> Phase {
    phase(&session(), payment, true, 0)
}

#[test]
fn the_return_address_proves_nothing() {
    let mut fresh = payment(|_| {});
    assert_eq!(on_return(&fresh), Phase::Confirming);
    assert_eq!(on_page(&fresh), Phase::Resume);
    fresh.attempts.clear();
    assert_eq!(on_return(&fresh), Phase::Choose);
}

#[test]
fn where_more_has_gone_back_than_was_taken_the_page_says_that_it_is_unclear() {
    use crate::payment::EntryState;
    let refund = Movement::Refund { reference: "R".into(), amount: 1000, state: EntryState::Succeeded };
    for movements in [vec![refund.clone()], vec![Movement::Authorised { total: 1000 }, Movement::Voided, refund]] {
        let overdrawn = with_money(&movements);
        assert_eq!((on_page(&overdrawn), on_page(&overdrawn).can_choose()), (Phase::Unclear, false), "{movements:?}");
    }
    assert_eq!(on_page(&with_money(&[Movement::Authorised { total: 1000 }, Movement::Voided])), Phase::Released);
}

#[test]
fn a_page_that_has_closed_at_the_provider_is_not_offered_again() {
    let closed = payment(|attempt| attempt.until = Some(0));
    assert_eq!(on_page(&closed), Phase::Confirming);
}

#[test]
fn steps_at_the_provider_have_words() {
    assert_eq!(on_page(&with_step(Step::Processing)), Phase::Processing);
    assert_eq!(on_page(&with_step(Step::ActionRequired)), Phase::Authenticate);
    assert_eq!(on_return(&with_step(Step::Waiting)), Phase::Confirming);
    let stolen = with_step(declined(DeclineClass::SuspectedFraud));
    assert_eq!(on_page(&stolen), Phase::Declined(DeclineClass::Generic), "suspicion is not shown");
    assert_eq!(on_return(&stolen), Phase::Confirming, "who has just paid is not told of the try before");
}

#[test]
fn money_decides_before_anything_else() {
    let captured = Movement::Captured { total: 1000 };
    let paid = with_money(std::slice::from_ref(&captured));
    assert_eq!(on_page(&paid), Phase::Paid);
    let late = Session { state: SessionState::Expired, ..session() };
    assert_eq!(phase(&late, &paid, false, 2 * HOUR), Phase::PaidLate);
    assert_eq!(on_page(&with_money(&[Movement::Authorised { total: 1000 }])), Phase::Authorised);
    assert_eq!(on_page(&with_money(&[Movement::Captured { total: 400 }])), Phase::PartlyPaid);
    assert_eq!(on_page(&with_money(&[Movement::Captured { total: 2000 }])), Phase::Overpaid);
    let returned = Movement::Returned { reference: "du".into(), amount: 1000 };
    assert_eq!(on_page(&with_money(&[captured, returned])), Phase::Returned);
}

#[test]
fn a_dispute_of_a_bank_debit_is_a_return_and_one_of_a_card_is_not() {
    use DisputeState::{Inquiry, Lost, Open, Won};
    let disputed = |method, states: &[DisputeState]| {
        let mut movements = vec![Movement::Captured { total: 1000 }];
        movements.extend(states.iter().zip(1..).map(|(state, at)| {
            let (reference, state) = ("du".to_owned(), *state);
            Movement::Dispute { reference, amount: 1000, state, at, due: None, part: false, dated: None }
        }));
        let mut payment = with_money(&movements);
        payment.attempts[0].method = method;
        (on_page(&payment), Figures::of(&payment).returned.minor, payment.flags().returned)
    };
    for states in [&[Open][..], &[Lost], &[Open, Lost]] {
        assert_eq!(disputed(Method::BankDebit, states), (Phase::Returned, 1000, true), "{states:?}");
        assert_eq!(disputed(Method::Card, states), (Phase::Paid, 0, false), "{states:?}");
    }
    for states in [&[Inquiry][..], &[Open, Won]] {
        assert_eq!(disputed(Method::BankDebit, states), (Phase::Paid, 0, false), "{states:?}");
    }
}

#[test]
fn a_part_that_was_captured_by_hand_is_what_the_merchant_takes() {
    let (approved, part) = (Movement::Authorised { total: 1000 }, Movement::Captured { total: 400 });
    let by_hand = |movements: &[Movement]| Payment { capture: Capture::Manual, ..with_money(movements) };
    for movements in [
        &[approved.clone(), part.clone()][..],
        &[approved.clone(), part.clone(), Movement::Voided],
        // The provider may report only the capture and the release.
        &[part.clone(), Movement::Voided],
    ] {
        assert_eq!(on_page(&by_hand(movements)), Phase::PartlyCollected, "{movements:?}");
        let automatic = Payment { capture: Capture::Automatic, ..with_money(movements) };
        assert_eq!(on_page(&automatic), Phase::PartlyPaid, "of a payment that is captured at once, less has arrived");
    }
    let little = by_hand(&[Movement::Authorised { total: 400 }, part]);
    assert_eq!(on_page(&little), Phase::PartlyPaid, "the rest was never approved");
}

#[test]
fn a_second_payer_after_a_part_was_taken_reads_what_the_order_takes() {
    let mut part =
        with_money(&[Movement::Authorised { total: 1000 }, Movement::Captured { total: 400 }, Movement::Voided]);
    part.capture = Capture::Manual;
    let mut second = with_money(&[Movement::Captured { total: 500 }]).attempts.remove(0);
    (second.id, second.second) = (AttemptId::from_random([8; 16]), true);
    part.attempts.push(second);
    let figures = Figures::of(&part);
    assert_eq!(on_page(&part), Phase::Overpaid);
    assert_eq!((figures.received.minor, figures.wanted.minor), (900, 400));
    assert_eq!(Figures::of(&with_money(&[Movement::Captured { total: 2000 }])).wanted.minor, 1000);
}

#[test]
fn an_approval_that_has_ended_is_said_to_have_ended_and_can_be_replaced() {
    let released = [Movement::Authorised { total: 1000 }, Movement::Voided];
    let mut payment = with_money(&released);
    payment.attempts[0].stage = Stage::Closed(CloseReason::Succeeded);
    assert_eq!((on_page(&payment), on_return(&payment)), (Phase::Released, Phase::Released));
    assert!(Phase::Released.can_choose() && !Phase::Released.may_change_soon());
    // A decline from before the authorisation is old news.
    payment.attempts[0].progress = Some(Progress { at: 1, step: declined(DeclineClass::ExpiredCard) });
    assert_eq!(on_page(&payment), Phase::Released);
    payment.canceled = true;
    assert_eq!(on_page(&payment), Phase::Cancelled);
}

#[test]
fn nobody_is_told_expired_while_a_payment_may_still_arrive() {
    let over = |payment: &Payment| phase(&session(), payment, false, HOUR);
    assert_eq!(over(&payment(|_| {})), Phase::Confirming);
    assert_eq!(over(&payment(|attempt| attempt.stage = Stage::Unknown)), Phase::Unknown);
    assert_eq!(over(&payment(|attempt| attempt.stage = Stage::Closed(CloseReason::Expired))), Phase::Expired);
    assert_eq!(over(&with_step(Step::Processing)), Phase::Processing);
}

#[test]
fn after_a_closed_attempt_the_choice_is_back() {
    let closed = |reason| payment(|attempt| attempt.stage = Stage::Closed(reason));
    assert_eq!(on_page(&closed(CloseReason::Cancelled)), Phase::Choose);
    assert_eq!(on_page(&closed(CloseReason::Unreachable)), Phase::Choose);
    let failed = payment(|attempt| {
        attempt.stage = Stage::Closed(CloseReason::Failed);
        attempt.progress = Some(Progress { at: 1, step: declined(DeclineClass::ExpiredCard) });
    });
    assert_eq!(on_page(&failed), Phase::Declined(DeclineClass::ExpiredCard));
}

#[test]
fn a_try_that_failed_leaves_its_method_chosen() {
    let chosen = |payment: &Payment| choice(&session(), payment, &Method::ALL);
    let debit = |stage: Stage| {
        payment(|attempt| {
            attempt.method = Method::BankDebit;
            attempt.stage = stage;
        })
    };
    for reason in [CloseReason::Unreachable, CloseReason::Refused, CloseReason::Failed, CloseReason::NotFound] {
        assert_eq!(chosen(&debit(Stage::Closed(reason))), Some(Method::BankDebit), "{reason:?}");
    }
    assert_eq!(chosen(&debit(Stage::Open)), Some(Method::BankDebit));
    // A shopper who cancelled the attempt wants another method.
    let stopped = debit(Stage::Closed(CloseReason::Cancelled));
    assert_eq!(chosen(&stopped), Some(Method::Card));
    // An attempt of another session sets no choice here. A method that is no longer offered is not chosen either.
    let failed = debit(Stage::Closed(CloseReason::Failed));
    let other = Session { id: SessionId::from_random([9; 16]), ..session() };
    assert_eq!(choice(&other, &failed, &Method::ALL), Some(Method::Card));
    assert_eq!(choice(&session(), &failed, &[Method::Card]), Some(Method::Card));
    assert_eq!(choice(&session(), &failed, &[]), None);
    let fresh = Payment { attempts: vec![], ..failed };
    assert_eq!(chosen(&fresh), Some(Method::Card));
}
