//! Independent deliveries: a failed delivery is retried by a schedule and delays no other.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::{Deserialize, Serialize};

use super::{Delivery, DeliveryStatus, Parcel, Sends, Try, held};
use crate::{
    control::faults::{Kind, Plan},
    provider::Account,
    store::Store,
};

/// The most simultaneous tries per endpoint.
pub const CONCURRENT: usize = 16;

/// An account whose deliveries are sent independently.
pub trait ByOutbox: Account {
    /// The waits before the second try, the third and so on, in milliseconds at scale 1. The try after the last wait is the last one.
    const RETRY_MS: &'static [i64];

    /// The deliveries.
    fn outbox(&self) -> &Outbox;

    /// The deliveries, to be changed.
    fn outbox_mut(&mut self) -> &mut Outbox;

    /// The content of a try, with a new signature. `None` when the endpoint or the event is gone. The caller fills in `deliveries` and
    /// `endpoint`.
    fn parcel(&self, delivery: &Delivery, now_ms: i64) -> Option<Parcel>;

    /// Handles the acceptance of a delivery of this event.
    fn accepted(&mut self, _event: &str) {}

    /// Creates the deliveries of an event to an endpoint, under the current rules and faults.
    fn post(&mut self, event: &str, endpoint: &str, now_ms: i64) {
        let kind = self.kind_of(event).unwrap_or_default();
        // Only one delivery at a time waits to be overtaken. The next one goes ahead of it.
        let skip: &[Kind] = if self.outbox().has_overtaken(endpoint) { &[Kind::Reorder] } else { &[] };
        let mut plan = self.common().strike(kind, skip);
        self.common().rules.amend(&mut plan);
        let hold = self.common().rules.hold;
        self.outbox_mut().add(event, endpoint, &plan, hold, now_ms);
    }
}

impl<A: ByOutbox> Sends for A {
    fn deliveries(&self) -> &Store<Delivery> {
        &self.outbox().deliveries
    }

    fn due(&mut self, now_ms: i64) -> Vec<Parcel> {
        let due = self.outbox_mut().take_due(now_ms);
        let parcels = due.into_iter().filter_map(|id| {
            let delivery = self.outbox().deliveries.get(&id)?;
            let endpoint = delivery.endpoint.clone();
            let parcel = self.parcel(delivery, now_ms);
            self.outbox_mut().start(&id, parcel.is_some());
            Some(Parcel { deliveries: vec![id], endpoint, ..parcel? })
        });
        parcels.collect()
    }

    fn tried(&mut self, parcel: &Parcel, attempt: &Try, now_ms: i64) {
        let wait = |tries: usize, account: &A| {
            let wait_ms = A::RETRY_MS.get(tries.checked_sub(1)?)?;
            Some(account.common().rules.scaled(*wait_ms))
        };
        for id in &parcel.deliveries {
            let tries = self.outbox().deliveries.get(id).map_or(0, |delivery| delivery.tries.len() + 1);
            let wait_ms = wait(tries, self);
            if let Some(event) = self.outbox_mut().tried(id, &parcel.endpoint, attempt, wait_ms, now_ms) {
                self.accepted(&event);
            }
        }
    }

    fn release(&mut self, now_ms: i64, reversed: bool) -> usize {
        self.outbox_mut().release(now_ms, reversed)
    }

    fn hurry(&mut self, now_ms: i64, until_ms: i64) -> usize {
        self.outbox_mut().hurry(now_ms, until_ms)
    }

    fn next_due_ms(&self, now_ms: i64) -> Option<i64> {
        self.outbox().next_due_ms(now_ms)
    }

    fn recover(&mut self, now_ms: i64) {
        self.outbox_mut().recover(now_ms);
    }
}

/// The deliveries of one account, and the queues of waiting ones.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Outbox {
    /// All deliveries.
    pub deliveries: Store<Delivery>,
    /// The waiting deliveries, per endpoint by time. Rebuilt after a restart.
    #[serde(skip)]
    queue: BTreeMap<String, BTreeSet<(i64, String)>>,
    /// The number of tries under way, per endpoint.
    #[serde(skip)]
    in_flight: HashMap<String, usize>,
    /// The deliveries that wait to be overtaken, per endpoint. After a restart they are sent when their time is over.
    #[serde(skip)]
    overtaken: HashMap<String, Vec<String>>,
}

impl Outbox {
    /// Whether a delivery to this endpoint waits to be overtaken.
    fn has_overtaken(&self, endpoint: &str) -> bool {
        self.overtaken.get(endpoint).is_some_and(|waiting| !waiting.is_empty())
    }

    fn add(&mut self, event: &str, endpoint: &str, plan: &Plan, hold: bool, now_ms: i64) {
        for delivery in Delivery::planned(event, endpoint, plan, hold, now_ms) {
            if delivery.status == DeliveryStatus::Waiting {
                self.enqueue(endpoint, delivery.due_ms, delivery.id.clone());
                if plan.reorder_ms > 0 {
                    self.overtaken.entry(endpoint.to_owned()).or_default().push(delivery.id.clone());
                }
            }
            self.deliveries.insert(delivery);
        }
    }

    fn enqueue(&mut self, endpoint: &str, due_ms: i64, delivery: String) {
        self.queue.entry(endpoint.to_owned()).or_default().insert((due_ms, delivery));
    }

    fn release(&mut self, now_ms: i64, reversed: bool) -> usize {
        let held = held(&self.deliveries);
        let count = held.len();
        for (place, id) in held.into_iter().enumerate() {
            // The times are far enough apart for the receiver to see the order.
            let place = if reversed { count - place } else { 0 };
            self.wait_again(&id, |_| now_ms + 100 * i64::try_from(place).unwrap_or(0));
        }
        count
    }

    /// Takes the due deliveries, up to the limit of simultaneous tries per endpoint.
    fn take_due(&mut self, now_ms: i64) -> Vec<String> {
        let mut due = Vec::new();
        for (endpoint, waiting) in &mut self.queue {
            let free = CONCURRENT.saturating_sub(self.in_flight.get(endpoint).copied().unwrap_or(0));
            for _ in 0..free {
                let Some(first) = waiting.first().filter(|(at, _)| *at <= now_ms).cloned() else {
                    break;
                };
                waiting.remove(&first);
                due.push(first.1);
            }
        }
        self.queue.retain(|_, waiting| !waiting.is_empty());
        due
    }

    /// Marks a delivery as being sent, or as failed because its endpoint or event is gone.
    fn start(&mut self, id: &str, leaves: bool) {
        let Some(delivery) = self.deliveries.get_mut(id) else {
            return;
        };
        delivery.status = if leaves { DeliveryStatus::Sending } else { DeliveryStatus::Failed };
        if !leaves {
            return;
        }
        let (endpoint, reordered) = (delivery.endpoint.clone(), delivery.plan.reorder_ms > 0);
        if reordered && let Some(waiting) = self.overtaken.get_mut(&endpoint) {
            waiting.retain(|waiting| waiting != id);
        }
        *self.in_flight.entry(endpoint).or_default() += 1;
    }

    fn next_due_ms(&self, now_ms: i64) -> Option<i64> {
        self.queue.values().filter_map(|waiting| waiting.iter().map(|(at, _)| *at).find(|at| *at > now_ms)).min()
    }

    /// Records a try. A failed delivery is queued again after `wait_ms`, if there is another try. Returns the event if the delivery was
    /// accepted.
    fn tried(&mut self, id: &str, endpoint: &str, attempt: &Try, wait_ms: Option<i64>, now_ms: i64) -> Option<String> {
        if let Some(count) = self.in_flight.get_mut(endpoint) {
            *count = count.saturating_sub(1);
        }
        self.overtake(id, endpoint, now_ms);
        let delivery = self.deliveries.get_mut(id)?;
        delivery.tries.push(attempt.clone());
        if attempt.accepted() {
            delivery.status = DeliveryStatus::Delivered;
            return Some(delivery.event.clone());
        }
        delivery.status = DeliveryStatus::Failed;
        if let Some(wait_ms) = wait_ms {
            self.wait_again(id, |_| now_ms + wait_ms);
        }
        None
    }

    /// Sends the deliveries that waited to be overtaken by this one.
    fn overtake(&mut self, gone: &str, endpoint: &str, now_ms: i64) {
        let itself = self.deliveries.get(gone).is_some_and(|delivery| delivery.plan.reorder_ms > 0);
        if itself {
            return;
        }
        for id in self.overtaken.remove(endpoint).unwrap_or_default() {
            self.bring_forward(&id, now_ms);
        }
    }

    /// Moves a waiting delivery to an earlier time.
    fn bring_forward(&mut self, id: &str, due_ms: i64) {
        let waits = |delivery: &&Delivery| delivery.status == DeliveryStatus::Waiting;
        let Some(delivery) = self.deliveries.get(id).filter(waits) else {
            return;
        };
        if let Some(waiting) = self.queue.get_mut(&delivery.endpoint) {
            waiting.remove(&(delivery.due_ms, id.to_owned()));
        }
        self.wait_again(id, |_| due_ms);
    }

    /// Queues a delivery for a time that may depend on its previous time.
    fn wait_again(&mut self, id: &str, due_ms: impl Fn(i64) -> i64) {
        let Some(delivery) = self.deliveries.get_mut(id) else {
            return;
        };
        delivery.status = DeliveryStatus::Waiting;
        delivery.due_ms = due_ms(delivery.due_ms);
        let (endpoint, due_ms) = (delivery.endpoint.clone(), delivery.due_ms);
        self.enqueue(&endpoint, due_ms, id.to_owned());
    }

    fn hurry(&mut self, now_ms: i64, until_ms: i64) -> usize {
        let later: Vec<String> = self
            .queue
            .values()
            .flat_map(|waiting| waiting.range((now_ms + 1, String::new())..(until_ms + 1, String::new())))
            .map(|(_, id)| id.clone())
            .collect();
        for id in &later {
            self.bring_forward(id, now_ms);
        }
        later.len()
    }

    fn recover(&mut self, now_ms: i64) {
        let open = self.deliveries.oldest().filter(|delivery| delivery.status.is_open());
        let open: Vec<String> = open.map(|delivery| delivery.id.clone()).collect();
        for id in open {
            self.wait_again(&id, |due_ms| due_ms.max(now_ms));
        }
    }
}
