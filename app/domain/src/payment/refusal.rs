//! The reasons for which the present state of a payment refuses a fact.

use thiserror::Error;

use super::modification::Outcome;

/// A request for money, of which only so much is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taking {
    /// A capture.
    Capture,
    /// A refund.
    Refund,
}

impl Taking {
    /// The request as a participle.
    #[must_use]
    pub fn participle(self) -> &'static str {
        match self {
            Taking::Capture => "captured",
            Taking::Refund => "refunded",
        }
    }
}

/// The present state does not allow a fact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum NotNow {
    /// The attempt has as many modifications as can be stored.
    #[error("there are too many captures and refunds")]
    TooMany,
    /// A void is open.
    #[error("a void is open")]
    Voiding,
    /// The attempt was voided, or a void is open.
    #[error("voided, or a void is open")]
    Voided,
    /// A capture is open, with this result so far.
    #[error("a capture is open: {0:?}")]
    CaptureOpen(Outcome),
    /// A capture has released the rest.
    #[error("captured; the rest is released")]
    Captured,
    /// Captured money can only be refunded.
    #[error("captured")]
    RefundInstead,
    /// The provider reports a capture that is not done.
    #[error("a capture is pending")]
    Capturing,
    /// No money is authorised.
    #[error("nothing is authorised")]
    NothingAuthorised,
    /// The provider cannot capture a part.
    #[error("the provider captures the whole amount only")]
    WholeCaptureOnly,
    /// The provider releases what a capture leaves.
    #[error("the provider captures once and releases the rest")]
    OneCaptureOnly,
    /// The provider cannot refund a part.
    #[error("the provider refunds the whole amount only")]
    WholeRefundOnly,
    /// The amount is zero or negative.
    #[error("the amount is not above zero")]
    NotPositive,
    /// The attempt has no such modification.
    #[error("the attempt has no such modification")]
    NoSuchModification,
    /// More has gone back than was taken.
    #[error("more has gone back than was taken")]
    Overdrawn,
    /// A second payment on one page begins as a new attempt that is closed.
    #[error("a second payment on one page begins as a new attempt that is closed")]
    NoTwin,
}
