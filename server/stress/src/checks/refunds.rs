//! Rules about the merchant's refunds, measured by the provider's refunds.

use std::collections::HashMap;

use domain::payment::{Modification, ModificationKind, Outcome};

use super::Evidence;

/// Every refund requested of Till, by its id, with the outcome that Till shows.
fn asked<'a>(evidence: &'a Evidence<'_>) -> HashMap<String, (&'a Modification, Outcome)> {
    let attempts = evidence.found.attempts.iter().map(|row| &row.attempt);
    let all = attempts.flat_map(|attempt| attempt.modifications.iter().map(|one| (one, one.outcome(&attempt.book))));
    let refunds = all.filter(|(one, _)| matches!(one.kind, ModificationKind::Refund { .. }));
    refunds.map(|(one, outcome)| (one.id.to_string(), (one, outcome))).collect()
}

/// The provider has exactly one refund for each that succeeded, and no other refund.
pub(super) fn one_each(evidence: &Evidence<'_>) -> Vec<String> {
    let asked = asked(evidence);
    let mut made: HashMap<&str, Vec<i64>> = HashMap::new();
    for refund in evidence.refunds {
        made.entry(&refund.modification).or_default().push(refund.amount);
    }
    let unasked = made.iter().filter(|(id, _)| !asked.contains_key(**id));
    let unasked =
        unasked.map(|(id, amounts)| format!("the provider has {amounts:?} for {id:?}, which Till does not know"));
    let wrong = asked.iter().filter_map(|(id, (modification, outcome))| {
        let amounts = made.get(id.as_str()).map_or(&[][..], Vec::as_slice);
        let due = if *outcome == Outcome::Succeeded { vec![modification.amount()] } else { vec![] };
        (amounts != due)
            .then(|| format!("{id} is {outcome:?} over {}, the provider has {amounts:?}", modification.amount()))
    });
    unasked.chain(wrong).collect()
}

/// The refunds of a payment do not exceed its captures.
pub(super) fn none_beyond_captures(evidence: &Evidence<'_>) -> Vec<String> {
    let mut back: HashMap<&str, i64> = HashMap::new();
    for refund in evidence.refunds {
        *back.entry(&refund.intent).or_default() += refund.amount;
    }
    let taken =
        |intent: &str| evidence.record.cases.iter().find(|case| case.intent == intent).map_or(0, |case| case.amount);
    let broken = back.into_iter().filter(|(intent, amount)| *amount > taken(intent));
    broken.map(|(intent, amount)| format!("{amount} went back of {intent}, {} was taken", taken(intent))).collect()
}
