//! The queue of one endpoint. Its order is strict, so a delivery that fails delays everything behind it.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::json;

use super::plan::told;
use crate::{
    adyen::state::{Account, Endpoint},
    delivery::{Delivery, DeliveryStatus, Parcel, Sends, Try, held},
    store::Store,
};

/// The most items of one delivery.
const BATCH: usize = 50;

/// The waits between tries, in milliseconds at scale 1. The last wait repeats.
const RETRY_MS: [i64; 12] = {
    const MINUTE: i64 = 60_000;
    const HOUR: i64 = 60 * MINUTE;
    [
        9_000,
        18_000,
        27_000,
        2 * MINUTE,
        5 * MINUTE,
        10 * MINUTE,
        15 * MINUTE,
        30 * MINUTE,
        HOUR,
        2 * HOUR,
        4 * HOUR,
        8 * HOUR,
    ]
};

/// The number of tries in about thirty days.
const TRIES: usize = 100;

/// The wait after a number of tries, in milliseconds at scale 1. `None` after the last try.
fn retry_after_ms(tries: usize) -> Option<i64> {
    (tries < TRIES).then(|| RETRY_MS[tries.saturating_sub(1).min(RETRY_MS.len() - 1)])
}

impl Account {
    /// Sets the endpoint. Waiting deliveries go to the new endpoint at once.
    pub fn set_endpoint(&mut self, endpoint: Option<Endpoint>, now_ms: i64) {
        if self.endpoint == endpoint {
            return;
        }
        self.endpoint = endpoint;
        if let Some(head) = self.queue.front().and_then(|id| self.deliveries.get_mut(id)) {
            head.due_ms = head.due_ms.min(now_ms);
        }
    }

    /// Takes the next parcel: the first delivery in the queue if it is due, and with batching all due deliveries behind it.
    fn due_parcel(&mut self, now_ms: i64) -> Option<Parcel> {
        self.take_back(now_ms);
        if self.sending || self.queue.is_empty() {
            return None;
        }
        let Some(endpoint) = self.endpoint.clone() else {
            self.give_up();
            return None;
        };
        // A delivery that the full store has forgotten must not block the queue.
        while self.queue.front().is_some_and(|id| self.deliveries.get(id).is_none()) {
            self.queue.pop_front();
        }
        let most = if self.common.rules.own.batch { BATCH } else { 1 };
        let due = |id: &&String| self.deliveries.get(id).is_some_and(|delivery| delivery.due_ms <= now_ms);
        let deliveries: Vec<String> = self.queue.iter().take(most).take_while(due).cloned().collect();
        if deliveries.is_empty() {
            return None;
        }
        let mut items = Vec::new();
        for id in &deliveries {
            if let Some(delivery) = self.deliveries.get_mut(id)
                && let Some(notice) = self.notices.get(&delivery.event)
            {
                delivery.status = DeliveryStatus::Sending;
                let item = told(notice, &delivery.plan, &endpoint.hmac_key);
                items.push(json!({ "NotificationRequestItem": item }));
            }
        }
        let body = serde_json::to_vec(&json!({"live": "false", "notificationItems": items})).ok()?;
        self.sending = true;
        let mut headers = vec![
            ("content-type", "application/json; charset=utf-8".to_owned()),
            ("user-agent", "Adyen HttpClient 1.0".to_owned()),
        ];
        let basic = |(user, password)| format!("Basic {}", STANDARD.encode(format!("{user}:{password}")));
        headers.extend(endpoint.basic.map(|basic_auth| ("authorization", basic(basic_auth))));
        Some(Parcel { deliveries, url: endpoint.url, headers, body, ..Parcel::default() })
    }

    /// Puts deliveries whose time aside is over at the end of the queue.
    fn take_back(&mut self, now_ms: i64) {
        while self.aside.first().is_some_and(|(due_ms, _)| *due_ms <= now_ms) {
            self.queue.extend(self.aside.pop_first().map(|(_, id)| id));
        }
    }

    /// The deliveries that are kept aside until a newer one has been sent.
    pub(super) fn to_be_overtaken(&self) -> Vec<(i64, String)> {
        let waits = |id: &str| self.deliveries.get(id).is_some_and(|delivery| delivery.plan.reorder_ms > 0);
        self.aside.iter().filter(|(_, id)| waits(id)).cloned().collect()
    }

    /// Queues the deliveries that waited to be overtaken by one of those just sent. They go next, behind those that must be tried again.
    fn overtake(&mut self, gone: &[String], now_ms: i64) {
        let newest = gone.iter().filter_map(|id| self.deliveries.position(id)).max();
        let mut place = self.queue.iter().take_while(|id| gone.contains(id)).count();
        for entry in self.to_be_overtaken() {
            // A delivery that was queued before the waiting one does not overtake it, even if it is sent only now.
            if self.deliveries.position(&entry.1) > newest {
                continue;
            }
            self.aside.remove(&entry);
            if let Some(delivery) = self.deliveries.get_mut(&entry.1) {
                delivery.due_ms = now_ms;
            }
            self.queue.insert(place, entry.1);
            place += 1;
        }
    }

    /// Marks waiting deliveries as failed, because there is no endpoint.
    fn give_up(&mut self) {
        for id in std::mem::take(&mut self.queue) {
            if let Some(delivery) = self.deliveries.get_mut(&id) {
                delivery.status = DeliveryStatus::Failed;
            }
        }
    }
}

impl Sends for Account {
    fn deliveries(&self) -> &Store<Delivery> {
        &self.deliveries
    }

    fn due(&mut self, now_ms: i64) -> Vec<Parcel> {
        self.due_parcel(now_ms).into_iter().collect()
    }

    /// Records a try. An accepted delivery leaves the queue, and a refused one stays at its head until the last try.
    fn tried(&mut self, parcel: &Parcel, attempt: &Try, now_ms: i64) {
        self.sending = false;
        let accepted = attempt.accepted();
        for id in &parcel.deliveries {
            let Some(delivery) = self.deliveries.get_mut(id) else {
                continue;
            };
            delivery.tries.push(attempt.clone());
            let again = retry_after_ms(delivery.tries.len()).filter(|_| !accepted);
            delivery.status = match again {
                _ if accepted => DeliveryStatus::Delivered,
                Some(_) => DeliveryStatus::Waiting,
                None => DeliveryStatus::Failed,
            };
            match again {
                Some(wait_ms) => delivery.due_ms = now_ms + self.common.rules.scaled(wait_ms),
                None => self.queue.retain(|waiting| waiting != id),
            }
        }
        self.overtake(&parcel.deliveries, now_ms);
    }

    /// Releases held deliveries, in order or in reverse.
    fn release(&mut self, now_ms: i64, reversed: bool) -> usize {
        let mut held = held(&self.deliveries);
        if reversed {
            held.reverse();
        }
        for id in &held {
            if let Some(delivery) = self.deliveries.get_mut(id) {
                delivery.status = DeliveryStatus::Waiting;
                delivery.due_ms = now_ms;
                self.queue.push_back(id.clone());
            }
        }
        held.len()
    }

    /// Makes deliveries due now that would be due until a given time. Returns their number.
    fn hurry(&mut self, now_ms: i64, until_ms: i64) -> usize {
        let mut later: Vec<String> = self.queue.iter().cloned().collect();
        let (hurried, stay) = std::mem::take(&mut self.aside).into_iter().partition(|(due_ms, _)| *due_ms <= until_ms);
        self.aside = stay;
        let hurried: std::collections::BTreeSet<(i64, String)> = hurried;
        for (_, id) in hurried {
            self.queue.push_back(id.clone());
            later.push(id);
        }
        let mut count = 0;
        for id in later {
            if let Some(delivery) = self.deliveries.get_mut(&id)
                && (now_ms + 1..=until_ms).contains(&delivery.due_ms)
            {
                delivery.due_ms = now_ms;
                count += 1;
            }
        }
        count
    }

    /// The time at which the first delivery in the queue, or the first one kept aside, is due, in milliseconds since 1970.
    fn next_due_ms(&self, now_ms: i64) -> Option<i64> {
        let head = self.queue.front().filter(|_| !self.sending).and_then(|id| self.deliveries.get(id));
        let aside = self.aside.first().map(|(due_ms, _)| *due_ms);
        head.map(|delivery| delivery.due_ms).into_iter().chain(aside).filter(|due_ms| *due_ms > now_ms).min()
    }

    /// Restores the queue after a restart: an interrupted delivery waits again, and held deliveries are released, because the rule that
    /// held them is gone.
    fn recover(&mut self, _now_ms: i64) {
        for id in self.queue.clone() {
            if let Some(delivery) = self.deliveries.get_mut(&id) {
                delivery.status = DeliveryStatus::Waiting;
            }
        }
        self.release(0, false);
    }
}

#[cfg(test)]
mod tests {
    use super::super::Notice;
    use super::*;
    use serde_json::Value;

    fn account() -> Account {
        let endpoint = Endpoint { url: "http://127.0.0.1:1/".into(), hmac_key: "00".repeat(32), basic: None };
        Account { endpoint: Some(endpoint), ..Account::default() }
    }

    fn emit(account: &mut Account, psp: &str) {
        account.emit(Notice { psp: psp.into(), amount: 5, code: "CAPTURE".into(), ..Notice::default() }, 0);
    }

    fn answer(http_status: u16) -> Try {
        Try { at_ms: 0, took_ms: 1, http_status: Some(http_status), error: None }
    }

    fn psps(parcel: &Parcel) -> Vec<String> {
        let body: Value = serde_json::from_slice(&parcel.body).unwrap();
        let items = body["notificationItems"].as_array().unwrap().iter();
        items.map(|item| item["NotificationRequestItem"]["pspReference"].as_str().unwrap().to_owned()).collect()
    }

    #[test]
    fn a_failing_delivery_delays_the_ones_behind_it() {
        let mut account = account();
        emit(&mut account, "A");
        emit(&mut account, "B");
        let first = account.due_parcel(0).unwrap();
        assert_eq!(psps(&first), ["A"]);
        assert!(account.due_parcel(0).is_none(), "one at a time");
        account.tried(&first, &answer(500), 0);
        assert!(account.due_parcel(8_999).is_none() && account.next_due_ms(0) == Some(9_000));
        let again = account.due_parcel(9_000).unwrap();
        assert_eq!(psps(&again), ["A"]);
        account.tried(&again, &answer(202), 9_000);
        assert_eq!(psps(&account.due_parcel(9_000).unwrap()), ["B"]);
    }

    #[test]
    fn tries_end_after_a_month() {
        let mut account = account();
        emit(&mut account, "A");
        let (mut now_ms, mut tries) = (0, 0);
        while let Some(parcel) = account.due_parcel(now_ms) {
            tries += 1;
            account.tried(&parcel, &answer(302), now_ms);
            now_ms = account.next_due_ms(now_ms).unwrap_or(now_ms);
        }
        assert_eq!((tries, account.queue.len()), (TRIES, 0));
        assert!((29..32).contains(&(now_ms / 86_400_000)), "{now_ms}");
    }

    #[test]
    fn what_is_due_travels_together_when_batching() {
        let mut account = account();
        account.common.rules.own.batch = true;
        (0..BATCH + 2).for_each(|n| emit(&mut account, &n.to_string()));
        let parcel = account.due_parcel(0).unwrap();
        assert_eq!(psps(&parcel).len(), BATCH);
        account.tried(&parcel, &answer(200), 0);
        assert_eq!(psps(&account.due_parcel(0).unwrap()), ["50", "51"]);
    }

    #[test]
    fn held_deliveries_leave_in_order_or_reversed() {
        let mut account = account();
        account.common.rules.hold = true;
        emit(&mut account, "A");
        emit(&mut account, "B");
        assert!(account.due_parcel(0).is_none());
        account.common.rules.own.batch = true;
        assert_eq!(account.release(0, true), 2);
        assert_eq!(psps(&account.due_parcel(0).unwrap()), ["B", "A"]);
    }

    #[test]
    fn a_tampered_amount_is_not_the_signed_one() {
        let mut account = account();
        account.common.rules.tamper = true;
        emit(&mut account, "A");
        let body: Value = serde_json::from_slice(&account.due_parcel(0).unwrap().body).unwrap();
        let item = &body["notificationItems"][0]["NotificationRequestItem"];
        let notice = account.notices.newest().next().unwrap();
        assert_eq!((item["amount"]["value"].as_i64(), notice.amount), (Some(6), 5));
        assert_eq!(
            item["additionalData"]["hmacSignature"],
            notice.wire(&"00".repeat(32))["additionalData"]["hmacSignature"]
        );
    }

    #[test]
    fn without_an_endpoint_nothing_waits_for_ever() {
        let mut account = account();
        emit(&mut account, "A");
        account.set_endpoint(None, 0);
        assert!(account.due_parcel(0).is_none() && account.queue.is_empty());
    }
}
