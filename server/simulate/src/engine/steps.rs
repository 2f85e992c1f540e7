//! Runs a seed step by step: chooses the next actor and the next fault.

use domain::line::Line;
use domain::link::Usage;
use domain::money::Money;
use domain::order::Policies;
use domain::payment::Capture;
use domain::{HOUR, MINUTE, SECOND};
use engine::store::merchants::SurplusPolicy;
use engine::store::{jobs, sessions};
use engine::{Installation, NewLink};

use super::gate::{Fate, Waiting, What};
use super::provider::Dialect;
use super::servers::{A_JOB, Output, acting_for, merchant};
use super::{START, Tab, World};
use crate::census::Seen;
use crate::random::Random;
use crate::report::Violation;

const STEPS_MIN: usize = 30;
const STEPS_MORE: usize = 50;
/// Steps before these in a hasty life. In this phase the shopper tries one method of payment after the other.
const STEPS_BEFORE: usize = 40;
/// Further steps of a hasty life, if a debt may have been paid twice.
const STEPS_AFTER: usize = 50;
/// Steps within which everything must come to rest.
const REST_MAX: usize = 600;
/// How often the account's events are listed at the end: the first listing finds deliveries that never arrived.
const LISTED_MIN: usize = 2;
/// Requests that are lost more often than other requests.
const MONEY_MOVES: &[&str] = &[
    "refunds.create",
    "payment_intents.capture",
    "payment_intents.cancel",
    "payments.refunds",
    "payments.captures",
    "payments.cancels",
];
/// A credit that no task uses up.
const UNTIL_REST: u32 = u32::MAX;

type Failed = Box<dyn std::error::Error + Send + Sync>;

impl World {
    pub async fn run(&mut self, seed: u64) -> Result<(), Failed> {
        self.prepare(seed).await?;
        if self.hasty {
            for _ in 0..STEPS_BEFORE {
                self.step_before().await?;
                self.holds()?;
            }
        }
        for _ in 0..STEPS_MIN + self.random.below(STEPS_MORE) {
            self.step().await?;
            self.holds()?;
        }
        if self.hasty && self.shared.provider().may_be_paid_twice() {
            for _ in 0..STEPS_AFTER {
                self.step_after().await?;
                self.holds()?;
            }
        }
        self.come_to_rest().await?;
        self.check_closed_there(true).await;
        self.holds()?;
        self.shared.gate.set_open(true);
        self.check_end().await?;
        self.holds()
    }

    /// Ends the seed at the first violation.
    fn holds(&self) -> Result<(), Failed> {
        if self.violation.is_some() { Err("violated".into()) } else { Ok(()) }
    }

    async fn prepare(&mut self, seed: u64) -> Result<(), Failed> {
        self.seeds += 1;
        self.random = Random::new(seed);
        *self.shared.random() = Random::new(!seed);
        self.shared.set_now(START);
        self.shared.gate.clear();
        self.shared.gate.set_open(true);
        for server in 0..self.servers.len() {
            self.end_life(server).await;
            self.begin_life(server)?;
        }
        (self.tabs, self.ending, self.violation) = ([Tab::default(); 2], false, None);
        self.faults = self.random.pick(&[0, 5, 15, 40]);
        self.forged_unsigned = false;
        let dialect = self.random.pick(&[Dialect::Stripe, Dialect::Adyen]);
        self.hasty = dialect == Dialect::Adyen && self.random.percent(40);
        self.shared.provider().begin(seed, dialect);
        let policy = self.random.pick(&[SurplusPolicy::Hold, SurplusPolicy::Refund]);
        self.amount = 100 + self.random.amount(900);
        let capture = if self.random.percent(35) { Capture::Manual } else { Capture::Automatic };
        let engine = self.servers[0].engine.clone();
        let (merchant, account) = merchant(&engine, policy, dialect).await?;
        (self.account, self.merchant) = (account, Some(merchant.clone()));
        let unit = Money::new(self.amount, "USD".parse()?);
        let policies = Policies { capture, session_ttl: 30 * MINUTE, extendable: false };
        let link = NewLink { policies, ..NewLink::of(vec![Line::new("Tea", unit, 1)], Usage::Once) };
        let link = engine.links(&acting_for(&merchant)).add(link).await?;
        let token = link.url.rsplit('/').next().unwrap_or_default().parse()?;
        let token = engine.checkout().act_on(&token).await?;
        let found = sessions::by_token(&mut *engine.store().reader().await?, &token).await?;
        self.payment = found.map(|stored| stored.session.payment);
        self.token = Some(token);
        let faults = self.faults;
        self.note(|| {
            format!(
                "a debt of {unit} at {dialect:?}, captured {capture:?}; faults {faults}%; surplus money: {policy:?}"
            )
        });
        self.shared.gate.set_open(false);
        Ok(())
    }

    /// Whether a fault happens now.
    pub fn fault(&mut self) -> bool {
        !self.ending && self.random.percent(self.faults)
    }

    pub fn violate(&mut self, invariant: &'static str, detail: String) {
        if self.violation.is_none() {
            self.note(|| format!("VIOLATION of \"{invariant}\": {detail}"));
            self.violation = Some(Violation { invariant, detail });
        }
    }

    async fn step(&mut self) -> Result<(), Failed> {
        let waiting = self.shared.gate.waiting();
        match self.random.below(100) {
            _ if waiting.len() >= 6 => self.go_on(&waiting).await,
            0..=49 if !waiting.is_empty() => self.go_on(&waiting).await,
            0..=11 | 50..=61 => self.deliver().await,
            12..=20 | 62..=66 => self.apply_due().await,
            21..=27 | 67..=69 => self.run_job().await,
            28..=39 | 70..=79 => self.shopper_acts().await,
            40..=49 | 80..=85 => self.merchant_acts().await,
            86..=89 => drop(self.bank_decides()),
            90..=91 => self.bank_surprises(),
            92..=95 => {
                let time =
                    self.random.pick(&[SECOND, 5 * SECOND, 31 * SECOND, 2 * MINUTE, 10 * MINUTE, 31 * MINUTE, HOUR]);
                self.pass(time);
            }
            96 => {
                let server = self.random.below(2);
                self.crash(server).await?;
            }
            97 => self.forger_acts(),
            _ => drop(self.arrive_late()),
        }
        self.take_outputs().await;
        self.note_provider();
        Ok(())
    }

    /// One step while the shopper has no patience with a slow bank.
    async fn step_before(&mut self) -> Result<(), Failed> {
        let waiting = self.shared.gate.waiting();
        match self.random.below(100) {
            _ if waiting.len() >= 6 => self.go_on(&waiting).await,
            0..=64 if !waiting.is_empty() => self.go_on(&waiting).await,
            0..=9 => self.deliver().await,
            10..=19 => self.apply_due().await,
            20..=29 => self.run_job().await,
            30..=97 => self.shopper_acts().await,
            98 => drop(self.bank_decides()),
            _ => self.pass(5 * SECOND),
        }
        self.take_outputs().await;
        self.note_provider();
        Ok(())
    }

    /// One step after the shopper has gone: banks decide, and the merchant handles the money.
    async fn step_after(&mut self) -> Result<(), Failed> {
        let waiting = self.shared.gate.waiting();
        match self.random.below(100) {
            _ if waiting.len() >= 6 => self.go_on(&waiting).await,
            0..=49 if !waiting.is_empty() => self.go_on(&waiting).await,
            0..=19 | 50..=59 => self.deliver().await,
            20..=34 | 60..=69 => self.apply_due().await,
            35..=49 | 70..=74 => self.run_job().await,
            75..=79 => drop(self.bank_decides()),
            80..=97 => self.merchant_acts().await,
            _ => self.pass(MINUTE),
        }
        self.take_outputs().await;
        self.note_provider();
        Ok(())
    }

    pub fn pass(&mut self, time: domain::Millis) {
        self.note(|| format!("… {} s pass", time / SECOND));
        let now = self.shared.now() + time;
        self.shared.set_now(now);
        self.shared.provider().expire_old(now);
    }

    /// How many points the next task passes without giving way.
    pub fn credit(&mut self) -> u32 {
        if self.ending { UNTIL_REST } else { self.random.pick(&[0, 0, 1, 2, 5, 20, UNTIL_REST]) }
    }

    /// Releases one of the tasks at the gate.
    async fn go_on(&mut self, waiting: &[Waiting]) {
        let one = waiting[self.random.below(waiting.len())];
        let fate = self.fate(one.what);
        let credit = self.credit();
        if one.what != What::Point {
            self.note(|| format!("task {}: {:?}: {fate:?}", one.id, one.what));
        }
        self.shared.gate.release(one.id, fate, credit);
        self.quiet().await;
    }

    fn fate(&mut self, what: What) -> Fate {
        let risky = matches!(what, What::Request(name) if MONEY_MOVES.contains(&name));
        let fails = self.fault() || (risky && self.fault());
        let fate = match what {
            What::Request(_) if fails => {
                self.random.pick(&[Fate::NotSent, Fate::Lost, Fate::Late, Fate::Limited, Fate::Broken])
            }
            What::Reply if fails => self.random.pick(&[Fate::Lost, Fate::Broken]),
            _ => Fate::Go,
        };
        if fate != Fate::Go {
            self.census.count(Seen::RequestLost);
        }
        fate
    }

    pub async fn take_outputs(&mut self) {
        for (name, output) in self.ended().await {
            match output {
                Output::Nothing => {}
                Output::Said(said) if said.starts_with("repair ") => {
                    self.listed += 1;
                    self.note(|| format!("{name}: {said}"));
                }
                Output::Said(said) if said.starts_with("open ") => {
                    self.note(|| format!("{name}: {said}"));
                    self.check_closed_there(false).await;
                }
                Output::Said(said) => self.note(|| format!("{name}: {said}")),
                Output::Started(tab, address) => self.started(tab, address.as_deref()),
                Output::Viewed(phase) => self.viewed(phase),
                Output::Delivered(event, status) => self.delivered(event, status),
            }
        }
    }

    pub async fn run_job(&mut self) {
        let Some(server) = self.free_to_store() else { return };
        let credit = self.credit();
        self.begin(server, A_JOB.to_owned(), credit, |engine| async move {
            match engine.run_one_due().await {
                Ok(Some(job)) => Output::Said(job),
                Ok(None) => Output::Nothing,
                Err(error) => Output::Said(error.to_string()),
            }
        })
        .await;
    }

    pub async fn apply_due(&mut self) {
        let (server, credit) = (self.random.below(2), self.credit());
        self.begin(server, "deliveries are applied".to_owned(), credit, |engine| async move {
            match engine.inbox().apply_due().await {
                Ok(0) => Output::Nothing,
                Ok(count) => Output::Said(count.to_string()),
                Err(error) => Output::Said(error.to_string()),
            }
        })
        .await;
    }

    /// Ends the seed: faults stop, no actor begins anything new, and all work must end.
    async fn come_to_rest(&mut self) -> Result<(), Failed> {
        self.note(|| "from here on nothing goes wrong".to_owned());
        (self.ending, self.shared.provider().refuses) = (true, false);
        self.listed = 0;
        for _ in 0..REST_MAX {
            self.holds()?;
            let waiting = self.shared.gate.waiting();
            if !waiting.is_empty() {
                self.go_on(&waiting).await;
            } else if !self.shared.provider().flights.is_empty() {
                self.deliver().await;
            } else if self.arrive_late() || self.bank_decides() {
            } else if !self.run_due().await? {
                return Ok(());
            }
            self.take_outputs().await;
            self.note_provider();
        }
        let detail = format!("something is still to be done after {REST_MAX} steps");
        self.violate("everything comes to rest", detail);
        Ok(())
    }

    /// Runs the due work, or moves the clock to the next. Returns false if no work is left.
    async fn run_due(&mut self) -> Result<bool, Failed> {
        self.shared.gate.set_open(true);
        let engine = self.servers[0].engine.clone();
        let (deliveries, jobs) = (engine.inbox().next_delivery_due().await?, engine.next_job_due().await?);
        if self.listed >= LISTED_MIN {
            self.end_repair().await?;
        }
        self.shared.gate.set_open(false);
        let Some(due) = deliveries.into_iter().chain(jobs).min() else { return Ok(false) };
        let now = self.shared.now();
        if due > now {
            self.pass((due - now).max(10 * MINUTE));
        }
        let now = self.shared.now();
        if deliveries.is_some_and(|due| due <= now) {
            self.apply_due().await;
        } else {
            self.run_job().await;
        }
        Ok(true)
    }

    /// The engine lists an account's events for ever. At the end of a seed the job is removed.
    pub async fn end_repair(&self) -> Result<(), Failed> {
        let mut tx = self.servers[0].store.begin().await?;
        jobs::remove(&mut tx, &Installation::operator(), "repair", &[&self.account]).await?;
        tx.commit().await?;
        Ok(())
    }
}
