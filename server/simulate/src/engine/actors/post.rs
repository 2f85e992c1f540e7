//! The postman, who loses and repeats deliveries, and the forger.

use bytes::Bytes;
use connectors::Delivery;
use domain::mutant::{self, Mutant};
use engine::Received;

use crate::census::Seen;
use crate::engine::World;
use crate::engine::servers::Output;

impl World {
    /// A delivery on its way arrives, now or later, once or twice, or never.
    pub async fn deliver(&mut self) {
        let count = self.shared.provider().flights.len();
        if count == 0 {
            return;
        }
        let Some(server) = self.free_to_store() else { return };
        let at = self.random.below(count);
        let event = self.shared.provider().flights.swap_remove(at);
        if self.fault() {
            let fate = self.random.below(3);
            let mut provider = self.shared.provider();
            let (genuine, signed) = (provider.events[event].genuine, provider.events[event].signed);
            match fate {
                0 if signed => {
                    provider.flights.push(event);
                    drop(provider);
                    self.census.count(Seen::DeliveryTwice);
                }
                // This provider lists its events, so the engine finds a dropped event there.
                1 if genuine && provider.lists_events() => {
                    provider.events[event].dropped = true;
                    drop(provider);
                    self.note(|| format!("network: event {event} never arrives"));
                    return self.census.count(Seen::DeliveryDropped);
                }
                _ => {
                    provider.flights.push(event);
                    drop(provider);
                    return self.census.count(Seen::DeliveryDelayed);
                }
            }
        }
        let (body, headers, name) = {
            let provider = self.shared.provider();
            (provider.events[event].body.clone(), provider.headers(event, self.shared.now()), provider.name())
        };
        let account = self.account.clone();
        let credit = self.credit();
        self.begin(server, format!("event {event} arrives"), credit, move |engine| async move {
            let received = engine.inbox().receive(name, &account, &Delivery::posted(headers, Bytes::from(body))).await;
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
        let mut provider = self.shared.provider();
        if (200..300).contains(&status) && !lost {
            provider.events[event].acknowledged = true;
        } else if provider.events[event].signed && !provider.flights.contains(&event) {
            provider.flights.push(event);
        }
        drop(provider);
        if lost {
            self.census.count(Seen::ReplyLost);
        }
    }

    /// Deliveries whose server died before acknowledging them are sent again.
    pub fn deliver_again(&mut self) {
        let mut provider = self.shared.provider();
        let lost = (0..provider.events.len()).filter(|at| {
            let one = &provider.events[*at];
            !one.acknowledged && !one.dropped && one.signed && !provider.flights.contains(at)
        });
        let lost: Vec<_> = lost.collect();
        provider.flights.extend(lost);
    }

    /// A request arrives after its sender has stopped waiting.
    pub fn arrive_late(&mut self) -> bool {
        let count = self.shared.provider().late.len();
        if count == 0 {
            return false;
        }
        let (at, now) = (self.random.below(count), self.shared.now());
        let mut provider = self.shared.provider();
        let request = provider.late.swap_remove(at);
        provider.handle(&request, now);
        drop(provider);
        self.note(|| format!("network: that was late: {}", request.name));
        self.census.count(Seen::RequestLate);
        true
    }

    /// Sends a forged delivery, which must change nothing.
    pub fn forger_acts(&mut self) {
        let count = self.shared.provider().pages.len();
        if count == 0 {
            return;
        }
        let (page, mut choice, now) = (self.random.below(count), self.random.below(3), self.shared.now());
        if choice == 0 && std::mem::replace(&mut self.forged_unsigned, true) {
            choice = 1;
        }
        self.census.count(Seen::Forged);
        let mut provider = self.shared.provider();
        let amount = provider.pages[page].amount;
        // The planted bug gives the forger the secret. Verification itself has no planted bug.
        let knows = mutant::on(Mutant::ForgedAccepted);
        match choice {
            0 => provider.forge(page, amount, "usd", knows, now),
            1 => provider.forge(page, amount + 1, "usd", true, now),
            _ => provider.forge(page, amount, "eur", true, now),
        }
    }
}
