//! The providers, and the truth about the money: Till's statements are compared with this truth.
//!
//! There are two kinds of provider. One answers with results and totals, as Stripe does. The other answers only that it
//! has received a request, and reports the outcome by webhook, as Adyen does. Both remember the outcome of every
//! idempotency key.

use domain::Millis;
use domain::payment::{DisputeState, EntryState, ModificationKind};

/// How a provider answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// The answer is the result.
    Results,
    /// The answer is "received"; the result comes by webhook.
    Receipts,
}

/// The state of a payment page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PageState {
    /// A shopper who has the page's address can pay.
    Open,
    /// A bank debit is under way.
    Processing,
    /// Paid.
    Done,
    /// Finally failed.
    Failed,
    /// Closed by time or on request.
    Closed,
}

/// A payment page and the payment made on it.
#[derive(Debug, Clone)]
pub(super) struct Page {
    /// The attempt named on the page.
    pub attempt: usize,
    /// The idempotency key of the page's creation.
    pub key: usize,
    pub kind: Kind,
    pub amount: i64,
    pub manual: bool,
    pub until: Millis,
    pub state: PageState,
    /// A shopper has pressed "pay" and the bank has not answered. Closing the page does not stop the payment.
    pub paying: bool,
    /// Whether a shopper has been given the page's address.
    pub given: bool,
    pub authorised: i64,
    pub voided: bool,
    /// Whether a final capture has released the rest of the authorisation.
    pub released: bool,
}

/// The kind of a movement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    Capture,
    Refund,
    Return,
    Dispute(DisputeState),
}

/// A movement of money, done or requested.
#[derive(Debug, Clone, Copy)]
pub(super) struct Move {
    pub page: usize,
    pub what: What,
    pub amount: i64,
    pub state: EntryState,
    /// The modification that requested the movement.
    pub modification: Option<usize>,
    /// The idempotency key of the request.
    pub key: usize,
    /// The amount that a won dispute brought back.
    pub back: i64,
    /// The time of the win and the first part that came back, while another part may follow.
    pub told: Option<(Millis, i64)>,
}

/// The message of a webhook. Amounts are those of the movement named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Say {
    /// Authorised. `captured` is the total, for a provider that captures at once.
    Paid {
        captured: i64,
    },
    Captured {
        total: i64,
        modification: Option<usize>,
    },
    Entry {
        movement: usize,
        state: EntryState,
    },
    Voided {
        modification: Option<usize>,
    },
    /// The amount that this message takes, or brings back.
    Dispute {
        movement: usize,
        state: DisputeState,
        amount: i64,
        /// The time of this state. Parts that come back one by one share it.
        at: Millis,
    },
    Returned {
        movement: usize,
    },
    NotModified {
        modification: usize,
    },
    Declined,
    ActionRequired,
    Processing,
    Failed,
    Expired,
}

/// The providers' whole state.
#[derive(Debug, Default)]
pub(super) struct Provider {
    pub pages: Vec<Page>,
    pub moves: Vec<Move>,
    /// Requested voids: page, modification, key, and whether the provider did it.
    pub voids: Vec<(usize, usize, usize, bool)>,
    /// Keys of modifications that were refused.
    pub refused: Vec<usize>,
    /// The sum of all captures, including those that failed afterwards.
    pub captured_ever: i64,
    /// Whether anything was ever authorised.
    pub authorised_ever: bool,
}

impl Provider {
    pub fn clear(&mut self) {
        self.pages.clear();
        self.moves.clear();
        self.voids.clear();
        self.refused.clear();
        (self.captured_ever, self.authorised_ever) = (0, false);
    }

    /// The page that was created with this key.
    pub fn page_of_key(&self, key: usize) -> Option<usize> {
        self.pages.iter().position(|page| page.key == key)
    }

    /// The page that names the attempt.
    pub fn page_of(&self, attempt: usize) -> Option<usize> {
        self.pages.iter().position(|page| page.attempt == attempt)
    }

    pub fn sum(&self, page: usize, which: impl Fn(&Move) -> bool) -> i64 {
        self.moves.iter().filter(|one| one.page == page && which(one)).map(|one| one.amount).sum()
    }

    pub fn captured(&self, page: usize) -> i64 {
        self.sum(page, |one| one.what == What::Capture && one.state == EntryState::Succeeded)
    }

    pub fn refunds(&self, page: usize, state: EntryState) -> i64 {
        self.sum(page, |one| one.what == What::Refund && one.state == state)
    }

    pub fn charged_back(&self, page: usize) -> i64 {
        self.disputes_open(page) + self.disputes_lost(page)
    }

    pub fn disputes_open(&self, page: usize) -> i64 {
        self.sum(page, |one| one.what == What::Dispute(DisputeState::Open))
    }

    /// The amount of disputes that were lost, and the part that wins did not bring back.
    pub fn disputes_lost(&self, page: usize) -> i64 {
        let of_page = self.moves.iter().filter(|one| one.page == page);
        let lost = of_page.map(|one| match one.what {
            What::Dispute(DisputeState::Lost) => one.amount,
            What::Dispute(DisputeState::Won) => one.amount - one.back,
            _ => 0,
        });
        lost.sum()
    }

    pub fn returned(&self, page: usize) -> i64 {
        self.sum(page, |one| one.what == What::Return)
    }

    /// The amount that the provider would refund.
    pub fn refundable(&self, page: usize) -> i64 {
        let refunds = self.refunds(page, EntryState::Pending) + self.refunds(page, EntryState::Succeeded);
        self.captured(page) - refunds - self.charged_back(page) - self.returned(page)
    }

    /// Whether a shopper's money is taken or held.
    pub fn has_money(&self, page: usize) -> bool {
        let one = &self.pages[page];
        self.captured(page) > 0 || (one.authorised > 0 && !one.voided)
    }

    /// The amount authorised and not yet captured.
    pub fn capturable(&self, page: usize) -> i64 {
        let one = &self.pages[page];
        if one.voided || one.released {
            return 0;
        }
        let taken = self.sum(page, |taken| taken.what == What::Capture && taken.state != EntryState::Failed);
        one.authorised - taken
    }

    /// Whether the provider has received a modification with this key before.
    pub fn knows(&self, key: usize) -> bool {
        self.moves.iter().any(|one| one.key == key)
            || self.voids.iter().any(|one| one.2 == key)
            || self.refused.contains(&key)
    }

    /// The movement that a modification made.
    pub fn move_of(&self, modification: usize) -> Option<usize> {
        self.moves.iter().position(|one| one.modification == Some(modification))
    }
}

/// Whether a modification is possible now.
pub(super) fn possible(provider: &Provider, page: usize, kind: ModificationKind) -> bool {
    match kind {
        ModificationKind::Capture { amount, .. } => amount <= provider.capturable(page),
        ModificationKind::Void => {
            let captures = provider.sum(page, |one| one.what == What::Capture && one.state != EntryState::Failed);
            provider.pages[page].authorised > 0 && captures == 0
        }
        ModificationKind::Refund { amount } => amount <= provider.refundable(page),
    }
}
