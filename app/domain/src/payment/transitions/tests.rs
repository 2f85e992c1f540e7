use std::collections::BTreeSet;

use super::super::decide::tests::{every_fact, uncaptured, walk};
use super::*;
use crate::payment::Refusal;

/// Lives that are looked at step by step, and lives at each step of which every fact is tried besides.
const LIVES: u64 = 24_000;
const LIVES_TRIED: u64 = 3_000;

type Change = (Kind, State, State);

/// Walks through random lives and gathers every change that a fact of a single kind makes. What is in no table panics there.
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

    /// Tries facts on a state, besides the one that its life goes on with.
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
        let is_back = |fact: &&Fact| Kinds::of(fact).single() == Some(Kind::Back);
        let back: Vec<_> = facts.iter().filter(is_back).cloned().collect();
        for seed in 0..LIVES {
            walk(seed, 60, |fact, before, after| {
                seen.note(fact, before, after);
                if seed < LIVES_TRIED {
                    seen.tried(&facts, after);
                    let doubtful = [1, 2].into_iter().filter_map(|number| after.next(&uncaptured(number)).ok());
                    doubtful.for_each(|(doubtful, _)| seen.tried(&back, &doubtful));
                }
            });
        }
        seen
    }
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
