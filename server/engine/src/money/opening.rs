//! Entries that a new version owes old payments: opening entries from before there was a ledger, and corrections where a rule
//! has changed.

use std::collections::BTreeMap;

use domain::id::ProviderAccountId;
use domain::ledger::{Business, Entry, entries, entry};
use domain::payment::Payment;

use crate::engine::Engine;
use crate::error::Error;
use crate::jobs::Kind;
use crate::store::ledger::{self, LedgerRow, Posting};
use crate::store::{attempts, payments};

/// Payments of one transaction.
const STEP: i64 = 100;
/// The first line of a correction. Both it and the opening entries are posted before a payment's first event, as number 0.
const CORRECTION: i64 = 1_000;

impl Engine {
    /// Brings the database up to date: its structure, then the books of payments that are older than the ledger.
    pub async fn migrate(&self) -> Result<(), Error> {
        self.store().migrate().await?;
        while self.post_opening_entries().await? {}
        while self.rebook().await? {}
        Ok(())
    }

    /// Posts what payments without a row in the ledger should have there. Returns whether there may be more.
    async fn post_opening_entries(&self) -> Result<bool, Error> {
        let mut tx = self.store().begin_patient().await?;
        let ids = payments::without_ledger(&mut tx, STEP).await?;
        let now = self.env().now();
        for id in &ids {
            let Some(stored) = payments::find(&mut tx, id).await? else { continue };
            let payment = stored.payment;
            let empty = Payment { attempts: vec![], canceled: false, ..payment.clone() };
            let posting = |line| Posting {
                payment: id.clone(),
                merchant: payment.merchant.clone(),
                seq: 0,
                line,
                currency: payment.amount.currency,
                live: stored.live,
                at: now,
            };
            let rows: Vec<_> =
                (0..).zip(entries(&empty, &payment)).map(|(line, entry)| (posting(line), entry)).collect();
            ledger::insert(&mut tx, &rows).await?;
            if payment.wanted_back().is_some() {
                self.enqueue(&mut tx, Kind::Surplus, None, id.as_str(), now).await?;
            }
        }
        self.commit(tx).await?;
        Ok(!ids.is_empty())
    }

    /// Corrects the books of payments that were kept by former rules about money nobody asked for. Returns whether there may be
    /// more.
    async fn rebook(&self) -> Result<bool, Error> {
        let mut tx = self.store().begin_patient().await?;
        let ids = payments::to_rebook(&mut tx, STEP).await?;
        let now = self.env().now();
        for id in &ids {
            // Another server may be at it; the first one to mark the payment corrects it.
            if !payments::mark_rebooked(&mut tx, id).await? {
                continue;
            }
            let Some(stored) = payments::find(&mut tx, id).await? else { continue };
            let payment = stored.payment;
            let kept: Vec<_> = payment.attempts.iter().filter(|one| one.kept > 0).map(|one| (one, one)).collect();
            attempts::update(&mut tx, &kept, now).await?;
            let posting = |line| Posting {
                payment: id.clone(),
                merchant: payment.merchant.clone(),
                seq: 0,
                line,
                currency: payment.amount.currency,
                live: stored.live,
                at: now,
            };
            let missing = corrections(&payment, &ledger::of_payment(&mut tx, id).await?);
            let rows: Vec<_> = (CORRECTION..).zip(missing).map(|(line, entry)| (posting(line), entry)).collect();
            ledger::insert(&mut tx, &rows).await?;
            if payment.wanted_back().is_some() {
                self.enqueue(&mut tx, Kind::Surplus, None, id.as_str(), now).await?;
            }
            for attempt in payment.attempts.iter().filter(|attempt| attempt.overdrawn() > 0) {
                self.enqueue(&mut tx, Kind::Overdrawn, None, attempt.id.as_str(), now).await?;
            }
        }
        self.commit(tx).await?;
        Ok(!ids.is_empty())
    }
}

/// What is missing in the rows about money nobody asked for.
fn corrections(payment: &Payment, rows: &[LedgerRow]) -> Vec<Entry> {
    let mut missing = vec![];
    for business in [Business::Surplus, Business::Overdrawn] {
        let mut totals: BTreeMap<&ProviderAccountId, i64> = BTreeMap::new();
        for claim in payment.claims() {
            *totals.entry(&claim.attempt.account).or_insert(0) += business.total(&claim);
        }
        for (account, total) in totals {
            let posted = posted(business, account, rows);
            missing.extend(entry(business, total.saturating_sub(posted), account));
        }
    }
    missing
}

/// What the rows of a provider account add up to for one business event.
fn posted(business: Business, account: &ProviderAccountId, rows: &[LedgerRow]) -> i64 {
    let (debit, _) = business.rule();
    let of = |row: &&LedgerRow| row.business == business.as_str() && row.provider_account == account.as_str();
    let amounts = rows.iter().filter(of).map(|row| if row.debit == debit.as_str() { row.amount } else { -row.amount });
    amounts.fold(0, i64::saturating_add)
}
