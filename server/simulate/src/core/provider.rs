//! The providers' side, and the truth about the money: what Till says is compared with this.
//!
//! Two kinds. One answers with results and totals, as Stripe does; one only answers that it has received a request, and tells
//! what came of it by webhook, as Adyen does. Both remember the outcome of every idempotency key.

use domain::Millis;
use domain::payment::{DisputeState, EntryState, ModificationKind};

/// How a provider answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// With what it did.
    Results,
    /// With "received"; the result comes by webhook.
    Receipts,
}

/// Where a payment page is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PageState {
    /// Somebody who has its address can pay.
    Open,
    /// A bank debit is under way.
    Processing,
    /// Paid.
    Done,
    /// Finally failed.
    Failed,
    /// Closed, by time or on request.
    Closed,
}

/// A payment page and the payment made on it.
#[derive(Debug, Clone)]
pub(super) struct Page {
    /// The attempt it names.
    pub attempt: usize,
    /// The idempotency key of its creation.
    pub key: usize,
    pub kind: Kind,
    pub amount: i64,
    pub manual: bool,
    pub until: Millis,
    pub state: PageState,
    /// A shopper has pressed "pay" and the bank has not answered; closing the page does not stop it.
    pub paying: bool,
    /// A shopper was shown the way to it.
    pub given: bool,
    pub authorised: i64,
    pub voided: bool,
    /// What a last capture has released.
    pub released: bool,
}

/// What a movement is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    Capture,
    Refund,
    Return,
    Dispute(DisputeState),
}

/// A movement of money, or one that was asked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Move {
    pub page: usize,
    pub what: What,
    pub amount: i64,
    pub state: EntryState,
    /// The modification that asked for it.
    pub modification: Option<usize>,
    /// The idempotency key it was asked with.
    pub key: usize,
    /// What a dispute that was won brought back.
    pub back: i64,
    /// When it was won, and what the first part was that came back, while another may follow.
    pub told: Option<(Millis, i64)>,
}

/// What a webhook says. Amounts are those of the movement named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Say {
    /// Authorised; with the total captured, where that happens at once.
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
    /// The amount is what this word takes, or brings back.
    Dispute {
        movement: usize,
        state: DisputeState,
        amount: i64,
        /// When it came to this state: parts that come back one by one have one time.
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

/// Everything at the providers.
#[derive(Debug, Default)]
pub(super) struct Provider {
    pub pages: Vec<Page>,
    pub moves: Vec<Move>,
    /// Voids that were asked for: page, modification, key, and whether the provider did it.
    pub voids: Vec<(usize, usize, usize, bool)>,
    /// Keys of modifications that were refused.
    pub refused: Vec<usize>,
    /// Everything that was ever captured, even if it failed afterwards.
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

    /// The page that a creation with this key made.
    pub fn page_of_key(&self, key: usize) -> Option<usize> {
        self.pages.iter().position(|page| page.key == key)
    }

    /// The newest page that names the attempt.
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

    /// Lost, or not brought back by a win.
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

    /// What can go back to the shopper, as the provider sees it.
    pub fn refundable(&self, page: usize) -> i64 {
        let refunds = self.refunds(page, EntryState::Pending) + self.refunds(page, EntryState::Succeeded);
        self.captured(page) - refunds - self.charged_back(page) - self.returned(page)
    }

    /// Whether a shopper's money is taken or held.
    pub fn has_money(&self, page: usize) -> bool {
        let one = &self.pages[page];
        self.captured(page) > 0 || (one.authorised > 0 && !one.voided)
    }

    /// What is authorised and not yet taken.
    pub fn capturable(&self, page: usize) -> i64 {
        let one = &self.pages[page];
        if one.voided || one.released {
            return 0;
        }
        let taken = self.sum(page, |taken| taken.what == What::Capture && taken.state != EntryState::Failed);
        one.authorised - taken
    }

    /// Whether a modification with this key was taken before.
    pub fn knows(&self, key: usize) -> bool {
        self.moves.iter().any(|one| one.key == key)
            || self.voids.iter().any(|one| one.2 == key)
            || self.refused.contains(&key)
    }

    /// The movement a modification made.
    pub fn move_of(&self, modification: usize) -> Option<usize> {
        self.moves.iter().position(|one| one.modification == Some(modification))
    }
}

/// Whether a kind of modification can be done now.
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
