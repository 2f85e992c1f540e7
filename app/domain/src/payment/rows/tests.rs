use std::collections::BTreeSet;

use super::*;
use crate::payment::walk;

#[test]
fn rows_add_up_to_the_book_whatever_happens() {
    let mut seen = BTreeSet::new();
    for seed in 0..3_000 {
        walk(seed, 60, |_, _, after| {
            for attempt in &after.attempts {
                let (rows, book) = (rows(attempt), &attempt.book);
                let sum = |kind, state| -> i64 {
                    rows.iter().filter(|row| (row.kind, row.state) == (kind, state)).map(|row| row.amount).sum()
                };
                let (capture, refund) = (MovementKind::Capture, MovementKind::Refund);
                assert_eq!(sum(capture, MovementState::Succeeded), book.captured_net(), "{rows:#?} {attempt:#?}");
                assert_eq!(sum(refund, MovementState::Succeeded), book.refunds_in(EntryState::Succeeded));
                assert_eq!(sum(MovementKind::Return, MovementState::Succeeded), book.returned_total());
                assert_eq!(sum(MovementKind::Dispute, MovementState::Open), book.disputes_held());
                assert_eq!(rows.iter().map(|row| row.lost).sum::<i64>(), book.disputes_lost());
                assert!(rows.iter().all(|row| row.amount >= 0 && row.lost >= 0), "{rows:#?}");
                let names: BTreeSet<_> = rows.iter().map(|row| (row.kind, row.key.clone())).collect();
                assert_eq!(names.len(), rows.len(), "two rows with one name: {rows:#?}");
                seen.extend(rows.iter().map(|row| (row.kind, row.state.as_str())));
            }
        });
    }
    for state in ["requested", "unknown", "succeeded", "failed"] {
        for kind in [MovementKind::Capture, MovementKind::Refund] {
            assert!(seen.contains(&(kind, state)), "{kind:?} was never {state}");
        }
    }
}
