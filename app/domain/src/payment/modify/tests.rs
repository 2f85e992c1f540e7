use super::super::decide::tests::{after, attempt, captured, id, opened, seen, walk};
use super::*;
use crate::payment::{DisputeState, Event as E, Fact, News, Payment, Status, Step};

const ALL: Limits = Limits { partial_capture: true, multi_capture: true, partial_refund: true };

fn mid(number: u8) -> ModificationId {
    ModificationId::from_random([number; 16])
}

fn ask(number: u8, kind: ModificationKind) -> Fact {
    ask_with(number, kind, ALL)
}

fn ask_with(number: u8, kind: ModificationKind, limits: Limits) -> Fact {
    Fact::Modify { attempt: id(1), modification: Box::new(Modification::new(mid(number), kind, 0)), limits }
}

fn refund_of(amount: i64) -> ModificationKind {
    ModificationKind::Refund { amount }
}

fn capture_of(amount: i64, last: bool) -> ModificationKind {
    ModificationKind::Capture { amount, last }
}

fn answer(number: u8, answer: Answer) -> Fact {
    Fact::Answered { attempt: id(1), modification: mid(number), answer }
}

fn accepted(number: u8, reference: &str) -> Fact {
    answer(number, Answer::Accepted { reference: Some(reference.into()) })
}

fn moved(movement: Movement) -> Fact {
    seen(1, News::Moved(movement))
}

fn authorised() -> Payment {
    after(&[Fact::Start(Box::new(attempt(1))), opened(1), moved(Movement::Authorised { total: 1000 })])
}

fn paid() -> Payment {
    after(&[Fact::Start(Box::new(attempt(1))), opened(1), captured(1)])
}

fn outcome(payment: &Payment, number: u8) -> Outcome {
    let attempt = payment.attempt(&id(1)).unwrap();
    attempt.modification(&mid(number)).unwrap().outcome(&attempt.book)
}

#[test]
fn of_two_refunds_of_sixty_on_a_hundred_the_second_is_refused() {
    let mut payment = paid();
    payment.handle(&ask(1, refund_of(600))).unwrap();
    assert!(matches!(payment.handle(&ask(2, refund_of(600))), Err(Refusal::TooMuch { .. })));
    payment.handle(&answer(1, Answer::Unanswered)).unwrap();
    assert!(matches!(payment.handle(&ask(2, refund_of(600))), Err(Refusal::TooMuch { .. })), "unknown is not a no");
    assert!(payment.flags().unsure);
    payment.handle(&answer(1, Answer::Refused { reason: "no".into() })).unwrap();
    payment.handle(&ask(2, refund_of(600))).unwrap();
}

#[test]
fn a_refund_is_pending_then_sent_then_may_fail_and_gives_the_room_back() {
    let mut payment = paid();
    payment.handle(&ask(1, refund_of(600))).unwrap();
    payment.handle(&accepted(1, "re_1")).unwrap();
    assert_eq!((outcome(&payment, 1), payment.totals().refund_pending), (Outcome::Pending, 600));
    let refund = |state| moved(Movement::Refund { reference: "re_1".into(), amount: 600, state });
    payment.handle(&refund(EntryState::Succeeded)).unwrap();
    assert_eq!((outcome(&payment, 1), payment.totals().refunded), (Outcome::Succeeded, 600));
    assert!(payment.flags().partially_refunded);
    payment.handle(&refund(EntryState::Failed)).unwrap();
    assert_eq!((outcome(&payment, 1), payment.totals().refunded), (Outcome::Failed, 0));
    payment.handle(&ask(2, refund_of(1000))).unwrap();
}

#[test]
fn a_webhook_that_beats_the_reply_is_the_same_refund() {
    let mut payment = paid();
    payment.handle(&ask(1, refund_of(600))).unwrap();
    let Fact::Observed { attempt, mut observation } =
        moved(Movement::Refund { reference: "re_1".into(), amount: 600, state: EntryState::Succeeded })
    else {
        unreachable!()
    };
    observation.modification = Some(mid(1));
    payment.handle(&Fact::Observed { attempt, observation }).unwrap();
    assert_eq!(outcome(&payment, 1), Outcome::Succeeded);
    assert_eq!(payment.attempts[0].refundable(), 400, "counted once");
    assert_eq!(payment.handle(&accepted(1, "re_1")), Ok(vec![]), "the reply comes late and says nothing new");
    assert_eq!(payment.handle(&answer(1, Answer::Unanswered)), Ok(vec![]));
}

#[test]
fn money_that_a_bank_has_taken_back_is_not_refunded_as_well() {
    let mut payment = paid();
    let dispute = |state, at| Movement::Dispute {
        reference: "dp_1".into(),
        amount: 1000,
        state,
        at,
        due: None,
        part: false,
        dated: None,
    };
    payment.handle(&moved(dispute(DisputeState::Open, 1))).unwrap();
    assert!(matches!(payment.handle(&ask(1, refund_of(1))), Err(Refusal::TooMuch { .. })));
    payment.handle(&moved(dispute(DisputeState::Won, 2))).unwrap();
    payment.handle(&ask(1, refund_of(1000))).unwrap();
}

#[test]
fn capture_and_void_exclude_each_other() {
    let mut payment = authorised();
    payment.handle(&ask(1, capture_of(400, false))).unwrap();
    assert!(matches!(payment.handle(&ask(2, ModificationKind::Void)), Err(Refusal::NotNow(_))));
    let mut payment = authorised();
    payment.handle(&ask(1, ModificationKind::Void)).unwrap();
    assert!(matches!(payment.handle(&ask(2, capture_of(400, false))), Err(Refusal::NotNow(_))));
    assert!(matches!(payment.handle(&ask(3, ModificationKind::Void)), Err(Refusal::NotNow(_))));
    payment.handle(&answer(1, Answer::Accepted { reference: None })).unwrap();
    assert_eq!((outcome(&payment, 1), payment.status()), (Outcome::Pending, Status::RequiresCapture));
    payment.handle(&moved(Movement::Voided)).unwrap();
    assert_eq!((outcome(&payment, 1), payment.status()), (Outcome::Succeeded, Status::Canceled));
}

#[test]
fn a_capture_that_is_told_after_the_rest_was_released_is_no_surplus() {
    let mut payment = authorised();
    payment.handle(&ask(1, capture_of(600, true))).unwrap();
    payment.handle(&accepted(1, "c1")).unwrap();
    payment.handle(&moved(Movement::Voided)).unwrap();
    assert_eq!(payment.status(), Status::RequiresCapture, "what is being captured is still to come");
    let (reference, state) = ("c1".to_owned(), EntryState::Succeeded);
    payment.handle(&moved(Movement::Capture { reference, amount: 600, state })).unwrap();
    assert_eq!((payment.status(), payment.surplus(), payment.flags().second_success), (Status::Succeeded, 0, false));
    let mut elsewhere = authorised();
    elsewhere.handle(&moved(Movement::Voided)).unwrap();
    assert_eq!(elsewhere.status(), Status::RequiresPaymentMethod, "nobody here asked for it");
    elsewhere.handle(&captured(1)).unwrap();
    assert_eq!(
        (elsewhere.status(), elsewhere.surplus()),
        (Status::Succeeded, 0),
        "captured by somebody at the provider"
    );
}

#[test]
fn a_void_that_the_provider_could_not_do_leaves_the_authorisation() {
    let mut payment = authorised();
    payment.handle(&ask(1, ModificationKind::Void)).unwrap();
    payment.handle(&answer(1, Answer::Accepted { reference: None })).unwrap();
    let Fact::Observed { attempt, mut observation } = seen(1, News::NotModified { reason: "too late".into() }) else {
        unreachable!()
    };
    observation.modification = Some(mid(1));
    payment.handle(&Fact::Observed { attempt, observation }).unwrap();
    assert_eq!((outcome(&payment, 1), payment.status()), (Outcome::Failed, Status::RequiresCapture));
    payment.handle(&ask(2, capture_of(1000, true))).unwrap();
}

#[test]
fn captures_are_partial_or_several_only_where_the_provider_can() {
    let one = Limits { partial_capture: true, multi_capture: false, partial_refund: true };
    let mut payment = authorised();
    payment.handle(&ask_with(1, capture_of(400, true), one)).unwrap();
    assert!(matches!(payment.handle(&ask_with(2, capture_of(400, true), one)), Err(Refusal::NotNow(_))));
    let mut payment = authorised();
    assert!(
        matches!(payment.handle(&ask_with(1, capture_of(400, false), one)), Err(Refusal::NotNow(_))),
        "it keeps no rest"
    );
    assert!(matches!(payment.handle(&ask_with(1, capture_of(400, true), Limits::default())), Err(Refusal::NotNow(_))));
    payment.handle(&ask(1, capture_of(400, false))).unwrap();
    assert!(matches!(payment.handle(&ask(2, capture_of(700, false))), Err(Refusal::TooMuch { .. })));
    payment.handle(&ask(2, capture_of(600, false))).unwrap();
    for (number, reference, amount) in [(1, "c1", 400), (2, "c2", 600)] {
        payment.handle(&accepted(number, reference)).unwrap();
        let (reference, state) = (reference.to_owned(), EntryState::Succeeded);
        payment.handle(&moved(Movement::Capture { reference, amount, state })).unwrap();
    }
    assert_eq!(payment.totals().captured, 1000);
    let failed = Movement::Capture { reference: "c2".into(), amount: 600, state: EntryState::Failed };
    payment.handle(&moved(failed)).unwrap();
    assert_eq!((payment.totals().captured, outcome(&payment, 2)), (400, Outcome::Failed));
    assert!(payment.flags().partially_captured);
}

#[test]
fn what_is_paid_after_a_cancel_is_a_surplus_until_it_is_kept_or_sent_back() {
    let mut payment = after(&[Fact::Start(Box::new(attempt(1))), opened(1), seen(1, News::Step(Step::Waiting))]);
    payment.handle(&Fact::Cancel).unwrap();
    let events = payment.handle(&captured(1)).unwrap();
    assert!(events.iter().any(|event| matches!(event, E::SecondSuccess { .. })));
    assert_eq!((payment.status(), payment.surplus()), (Status::Succeeded, 1000));
    let mut kept = payment.clone();
    kept.handle(&Fact::Keep).unwrap();
    assert_eq!((kept.surplus(), kept.handle(&Fact::Keep)), (0, Ok(vec![])));
    payment.handle(&ask(1, refund_of(1000))).unwrap();
    payment.handle(&accepted(1, "re_1")).unwrap();
    assert_eq!(payment.surplus(), 0);
}

#[test]
fn never_more_is_asked_back_than_was_captured_whatever_happens() {
    for seed in 0..3_000 {
        walk(seed, 60, |_, before, after| {
            for (old, new) in before.attempts.iter().zip(&after.attempts) {
                if new.modifications.len() > old.modifications.len() {
                    let asked = new.modifications.last().unwrap();
                    let (amount, left) = match asked.kind {
                        ModificationKind::Refund { amount } => (amount, old.refundable()),
                        ModificationKind::Capture { amount, .. } => (amount, old.capturable()),
                        ModificationKind::Void => (0, 0),
                    };
                    assert!(amount <= left, "{asked:?} of {old:#?}");
                }
            }
        });
    }
}
