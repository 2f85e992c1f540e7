//! The reasons why a merchant's action on a payment's money is refused, as data.

use domain::Millis;
use domain::currency::Currency;
use domain::id::{AttemptId, ModificationId, PaymentId, ProviderAccountId};
use domain::money::Money;
use domain::payment::{ModificationKind, Outcome, RequestKey};

/// A merchant's action is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MoneyProblem {
    /// The named attempt is not one of the payment's.
    OtherAttempt {
        /// The payment.
        payment: PaymentId,
        /// The named attempt.
        attempt: AttemptId,
    },
    /// Several attempts are possible, and the merchant must name one.
    WhichAttempt {
        /// The payment.
        payment: PaymentId,
        /// The possible attempts, oldest first.
        choices: Vec<Choice>,
    },
    /// The action is possible for no attempt, or not for the named one.
    NotPossible {
        /// The named attempt, if one was named.
        attempt: Option<AttemptId>,
        /// The obstacle.
        obstacle: Obstacle,
    },
    /// No money can be kept.
    NothingToKeep(NothingToKeep),
    /// The payment has succeeded or is authorised, so it cannot be called off.
    Settled(Settled),
    /// The outcome of an attempt is open, so the payment cannot be called off now.
    InProgress {
        /// The attempt.
        attempt: AttemptId,
        /// The event that is waited for.
        waits: Waits,
    },
    /// The key names another request.
    KeyTaken {
        /// The key.
        key: RequestKey,
        /// The request that it names.
        known: Request,
    },
    /// An equal request is recent and has not failed.
    Repeated {
        /// The earlier request.
        known: Request,
        /// The modification that the earlier request made.
        modification: ModificationId,
        /// When the earlier request was made.
        at: Millis,
    },
    /// The provider has not named the payment yet, so it cannot be told which one to modify. Its webhook will name it.
    NotNamed {
        /// The attempt.
        attempt: AttemptId,
    },
}

/// A capture, void or refund of one attempt that could be asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    /// The payment.
    pub payment: PaymentId,
    /// The attempt.
    pub attempt: AttemptId,
    /// The modification.
    pub kind: ModificationKind,
    /// The currency of the amount.
    pub currency: Currency,
}

impl Proposal {
    /// The command that carries the proposal out, ready to be copied. Alerts and the command line share it.
    #[must_use]
    pub fn command(&self) -> String {
        let amount = |minor| Money::new(minor, self.currency).to_decimal();
        let command = format!("till payment {} {} --attempt {}", self.kind.as_str(), self.payment, self.attempt);
        match self.kind {
            ModificationKind::Void => command,
            ModificationKind::Refund { amount: minor } | ModificationKind::Capture { amount: minor, last: true } => {
                format!("{command} --amount {}", amount(minor))
            }
            ModificationKind::Capture { amount: minor, last: false } => {
                format!("{command} --amount {} --keep-rest", amount(minor))
            }
        }
    }
}

/// A request that was made before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The modification that was requested.
    pub asked: Proposal,
    /// The request's key, unless Till began it by itself.
    pub key: Option<RequestKey>,
}

/// An attempt that a request may mean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// The request for this attempt.
    pub proposal: Proposal,
    /// The most that this attempt allows.
    pub left: Money,
    /// The attempt's account.
    pub account: ProviderAccountId,
    /// Whether the attempt holds money beyond the debt.
    pub is_beyond: bool,
}

/// The obstacle to a capture, void or refund.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Obstacle {
    /// Another modification is open.
    UnderWay(UnderWay),
    /// All that was authorised has been captured.
    AllTaken,
    /// A part was captured.
    PartsTaken(Vec<PartTaken>),
    /// The authorisation has been released.
    Released,
    /// The payment has no authorised amount.
    NothingAuthorised,
    /// All that was captured has gone back, or a bank holds it.
    AllGoneBack,
    /// The money is authorised and not captured; these release it.
    OnlyAuthorised(Vec<Proposal>),
    /// The payment has no captured amount.
    NothingCaptured,
}

/// A modification whose result is open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnderWay {
    /// The payment.
    pub payment: PaymentId,
    /// The modification.
    pub modification: ModificationId,
    /// The kind.
    pub kind: ModificationKind,
    /// The currency of the amount.
    pub currency: Currency,
    /// The result so far.
    pub outcome: Outcome,
}

/// An authorisation of which a part was captured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartTaken {
    /// The attempt, if the payment has several.
    pub attempt: Option<AttemptId>,
    /// The captured amount.
    pub taken: Money,
    /// The rest of the authorisation.
    pub rest: Rest,
}

/// The rest of an authorisation of which a part was captured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rest {
    /// The rest was released.
    Released,
    /// The last capture is done.
    Final,
    /// The rest is being captured.
    BeingTaken,
    /// The rest is authorised still.
    Held {
        /// The amount.
        left: Money,
        /// The capture of it.
        capture: Proposal,
    },
}

/// The reason why there is no money to keep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NothingToKeep {
    /// The money beyond the debt is only authorised; these release it.
    OnlyAuthorised(Vec<Proposal>),
    /// The money is being sent back.
    GoingBack {
        /// The payment.
        payment: PaymentId,
        /// The amount.
        amount: Money,
    },
    /// The money is kept already.
    Kept(Money),
    /// No more was paid than is owed, or it has gone back.
    NotPaid,
}

/// The state of a payment that was authorised or captured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Settled {
    /// The payment has succeeded.
    Succeeded(PaymentId),
    /// The payment has succeeded, and a part of an authorisation was captured.
    InPart(Vec<PartTaken>),
    /// The payment is authorised; these release it.
    Authorised(Vec<Proposal>),
    /// The payment is authorised, and a modification is open.
    UnderWay(UnderWay),
    /// The payment is authorised and cannot be released now.
    NotNow,
}

/// The event that ends an attempt whose outcome is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Waits {
    /// The shopper's bank has the payment, and its result comes by itself.
    Bank,
    /// A search at the provider proves something from this time on.
    Search(Millis),
    /// The search is due.
    SearchDue,
    /// The provider cannot be searched. Its page closes by itself at this time.
    PageEnd(Millis),
    /// The page has closed by itself, which is about to be recorded.
    PageEnded,
    /// The provider is asked until it answers.
    Answer,
}
