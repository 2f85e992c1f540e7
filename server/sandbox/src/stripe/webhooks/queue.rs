//! Deliveries on their way: what is due, what became of it, what is tried again.

use super::Parcel;
use crate::{
    delivery::{DeliveryStatus, Try},
    store::Keyed,
    stripe::state::Account,
};

/// Deliveries in the air per endpoint.
const CONCURRENT: usize = 16;

impl Account {
    /// Lets held deliveries go, in order or the other way round.
    pub fn release(&mut self, now_ms: i64, reversed: bool) -> usize {
        let held: Vec<String> = self
            .deliveries
            .oldest()
            .filter(|delivery| delivery.status == DeliveryStatus::Held)
            .map(|delivery| delivery.id().to_owned())
            .collect();
        let count = held.len();
        for (place, id) in held.into_iter().enumerate() {
            let Some(delivery) = self.deliveries.get_mut(&id) else {
                continue;
            };
            let place = if reversed { count - place } else { 0 };
            delivery.status = DeliveryStatus::Waiting;
            // Far enough apart for the order to be visible at the other end.
            delivery.due_ms = now_ms + 100 * i64::try_from(place).unwrap_or(0);
            let (endpoint, due_ms) = (delivery.endpoint.clone(), delivery.due_ms);
            self.enqueue(&endpoint, due_ms, id);
        }
        count
    }

    pub(super) fn enqueue(&mut self, endpoint: &str, due_ms: i64, delivery: String) {
        self.queue.entry(endpoint.to_owned()).or_default().insert((due_ms, delivery));
    }

    /// Takes out what is due now, signed afresh; no endpoint gets more at a time than it may.
    pub fn due_parcels(&mut self, now_ms: i64) -> Vec<Parcel> {
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
        due.into_iter().filter_map(|id| self.dispatch(&id, now_ms)).collect()
    }

    fn dispatch(&mut self, id: &str, now_ms: i64) -> Option<Parcel> {
        let parcel = self.parcel(self.deliveries.get(id)?, now_ms);
        let delivery = self.deliveries.get_mut(id)?;
        let Some(parcel) = parcel else {
            // The endpoint or the event is gone.
            delivery.status = DeliveryStatus::Failed;
            return None;
        };
        delivery.status = DeliveryStatus::Sending;
        if delivery.plan.reorder_ms > 0
            && let Some(waiting) = self.overtaken.get_mut(&parcel.endpoint)
        {
            waiting.retain(|waiting| waiting != id);
        }
        *self.in_flight.entry(parcel.endpoint.clone()).or_default() += 1;
        Some(parcel)
    }

    /// When the next delivery that is not due yet will be, milliseconds since 1970.
    pub fn next_due_ms(&self, now_ms: i64) -> Option<i64> {
        self.queue.values().filter_map(|waiting| waiting.iter().map(|(at, _)| *at).find(|at| *at > now_ms)).min()
    }

    /// Records a try, and plans the next one if it failed.
    pub fn tried(&mut self, parcel: &Parcel, attempt: Try, now_ms: i64) {
        if let Some(count) = self.in_flight.get_mut(&parcel.endpoint) {
            *count = count.saturating_sub(1);
        }
        self.overtake(parcel, now_ms);
        let Some(delivery) = self.deliveries.get_mut(&parcel.delivery) else {
            return;
        };
        let accepted = attempt.accepted();
        delivery.tries.push(attempt);
        if accepted {
            delivery.status = DeliveryStatus::Delivered;
            if let Some(event) = self.events.get_mut(&delivery.event) {
                event.pending = event.pending.saturating_sub(1);
            }
        } else if let Some(wait_ms) = self.rules.retry_after_ms(delivery.tries.len()) {
            delivery.status = DeliveryStatus::Waiting;
            delivery.due_ms = now_ms + wait_ms;
            let (due_ms, id) = (delivery.due_ms, delivery.id.clone());
            self.enqueue(&parcel.endpoint, due_ms, id);
        } else {
            delivery.status = DeliveryStatus::Failed;
        }
    }

    /// One has gone: whatever waited to be overtaken by it follows.
    fn overtake(&mut self, gone: &Parcel, now_ms: i64) {
        let itself = self.deliveries.get(&gone.delivery).is_some_and(|delivery| delivery.plan.reorder_ms > 0);
        if itself {
            return;
        }
        for id in self.overtaken.remove(&gone.endpoint).unwrap_or_default() {
            self.bring_forward(&id, now_ms);
        }
    }

    /// Moves a waiting delivery to an earlier time.
    fn bring_forward(&mut self, id: &str, due_ms: i64) {
        let Some(delivery) = self.deliveries.get_mut(id).filter(|delivery| delivery.status == DeliveryStatus::Waiting)
        else {
            return;
        };
        let (endpoint, was_ms) = (delivery.endpoint.clone(), delivery.due_ms);
        delivery.due_ms = due_ms;
        if let Some(waiting) = self.queue.get_mut(&endpoint) {
            waiting.remove(&(was_ms, id.to_owned()));
        }
        self.enqueue(&endpoint, due_ms, id.to_owned());
    }

    /// Makes due now what would be sent until a time to come; how many deliveries that makes.
    pub fn hurry(&mut self, now_ms: i64, until_ms: i64) -> usize {
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

    /// Puts deliveries that a stopped process left behind back in the queue.
    pub fn recover_deliveries(&mut self, now_ms: i64) {
        let open: Vec<String> = self
            .deliveries
            .oldest()
            .filter(|delivery| {
                !matches!(delivery.status, DeliveryStatus::Delivered | DeliveryStatus::Failed | DeliveryStatus::Dropped)
            })
            .map(|delivery| delivery.id.clone())
            .collect();
        for id in open {
            let Some(delivery) = self.deliveries.get_mut(&id) else {
                continue;
            };
            delivery.status = DeliveryStatus::Waiting;
            delivery.due_ms = delivery.due_ms.max(now_ms);
            let (endpoint, due_ms) = (delivery.endpoint.clone(), delivery.due_ms);
            self.enqueue(&endpoint, due_ms, id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::delivery::settled;
    use crate::stripe::objects::endpoint::Endpoint;
    use crate::stripe::{objects::event::Cause, webhooks::Rules};
    use serde_json::Value;

    fn account() -> Account {
        let mut account = Account::new(Rules::default());
        account.endpoints.insert(Endpoint {
            id: "we_1".into(),
            url: "http://127.0.0.1:1/".into(),
            secret: "whsec_x".into(),
            enabled_events: vec!["charge.failed".into()],
            disabled: false,
            description: None,
            metadata: Default::default(),
            api_version: Some("2025-01-01.acacia".into()),
            created: 0,
        });
        account
    }

    fn failed(at_ms: i64) -> Try {
        Try { at_ms, took_ms: 1, http_status: Some(302), error: None }
    }

    #[test]
    fn only_wanted_events_are_delivered_in_the_endpoints_version() {
        let mut account = account();
        account.emit(0, "charge.succeeded", Value::Null, None, &Cause::default());
        assert!(account.due_parcels(0).is_empty());
        account.emit(0, "charge.failed", Value::Null, None, &Cause::default());
        let parcels = account.due_parcels(0);
        let body: Value = serde_json::from_slice(&parcels[0].body).unwrap();
        assert_eq!((parcels.len(), &body["api_version"]), (1, &Value::from("2025-01-01.acacia")));
    }

    #[test]
    fn a_redirect_is_a_failure_and_tries_end_with_fresh_signatures() {
        let mut account = account();
        account.emit(0, "charge.failed", Value::Null, None, &Cause::default());
        let (mut at, mut signatures) = (0, Vec::new());
        for wait in [5_000, 30_000, 120_000] {
            let parcel = account.due_parcels(at).remove(0);
            account.tried(&parcel, failed(at), at);
            signatures.push(parcel.signature);
            assert!(account.due_parcels(at + wait - 1).is_empty());
            at += wait;
        }
        let last = account.due_parcels(at).remove(0);
        account.tried(&last, failed(at), at);
        assert!(account.queue.is_empty());
        signatures.dedup();
        assert_eq!(signatures.len(), 3);
    }

    #[test]
    fn held_deliveries_leave_in_order_or_reversed() {
        let mut account = account();
        account.rules.hold = true;
        let first = account.emit(0, "charge.failed", Value::Null, None, &Cause::default());
        account.emit(0, "charge.failed", Value::Null, None, &Cause::default());
        assert!(account.due_parcels(9).is_empty() && !settled(&account.deliveries, std::slice::from_ref(&first)));
        assert_eq!(account.release(10, true), 2);
        let order: Vec<_> =
            account.queue["we_1"].iter().map(|(_, id)| account.deliveries.get(id).unwrap().event.clone()).collect();
        assert_eq!(order[1], first);
    }

    #[test]
    fn deliveries_in_the_air_are_bounded() {
        let mut account = account();
        for _ in 0..CONCURRENT + 4 {
            account.emit(0, "charge.failed", Value::Null, None, &Cause::default());
        }
        let parcels = account.due_parcels(0);
        assert_eq!(parcels.len(), CONCURRENT);
        account.tried(&parcels[0], Try { http_status: Some(204), ..failed(0) }, 0);
        assert_eq!(account.due_parcels(0).len(), 1);
    }
}
