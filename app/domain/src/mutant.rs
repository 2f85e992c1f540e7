//! Planted bugs, to show that the simulation finds them. Without the feature `mutants`, [`on`] is the constant `false`, and the compiler
//! drops the planted code.

/// A planted bug.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Mutant {
    /// A refund does not see refunds that are requested or pending.
    RefundIgnoresInFlight,
    /// A refund whose outcome is unknown reserves nothing.
    UnknownRefundNotReserved,
    /// A payment can be started while it is unknown whether another attempt was opened.
    StartWhileUnknown,
    /// The amount and currency that a provider reports are not compared with the debt.
    MismatchApplied,
    /// A total of captures is added up instead of taken as a total.
    TotalsAddUp,
    /// News that comes after an attempt was closed is dropped.
    LateSuccessDropped,
    /// A second success is recorded as if it were the first.
    SecondSuccessUnnoticed,
    /// A capture that fails afterwards changes nothing.
    CaptureFailureIgnored,
    /// A refund that fails after it had succeeded stays a success.
    RefundFailureIgnored,
    /// An authorisation can be voided while a capture is under way.
    VoidDuringCapture,
    /// The ledger does not post a total that falls again.
    LedgerForgetsReversals,
    /// The ledger posts sent refunds twice.
    LedgerPostsTwice,
    /// The merchant gets no event for a refund that fails.
    OutboxSkipsFailedRefunds,
    /// The merchant gets no event for a status reached from "unknown".
    OutboxSkipsAfterUnknown,
    /// References of another object are not noticed.
    ContradictionApplied,
    /// A page that was opened after the debt was settled or called off stays open.
    OpenedAfterSettledStays,
    /// An attempt that is to be closed counts as closed before the provider has confirmed it.
    ClosedWithoutAsking,
    /// A refund without an answer counts as not carried out.
    TimeOutIsNo,
    /// A failed repetition counts as proof that the first request was not carried out.
    FailedRetryIsNo,
    /// A repetition carries a new idempotency key.
    NewKeyOnRetry,
    /// A session's end closes the attempt in Till without asking the provider.
    ExpiredWithoutAsking,
    /// A delivery is applied again when its job runs again.
    AppliedTwice,
    /// A delivery without a valid signature is accepted; in the engine layer, a forger knows the secret.
    ForgedAccepted,
    /// A delivery is acknowledged before it is stored.
    AcknowledgedBeforeStored,
    /// The job that asks about an unanswered opening gives up after the first try.
    UnknownIsForgotten,
    /// A stored refund stays reserved although the provider refused it.
    RefusedStaysReserved,
    /// The surplus is sent back from the attempt that was owed instead of the one with the surplus.
    SurplusFromOwed,
    /// A refund of the order counts against a second payment, which then looks owed.
    OrderRefundSwallows,
    /// Money is sent back although the merchant decided to keep it.
    KeptIsSentBack,
    /// A dispute that was won in part counts as won.
    PartialWinIsWhole,
    /// A second payment fills the part of the debt that the merchant left when capturing less.
    PartialCaptureLeavesDebt,
    /// No alert is raised when more has gone back than was captured.
    OverdrawnIsSilent,
    /// The largest part of a dispute counts instead of the sum of its parts.
    LargestPartCounts,
}

impl Mutant {
    /// Every planted bug.
    pub const ALL: [Mutant; 33] = [
        Mutant::RefundIgnoresInFlight,
        Mutant::UnknownRefundNotReserved,
        Mutant::StartWhileUnknown,
        Mutant::MismatchApplied,
        Mutant::TotalsAddUp,
        Mutant::LateSuccessDropped,
        Mutant::SecondSuccessUnnoticed,
        Mutant::CaptureFailureIgnored,
        Mutant::RefundFailureIgnored,
        Mutant::VoidDuringCapture,
        Mutant::LedgerForgetsReversals,
        Mutant::LedgerPostsTwice,
        Mutant::OutboxSkipsFailedRefunds,
        Mutant::OutboxSkipsAfterUnknown,
        Mutant::ContradictionApplied,
        Mutant::OpenedAfterSettledStays,
        Mutant::ClosedWithoutAsking,
        Mutant::TimeOutIsNo,
        Mutant::FailedRetryIsNo,
        Mutant::NewKeyOnRetry,
        Mutant::ExpiredWithoutAsking,
        Mutant::AppliedTwice,
        Mutant::ForgedAccepted,
        Mutant::AcknowledgedBeforeStored,
        Mutant::UnknownIsForgotten,
        Mutant::RefusedStaysReserved,
        Mutant::SurplusFromOwed,
        Mutant::OrderRefundSwallows,
        Mutant::KeptIsSentBack,
        Mutant::PartialWinIsWhole,
        Mutant::PartialCaptureLeavesDebt,
        Mutant::OverdrawnIsSilent,
        Mutant::LargestPartCounts,
    ];
}

#[cfg(feature = "mutants")]
std::thread_local! {
    static CHOSEN: std::cell::Cell<Option<Mutant>> = const { std::cell::Cell::new(None) };
}

/// Whether a bug is switched on, in this thread.
#[cfg(feature = "mutants")]
#[must_use]
pub fn on(mutant: Mutant) -> bool {
    CHOSEN.get() == Some(mutant)
}

/// Whether a bug is switched on: never.
#[cfg(not(feature = "mutants"))]
#[must_use]
pub const fn on(_: Mutant) -> bool {
    false
}

/// Switches one bug on, or all off, in this thread.
#[cfg(feature = "mutants")]
pub fn choose(mutant: Option<Mutant>) {
    CHOSEN.set(mutant);
}
