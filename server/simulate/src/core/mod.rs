//! The core layer: the payment protocol as pure steps. `domain` decides, the world answers; there is no I/O.

mod actors;
mod bank;
mod check;
mod database;
mod names;
mod network;
mod provider;
mod requests;
mod server;
mod told;
mod world;

use domain::payment::EntryState;
use domain::{DAY, HOUR, MINUTE, SECOND};

use self::network::Forgery;
use self::provider::{Kind, PageState, Say};
use self::server::Work;
use self::world::{World, note};
use crate::census::{Census, Seen};
use crate::report::{Failure, Violation};
use crate::run::Layer;

/// The fewest steps of a seed before it is brought to rest.
const STEPS_MIN: usize = 30;
const STEPS_MORE: usize = 40;
/// Steps before these in a hasty life. In this phase the shopper tries one method of payment after the other.
const STEPS_BEFORE: usize = 50;
/// Further steps of a hasty life, if a debt may have been paid twice.
const STEPS_AFTER: usize = 40;
/// Steps within which everything must come to rest.
const REST_MAX: usize = 1_500;

/// Runs seeds one after another in one world.
pub struct Core(World);

impl Default for Core {
    fn default() -> Self {
        Core(World::new())
    }
}

impl Layer for Core {
    const BATCH: u64 = 1_000;

    fn new() -> Result<Self, String> {
        Ok(Core::default())
    }

    fn run(&mut self, seed: u64) -> Result<(), Violation> {
        let world = &mut self.0;
        world.begin(seed);
        if world.hasty {
            world.steps(STEPS_BEFORE, World::step_before);
        }
        let usual = STEPS_MIN + world.random.below(STEPS_MORE);
        world.steps(usual, World::step);
        if world.hasty && world.may_be_paid_twice() {
            world.steps(STEPS_AFTER, World::step_after);
        }
        if world.violation.is_none() {
            world.come_to_rest();
        }
        if world.violation.is_none() {
            world.check_end();
        }
        world.violation.take().map_or(Ok(()), Err)
    }

    fn census(&self) -> Census {
        self.0.census.clone()
    }

    fn replay(&mut self, seed: u64) -> Failure {
        self.0.trace = Some(vec![]);
        let result = self.run(seed);
        let trace = self.0.trace.take().unwrap_or_default();
        Failure { seed, violation: result.err(), trace }
    }
}

impl World {
    /// Takes `count` steps and stops at the first violation.
    fn steps(&mut self, count: usize, step: fn(&mut World)) {
        for _ in 0..count {
            if self.violation.is_some() {
                return;
            }
            step(self);
        }
    }

    fn step(&mut self) {
        match self.random.below(100) {
            0..=45 => self.work(),
            46..=58 => drop(self.deliver()),
            59..=70 => self.shopper_acts(),
            71..=82 => self.merchant_acts(),
            83..=86 => drop(self.bank_decides()),
            87..=89 => self.bank_surprises(),
            90..=94 => {
                let time = self.random.pick(&[SECOND, 5 * SECOND, 31 * SECOND, MINUTE, 2 * MINUTE, 10 * MINUTE, HOUR]);
                note!(self, "… {} s pass", time / SECOND);
                self.pass(time);
            }
            95 => {
                let server = self.random.below(2) as u8;
                self.crash(server);
            }
            96 => self.forger_acts(),
            _ => {
                if !self.arrive_late() {
                    self.work();
                }
            }
        }
    }

    /// Whether two pages have taken a shopper's money, or may still do so.
    fn may_be_paid_twice(&self) -> bool {
        let may = |page: &usize| {
            let one = &self.provider.pages[*page];
            one.paying || one.state == PageState::Processing || self.provider.has_money(*page)
        };
        (0..self.provider.pages.len()).filter(may).count() > 1
    }

    /// One step while the shopper has no patience with a slow bank.
    fn step_before(&mut self) {
        match self.random.below(100) {
            0..=59 => self.work(),
            60..=66 => drop(self.deliver()),
            67..=97 => self.shopper_acts(),
            98 => drop(self.bank_decides()),
            _ => self.pass(5 * SECOND),
        }
    }

    /// One step after the shopper has gone: banks decide, and the merchant handles the money.
    fn step_after(&mut self) {
        match self.random.below(100) {
            0..=39 => self.work(),
            40..=59 => drop(self.deliver()),
            60..=69 => drop(self.bank_decides()),
            70..=94 => self.merchant_acts(),
            95..=96 => self.bank_surprises(),
            97..=98 => self.pass(MINUTE),
            _ => drop(self.arrive_late()),
        }
    }

    fn work(&mut self) {
        let count = self.tasks.len();
        if count > 0 {
            let at = self.random.below(count);
            self.advance(at);
        } else if !self.claim() {
            self.deliver();
        }
    }

    /// A delivery on its way arrives, now or once more, or is lost for good.
    fn deliver(&mut self) -> bool {
        let count = self.flights.len();
        if count == 0 {
            return false;
        }
        let event = self.flights.swap_remove(self.random.below(count));
        if self.fault() {
            match self.random.below(3) {
                0 => {
                    note!(self, "network: event {event} arrives twice");
                    self.census.count(Seen::DeliveryTwice);
                    self.flights.push(event);
                }
                1 => {
                    self.census.count(Seen::DeliveryDelayed);
                    self.flights.push(event);
                    return true;
                }
                _ => {
                    if self.can_be_missed(event) {
                        note!(self, "network: event {event} never arrives");
                        self.census.count(Seen::DeliveryDropped);
                        self.events[event].dropped = true;
                    } else {
                        self.flights.push(event);
                    }
                    return true;
                }
            }
        }
        self.spawn(Work::Receive { event, stored: false });
        true
    }

    /// Whether a fetch would bring the news of this delivery as well.
    fn can_be_missed(&self, event: usize) -> bool {
        let one = self.events[event];
        let of_page = matches!(
            one.say,
            Say::Paid { .. } | Say::Declined | Say::ActionRequired | Say::Processing | Say::Failed | Say::Expired
        );
        let of_refund =
            matches!(one.say, Say::Entry { movement, state: EntryState::Succeeded } if self.is_being_asked(movement));
        let told_by_fetch = (of_page && self.is_asked_about(one.attempt)) || of_refund;
        one.forged == Forgery::Genuine && one.kind == Kind::Results && told_by_fetch
    }

    /// A request arrives after its sender has stopped waiting.
    fn arrive_late(&mut self) -> bool {
        let count = self.late.len();
        if count == 0 {
            return false;
        }
        let op = self.late.swap_remove(self.random.below(count));
        note!(self, "network: {op:?} arrives late");
        self.census.count(Seen::RequestLate);
        self.act(op);
        true
    }

    /// Ends the seed: faults stop, no actor begins anything new, and all work must end.
    fn come_to_rest(&mut self) {
        note!(self, "from here on nothing goes wrong");
        self.ending = true;
        for _ in 0..REST_MAX {
            if self.violation.is_some() {
                return;
            }
            if !self.tasks.is_empty() {
                let at = self.random.below(self.tasks.len());
                self.advance(at);
            } else if self.claim() || self.deliver() || self.arrive_late() || self.bank_decides() {
            } else {
                // The clock moves on until every waiting job is due.
                let due = self.database.jobs.iter().map(|job| job.run_at.max(job.leased_until)).max();
                let Some(due) = due else { return };
                let time = (due - self.now).clamp(0, DAY);
                note!(self, "… {} s pass", time / SECOND);
                self.pass(time);
            }
        }
        let jobs = self.database.jobs.len();
        self.violate("everything comes to rest", |_| format!("{jobs} jobs are still there after {REST_MAX} steps"));
    }
}
