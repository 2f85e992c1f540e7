//! One world: providers, network, two servers on one database, shoppers and a merchant. It is reused from seed to seed.

use domain::currency::Currency;
use domain::money::Money;
use domain::payment::{Capture, Payment};
use domain::session::{Session, SessionState};
use domain::{MINUTE, Millis};

use super::database::Database;
use super::names::Names;
use super::network::{Event, Op};
use super::provider::{Kind, Provider};
use super::server::Task;
use crate::census::Census;
use crate::random::Random;
use crate::report::Violation;

/// The time at which every world begins.
pub(super) const START: Millis = 1_700_000_000_000;
/// The lifetime of a session.
pub(super) const SESSION_TTL: Millis = 30 * MINUTE;
/// The time from a session's end to the page's end.
pub(super) const PAGE_MARGIN: Millis = 15 * MINUTE;

/// Writes a line of the trace if the trace is wanted. Formatting costs more than the step it describes.
macro_rules! note {
    ($world:expr, $($text:tt)*) => {
        if $world.trace.is_some() {
            let line = format!($($text)*);
            $world.write(line);
        }
    };
}
pub(super) use note;

/// The world of the core layer.
pub(super) struct World {
    pub random: Random,
    pub now: Millis,
    pub names: Names,
    pub currency: Currency,
    pub provider: Provider,
    /// The kinds of the two provider accounts: for cards, for bank debits.
    pub kinds: [Kind; 2],
    /// Deliveries by number; a flight is a copy of one on its way.
    pub events: Vec<Event>,
    pub flights: Vec<usize>,
    /// Requests that will arrive although their senders have stopped waiting.
    pub late: Vec<Op>,
    pub database: Database,
    pub tasks: Vec<Task>,
    /// The page each tab of the shopper is on at a provider.
    pub tabs: [Option<usize>; 2],
    /// How many calls in a hundred the network disturbs.
    pub faults: u32,
    /// Whether banks are slow and people have no patience: the life in which a debt is paid twice.
    pub hasty: bool,
    /// Whether the merchant wants second payments sent back; otherwise they are held.
    pub refunds_surplus: bool,
    /// When the merchant last set this policy.
    pub policy_since: Millis,
    /// Whether the policy for second payments, and not the merchant, requested each modification.
    pub by_policy: Vec<bool>,
    /// Whether each modification is the merchant's last capture.
    pub finishes: Vec<bool>,
    /// The amounts that the merchant decided to keep, by attempt.
    pub kept: Vec<i64>,
    /// The end of the seed: faults have stopped, and no actor begins anything new.
    pub ending: bool,
    /// Keys handed out by a planted bug, beyond the regular ones.
    pub stray_keys: usize,
    pub violation: Option<Violation>,
    pub census: Census,
    pub trace: Option<Vec<String>>,
}

impl World {
    pub fn new() -> Self {
        let names = Names::new();
        let currency = Currency::all().find(|one| one.code() == "EUR");
        let currency = currency.or_else(|| Currency::all().next()).expect("there are currencies");
        let payment = Payment {
            id: names.payment.clone(),
            merchant: names.merchant.clone(),
            amount: Money::new(0, currency),
            capture: Capture::Automatic,
            canceled: false,
            attempts: vec![],
        };
        let session = Session {
            id: names.session.clone(),
            token: names.token.clone(),
            merchant: names.merchant.clone(),
            order: names.order.clone(),
            payment: names.payment.clone(),
            state: SessionState::Open,
            notice: None,
            created: START,
            expires: START + SESSION_TTL,
            extension: 0,
        };
        World {
            random: Random::new(0),
            now: START,
            names,
            currency,
            provider: Provider::default(),
            kinds: [Kind::Results, Kind::Receipts],
            events: vec![],
            flights: vec![],
            late: vec![],
            database: Database::new(payment, session),
            tasks: vec![],
            tabs: [None; 2],
            faults: 0,
            hasty: false,
            refunds_surplus: false,
            policy_since: START,
            by_policy: vec![],
            finishes: vec![],
            kept: vec![],
            ending: false,
            stray_keys: 0,
            violation: None,
            census: Census::default(),
            trace: None,
        }
    }

    /// Resets the world for a seed.
    pub fn begin(&mut self, seed: u64) {
        self.random = Random::new(seed);
        self.now = START;
        self.provider.clear();
        self.events.clear();
        self.flights.clear();
        self.late.clear();
        self.tasks.clear();
        self.by_policy.clear();
        self.finishes.clear();
        self.kept.clear();
        self.tabs = [None; 2];
        (self.ending, self.violation, self.stray_keys) = (false, None, 0);
        self.kinds = [self.kind(), self.kind()];
        self.faults = self.random.pick(&[0, 5, 15, 40]);
        self.hasty = self.random.percent(25);
        if self.hasty && self.random.percent(70) {
            // With this kind, closing a page does not stop a slow bank.
            self.kinds[0] = Kind::Receipts;
        }
        (self.refunds_surplus, self.policy_since) = (self.random.percent(50), START);
        let amount = Money::new(100 + self.random.amount(900), self.currency);
        let capture = if self.random.percent(35) { Capture::Manual } else { Capture::Automatic };
        self.database.clear(amount, capture);
        note!(
            self,
            "a debt of {amount}, captured {capture:?}; cards at {:?}, debits at {:?}; faults {}%, second payments are {}",
            self.kinds[0],
            self.kinds[1],
            self.faults,
            if self.refunds_surplus { "sent back" } else { "held" }
        );
    }

    fn kind(&mut self) -> Kind {
        self.random.pick(&[Kind::Results, Kind::Receipts])
    }

    /// Whether a fault happens now.
    pub fn fault(&mut self) -> bool {
        !self.ending && self.random.percent(self.faults)
    }

    /// The first violation counts; later ones may only follow from it.
    pub fn violate(&mut self, invariant: &'static str, detail: impl FnOnce(&World) -> String) {
        if self.violation.is_none() {
            let detail = detail(self);
            note!(self, "VIOLATION of \"{invariant}\": {detail}");
            self.violation = Some(Violation { invariant, detail });
        }
    }

    pub fn write(&mut self, line: String) {
        let since = self.now - START;
        if let Some(trace) = &mut self.trace {
            trace.push(format!("{:>7}.{:03}s  {line}", since / 1_000, since % 1_000));
        }
    }
}
