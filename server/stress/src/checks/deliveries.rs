//! Rules about deliveries and the inbox.

use std::collections::HashSet;

use super::Evidence;
use super::snapshot::Inbox;
use crate::record::{Delivery, Saying};

/// The inbox row of a delivery, if it has one.
fn row<'a>(evidence: &'a Evidence<'_>, delivery: &Delivery) -> Option<&'a Inbox> {
    let account = if delivery.saying == Saying::Foreign { evidence.other } else { evidence.account };
    evidence.found.inbox.get(&(account.to_owned(), delivery.event.clone()))
}

pub(super) fn replies_were_right(evidence: &Evidence<'_>) -> Vec<String> {
    evidence.record.outrages.clone()
}

pub(super) fn acknowledged_are_stored(evidence: &Evidence<'_>) -> Vec<String> {
    let deliveries = evidence.record.deliveries.iter().filter(|delivery| delivery.acknowledged > 0);
    let lost = deliveries.filter(|delivery| row(evidence, delivery).is_none());
    lost.map(|delivery| format!("{:?} {} was acknowledged and is not there", delivery.saying, delivery.event)).collect()
}

pub(super) fn acknowledged_are_settled(evidence: &Evidence<'_>) -> Vec<String> {
    let deliveries = evidence.record.deliveries.iter().filter(|delivery| delivery.acknowledged > 0);
    let wrong = |delivery: &Delivery| {
        let (found, due) = (row(evidence, delivery)?, delivery.saying.verdict()?);
        let (event, id, state) = (&delivery.event, &found.id, &found.state);
        (state != due).then(|| format!("{:?} {event} ({id}) is {state}, not {due}", delivery.saying))
    };
    deliveries.filter_map(wrong).collect()
}

pub(super) fn refused_left_no_row(evidence: &Evidence<'_>) -> Vec<String> {
    let refused = evidence.record.deliveries.iter().filter(|delivery| delivery.saying.verdict().is_none());
    let stored = refused.filter(|delivery| row(evidence, delivery).is_some());
    stored.map(|delivery| format!("{:?} {} was stored", delivery.saying, delivery.event)).collect()
}

pub(super) fn nothing_from_nowhere(evidence: &Evidence<'_>) -> Vec<String> {
    let sent: HashSet<&str> = evidence.record.deliveries.iter().map(|delivery| delivery.event.as_str()).collect();
    let known = |event: &str| sent.contains(event) || evidence.listed.contains(event);
    let unknown = evidence.found.inbox.keys().filter(|(_, event)| !known(event));
    unknown.map(|(account, event)| format!("{event} at {account} was never sent")).collect()
}

/// A row may wait for its payment to become known; every other row must be settled.
pub(super) fn none_is_left(evidence: &Evidence<'_>) -> Vec<String> {
    let left = evidence.found.inbox.iter().filter(|(_, row)| row.state == "pending" && !row.waits);
    left.map(|((account, event), row)| format!("{event} at {account} ({}) is pending", row.id)).collect()
}
