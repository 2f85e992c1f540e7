//! The ledger's rules: double entry, per merchant and currency.
//!
//! Every entry debits one account and credits another by the same amount, so that the sum over all accounts is zero after each entry,
//! whatever happens. An entry posts the difference that a change made to a payment's totals. Each business event has one rule, in
//! [`Business::rule`]. A total that falls again is posted with debit and credit exchanged. Therefore the ledger agrees with the payments by
//! construction, whatever the order of the deliveries.

use serde::{Deserialize, Serialize};

use crate::id::ProviderAccountId;
use crate::mutant::{self, Mutant};
use crate::payment::{Claim, EntryState, Payment};

/// An account of the chart. A positive balance is a debit balance.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Account {
    /// Asset: money that a provider account holds for the merchant; one for each provider account.
    ProviderReceivable,
    /// Liability: money owed to the merchant from shoppers' payments.
    MerchantPayable,
    /// Liability: refunds that the provider has accepted but not sent.
    RefundsInTransit,
    /// Asset: money that is with a bank while a dispute is open.
    Disputes,
    /// Liability: money that is not owed, until it is sent back or kept: second successes, overpayments, payments of a debt that was called
    /// off. A debit balance is money that was refunded without having been captured.
    Suspense,
    /// Asset: money that providers have paid out and that has not arrived; one for each provider account.
    PayoutsInTransit,
    /// Asset: money that has arrived at the merchant's bank.
    Bank,
    /// Expense: fees that providers kept; one for each provider account.
    Fees,
    /// Asset: money that providers keep back for a time; one for each provider account.
    Reserves,
    /// Exchange of one currency for another at the rate of a settlement. The balances in two currencies are the two sides of an exchange.
    Conversion,
    /// Liability: money owed to sellers from shoppers' payments to the merchant; one for each seller.
    Sellers,
}

impl Account {
    /// The whole chart. The accounts of payments come first.
    pub const ALL: [Account; 11] = [
        Account::ProviderReceivable,
        Account::MerchantPayable,
        Account::RefundsInTransit,
        Account::Disputes,
        Account::Suspense,
        Account::PayoutsInTransit,
        Account::Bank,
        Account::Fees,
        Account::Reserves,
        Account::Conversion,
        Account::Sellers,
    ];

    /// The accounts to which the rules below post the changes of payments.
    pub const OF_PAYMENTS: [Account; 5] = [
        Account::ProviderReceivable,
        Account::MerchantPayable,
        Account::RefundsInTransit,
        Account::Disputes,
        Account::Suspense,
    ];

    /// Whether each party has an account of its own: a provider account, or a seller.
    #[must_use]
    pub fn has_parties(self) -> bool {
        use Account::{Fees, PayoutsInTransit, ProviderReceivable, Reserves, Sellers};
        matches!(self, ProviderReceivable | PayoutsInTransit | Fees | Reserves | Sellers)
    }

    /// The name in the database and in statements.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Account::ProviderReceivable => "provider_receivable",
            Account::MerchantPayable => "merchant_payable",
            Account::RefundsInTransit => "refunds_in_transit",
            Account::Disputes => "disputes",
            Account::Suspense => "suspense",
            Account::PayoutsInTransit => "payouts_in_transit",
            Account::Bank => "bank",
            Account::Fees => "fees",
            Account::Reserves => "reserves",
            Account::Conversion => "conversion",
            Account::Sellers => "sellers",
        }
    }

    /// The kind of account, and the meaning of its balance.
    #[must_use]
    pub fn meaning(self) -> &'static str {
        match self {
            Account::ProviderReceivable => {
                "asset; what the provider account holds for the merchant, one per provider account"
            }
            Account::MerchantPayable => "liability; what the merchant is owed for what shoppers paid",
            Account::RefundsInTransit => "liability; refunds the provider has taken but not yet sent",
            Account::Disputes => "asset; money held by banks while disputes are open",
            Account::Suspense => {
                "liability; money nobody asked for (second successes, overpayments, payments of a debt called off), until it is \
                 sent back or kept; on the debit side refunds of money that never came, until a person explains them"
            }
            Account::PayoutsInTransit => {
                "asset; what providers have paid out and has not arrived at the bank, one per provider account"
            }
            Account::Bank => "asset; what has arrived at the merchant's bank",
            Account::Fees => "expense; what providers kept as fees, one per provider account",
            Account::Reserves => "asset; what providers keep back for a time, one per provider account",
            Account::Conversion => {
                "currency exchanged by a provider; its balances in two currencies are the two sides of it"
            }
            Account::Sellers => "liability; what sellers are owed for what shoppers paid the merchant, one per seller",
        }
    }
}

/// A business event.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Business {
    /// Money was captured.
    Capture,
    /// A provider accepted a refund.
    RefundBegun,
    /// A refund was sent to the shopper.
    RefundSent,
    /// A dispute took money away.
    DisputeOpened,
    /// A dispute was decided against the merchant.
    DisputeLost,
    /// A bank took money back.
    Return,
    /// An attempt captured more than is owed.
    Surplus,
    /// More of an attempt was refunded than captured.
    Overdrawn,
}

impl Business {
    /// Every business event.
    pub const ALL: [Business; 8] = [
        Business::Capture,
        Business::RefundBegun,
        Business::RefundSent,
        Business::DisputeOpened,
        Business::DisputeLost,
        Business::Return,
        Business::Surplus,
        Business::Overdrawn,
    ];

    /// The name in the database and in statements.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Business::Capture => "capture",
            Business::RefundBegun => "refund_begun",
            Business::RefundSent => "refund_sent",
            Business::DisputeOpened => "dispute_opened",
            Business::DisputeLost => "dispute_lost",
            Business::Return => "return",
            Business::Surplus => "surplus",
            Business::Overdrawn => "overdrawn",
        }
    }

    /// The rule: the account debited and the account credited when the total grows. When the total falls (a capture or refund that failed
    /// after all, a dispute won, a surplus sent back or kept) the two accounts change places.
    #[must_use]
    pub fn rule(self) -> (Account, Account) {
        use Account::{Disputes, MerchantPayable, ProviderReceivable, RefundsInTransit, Suspense};
        match self {
            Business::Capture => (ProviderReceivable, MerchantPayable),
            Business::RefundBegun => (MerchantPayable, RefundsInTransit),
            Business::RefundSent => (RefundsInTransit, ProviderReceivable),
            Business::DisputeOpened => (Disputes, ProviderReceivable),
            Business::DisputeLost => (MerchantPayable, Disputes),
            Business::Return => (MerchantPayable, ProviderReceivable),
            Business::Surplus => (MerchantPayable, Suspense),
            Business::Overdrawn => (Suspense, MerchantPayable),
        }
    }

    /// The total of an attempt that this event is about, in minor units.
    fn total(self, claim: &Claim<'_>) -> i64 {
        let book = &claim.attempt.book;
        match self {
            Business::Capture => book.captured_net(),
            Business::RefundBegun => book.refunds_begun(),
            Business::RefundSent => book.refunds_in(EntryState::Succeeded),
            Business::DisputeOpened => book.charged_back(),
            Business::DisputeLost => book.disputes_lost(),
            Business::Return => book.returned_total(),
            Business::Surplus => claim.surplus(),
            // Only refunds count. A dispute of refunded money is the merchant's loss; a refund of money that was never captured cannot be a
            // loss.
            Business::Overdrawn => book.refunds_begun().saturating_sub(book.captured_net()).max(0),
        }
    }
}

/// One entry: an amount above zero, in minor units, from the credited to the debited account.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Entry {
    /// The business event.
    pub business: Business,
    /// The account that is debited.
    pub debit: Account,
    /// The account that is credited.
    pub credit: Account,
    /// Minor units of the payment's currency.
    pub amount: i64,
    /// The attempt's provider account.
    pub provider_account: ProviderAccountId,
}

/// The entries that follow from a change of a payment.
#[must_use]
pub fn entries(before: &Payment, after: &Payment) -> Vec<Entry> {
    let mut entries = vec![];
    for claim in after.claims() {
        let attempt = claim.attempt;
        let old = before.claims().find(|old| old.attempt.id == attempt.id);
        // An attempt's share of the debt can change with another attempt's captures.
        if old.is_some_and(|old| old.attempt.book == attempt.book && old.surplus() == claim.surplus()) {
            continue;
        }
        for business in Business::ALL {
            let was = old.map_or(0, |old| business.total(&old));
            entries.extend(entry(business, business.total(&claim).saturating_sub(was), &attempt.account));
        }
    }
    entries
}

/// The entry to be posted when the total of a business event changes by a number of minor units; none for zero.
fn entry(business: Business, change: i64, provider_account: &ProviderAccountId) -> Option<Entry> {
    let (debit, credit) = business.rule();
    let (debit, credit) = if change > 0 { (debit, credit) } else { (credit, debit) };
    let provider_account = provider_account.clone();
    if change < 0 && mutant::on(Mutant::LedgerForgetsReversals) {
        return None;
    }
    (change != 0).then(|| Entry { business, debit, credit, amount: change.saturating_abs(), provider_account })
}

/// The balances that a payment alone should have, by account; debit balances are positive. The ledger must agree.
#[must_use]
pub fn balances(payment: &Payment) -> [(Account, i64); 5] {
    let empty = Payment { attempts: vec![], canceled: false, ..payment.clone() };
    let entries = entries(&empty, payment);
    Account::OF_PAYMENTS
        .map(|account| (account, entries.iter().map(|entry| entry.effect(account)).fold(0, i64::saturating_add)))
}

impl Entry {
    /// The entry's effect on an account's balance.
    #[must_use]
    pub fn effect(&self, account: Account) -> i64 {
        let debit = if self.debit == account { self.amount } else { 0 };
        let credit = if self.credit == account { self.amount } else { 0 };
        debit.saturating_sub(credit)
    }
}

/// The chart of accounts and the rules as the text of `docs/LEDGER.md`.
#[must_use]
pub fn document() -> String {
    let mut text = String::from(HEAD);
    text.push_str("\n| account | what it is |\n|---|---|\n");
    for account in Account::ALL {
        text.push_str(&format!("| `{}` | {} |\n", account.as_str(), account.meaning()));
    }
    text.push_str(MIDDLE);
    text.push_str("\n| business event | debit | credit |\n|---|---|---|\n");
    for business in Business::ALL {
        let (debit, credit) = business.rule();
        text.push_str(&format!("| `{}` | `{}` | `{}` |\n", business.as_str(), debit.as_str(), credit.as_str()));
    }
    text.push_str(TAIL);
    text
}

const HEAD: &str = "# The ledger

Generated from `domain::ledger` by `cargo run -p domain --example ledger > docs/LEDGER.md`; a test fails when the two differ.

Double entry, append-only, per merchant and currency. A row of the table `transactions` names a source: an event of a payment, a line
of a settlement, or an entry by hand with two different actors. A source posts once. The rows of `entries` are its lines: an account, a party where
the account has one for each, a currency, and an amount in minor units, debits positive and credits negative. Lines that do not add up to zero in
each currency are no transaction (`domain::journal`), so all balances of a merchant and currency add up to zero.
The database refuses to change or delete either row. Both are written in the database transaction of the change they come from.

The table `balances` has the sum of the entries by merchant, mode, currency, account and party, kept in the same database transaction.
Each sum is spread over eight rows, so that payments of one merchant do not wait for each other; reading adds them up.

## Chart of accounts
";

const MIDDLE: &str = "
## Rules

One rule for each business event, posted for each attempt at its provider account. A total that falls again is posted with debit and
credit exchanged: a capture or a refund that failed after it was reported, a dispute won, a surplus sent back or kept by the merchant.
A dispute won in part brings that part back; the rest is lost. Parts that come back one by one are added up.

Surplus is counted for each attempt. The debt is filled by the attempts that were owed, in order, then by second successes;
what an attempt captured beyond its share is its excess. Refunds, disputes and returns change neither. Money that goes back of an attempt is
taken first from the excess that nobody keeps, then from the share, then from what is kept. The excess that is neither gone nor kept
is the surplus, and stands in suspense. A refund of the order therefore never pays for a second payment.

A merchant who captures less and takes no more (the last capture is done, or the rest of what was to be captured by hand was released)
has settled the debt with that: all that was captured after it is excess. While more may be captured, the rest is owed. Of several authorisations the
one that is captured first pays the debt; the others are then second successes.

More refunded of an attempt than it captured stands on the debit side of suspense: the merchant does not owe it. If it is still so
after ten minutes (deliveries come in any order), the alert `money_impossible` asks a person to look. Anything that banks take beyond it, of
money that was refunded before, is the merchant's loss, and raises the same alert.
";

const TAIL: &str = "
An authorisation moves no money and is not posted. Fees and payouts are no facts of a payment and are not posted either: only a
settlement tells them, in a currency of its own.

`till ledger balances` prints the balances of a merchant, and `till payment show` prints a payment's statement.

## The check

`till ledger check` judges the written rows by a payment's history, with rules of its own (`engine::money::audit`): it neither asks
the rules above nor the payment what is too much. The history says what providers told, who asked for each refund, and what the
merchant decided to keep.

1. Captured − sent back − taken by banks = captured for the debt − refunds of the order − what banks took of it + kept + held. The left
   side must be what `provider_receivable` and `disputes` say, the right side what `merchant_payable`, `refunds_in_transit` and
   `suspense` say. Money that is held is peeled off from the last second success to the first; all that came after a merchant took
   less and was done is held. No other account may have anything of a payment.
2. No refund that the policy for surplus money asked for was more than its attempt had beyond the debt then.
3. The stored payment is what its history says.
4. All accounts together come to zero, and the lines of each transaction in each currency.
5. The balances that are kept are the sums of the entries.
";

#[cfg(test)]
mod tests;
