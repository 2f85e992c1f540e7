use std::collections::BTreeSet;

use super::super::decide::tests::walk;
use super::*;

type Statuses = BTreeSet<(&'static str, &'static str)>;
type Stages = BTreeSet<(Option<&'static str>, &'static str)>;

/// Walks through random lives and gathers every change of status and stage that happens.
fn seen() -> (Statuses, Stages) {
    let (mut statuses, mut stages) = (Statuses::new(), Stages::new());
    for seed in 0..48_000 {
        walk(seed, 60, |before, after| {
            if before.status() != after.status() {
                statuses.insert((before.status().as_str(), after.status().as_str()));
            }
            for attempt in &after.attempts {
                let old = before.attempt(&attempt.id).map(|old| stage_name(old.stage));
                if old != Some(stage_name(attempt.stage)) {
                    stages.insert((old, stage_name(attempt.stage)));
                }
            }
        });
    }
    (statuses, stages)
}

#[test]
fn the_tables_are_what_happens_no_more_and_no_less() {
    let (statuses, stages) = seen();
    let written: BTreeSet<_> = PAYMENT.iter().map(|row| (row.from.as_str(), row.to.as_str())).collect();
    assert_eq!(written.len(), PAYMENT.len(), "no row twice");
    assert_eq!(statuses.difference(&written).collect::<Vec<_>>(), Vec::<&(_, _)>::new(), "happens, but is not written");
    assert_eq!(
        written.difference(&statuses).collect::<Vec<_>>(),
        Vec::<&(_, _)>::new(),
        "is written, but never happens"
    );
    let written: BTreeSet<_> = ATTEMPT.iter().map(|row| (row.from, row.to)).collect();
    assert_eq!(stages, written);
}

#[test]
fn the_document_is_what_the_tables_say() {
    let document = include_str!("../../../../../docs/STATES.md");
    assert_eq!(
        document,
        crate::payment::transitions::document(),
        "run: cargo run -p domain --example states > docs/STATES.md"
    );
}
