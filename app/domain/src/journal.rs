//! The journal: transactions with a source, each of lines that add up to zero in every currency.
//!
//! The [ledger's rules](crate::ledger) give the entries for a payment's change. A settlement, or an entry by hand of two people, posts in
//! the same way. A transaction belongs to its source, not to a payment.

use thiserror::Error;

use crate::currency::Currency;
use crate::id::PaymentId;
use crate::ledger::{Account, Entry};

/// The most lines of one transaction. A payment's change has a dozen.
pub const LINES_MAX: usize = 10_000;

/// The cause of a transaction. A source posts once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// An event of a payment.
    PaymentEvent {
        /// The payment.
        payment: PaymentId,
        /// The event's number.
        number: i64,
    },
    /// A line of a provider's settlement.
    SettlementLine {
        /// The settlement.
        settlement: String,
        /// The line's number.
        number: i64,
    },
    /// An entry by hand.
    Manual {
        /// The entry.
        id: String,
        /// The actor who asked for the entry.
        by: String,
        /// The other actor, who approved the entry.
        approved_by: String,
    },
}

impl Source {
    /// The name in the database.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Source::PaymentEvent { .. } => "payment_event",
            Source::SettlementLine { .. } => "settlement_line",
            Source::Manual { .. } => "manual",
        }
    }

    /// The id of the source: the payment, the settlement or the entry by hand.
    #[must_use]
    pub fn id(&self) -> &str {
        match self {
            Source::PaymentEvent { payment, .. } => payment.as_str(),
            Source::SettlementLine { settlement, .. } => settlement,
            Source::Manual { id, .. } => id,
        }
    }

    /// The number of the event within its payment, or of the line within its settlement. An entry by hand has number 1.
    #[must_use]
    pub fn number(&self) -> i64 {
        match self {
            Source::PaymentEvent { number, .. } | Source::SettlementLine { number, .. } => *number,
            Source::Manual { .. } => 1,
        }
    }

    /// The two actors of an entry by hand.
    #[must_use]
    pub fn actors(&self) -> Option<(&str, &str)> {
        match self {
            Source::Manual { by, approved_by, .. } => Some((by, approved_by)),
            Source::PaymentEvent { .. } | Source::SettlementLine { .. } => None,
        }
    }
}

/// One line: an amount that is added to the balance of an account, in one currency and for one party.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The business event.
    pub business: &'static str,
    /// The account.
    pub account: Account,
    /// The id of the party, for accounts that each party has: a provider account or a seller.
    pub party: Option<String>,
    /// The currency.
    pub currency: Currency,
    /// Minor units; a debit is positive, a credit negative.
    pub amount: i64,
}

/// A balanced transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transaction {
    source: Source,
    lines: Vec<Line>,
}

/// The reason why lines do not form a transaction.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Unfit {
    /// There are no lines, or too many.
    #[error("a transaction has 1 to {LINES_MAX} lines, this one has {0}")]
    Lines(usize),
    /// A line of zero.
    #[error("a line of {0} is zero")]
    Zero(&'static str),
    /// Debits and credits differ.
    #[error("the lines in {0} come to {1} instead of zero")]
    Unbalanced(Currency, i128),
    /// One actor approved an entry of their own.
    #[error("an entry by hand needs two actors, and {0} is one")]
    OneActor(String),
}

impl Transaction {
    /// A transaction of these lines.
    ///
    /// # Errors
    /// The lines do not add up, or the source may not post them.
    pub fn new(source: Source, lines: Vec<Line>) -> Result<Transaction, Unfit> {
        if lines.is_empty() || lines.len() > LINES_MAX {
            return Err(Unfit::Lines(lines.len()));
        }
        if let Some(zero) = lines.iter().find(|line| line.amount == 0) {
            return Err(Unfit::Zero(zero.business));
        }
        for line in &lines {
            let same = lines.iter().filter(|other| other.currency == line.currency);
            let sum: i128 = same.map(|other| i128::from(other.amount)).sum();
            if sum != 0 {
                return Err(Unfit::Unbalanced(line.currency, sum));
            }
        }
        match source.actors() {
            Some((by, approved_by)) if by.trim() == approved_by.trim() => Err(Unfit::OneActor(by.to_owned())),
            _ => Ok(Transaction { source, lines }),
        }
    }

    /// The transaction of a payment's event; none if the event moves no money.
    ///
    /// # Errors
    /// The entries do not add up. Entries by the ledger's rules always do.
    pub fn of_payment(source: Source, currency: Currency, entries: &[Entry]) -> Result<Option<Transaction>, Unfit> {
        let lines = entries.iter().flat_map(|entry| {
            [(entry.debit, entry.amount), (entry.credit, -entry.amount)].map(|(account, amount)| Line {
                business: entry.business.as_str(),
                account,
                party: account.has_parties().then(|| entry.provider_account.to_string()),
                currency,
                amount,
            })
        });
        let lines: Vec<Line> = lines.collect();
        if lines.is_empty() { Ok(None) } else { Transaction::new(source, lines).map(Some) }
    }

    /// The cause.
    #[must_use]
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// The lines, in their order.
    #[must_use]
    pub fn lines(&self) -> &[Line] {
        &self.lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(account: Account, currency: &str, amount: i64) -> Line {
        Line { business: "payout", account, party: None, currency: currency.parse().unwrap(), amount }
    }

    fn settled(lines: Vec<Line>) -> Result<Transaction, Unfit> {
        Transaction::new(Source::SettlementLine { settlement: "po_1".into(), number: 7 }, lines)
    }

    #[test]
    fn each_currency_adds_up_by_itself() {
        let exchanged = vec![
            line(Account::ProviderReceivable, "USD", -1_000),
            line(Account::Conversion, "USD", 1_000),
            line(Account::Conversion, "EUR", -920),
            line(Account::Fees, "EUR", 20),
            line(Account::PayoutsInTransit, "EUR", 900),
        ];
        assert_eq!(settled(exchanged.clone()).unwrap().lines(), exchanged);
        let mut mixed = exchanged;
        mixed[0].amount = -1_080;
        mixed[4].amount = 980;
        assert_eq!(settled(mixed), Err(Unfit::Unbalanced("USD".parse().unwrap(), -80)), "80 of one for 80 of another");
    }

    #[test]
    fn sums_beyond_64_bits_are_no_zero() {
        let wraps = [i64::MIN, i64::MIN].map(|amount| line(Account::Fees, "EUR", amount));
        assert!(matches!(settled(wraps.to_vec()), Err(Unfit::Unbalanced(..))));
    }

    #[test]
    fn nothing_and_zero_are_no_transactions() {
        assert_eq!(settled(vec![]), Err(Unfit::Lines(0)));
        let zero = vec![line(Account::Fees, "EUR", 0)];
        assert_eq!(settled(zero), Err(Unfit::Zero("payout")));
        let many = (0..=LINES_MAX).map(|_| line(Account::Fees, "EUR", 1)).collect();
        assert_eq!(settled(many), Err(Unfit::Lines(LINES_MAX + 1)));
    }

    #[test]
    fn an_entry_by_hand_has_two_actors() {
        let lines = vec![line(Account::Bank, "EUR", 5), line(Account::Suspense, "EUR", -5)];
        let by = |approved_by: &str| Source::Manual {
            id: "man_1".into(),
            by: "usr_1".into(),
            approved_by: approved_by.into(),
        };
        assert_eq!(Transaction::new(by(" usr_1"), lines.clone()), Err(Unfit::OneActor("usr_1".into())));
        assert_eq!(Transaction::new(by("usr_2"), lines).unwrap().source().actors(), Some(("usr_1", "usr_2")));
    }
}
