use std::collections::{BTreeSet, HashMap};

use super::super::decide::tests::{after, attempt, authorised, every_fact, id, opened, seen, told, uncaptured, walk};
use super::*;
use crate::id::ModificationId;
use crate::payment::{CloseReason, EntryState, Limits, Modification, ModificationKind, Movement, News, Refusal, Step};

/// The number of random lives that are followed step by step.
const LIVES: u64 = 6_000;
/// How often every fact is tried on payments of the same status and stages.
const TRIES: u32 = 300;

type Change = (Kind, State, State);

/// The changes that facts of a single kind make in random lives. A change that is in no table panics in the walk.
#[derive(Default)]
struct Seen {
    changes: BTreeSet<Change>,
    closers: BTreeSet<Kind>,
}

impl Seen {
    fn note(&mut self, fact: &Fact, before: &Payment, after: &Payment) {
        let Some(kind) = Kinds::of(fact).single().filter(|_| before != after) else { return };
        let about = subject(fact, before);
        let state = |payment: &Payment| (payment.status(), Place::of(payment, about));
        self.changes.insert((kind, state(before), state(after)));
        let other = |id: &AttemptId| Some(id) != about && Place::of(before, Some(id)) != Place::of(after, Some(id));
        if after.attempts.iter().any(|attempt| other(&attempt.id)) {
            self.closers.insert(kind);
        }
    }

    /// Tries facts on a state, in addition to the fact with which its life continues.
    fn tried(&mut self, facts: &[Fact], before: &Payment) {
        for fact in facts {
            if matches!(fact, Fact::Start(new) | Fact::Twin { attempt: new, .. } if before.attempt(&new.id).is_some()) {
                continue;
            }
            match before.next(fact) {
                Ok((after, _)) => self.note(fact, before, &after),
                Err(Refusal::Breach(breach)) => panic!("{breach} after {fact:?} of {before:#?}"),
                Err(_) => {}
            }
        }
    }

    fn gather() -> Seen {
        let (mut seen, facts) = (Seen::default(), every_fact());
        late_approvals().iter().for_each(|life| seen.tried(&facts, &after(life)));
        let is_back = |fact: &&Fact| Kinds::of(fact).single() == Some(Kind::Back);
        let back: Vec<_> = facts.iter().filter(is_back).cloned().collect();
        let mut tries: HashMap<(Status, [Place; 3]), u32> = HashMap::new();
        for seed in 0..LIVES {
            walk(seed, 60, |fact, before, after| {
                seen.note(fact, before, after);
                let stages = [1, 2, 9].map(|number| Place::of(after, Some(&id(number))));
                let tried = tries.entry((after.status(), stages)).or_default();
                *tried += 1;
                if *tried <= TRIES {
                    seen.tried(&facts, after);
                    let doubtful = [1, 2].into_iter().filter_map(|number| after.next(&uncaptured(number)).ok());
                    doubtful.for_each(|(doubtful, _)| seen.tried(&back, &doubtful));
                }
            });
        }
        seen
    }
}

/// Lives that random walks seldom reach: an authorisation comes late and is released while it is being captured or at the merchant's
/// request, with another attempt at each stage.
fn late_approvals() -> Vec<Vec<Fact>> {
    let first = [
        Fact::Start(Box::new(attempt(1))),
        opened(1),
        seen(1, News::Closed(CloseReason::Expired)),
        Fact::Start(Box::new(attempt(2))),
    ];
    let step = |step| vec![opened(2), seen(2, News::Step(step))];
    let unanswered = vec![Fact::Unanswered { attempt: id(2) }];
    let second = [
        vec![opened(2)],
        step(Step::ActionRequired),
        step(Step::Processing),
        unanswered.clone(),
        vec![opened(2), Fact::Cancel],
    ];
    let modify = |kind| {
        let modification = Box::new(Modification::new(ModificationId::from_random([2; 16]), kind, 0));
        Fact::Modify { attempt: id(1), modification, limits: Limits { partial_capture: true, ..Limits::default() } }
    };
    let capture = Movement::Capture { reference: "a".to_owned(), amount: 300, state: EntryState::Pending };
    let captures = [modify(ModificationKind::Capture { amount: 300, last: true }), seen(1, News::Moved(capture))];
    let voided = seen(1, News::Moved(Movement::Voided));
    let mut lives: Vec<_> = second
        .iter()
        .flat_map(|second| captures.iter().map(move |capture| (second, capture.clone())))
        .map(|(second, capture)| [&first[..], second, &[authorised(1), capture, voided.clone()]].concat())
        .collect();
    // The report has no reference, so it does not name the page.
    let late = told(2, None, vec![News::Moved(Movement::Voided)]);
    let released = [authorised(1), modify(ModificationKind::Void), voided.clone(), late];
    lives.push([&first[..], &unanswered, &released].concat());
    lives
}

#[test]
fn the_tables_are_what_happens_no_more_and_no_less() {
    let seen = Seen::gather();
    let written: Vec<Change> = Kind::ALL
        .into_iter()
        .flat_map(|kind| kind.rows().iter().flat_map(Row::changes).map(move |(from, to)| (kind, from, to)))
        .collect();
    let once: BTreeSet<Change> = written.iter().copied().collect();
    assert_eq!(once.len(), written.len(), "no change twice");
    let none = Vec::<&Change>::new();
    assert_eq!(seen.changes.difference(&once).collect::<Vec<_>>(), none, "happens, but is not written");
    assert_eq!(once.difference(&seen.changes).collect::<Vec<_>>(), none, "is written, but never happens");
    let closers: BTreeSet<Kind> = Kind::ALL.into_iter().filter(|kind| kind.closes_others()).collect();
    assert_eq!(seen.closers, closers);
}

#[test]
fn the_tables_forbid_nearly_everything() {
    let (allowed, all) = document::counts();
    assert!(allowed * 50 < all, "{allowed} of {all}");
}

#[test]
fn an_observation_may_do_what_its_news_may_do_one_after_the_other() {
    use crate::payment::{Movement, News, Observation};
    let told = |movements: Vec<Movement>| {
        let news = movements.into_iter().map(News::Moved).collect();
        Kinds::of(&Fact::Observed {
            attempt: AttemptId::from_random([1; 16]),
            observation: Observation { news, ..Observation::default() },
        })
    };
    let (open, gone) = ((Status::RequiresPaymentMethod, Place::Open), (Status::RequiresPaymentMethod, Place::Closed));
    assert!(reaches(told(vec![Movement::Authorised { total: 1 }, Movement::Voided]), open, gone));
    assert!(!reaches(told(vec![Movement::Voided]), open, gone));
}

#[test]
fn the_document_is_what_the_tables_say() {
    let document = include_str!("../../../../../docs/STATES.md");
    assert_eq!(document, document::document(), "run: cargo run -p domain --example states > docs/STATES.md");
}
