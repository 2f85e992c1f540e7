//! Counts the events of a run. A simulation that never reaches the hard cases proves nothing.

use domain::payment::{Answer, CloseReason, EntryState, Event, Movement, Payment, Stage};

macro_rules! census {
    ($($name:ident: $text:literal,)*) => {
        /// A case worth counting.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Seen {
            $($name,)*
        }

        const TEXTS: &[&str] = &[$($text),*];
    };
}

census! {
    Attempt: "attempts started",
    Redirected: "times a shopper was sent to a provider's page",
    Unknown: "attempts of which it was unknown whether they were opened",
    Closing: "attempts closed on request",
    Paid: "attempts paid",
    LateSuccess: "successes after the attempt was closed",
    SecondSuccess: "second successes",
    Cancelled: "payments called off, or released",
    Modification: "captures, voids and refunds asked for",
    ModificationUnknown: "captures, voids and refunds not answered",
    ModificationRefused: "captures, voids and refunds refused by the provider",
    CaptureFailed: "captures that failed, some after they were reported",
    RefundFailed: "refunds that failed, some after they were reported",
    Dispute: "words about disputes",
    Returned: "bank returns",
    Overdrawn: "attempts of which more went back than was captured, at rest",
    Crash: "servers crashed",
    RequestLost: "requests or replies lost",
    RequestLate: "requests that arrived after nobody waited any more",
    DeliveryTwice: "deliveries that arrived twice",
    DeliveryDelayed: "deliveries delayed",
    DeliveryDropped: "deliveries that never arrived",
    ReplyLost: "acknowledgements lost",
    Forged: "forged deliveries",
}

/// The counts by case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Census(Vec<u64>);

impl Default for Census {
    fn default() -> Self {
        Census(vec![0; TEXTS.len()])
    }
}

impl Census {
    pub(crate) fn count(&mut self, seen: Seen) {
        self.0[seen as usize] += 1;
    }

    /// Counts an event; `before` is the payment before the event.
    pub(crate) fn event(&mut self, event: &Event, before: &Payment) {
        let closed = |id| before.attempt(id).is_some_and(|known| !known.is_live());
        let seen = match event {
            Event::Started { .. } => Seen::Attempt,
            Event::Staged { stage: Stage::Unknown, .. } => Seen::Unknown,
            Event::Staged { stage: Stage::Closing(_), .. } => Seen::Closing,
            Event::Staged { attempt, stage: Stage::Closed(CloseReason::Succeeded) } if closed(attempt) => {
                Seen::LateSuccess
            }
            Event::Staged { stage: Stage::Closed(CloseReason::Succeeded), .. } => Seen::Paid,
            Event::SecondSuccess { .. } => Seen::SecondSuccess,
            Event::Canceled => Seen::Cancelled,
            Event::Modifying { .. } => Seen::Modification,
            Event::Answered { answer: Answer::Unanswered, .. } => Seen::ModificationUnknown,
            Event::Answered { answer: Answer::Refused { .. }, .. } => Seen::ModificationRefused,
            Event::Moved { movement: Movement::Capture { state: EntryState::Failed, .. }, .. } => Seen::CaptureFailed,
            Event::Moved { movement: Movement::Refund { state: EntryState::Failed, .. }, .. } => Seen::RefundFailed,
            Event::Moved { movement: Movement::Dispute { .. }, .. } => Seen::Dispute,
            Event::Moved { movement: Movement::Returned { .. }, .. } => Seen::Returned,
            _ => return,
        };
        self.count(seen);
    }

    /// Adds the counts of another census.
    pub fn add(&mut self, other: &Census) {
        self.0.iter_mut().zip(&other.0).for_each(|(mine, theirs)| *mine += theirs);
    }

    /// Each case with its count.
    pub fn rows(&self) -> impl Iterator<Item = (&'static str, u64)> + '_ {
        TEXTS.iter().copied().zip(self.0.iter().copied())
    }
}
