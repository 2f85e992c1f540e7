//! What an account keeps: checkouts (payment links and sessions), payments, modifications, disputes.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{outcomes::Late, time};
use crate::{store::Keyed, words::words};

words! {
    /// What a shopper's page was made by.
    Kind {
        /// `POST /paymentLinks`.
        Link = "link",
        /// `POST /sessions`.
        Session = "session",
    }
}

words! {
    /// Where a payment link stands. A session's status is derived from it.
    Status {
        /// Can be paid.
        Active = "active",
        /// Paid; not reusable.
        Completed = "completed",
        /// A payment is on its way.
        PaymentPending = "paymentPending",
        /// Too late, or closed by the merchant.
        Expired = "expired",
    }
}

/// A page a shopper can pay on: a payment link or a hosted session.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Checkout {
    /// `PL…` or `CS…`; also the shopper's token in the page address.
    pub id: String,
    /// Link or session.
    pub kind: Kind,
    /// The request as it came in; replies repeat it.
    pub request: Map<String, Value>,
    /// Whom it pays.
    pub merchant_account: String,
    /// The merchant's reference of the payment.
    pub reference: String,
    /// Minor units.
    pub amount: i64,
    /// ISO 4217, upper case.
    pub currency: String,
    /// Where the shopper goes afterwards.
    pub return_url: Option<String>,
    /// Whether it can be paid again and again.
    pub reusable: bool,
    /// When the money is taken.
    pub capture: Capture,
    /// Unix seconds.
    pub expires_at: i64,
    /// Where it stands.
    pub status: Status,
    /// Attempts so far; a form that was sent twice counts once.
    pub tries: u32,
    /// The instrument that waits for the bank's page.
    pub challenge: Option<Instrument>,
    /// The last refusal, for the page.
    pub refusal: Option<String>,
    /// Session results handed out in return addresses, frozen as they were.
    pub results: Vec<(String, Value)>,
}

/// When the money of an authorised payment is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Capture {
    /// At once.
    Automatic,
    /// So many hours later.
    Delayed(i64),
    /// When the merchant asks.
    Manual,
}

/// A card as far as it may be kept, and what it will do.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Instrument {
    /// `visa`, `mc`, `amex`, …
    pub brand: String,
    /// The last four digits.
    pub last4: String,
    /// `03/2030`.
    pub expiry: String,
    /// The refusal, unless it pays.
    pub refusal: Option<String>,
    /// Whether the result takes a while.
    pub pending: bool,
    /// What happens to its modifications.
    pub late: Late,
}

impl Checkout {
    /// Whether the shopper can pay now.
    pub fn payable(&self, now: i64) -> bool {
        self.status == Status::Active && now < self.expires_at
    }

    /// The page's address.
    pub fn url(&self, base: &str) -> String {
        format!("{base}/adyen/pay/{}", self.id)
    }

    /// The reply to every call about it: the request, and what became of it.
    pub fn wire(&self, base: &str) -> Value {
        let mut body = self.request.clone();
        let mut put = |name: &str, value: Value| body.insert(name.to_owned(), value);
        put("id", self.id.clone().into());
        put("url", self.url(base).into());
        put("expiresAt", time::utc(self.expires_at).into());
        match self.kind {
            Kind::Link => {
                put("status", self.status.as_str().into());
                put("reusable", self.reusable.into());
            }
            Kind::Session => {
                put("mode", "hosted".into());
            }
        }
        body.into()
    }
}

impl Keyed for Checkout {
    fn id(&self) -> &str {
        &self.id
    }
}

words! {
    /// What the shopper's attempt came to.
    PaymentStatus {
        /// The result is not known yet.
        Received = "Received",
        /// The money is reserved or taken.
        Authorised = "Authorised",
        /// No.
        Refused = "Refused",
    }
}

/// A payment: one attempt of a shopper.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Payment {
    /// Its PSP reference.
    pub psp: String,
    /// The link or session.
    pub checkout: String,
    /// What made the page.
    pub kind: Kind,
    /// The merchant's reference.
    pub reference: String,
    /// Whom it pays.
    pub merchant_account: String,
    /// Minor units authorised.
    pub amount: i64,
    /// ISO 4217, upper case.
    pub currency: String,
    /// What was paid with.
    pub instrument: Instrument,
    /// What it came to.
    pub status: PaymentStatus,
    /// Minor units taken so far.
    pub captured: i64,
    /// Minor units given back so far.
    pub refunded: i64,
    /// Minor units the holder's bank took back so far.
    pub charged_back: i64,
    /// Cancelled by the merchant.
    pub cancelled: bool,
    /// The uncaptured rest was given up.
    pub expired: bool,
    /// The dispute's PSP reference, once there is one.
    pub dispute: Option<String>,
    /// How the dispute stands, in a word.
    pub dispute_state: Option<String>,
    /// Unix seconds.
    pub created: i64,
}

impl Payment {
    /// Minor units that could still be captured.
    pub fn capturable(&self) -> i64 {
        let open = self.status == PaymentStatus::Authorised && !self.cancelled && !self.expired;
        if open { self.amount - self.captured } else { 0 }
    }

    /// Minor units that could still be given back.
    pub fn refundable(&self) -> i64 {
        self.captured - self.refunded - self.charged_back
    }

    /// How it stands, for people: its status, and its dispute's if there is one.
    pub fn standing(&self) -> String {
        match &self.dispute_state {
            Some(state) => format!("{}, dispute {state}", self.status),
            None => self.status.to_string(),
        }
    }

    /// For the control API.
    pub fn report(&self) -> Value {
        json!({
            "pspReference": self.psp, "checkout": self.checkout, "reference": self.reference,
            "merchantAccount": self.merchant_account, "amount": self.amount, "currency": self.currency,
            "status": self.status, "refusal": self.instrument.refusal, "captured": self.captured,
            "refunded": self.refunded, "charged_back": self.charged_back, "cancelled": self.cancelled,
            "expired": self.expired, "dispute": self.dispute, "dispute_state": self.dispute_state, "paymentMethod": self.instrument.brand,
            "created": self.created,
        })
    }
}

impl Keyed for Payment {
    fn id(&self) -> &str {
        &self.psp
    }
}

words! {
    /// What a modification wants.
    Action {
        /// Take reserved money.
        Capture = "captures",
        /// Let go of reserved money.
        Cancel = "cancels",
        /// Give money back.
        Refund = "refunds",
        /// Cancel or refund, whichever is possible.
        Reversal = "reversals",
    }
}

/// A modification: asked for at once, done or refused later.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Modification {
    /// Its own PSP reference.
    pub psp: String,
    /// The payment's.
    pub payment: String,
    /// What it wants.
    pub action: Action,
    /// Minor units; absent for cancels and reversals.
    pub amount: Option<i64>,
    /// The merchant's reference of it.
    pub reference: Option<String>,
    /// What came of it, once that is known.
    pub success: Option<bool>,
    /// Minor units that moved.
    pub moved: i64,
    /// Unix seconds.
    pub created: i64,
}

impl Keyed for Modification {
    fn id(&self) -> &str {
        &self.psp
    }
}
