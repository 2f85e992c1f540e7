//! What happened in a run. A simulation that never reaches the hard cases proves nothing, so it counts them.

macro_rules! census {
    ($($name:ident: $text:literal,)*) => {
        /// Something worth counting.
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
    Crash: "servers crashed",
    RequestLost: "requests or replies lost",
    RequestLate: "requests that arrived after nobody waited any more",
    DeliveryTwice: "deliveries that arrived twice",
    DeliveryDelayed: "deliveries delayed",
    DeliveryDropped: "deliveries that never arrived",
    ReplyLost: "acknowledgements lost",
    Forged: "forged deliveries",
}

/// Counts by what was seen.
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

    /// Adds another's counts.
    pub fn add(&mut self, other: &Census) {
        self.0.iter_mut().zip(&other.0).for_each(|(mine, theirs)| *mine += theirs);
    }

    /// What was seen how often.
    pub fn rows(&self) -> impl Iterator<Item = (&'static str, u64)> + '_ {
        TEXTS.iter().copied().zip(self.0.iter().copied())
    }
}
