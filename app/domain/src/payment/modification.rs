//! Requests to a provider about a payment's money after its authorisation: capture, void, refund.
//!
//! A modification is stored before it is sent. Its id becomes its idempotency key and Till's reference at the provider. Its result is read
//! from the attempt's book, because the provider's reports go there.

use serde::{Deserialize, Serialize};

use super::book::{Book, Entry, EntryState};
use super::key::RequestKey;
use crate::Millis;
use crate::id::ModificationId;

/// Modifications an attempt keeps at most.
pub const MODIFICATIONS_MAX: usize = 200;

/// The kind of modification. Amounts are minor units of the payment's currency and positive.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ModificationKind {
    /// Capture authorised money.
    Capture {
        /// Minor units.
        amount: i64,
        /// Whether the rest of the authorisation is released.
        last: bool,
    },
    /// Release the authorisation.
    Void,
    /// Send captured money back.
    Refund {
        /// Minor units.
        amount: i64,
    },
}

impl ModificationKind {
    /// The name used in logs, metrics and on the command line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            ModificationKind::Capture { .. } => "capture",
            ModificationKind::Void => "void",
            ModificationKind::Refund { .. } => "refund",
        }
    }
}

/// The stage of a modification on Till's side.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "stage", rename_all = "snake_case")]
pub enum ModificationStage {
    /// Stored; the provider is being asked.
    Requested,
    /// The provider did not answer, and may or may not have acted.
    Unknown,
    /// The provider has accepted the request; the book has the result.
    Accepted,
    /// It is certain that the request was not carried out and will not be.
    Refused {
        /// The reason, for the merchant.
        reason: String,
    },
}

/// One capture, void or refund.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Modification {
    /// The id; also the idempotency key and Till's reference at the provider.
    pub id: ModificationId,
    /// The kind.
    #[serde(flatten)]
    pub kind: ModificationKind,
    /// The stage on Till's side.
    #[serde(flatten)]
    pub stage: ModificationStage,
    /// The provider's reference.
    pub reference: Option<String>,
    /// When the modification was requested.
    pub created: Millis,
    /// The provider's reference of the capture that a refund acts on, if there is only one. None where the provider reports only a total,
    /// or where several captures could be meant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capture: Option<String>,
    /// The merchant's idempotency key, where a merchant made the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<RequestKey>,
    /// Whether the merchant named no amount and meant the whole rest.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub whole: bool,
    /// The reason why the modification failed after the provider had accepted it, in the provider's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub explanation: Option<String>,
}

/// The result of a modification.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The provider is being asked.
    Requested,
    /// The provider did not answer; Till is asking for the result.
    Unknown,
    /// The provider has accepted the request and will report the result.
    Pending,
    /// Done.
    Succeeded,
    /// Not done, or undone.
    Failed,
}

impl Outcome {
    /// Whether the result is still open.
    #[must_use]
    pub fn is_open(self) -> bool {
        matches!(self, Outcome::Requested | Outcome::Unknown | Outcome::Pending)
    }

    /// The name used in the database and on the command line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Outcome::Requested => "requested",
            Outcome::Unknown => "unknown",
            Outcome::Pending => "pending",
            Outcome::Succeeded => "succeeded",
            Outcome::Failed => "failed",
        }
    }
}

impl Modification {
    /// A modification about to be sent.
    #[must_use]
    pub fn new(id: ModificationId, kind: ModificationKind, created: Millis) -> Self {
        let stage = ModificationStage::Requested;
        let (reference, capture, key, explanation) = (None, None, None, None);
        Modification { id, kind, stage, reference, created, capture, key, whole: false, explanation }
    }

    /// The amount in minor units; zero for a void.
    #[must_use]
    pub fn amount(&self) -> i64 {
        match self.kind {
            ModificationKind::Capture { amount, .. } | ModificationKind::Refund { amount } => amount,
            ModificationKind::Void => 0,
        }
    }

    /// The result, by the provider's reports about the money.
    #[must_use]
    pub fn outcome(&self, book: &Book) -> Outcome {
        match self.stage {
            ModificationStage::Requested => Outcome::Requested,
            ModificationStage::Unknown => Outcome::Unknown,
            ModificationStage::Refused { .. } => Outcome::Failed,
            ModificationStage::Accepted => self.result(book),
        }
    }

    /// Whether Till made the request by itself, because of a surplus. A merchant's request has a key.
    #[must_use]
    pub fn is_own(&self) -> bool {
        self.key.is_none()
    }

    /// The reason for a refusal or a failure, where the provider gave one.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        match &self.stage {
            ModificationStage::Refused { reason } if !reason.is_empty() => Some(reason),
            _ => self.explanation.as_deref(),
        }
    }

    /// Whether the book has an entry for the modification.
    pub(super) fn is_booked(&self, book: &Book) -> bool {
        self.entry(book).is_some()
    }

    fn entry(&self, book: &Book) -> Option<EntryState> {
        let entries: &std::collections::BTreeMap<String, Entry> = match self.kind {
            ModificationKind::Capture { .. } => &book.captures,
            ModificationKind::Refund { .. } => &book.refunds,
            ModificationKind::Void => return None,
        };
        self.reference.as_ref().and_then(|reference| entries.get(reference)).map(|entry| entry.state)
    }

    fn result(&self, book: &Book) -> Outcome {
        match (self.kind, self.entry(book)) {
            (ModificationKind::Void, _) if book.voided => Outcome::Succeeded,
            (_, Some(EntryState::Succeeded)) => Outcome::Succeeded,
            (_, Some(EntryState::Refused | EntryState::Failed)) => Outcome::Failed,
            // A provider that does not report captures one by one has answered with the new total.
            (ModificationKind::Capture { .. }, None) => Outcome::Succeeded,
            _ => Outcome::Pending,
        }
    }
}
