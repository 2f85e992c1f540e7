//! Shoppers: each visit becomes a payment, and the provider's deliveries about it follow.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;

use super::visit::Visitor;
use super::{Load, QUEUE_MAX, lock};
use crate::clock;
use crate::random::Random;
use crate::record::{Case, Delivery, Fate, sayings};
use crate::shop::Link;

/// How often the button is pressed before the shopper leaves.
const PRESSES: usize = 4;

struct Shopper {
    load: Arc<Load>,
    random: Random,
    visitor: Visitor,
}

pub(super) async fn run(load: Arc<Load>, random: Random) {
    let visitor = Visitor::new(&load.shop);
    let mut shopper = Shopper { load, random, visitor };
    while shopper.load.is_buying() {
        let crowded = shopper.load.waiting() > QUEUE_MAX;
        if crowded || shopper.buy().await.is_none() {
            let pause = shopper.random.between(20, 150);
            sleep(Duration::from_millis(pause)).await;
        }
    }
}

impl Shopper {
    /// One visit. `None` if no payment came of it.
    async fn buy(&mut self) -> Option<()> {
        let (token, once) = self.open().await?;
        self.load.record().opened += 1;
        let session = self.start(&token).await?;
        let fates = [Fate::Paid, Fate::Paid, Fate::SentBack, Fate::Refunded, Fate::Victim];
        let fate = *self.random.pick(&fates);
        // Several shoppers can meet in a one-time link's session, and none of them knows the fate that another has
        // chosen.
        let fate = if once && fate == Fate::SentBack { Fate::Paid } else { fate };
        let intent = format!("pi_{}", self.random.word());
        let mut case = self.visitor.look_up(token, session, intent, fate).await?;
        if fate == Fate::SentBack {
            match self.visitor.pay(&case.session).await {
                Some(intent) => case.intent = intent,
                None => {
                    let outrage = format!("{} could not be paid at the provider", case.session);
                    self.load.record().outrages.push(outrage);
                    return None;
                }
            }
        }
        self.arrange(case);
        Some(())
    }

    /// Opens a link. A one-time link is opened twice at once, which must lead to the same session.
    /// Returns the session and whether other shoppers may be in it.
    async fn open(&mut self) -> Option<(String, bool)> {
        let rare = if self.random.percent(15) { lock(&self.load.once).pop() } else { None };
        let Link { path, once } = rare.unwrap_or_else(|| self.random.pick(&self.load.shop.links).clone());
        if !once {
            return Some((self.visitor.open(&path).await?, once));
        }
        match self.visitor.open_twice(&path).await {
            [Some(one), Some(two)] if one != two => {
                let outrage = format!("{path} led to two sessions, {one} and {two}");
                self.load.record().outrages.push(outrage);
                None
            }
            [one, two] => Some((one.or(two)?, once)),
        }
    }

    /// Presses the button, sometimes twice at once, until a page is open; returns the provider's session.
    async fn start(&mut self, token: &str) -> Option<String> {
        for _ in 0..PRESSES {
            let twice = self.random.percent(20);
            let page = if twice { self.visitor.start_twice(token).await } else { self.visitor.start(token).await };
            if page.is_some() {
                return page;
            }
            sleep(Duration::from_millis(200)).await;
        }
        None
    }

    /// Enqueues the provider's deliveries about a case.
    fn arrange(&mut self, case: Case) {
        let said = sayings(case.fate, case.amount, &mut self.random);
        let mut record = self.load.record();
        // A page that was returned to, not opened, already belongs to another case.
        if record.cases.iter().rev().any(|known| known.attempt == case.attempt) {
            return;
        }
        let index = record.cases.len();
        record.cases.push(case);
        for saying in said {
            let event = format!("evt_{}", self.random.word());
            let created = clock::seconds();
            let delivery = Delivery { event, case: index, saying, created, sent: 0, acknowledged: 0 };
            let number = record.deliveries.len();
            record.deliveries.push(delivery);
            // Sometimes two copies of a delivery are sent at once.
            for _ in 0..if self.random.percent(15) { 2 } else { 1 } {
                let pause = Duration::from_millis(self.random.below(300));
                self.load.enqueue(number, pause);
            }
        }
    }
}
