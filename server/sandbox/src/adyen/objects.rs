//! The objects of an account: checkouts (payment links and sessions), payments, modifications, disputes.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{outcomes::Late, time};
use crate::{store::Keyed, words::words};

words! {
    /// The request that made a shopper's page.
    Kind {
        /// `POST /paymentLinks`.
        Link = "link",
        /// `POST /sessions`.
        Session = "session",
    }
}

words! {
    /// The status of a payment link. A session's status is derived from it.
    Status {
        /// The page can be paid.
        Active = "active",
        /// The page is paid and not reusable.
        Completed = "completed",
        /// A payment is pending.
        PaymentPending = "paymentPending",
        /// The page's time is over, or the merchant closed it.
        Expired = "expired",
    }
}

/// A page on which a shopper can pay: a payment link or a hosted session.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Checkout {
    /// `PL…` or `CS…`; also the shopper's token in the page address.
    pub id: String,
    /// Link or session.
    pub kind: Kind,
    /// The request as it was sent. Replies repeat it.
    pub request: Map<String, Value>,
    /// The merchant account that is paid.
    pub merchant_account: String,
    /// The merchant's reference of the payment.
    pub reference: String,
    /// Minor units.
    pub amount: i64,
    /// ISO 4217, upper case.
    pub currency: String,
    /// The address to which the shopper returns.
    pub return_url: Option<String>,
    /// Whether the page can be paid several times.
    pub reusable: bool,
    /// The capture mode.
    pub capture: Capture,
    /// Unix seconds.
    pub expires_at: i64,
    /// The page's status.
    pub status: Status,
    /// The number of attempts. A form that was sent twice counts once.
    pub tries: u32,
    /// The instrument that waits for the bank's page.
    pub challenge: Option<Instrument>,
    /// The last refusal, for the page.
    pub refusal: Option<String>,
    /// The session results named in return addresses, as they were at the shopper's return.
    pub results: Vec<(String, Value)>,
}

/// The capture mode of a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Capture {
    /// Capture at once.
    Automatic,
    /// Capture after this number of hours.
    Delayed(i64),
    /// Capture when the merchant requests it.
    Manual,
}

/// The parts of a card that may be stored, and its behaviour.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Instrument {
    /// `visa`, `mc`, `amex`, …
    pub brand: String,
    /// The last four digits.
    pub last4: String,
    /// `03/2030`.
    pub expiry: String,
    /// The refusal reason, if the card is refused.
    pub refusal: Option<String>,
    /// Whether the payment's result comes later.
    pub pending: bool,
    /// The later failure of its modifications.
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

    /// The reply to every call about the page: the request and the current status.
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
    /// The result of a shopper's attempt.
    PaymentStatus {
        /// The result is not known yet.
        Received = "Received",
        /// The money is authorised or captured.
        Authorised = "Authorised",
        /// The attempt is refused.
        Refused = "Refused",
    }
}

/// A payment: one attempt of a shopper.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Payment {
    /// The payment's PSP reference.
    pub psp: String,
    /// The link or session.
    pub checkout: String,
    /// The request that made the page.
    pub kind: Kind,
    /// The merchant's reference.
    pub reference: String,
    /// The merchant account that is paid.
    pub merchant_account: String,
    /// Minor units authorised.
    pub amount: i64,
    /// ISO 4217, upper case.
    pub currency: String,
    /// The instrument of the attempt.
    pub instrument: Instrument,
    /// The result of the attempt.
    pub status: PaymentStatus,
    /// Minor units captured so far.
    pub captured: i64,
    /// Minor units refunded so far.
    pub refunded: i64,
    /// Minor units that the holder's bank has charged back so far.
    pub charged_back: i64,
    /// Whether the merchant cancelled the payment.
    pub cancelled: bool,
    /// Whether the authorisation of the uncaptured rest has expired.
    pub expired: bool,
    /// The dispute's PSP reference, once there is one.
    pub dispute: Option<String>,
    /// The state of the dispute, in a word.
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

    /// Minor units that could still be refunded.
    pub fn refundable(&self) -> i64 {
        self.captured - self.refunded - self.charged_back
    }

    /// The payment's status for people, with its dispute's state if there is one.
    pub fn standing(&self) -> String {
        match &self.dispute_state {
            Some(state) => format!("{}, dispute {state}", self.status),
            None => self.status.to_string(),
        }
    }

    /// The payment for the control API.
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
    /// The kind of a modification.
    Action {
        /// Captures authorised money.
        Capture = "captures",
        /// Releases authorised money.
        Cancel = "cancels",
        /// Refunds captured money.
        Refund = "refunds",
        /// Cancels or refunds, whichever is possible.
        Reversal = "reversals",
    }
}

/// A modification. It is acknowledged at once, and succeeds or fails later.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Modification {
    /// The modification's own PSP reference.
    pub psp: String,
    /// The payment's PSP reference.
    pub payment: String,
    /// The kind of modification.
    pub action: Action,
    /// Minor units; absent for cancels and reversals.
    pub amount: Option<i64>,
    /// The merchant's reference of the modification.
    pub reference: Option<String>,
    /// Whether the modification succeeded, once that is known.
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
