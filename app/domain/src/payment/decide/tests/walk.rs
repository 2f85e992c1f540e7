//! Random lives of a payment, and the rules that must hold in all of them.

use proptest::prelude::*;

use super::*;
use crate::payment::{Answer, DisputeState};

/// A small generator of random numbers from a seed, so that a walk can be repeated.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }

    fn one<T: Clone>(&mut self, of: &[T]) -> T {
        of[usize::try_from(self.below(of.len() as u64)).unwrap()].clone()
    }
}

const ENTRY: [EntryState; 3] = [EntryState::Pending, EntryState::Succeeded, EntryState::Failed];

fn movement(dice: &mut Dice) -> Movement {
    let (amount, reference) = (dice.one(&[300, 700, 1000, 1200]), dice.one(&["a", "b"]).to_owned());
    match dice.below(8) {
        0 | 1 => Movement::Captured { total: amount },
        2 => Movement::Authorised { total: 1000 },
        3 if dice.below(3) == 0 => Movement::Uncaptured { amount },
        3 => Movement::Voided,
        4 => Movement::Capture { reference, amount, state: dice.one(&ENTRY) },
        5 => Movement::Refund { reference, amount, state: dice.one(&ENTRY) },
        6 => {
            let state = dice.one(&[DisputeState::Inquiry, DisputeState::Open, DisputeState::Won, DisputeState::Lost]);
            Movement::Dispute {
                reference,
                amount,
                state,
                at: i64::try_from(dice.below(4)).unwrap(),
                due: None,
                part: dice.below(2) == 0,
                dated: None,
            }
        }
        _ => Movement::Returned { reference, amount },
    }
}

fn modification_id(dice: &mut Dice) -> ModificationId {
    ModificationId::from_random([u8::try_from(dice.below(3)).unwrap(); 16])
}

fn any_news(dice: &mut Dice) -> News {
    let decline = Decline { class: DeclineClass::Generic, code: "x".into() };
    match dice.below(8) {
        0 => News::Step(Step::Waiting),
        1 => News::Step(Step::ActionRequired),
        2 => News::Step(Step::Processing),
        3 => News::Step(Step::Declined(decline)),
        4 => News::Closed(dice.one(&[CloseReason::Expired, CloseReason::Failed])),
        5 if dice.below(2) == 0 => News::Explained { reason: "low".into() },
        5 => News::NotModified { reason: "no".into() },
        _ => News::Moved(movement(dice)),
    }
}

fn any_fact(dice: &mut Dice) -> Fact {
    let number = u8::try_from(1 + dice.below(2)).unwrap();
    let reason = dice.one(&[CloseReason::Cancelled, CloseReason::Expired, CloseReason::Superseded]);
    match dice.below(16) {
        0 | 1 => {
            let method = if number == 1 { Method::Card } else { Method::BankDebit };
            Fact::Start(Box::new(Attempt { method, ..attempt(number) }))
        }
        2 | 3 => opened(number),
        4 => Fact::NotOpened { attempt: id(number), reason },
        5 => Fact::Unanswered { attempt: id(number) },
        6 => Fact::CloseRequested { attempt: id(number), reason },
        7 if dice.below(3) == 0 => {
            let observation = Observation {
                at: 5,
                refs: Refs { session: None, payment: Some("pi_twin".into()) },
                debt: Some(eur(1000)),
                news: vec![News::Moved(dice.one(&[
                    Movement::Captured { total: 1000 },
                    Movement::Authorised { total: 1000 },
                    Movement::Refund { reference: "t".into(), amount: 300, state: EntryState::Pending },
                ]))],
                ..Observation::default()
            };
            let attempt = Box::new(attempt(1).twin(id(9), "pi_twin".into(), 0));
            Fact::Twin { attempt, observation }
        }
        7 => dice.one(&[Fact::Cancel, Fact::Keep]),
        8 | 9 => {
            let amount = dice.one(&[300, 600, 1000]);
            let kind = dice.one(&[
                ModificationKind::Capture { amount, last: false },
                ModificationKind::Capture { amount, last: true },
                ModificationKind::Void,
                ModificationKind::Refund { amount },
            ]);
            let limits = Limits { partial_capture: true, multi_capture: dice.below(2) == 0, partial_refund: true };
            let modification = Box::new(Modification::new(modification_id(dice), kind, 0));
            Fact::Modify { attempt: id(number), modification, limits }
        }
        10 => {
            let answer = match dice.below(3) {
                0 => Answer::Accepted { reference: dice.one(&[None, Some("a".to_owned()), Some("c".to_owned())]) },
                1 => Answer::Refused { reason: "no".into() },
                _ => Answer::Unanswered,
            };
            Fact::Answered { attempt: id(number), modification: modification_id(dice), answer }
        }
        _ => {
            let modification = (dice.below(3) == 0).then(|| modification_id(dice));
            let observation = Observation {
                at: i64::try_from(dice.below(9)).unwrap(),
                refs: dice.one(&[refs(number), Refs::default()]),
                debt: Some(eur(1000)),
                currency: None,
                modification,
                // Most observations have one item; a fetch reports several at once.
                news: (0..dice.one(&[0, 1, 1, 1, 1, 1, 2, 3])).map(|_| any_news(dice)).collect(),
            };
            Fact::Observed { attempt: id(number), observation }
        }
    }
}

/// A provider's report on an attempt without the attempt's references.
pub(crate) fn told(number: u8, modification: Option<ModificationId>, news: Vec<News>) -> Fact {
    let observation = Observation { at: 9, debt: Some(eur(1000)), modification, news, ..Observation::default() };
    Fact::Observed { attempt: id(number), observation }
}

/// All facts that can be tried on a state: one of each kind and shape about each of two attempts.
pub(crate) fn every_fact() -> Vec<Fact> {
    let mut facts =
        vec![Fact::Cancel, Fact::Keep, Fact::Start(Box::new(attempt(1))), Fact::Start(Box::new(attempt(2)))];
    let observation = Observation {
        at: 5,
        refs: Refs { session: None, payment: Some("pi_twin".into()) },
        debt: Some(eur(1000)),
        ..Observation::default()
    };
    let twins = [None, Some(Movement::Authorised { total: 1000 }), Some(Movement::Captured { total: 1000 })];
    facts.extend(twins.map(|movement| {
        let news = movement.into_iter().map(News::Moved).collect();
        let attempt = Box::new(attempt(1).twin(id(9), "pi_twin".into(), 0));
        Fact::Twin { attempt, observation: Observation { news, ..observation.clone() } }
    }));
    for number in [1, 2] {
        facts.extend(every_step(number));
        facts.extend(every_movement().into_iter().map(|movement| told(number, None, vec![News::Moved(movement)])));
        facts.extend(every_modification(number));
    }
    facts
}

/// A report of money that counted as captured and then did not. Money that goes back proves the capture.
pub(crate) fn uncaptured(number: u8) -> Fact {
    let movements = [Movement::Captured { total: 1000 }, Movement::Uncaptured { amount: 1000 }];
    told(number, None, movements.map(News::Moved).into())
}

fn every_step(number: u8) -> Vec<Fact> {
    let (attempt, reason) = (id(number), CloseReason::Cancelled);
    let decline = Decline { class: DeclineClass::Generic, code: "x".into() };
    let named = |payment: Option<&str>| {
        let refs = Refs { payment: payment.map(str::to_owned), ..refs(number) };
        let observation = Observation { at: 9, refs, ..Observation::default() };
        Fact::Observed { attempt: id(number), observation }
    };
    let steps = [Step::Waiting, Step::ActionRequired, Step::Processing, Step::Declined(decline)];
    let steps = steps.into_iter().map(|step| told(number, None, vec![News::Step(step)]));
    let others = [
        opened(number),
        Fact::NotOpened { attempt: attempt.clone(), reason },
        Fact::Unanswered { attempt: attempt.clone() },
        Fact::CloseRequested { attempt, reason },
        named(None),
        named(Some("pi_of_it")),
        told(number, None, vec![News::Closed(CloseReason::Expired)]),
        told(number, None, vec![News::Step(Step::Waiting), News::Step(Step::ActionRequired)]),
        told(number, None, vec![News::Step(Step::Waiting), News::Step(Step::Processing)]),
    ];
    steps.chain(others).collect()
}

fn every_movement() -> Vec<Movement> {
    let reference = || "a".to_owned();
    let capture = |amount, state| Movement::Capture { reference: reference(), amount, state };
    let refund = |state| Movement::Refund { reference: reference(), amount: 300, state };
    vec![
        Movement::Authorised { total: 1000 },
        Movement::Voided,
        Movement::Uncaptured { amount: 1000 },
        Movement::Captured { total: 300 },
        Movement::Captured { total: 1000 },
        capture(300, EntryState::Pending),
        capture(300, EntryState::Succeeded),
        capture(300, EntryState::Failed),
        capture(1200, EntryState::Failed),
        refund(EntryState::Pending),
        refund(EntryState::Succeeded),
        refund(EntryState::Failed),
        Movement::Returned { reference: reference(), amount: 300 },
    ]
}

fn every_modification(number: u8) -> Vec<Fact> {
    let ids = [0, 1, 2].map(|number| ModificationId::from_random([number; 16]));
    let limits = Limits { partial_capture: true, multi_capture: true, partial_refund: true };
    let kinds = [
        ModificationKind::Capture { amount: 600, last: false },
        ModificationKind::Capture { amount: 600, last: true },
        ModificationKind::Void,
        ModificationKind::Refund { amount: 300 },
    ];
    let modify = |(modification, kind): (&ModificationId, ModificationKind)| Fact::Modify {
        attempt: id(number),
        modification: Box::new(Modification::new(modification.clone(), kind, 0)),
        limits,
    };
    let mut facts: Vec<_> = kinds.into_iter().map(|kind| modify((&ids[2], kind))).collect();
    for modification in ids {
        let answers = [
            Answer::Accepted { reference: None },
            Answer::Accepted { reference: Some("c".into()) },
            Answer::Refused { reason: "no".into() },
            Answer::Unanswered,
        ];
        facts.extend(answers.map(|answer| {
            let modification = modification.clone();
            Fact::Answered { attempt: id(number), modification, answer }
        }));
        facts.push(told(number, Some(modification.clone()), vec![]));
        facts.push(told(number, Some(modification), vec![News::NotModified { reason: "no".into() }]));
    }
    facts
}

/// Lives a random life of a number of facts, and calls `step` after each fact that was accepted. Returns the payment and its events.
pub(crate) fn walk(seed: u64, steps: usize, mut step: impl FnMut(&Fact, &Payment, &Payment)) -> (Payment, Vec<Event>) {
    let mut dice = Dice((seed + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let (mut payment, mut events) = (payment(), vec![]);
    // Most lives begin where much can happen: one attempt is closed and may still succeed late; another is opening or open.
    let second_try = [
        Fact::Start(Box::new(attempt(1))),
        opened(1),
        seen(1, News::Closed(CloseReason::Expired)),
        Fact::Start(Box::new(attempt(2))),
        opened(2),
    ];
    // Other lives begin with a late success, while it is not known whether another attempt was opened.
    let late = if seed % 9 == 6 { captured(1) } else { authorised(1) };
    let lost = [&second_try[..4], &[Fact::Unanswered { attempt: id(2) }, late]].concat();
    // Other lives begin with an authorisation that the merchant releases, while another attempt is opening or unanswered.
    let void = Modification::new(ModificationId::from_random([0; 16]), ModificationKind::Void, 0);
    let void = Fact::Modify { attempt: id(1), modification: Box::new(void), limits: Limits::default() };
    let unanswered = Fact::Unanswered { attempt: id(2) };
    let mut called_off = [&second_try[..4], &[unanswered, authorised(1), void]].concat();
    called_off.push(seen(1, News::Moved(Movement::Voided)));
    if seed.is_multiple_of(2) {
        called_off.remove(4);
    }
    let prelude = match seed % 9 {
        0 | 1 => &second_try[..0],
        2 | 3 => &second_try[..4],
        4 | 5 => &second_try[..],
        6 | 7 => &lost[..],
        _ => &called_off[..],
    };
    for step_number in 0..steps {
        let fact = prelude.get(step_number).cloned().unwrap_or_else(|| any_fact(&mut dice));
        if matches!(&fact, Fact::Start(new) if payment.attempt(&new.id).is_some()) {
            continue;
        }
        let before = payment.clone();
        match payment.handle(&fact) {
            Ok(new) => {
                events.extend(new);
                step(&fact, &before, &payment);
            }
            Err(Refusal::Breach(breach)) => panic!("seed {seed}: {breach} after {fact:?} of {payment:#?}"),
            Err(_) => assert_eq!(before, payment, "a refusal changes nothing"),
        }
    }
    (payment, events)
}

proptest! {
    #[test]
    fn the_rules_hold_whatever_happens(seed: u32) {
        let (payment, events) = walk(u64::from(seed), 60, |_, _, _| {});
        let mut replayed = super::payment();
        events.iter().for_each(|event| replayed.apply(event));
        prop_assert_eq!(&replayed, &payment, "the events alone give the state");
        for event in events {
            let text = serde_json::to_string(&event).unwrap();
            prop_assert_eq!(serde_json::from_str::<Event>(&text).unwrap(), event);
        }
        let text = serde_json::to_string(&payment).unwrap();
        prop_assert_eq!(serde_json::from_str::<Payment>(&text).unwrap(), payment);
    }
}
