//! Faults on request: they disturb the next calls of an operation, or the next webhooks of a type.
//!
//! The model knows only a provider's name and the faults that can never happen there ([`About`]). A simulator asks [`Faults::take_call`]
//! once for each API call and [`Faults::take_delivery`] once for each webhook before it is queued, and carries the answer out.

mod chance;
mod kind;
mod plan;
pub mod spoil;
mod wanted;

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use serde::Serialize;

use crate::provider::About;
use chance::Chance;
pub use kind::{Kind, Side};
pub use plan::Plan;
pub use wanted::{Refusal, Wanted};

/// The most faults that may wait at a time.
pub const CAPACITY: usize = 1_000;

/// The longest time for which a fault may hold a request.
const LONGEST_CALL: Duration = Duration::from_secs(300);

/// The longest time for which a fault may delay a webhook. Providers retry for as long.
const LONGEST_DELIVERY: Duration = Duration::from_secs(30 * 24 * 3600);

/// A waiting fault.
#[derive(Debug, Clone, Serialize)]
pub struct Fault {
    /// The fault's id: `flt_` and a running number.
    pub id: String,
    /// A provider's name, or `*` for every provider.
    pub provider: String,
    /// An API operation such as `checkout.sessions.create`, or a type of event. `*` and prefixes that end with `*` match several.
    pub operation: String,
    /// The kind of the fault.
    #[serde(rename = "fault")]
    pub kind: Kind,
    /// The side to strike. `None` means both sides, for kinds that have two.
    pub on: Option<Side>,
    /// The number of times the fault may still happen. `None` means for ever.
    pub count: Option<u32>,
    /// The probability in thousandths. `None` means always.
    pub probability_permille: Option<u16>,
    /// The account's key at its provider. `None` means every account.
    pub account: Option<String>,
    /// The time for which the request or webhook is held, in milliseconds.
    pub delay_ms: Option<u64>,
    /// The number of extra copies of a duplicated webhook.
    pub copies: Option<u32>,
    /// The difference of a wrong amount, in minor units.
    pub amount_delta: Option<i64>,
    /// The number of times the fault has happened.
    pub happened: u64,
}

impl Fault {
    /// The time for which a request is held.
    pub fn delay(&self) -> Duration {
        let default_ms = if self.kind == Kind::Slow { 5_000 } else { 0 };
        Duration::from_millis(self.delay_ms.unwrap_or(default_ms)).min(LONGEST_CALL)
    }

    /// The difference of a wrong amount, in minor units.
    pub fn delta(&self) -> i64 {
        self.amount_delta.unwrap_or(100)
    }

    fn fits(&self, side: Side, provider: &str, name: &str, account: &str) -> bool {
        self.on.is_none_or(|on| on == side)
            && self.kind.sides().contains(&side)
            && (self.provider == "*" || self.provider == provider)
            && self.operation.strip_suffix('*').map_or(self.operation == name, |prefix| name.starts_with(prefix))
            && self.account.as_deref().is_none_or(|wanted| wanted == account)
    }
}

/// All waiting faults, shared by every API and webhook. A clone is cheap and shares the same list.
#[derive(Debug, Clone, Default)]
pub struct Faults {
    providers: Arc<[About]>,
    list: Arc<Mutex<Inner>>,
}

#[derive(Debug, Default)]
struct Inner {
    waiting: Vec<Fault>,
    added: u64,
    chance: Chance,
}

impl Faults {
    /// An empty list of faults for these providers.
    pub fn of(providers: Vec<About>) -> Faults {
        Faults { providers: providers.into(), list: Arc::default() }
    }

    /// The providers that a fault can strike.
    pub fn providers(&self) -> &[About] {
        &self.providers
    }

    /// The provider of this name.
    pub fn provider(&self, name: &str) -> Option<&About> {
        self.providers.iter().find(|about| about.name == name)
    }

    /// Whether a kind can happen at this provider.
    fn can(&self, kind: Kind, provider: &str) -> bool {
        self.provider(provider).is_none_or(|about| about.never(kind).is_none())
    }

    /// The effect of a kind in words, with the providers at which it cannot happen.
    pub fn effect(&self, kind: Kind) -> String {
        let never = self.providers.iter().filter_map(|about| Some((about.title, about.never(kind)?)));
        never.fold(kind.effect().to_owned(), |text, (title, why)| format!("{text} Not at {title}: {why}."))
    }

    /// Takes the oldest fault that fits an API call and that its probability lets happen. `account` is the account's key.
    pub fn take_call(&self, provider: &str, operation: &str, account: &str) -> Option<Fault> {
        let mut inner = self.inner();
        let fits: Vec<usize> = inner
            .fitting(|fault| fault.fits(Side::Api, provider, operation, account) && self.can(fault.kind, provider));
        let at = fits.into_iter().find(|at| inner.strikes(*at))?;
        Some(inner.strike(at))
    }

    /// Takes the faults that fit a webhook, each kind at most once, as a plan. `event` is the provider's type of event, and `account` the
    /// account's key. Kinds in `skip` are left for another webhook.
    pub fn take_delivery(&self, provider: &str, event: &str, account: &str, skip: &[Kind]) -> Plan {
        let mut inner = self.inner();
        let fits = inner.fitting(|fault| {
            fault.fits(Side::Webhook, provider, event, account)
                && self.can(fault.kind, provider)
                && !skip.contains(&fault.kind)
        });
        let (mut plan, mut met) = (Plan::default(), Vec::new());
        // Faults are removed from the back, so that a used-up fault does not move the faults still to be handled.
        let mut chosen: Vec<usize> = Vec::new();
        for at in fits {
            let kind = inner.waiting[at].kind;
            if !met.contains(&kind) && inner.strikes(at) {
                met.push(kind);
                chosen.push(at);
            }
        }
        for at in chosen.into_iter().rev() {
            plan.apply(&inner.strike(at));
        }
        plan
    }

    /// Whether a fault of this kind waits for such a webhook. Probabilities are not drawn. A simulator asks this when it must prepare for
    /// the fault before the webhook exists.
    pub fn awaits(&self, kind: Kind, provider: &str, event: &str, account: &str) -> bool {
        let inner = self.inner();
        self.can(kind, provider)
            && inner
                .waiting
                .iter()
                .any(|fault| fault.kind == kind && fault.fits(Side::Webhook, provider, event, account))
    }

    /// Adds all of the faults or none. Returns their ids.
    ///
    /// # Errors
    /// Fails when too many faults would wait, when one is malformed, or when one cannot happen. The error is a sentence for the caller.
    pub fn add(&self, wanted: Vec<Wanted>) -> Result<Vec<String>, Refusal> {
        let mut inner = self.inner();
        if inner.waiting.len() + wanted.len() > CAPACITY {
            return Err(format!("Too many faults are waiting: at most {CAPACITY}.").into());
        }
        let mut checked =
            wanted.into_iter().map(|wanted| wanted.check(self)).collect::<Result<Vec<Fault>, Refusal>>()?;
        checked.retain(|fault| fault.count != Some(0));
        for fault in &mut checked {
            inner.added += 1;
            fault.id = format!("flt_{}", inner.added);
        }
        let ids = checked.iter().map(|fault| fault.id.clone()).collect();
        inner.waiting.append(&mut checked);
        Ok(ids)
    }

    /// All faults, oldest first.
    pub fn list(&self) -> Vec<Fault> {
        self.inner().waiting.clone()
    }

    /// Removes a fault. Returns whether it existed.
    pub fn remove(&self, id: &str) -> bool {
        let mut inner = self.inner();
        let before = inner.waiting.len();
        inner.waiting.retain(|fault| fault.id != id);
        inner.waiting.len() < before
    }

    /// Removes all faults. Returns their number.
    pub fn clear(&self) -> usize {
        std::mem::take(&mut self.inner().waiting).len()
    }

    /// Removes all faults and restarts the sequence of the current seed.
    pub fn reset(&self) {
        let mut inner = self.inner();
        inner.waiting.clear();
        inner.chance = Chance::new(inner.chance.seed());
    }

    /// Starts the sequence of this seed.
    pub fn seed(&self, seed: u64) {
        self.inner().chance = Chance::new(seed);
    }

    /// The seed of the current sequence.
    pub fn current_seed(&self) -> u64 {
        self.inner().chance.seed()
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        // Each change leaves a usable list, so a panic elsewhere need not stop the simulator.
        self.list.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn fitting(&self, fits: impl Fn(&Fault) -> bool) -> Vec<usize> {
        self.waiting.iter().enumerate().filter(|(_, fault)| fits(fault)).map(|(at, _)| at).collect()
    }

    /// Draws the probability of a fault. A fault without one always happens.
    fn strikes(&mut self, at: usize) -> bool {
        self.waiting[at].probability_permille.is_none_or(|permille| self.chance.happens(permille))
    }

    /// Counts one use of a fault, and removes a used-up one.
    fn strike(&mut self, at: usize) -> Fault {
        let fault = &mut self.waiting[at];
        fault.happened += 1;
        fault.count = fault.count.map(|count| count.saturating_sub(1));
        let struck = fault.clone();
        if struck.count == Some(0) {
            self.waiting.remove(at);
        }
        struck
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A provider whose signatures contain no time.
    const PLAIN: About = About {
        never: &[(Kind::Stale, "it signs no time"), (Kind::Future, "it signs no time")],
        ..About::named("plain", "Plain")
    };

    fn faults(json: &str) -> Faults {
        let faults = Faults::of(vec![About::named("full", "Full"), PLAIN]);
        faults.add(Wanted::read(json.as_bytes()).unwrap()).unwrap();
        faults
    }

    fn kind(faults: &Faults, operation: &str, key: &str) -> Option<Kind> {
        faults.take_call("full", operation, key).map(|fault| fault.kind)
    }

    #[test]
    fn a_fault_happens_as_often_as_asked_and_to_whom() {
        let json = r#"{"operation":"refunds.create","fault":"error_500","count":2,"account":"sk_test_a"}"#;
        let faults = faults(json);
        assert_eq!(kind(&faults, "refunds.create", "sk_test_b"), None);
        assert_eq!(kind(&faults, "refunds.list", "sk_test_a"), None);
        assert_eq!(kind(&faults, "refunds.create", "sk_test_a"), Some(Kind::Error500));
        assert_eq!(faults.list()[0].count, Some(1));
        assert_eq!(kind(&faults, "refunds.create", "sk_test_a"), Some(Kind::Error500));
        assert_eq!(kind(&faults, "refunds.create", "sk_test_a"), None);
        assert!(faults.list().is_empty());
    }

    #[test]
    fn operations_match_whole_by_prefix_or_all_and_providers_are_apart() {
        let hit = |operation: &str, called: &str| {
            let json = format!(r#"{{"operation":"{operation}","provider":"full","fault":"slow"}}"#);
            kind(&faults(&json), called, "k").is_some()
        };
        assert!(
            hit("*", "refunds.create") && hit("refunds.*", "refunds.create") && hit("refunds.create", "refunds.create")
        );
        assert!(
            !hit("refunds", "refunds.create")
                && !hit("refund.*", "refunds.create")
                && !hit("charges.*", "refunds.create")
        );
        let plain = faults(r#"{"provider":"plain","operation":"*","fault":"slow"}"#);
        assert!(kind(&plain, "refunds.create", "k").is_none());
        assert!(plain.take_call("plain", "payments.refund", "k").is_some());
    }

    #[test]
    fn what_a_provider_cannot_show_passes_it_by() {
        let faults = faults(r#"[{"fault":"stale"},{"fault":"future"},{"fault":"drop"}]"#);
        let plan = faults.take_delivery("plain", "AUTHORISATION", "k", &[]);
        assert_eq!(plan, Plan { dropped: true, ..Plan::default() });
        let plan = faults.take_delivery("full", "charge.succeeded", "k", &[]);
        assert_eq!(plan, Plan { stale: true, future: true, ..Plan::default() });
        assert_eq!(faults.effect(Kind::Stale), format!("{} Not at Plain: it signs no time.", Kind::Stale.effect()));
        assert_eq!(faults.effect(Kind::Drop), Kind::Drop.effect());
    }

    #[test]
    fn asking_whether_a_fault_waits_does_not_use_it() {
        let faults = faults(r#"{"fault":"early","operation":"REFUND"}"#);
        for _ in 0..2 {
            assert!(faults.awaits(Kind::Early, "plain", "REFUND", "k"));
        }
        assert!(!faults.awaits(Kind::Early, "plain", "CAPTURE", "k"));
        assert!(!faults.awaits(Kind::Late, "plain", "REFUND", "k"));
    }

    #[test]
    fn calls_and_webhooks_have_faults_of_their_own() {
        let both = faults(
            r#"[{"operation":"*","fault":"tamper"},{"operation":"*","fault":"error_500"},
                {"operation":"*","fault":"wrong_amount","on":"webhook","amount_delta":-5}]"#,
        );
        assert_eq!(kind(&both, "refunds.create", "k"), Some(Kind::Error500));
        assert_eq!(kind(&both, "refunds.create", "k"), None);
        let plan = both.take_delivery("full", "refund.created", "k", &[]);
        assert_eq!(plan, Plan { tampered: true, amount_delta: -5, ..Plan::default() });
        assert_eq!(both.take_delivery("full", "refund.created", "k", &[]), Plan::default());
    }

    #[test]
    fn one_kind_strikes_a_webhook_once_and_skipped_kinds_wait() {
        let faults = faults(
            r#"[{"operation":"*","fault":"duplicate","copies":2},{"operation":"*","fault":"duplicate"},
            {"operation":"*","fault":"reorder"}]"#,
        );
        let plan = faults.take_delivery("full", "x", "k", &[Kind::Reorder]);
        assert_eq!((plan.copies, plan.reorder_ms), (2, 0));
        let plan = faults.take_delivery("full", "x", "k", &[]);
        assert_eq!((plan.copies, plan.reorder_ms), (1, 60_000));
    }

    #[test]
    fn probability_strikes_by_chance_for_ever_or_until_the_count_is_used_up() {
        let count = |permille: u32| {
            let faults = faults(&format!(r#"{{"fault":"slow","probability_permille":{permille}}}"#));
            (0..1000).filter(|_| kind(&faults, "x", "k").is_some()).count()
        };
        assert_eq!((count(0), count(1000)), (0, 1000));
        assert!((200..300).contains(&count(250)));
        let faults = faults(r#"{"fault":"slow","probability":0.5,"count":3}"#);
        assert_eq!((0..1000).filter(|_| kind(&faults, "x", "k").is_some()).count(), 3);
        assert!(faults.list().is_empty());
    }

    #[test]
    fn a_seed_makes_a_run_repeatable_and_reset_starts_it_again() {
        let faults = Faults::default();
        faults.seed(42);
        let run = || {
            faults.add(Wanted::read(br#"{"fault":"slow","probability":0.5}"#).unwrap()).unwrap();
            (0..64).map(|_| kind(&faults, "x", "k").is_some()).collect::<Vec<_>>()
        };
        let first = run();
        faults.reset();
        assert_eq!((faults.current_seed(), run()), (42, first.clone()));
        faults.clear();
        faults.seed(43);
        assert_ne!(run(), first);
    }

    #[test]
    fn faults_are_listed_removed_and_bounded() {
        let faults = faults(r#"[{"fault":"slow"},{"fault":"drop"}]"#);
        let ids: Vec<_> = faults.list().into_iter().map(|fault| fault.id).collect();
        assert_eq!(ids, ["flt_1", "flt_2"]);
        assert!(faults.remove("flt_1") && !faults.remove("flt_1"));
        let more = || (0..CAPACITY).map(|_| Wanted::read(br#"{"fault":"slow"}"#).unwrap().remove(0)).collect();
        assert!(faults.add(more()).is_err());
        assert_eq!((faults.list().len(), faults.clear()), (1, 1));
        assert_eq!(faults.add(more()).unwrap().len(), CAPACITY);
    }
}
