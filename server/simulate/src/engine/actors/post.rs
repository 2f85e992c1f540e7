//! The postman, who loses and repeats what he carries, and the forger.

use bytes::Bytes;
use engine::Received;
use http::HeaderMap;

use crate::census::Seen;
use crate::engine::World;
use crate::engine::servers::Output;
use crate::engine::stripe::signature;

impl World {
    /// A delivery on its way arrives, now or later, once or twice, or never.
    pub async fn deliver(&mut self) {
        let count = self.shared.stripe().flights.len();
        if count == 0 {
            return;
        }
        let Some(server) = self.free_to_store() else { return };
        let at = self.random.below(count);
        let event = self.shared.stripe().flights.swap_remove(at);
        if self.fault() {
            let fate = self.random.below(3);
            let mut stripe = self.shared.stripe();
            let (genuine, signed) = (stripe.events[event].genuine, stripe.events[event].signed);
            match fate {
                0 if signed => {
                    stripe.flights.push(event);
                    drop(stripe);
                    self.census.count(Seen::DeliveryTwice);
                }
                // The provider lists its events; that is where they are found.
                1 if genuine => {
                    stripe.events[event].dropped = true;
                    drop(stripe);
                    self.note(|| format!("network: event {event} never arrives"));
                    return self.census.count(Seen::DeliveryDropped);
                }
                _ => {
                    stripe.flights.push(event);
                    drop(stripe);
                    return self.census.count(Seen::DeliveryDelayed);
                }
            }
        }
        let (body, signed, now) = {
            let stripe = self.shared.stripe();
            (stripe.events[event].body.clone(), stripe.events[event].signed, self.shared.now())
        };
        let mut headers = HeaderMap::new();
        let signature = signature(&body, now, signed).parse();
        headers.extend(signature.ok().map(|value| (http::HeaderName::from_static("stripe-signature"), value)));
        let account = self.account.clone();
        let credit = self.credit();
        self.begin(server, format!("event {event} arrives"), credit, move |engine| async move {
            let received = engine.receive("stripe", &account, &headers, Bytes::from(body)).await;
            let status = match received {
                Received::Reply(reply) | Received::Busy(reply) => reply.status,
                Received::NoSuchAccount => 404,
            };
            Output::Delivered(event, status)
        })
        .await;
    }

    pub fn delivered(&mut self, event: usize, status: u16) {
        self.note(|| format!("provider: event {event} is answered with {status}"));
        let lost = self.fault();
        let mut stripe = self.shared.stripe();
        if (200..300).contains(&status) && !lost {
            stripe.events[event].acknowledged = true;
        } else if stripe.events[event].signed && !stripe.flights.contains(&event) {
            stripe.flights.push(event);
        }
        drop(stripe);
        if lost {
            self.census.count(Seen::ReplyLost);
        }
    }

    /// Deliveries that were under way on a server that died come again.
    pub fn deliver_again(&mut self) {
        let mut stripe = self.shared.stripe();
        let lost = (0..stripe.events.len()).filter(|at| {
            let one = &stripe.events[*at];
            !one.acknowledged && !one.dropped && one.signed && !stripe.flights.contains(at)
        });
        let lost: Vec<_> = lost.collect();
        stripe.flights.extend(lost);
    }

    /// A request that nobody waits for any more arrives.
    pub fn arrive_late(&mut self) -> bool {
        let count = self.shared.stripe().late.len();
        if count == 0 {
            return false;
        }
        let (at, now) = (self.random.below(count), self.shared.now());
        let mut stripe = self.shared.stripe();
        let request = stripe.late.swap_remove(at);
        stripe.handle(&request, now);
        drop(stripe);
        self.note(|| format!("network: that was late: {}", request.name));
        self.census.count(Seen::RequestLate);
        true
    }

    /// A delivery that must change nothing.
    pub fn forger_acts(&mut self) {
        let count = self.shared.stripe().sessions.len();
        if count == 0 {
            return;
        }
        let (session, mut choice, now) = (self.random.below(count), self.random.below(3), self.shared.now());
        if choice == 0 && std::mem::replace(&mut self.forged_unsigned, true) {
            choice = 1;
        }
        self.census.count(Seen::Forged);
        let mut stripe = self.shared.stripe();
        let amount = stripe.sessions[session].amount;
        match choice {
            0 => stripe.forge(session, amount, "usd", false, now),
            1 => stripe.forge(session, amount + 1, "usd", true, now),
            _ => stripe.forge(session, amount, "eur", true, now),
        }
    }
}
