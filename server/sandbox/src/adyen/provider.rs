//! The sandbox's provider interface for Adyen.

use std::sync::Arc;

use axum::{Router, routing::get};
use serde_json::Value;

use super::{
    Core, api, auth, control, hosted, money,
    notify::{self, Own},
    objects::Payment,
    operation::OPERATIONS,
    outcomes::CARDS,
    reports,
    state::{Account, Adyen, Endpoint, Timer},
};
use crate::{
    clock::Now,
    control::faults::Kind,
    provider::{self, About, Accounts, Common, Happened, PaymentRow, Provider, Seed, Trial, Wish},
};

/// The reason for missing faults of time: the signature covers eight fields, and no time is among them (Adyen, Verify HMAC signatures).
const NO_TIME: &str = "its signature covers no time";

impl Provider for Adyen {
    type Account = Account;

    const ABOUT: About = About {
        api: "/adyen/v72",
        keys: "Any key like <code>AQE…</code> or <code>test_…</code>, with at least 16 characters, opens an account of its own.",
        operations: || OPERATIONS.iter().map(|operation| operation.name).collect(),
        events: notify::CODES,
        never: &[
            (Kind::Stale, NO_TIME),
            (Kind::Future, NO_TIME),
            // Internal errors are marked as transient and are not stored under the idempotency key (Adyen, API idempotency).
            (Kind::Error500Stored, "it stores no such reply"),
            (Kind::InsufficientBalance, "it tells such things later, see its trigger refund_failed"),
        ],
        early: Some(notify::CAUSED_BY_A_REPLY),
        trials: || CARDS.iter().map(|card| Trial { number: card.number, kind: "", does: card.label }).collect(),
        ..About::named("adyen", "Adyen")
    };

    fn accounts(&self) -> &Accounts<Account> {
        &self.accounts
    }

    fn accounts_mut(&mut self) -> &mut Accounts<Account> {
        &mut self.accounts
    }

    fn is_key(key: &str) -> bool {
        auth::is_test_key(key)
    }

    fn router() -> Router<Arc<Core>> {
        api::router().merge(hosted::router()).route("/adyen/reports/{merchant_account}/{name}", get(reports::download))
    }

    fn control() -> Router<Arc<Core>> {
        control::router()
    }

    /// The seed's key is an API key, `AQE…` or `test_…`. The webhook's secret is the HMAC key, 64 hexadecimal digits. More settings:
    /// `merchant_account`, which the key has rights on, and `username` with `password` for HTTP Basic.
    fn seed(&mut self, seed: &Seed, now_ms: i64) -> Result<(), String> {
        let fits = auth::is_test_key(&seed.key) && notify::is_hmac_key(&seed.webhook_secret);
        let account = fits.then(|| self.accounts.open(&seed.key)).flatten();
        let account = account
            .ok_or("an API key has at least 16 characters and begins with AQE or test_, an HMAC key has 64 hexadecimal digits")
            .map_err(str::to_owned)?;
        account.merchant_account = seed.more.get("merchant_account").cloned();
        let basic = seed.more.get("username").cloned().zip(seed.more.get("password").cloned());
        let endpoint = Endpoint { url: seed.webhook_url.clone(), hmac_key: seed.webhook_secret.clone(), basic };
        account.set_endpoint(Some(endpoint), now_ms);
        Ok(())
    }

    /// The triggers of payments.
    fn act(&mut self, psp: &str, trigger: &str, wish: &Wish, now: &Now<'_>) -> Result<Value, String> {
        let account = self.account_of_payment(psp).ok_or("There is no such payment.")?;
        account.trigger(psp, trigger, wish, now.base, now.ms).map_err(str::to_owned)
    }

    fn payments(&self, most: usize) -> Vec<PaymentRow> {
        let row = |payment: &Payment| PaymentRow {
            at: payment.created,
            page: format!("/adyen/pay/{}", payment.checkout),
            id: payment.psp.clone(),
            what: payment.reference.clone(),
            state: payment.standing(),
            amount: money::display(payment.amount, &payment.currency),
        };
        self.newest_payments(most).into_iter().map(row).collect()
    }
}

impl Adyen {
    /// The newest payments of all accounts, newest first.
    pub fn newest_payments(&self, most: usize) -> Vec<&Payment> {
        let each = self.accounts.iter().flat_map(|(_, account)| account.payments.newest().take(most));
        let mut all: Vec<&Payment> = each.collect();
        all.sort_by_key(|payment| std::cmp::Reverse(payment.created));
        all.truncate(most);
        all
    }
}

impl provider::Account for Account {
    type Own = Own;
    type Timer = Timer;

    fn new(common: Common<Own, Timer>) -> Self {
        Account { common, ..Account::default() }
    }

    fn common(&self) -> &Common<Own, Timer> {
        &self.common
    }

    fn common_mut(&mut self) -> &mut Common<Own, Timer> {
        &mut self.common
    }

    fn ring(&mut self, timer: Timer, at_ms: i64, now: &Now<'_>) {
        match timer {
            Timer::CloseCheckout(id) => self.close(&id),
            Timer::SettlePending(psp) => self.settle_pending(&psp, now.ms),
            // The follow-ups of a modification are due after the modification itself, so one jump in time runs the whole chain.
            Timer::Modify(psp) => self.finish_modification(&psp, at_ms, now.ms),
            Timer::ModifyFails(psp) => {
                self.fail_modification(&psp, now.ms);
            }
            Timer::CaptureDelayed(psp) => self.capture_by_itself(&psp, at_ms, now.ms),
            Timer::ExpirePayment(psp) => {
                self.expire_payment(&psp, now.ms);
            }
        }
    }

    fn kind_of(&self, notice: &str) -> Option<&str> {
        self.notices.get(notice).map(|notice| notice.code.as_str())
    }

    fn url_of(&self, _endpoint: &str) -> Option<&str> {
        self.endpoint.as_ref().map(|endpoint| endpoint.url.as_str())
    }

    fn resend(&mut self, notice: &str, now_ms: i64) -> Option<usize> {
        self.notices.get(notice)?;
        Some(self.address(notice, now_ms))
    }

    fn happened(&self, most: usize) -> Vec<Happened> {
        let of = |notice: &notify::Notice| Happened {
            id: notice.id.clone(),
            at: notice.at,
            kind: notice.code.clone(),
            about: if notice.original.is_empty() { notice.psp.clone() } else { notice.original.clone() },
        };
        self.notices.newest().take(most).map(of).collect()
    }

    fn holds(&self) -> Vec<(&'static str, usize)> {
        vec![
            ("links and sessions", self.checkouts.len()),
            ("payments", self.payments.len()),
            ("modifications", self.modifications.len()),
        ]
    }

    fn endpoints(&self) -> Vec<String> {
        self.endpoint.iter().map(|endpoint| endpoint.url.clone()).collect()
    }
}
