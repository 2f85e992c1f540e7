//! The clients' record: the payments they started, the deliveries they made, and which of them were acknowledged.

use std::collections::BTreeMap;

use crate::load::merchant::Asked;
use crate::random::Random;
use crate::shop::Shop;
use crate::stripe::About;

/// The fate of a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// The payment is paid.
    Paid,
    /// The payment is paid, and a part is refunded.
    Refunded,
    /// The payment is also paid at the provider itself, and the merchant may refund it.
    SentBack,
    /// The payment is never paid, whatever the deliveries claim.
    Victim,
}

/// A payment with a page open at the provider.
#[derive(Debug, Clone)]
pub struct Case {
    /// The checkout session's token.
    pub token: String,
    /// Till's attempt.
    pub attempt: String,
    /// The provider's session.
    pub session: String,
    /// The provider's intent.
    pub intent: String,
    /// Minor units.
    pub amount: i64,
    /// The currency's code in small letters.
    pub currency: String,
    /// The fate that was chosen for the payment.
    pub fate: Fate,
}

/// The content of a delivery, and whether it is to be believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Saying {
    /// Genuine: the session is complete and paid.
    Completed,
    /// Genuine: the intent succeeded.
    Succeeded,
    /// Genuine: a card was declined before.
    Declined,
    /// Genuine: this amount of the payment was refunded.
    Refunded(i64),
    /// Genuine, but it concerns no payment.
    Noise,
    /// Correctly signed, but with another amount.
    WrongAmount,
    /// Correctly signed, but with another currency.
    WrongCurrency,
    /// Correctly signed by another account, about this account's payment.
    Foreign,
    /// Signed with a secret that is not the account's.
    Forged,
    /// Correctly signed, but too long ago.
    Stale,
}

impl Saying {
    /// The final state of the event in the inbox, if it may be there at all.
    pub fn verdict(&self) -> Option<&'static str> {
        match self {
            Saying::Completed | Saying::Succeeded | Saying::Declined | Saying::Refunded(_) => Some("applied"),
            Saying::Noise => Some("ignored"),
            Saying::WrongAmount | Saying::WrongCurrency => Some("mismatch"),
            Saying::Foreign => Some("foreign"),
            Saying::Forged | Saying::Stale => None,
        }
    }

    /// Whether the delivery proves that the payment was paid.
    pub fn is_evidence(&self) -> bool {
        matches!(self, Saying::Completed | Saying::Succeeded)
    }
}

/// A delivery, made once or many times.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// The event's id.
    pub event: String,
    /// The index of its case.
    pub case: usize,
    /// The content.
    pub saying: Saying,
    /// The time of the event, in seconds.
    pub created: i64,
    /// How often it was sent.
    pub sent: u32,
    /// How often it was acknowledged.
    pub acknowledged: u32,
}

/// The whole record.
#[derive(Debug, Default, Clone)]
pub struct Record {
    /// Payments with a page.
    pub cases: Vec<Case>,
    /// Deliveries.
    pub deliveries: Vec<Delivery>,
    /// Sessions that were opened, with or without a page.
    pub opened: u64,
    /// Replies to deliveries, by status; 0 counts missing replies.
    pub replies: BTreeMap<u16, u64>,
    /// How often the merchant has asked for a refund of each case.
    pub asked: BTreeMap<usize, u32>,
    /// The counts of the merchant's commands.
    pub merchant: Asked,
    /// Replies that must never occur.
    pub outrages: Vec<String>,
}

impl Record {
    /// How many deliveries were acknowledged, each counted once.
    pub fn acknowledged(&self) -> usize {
        self.deliveries.iter().filter(|delivery| delivery.acknowledged > 0).count()
    }

    /// How many acknowledgements were for deliveries that had been acknowledged before.
    pub fn duplicates(&self) -> u64 {
        self.deliveries.iter().map(|delivery| u64::from(delivery.acknowledged.saturating_sub(1))).sum()
    }

    /// The bytes of a delivery, which are the same each time.
    pub fn body(&self, delivery: &Delivery) -> Vec<u8> {
        let case = &self.cases[delivery.case];
        let about = About {
            event: &delivery.event,
            created: delivery.created,
            attempt: &case.attempt,
            session: &case.session,
            intent: &case.intent,
            amount: case.amount,
            currency: &case.currency,
        };
        match delivery.saying {
            Saying::Completed | Saying::Foreign | Saying::Forged | Saying::Stale => about.completed(0),
            Saying::Succeeded => about.succeeded(),
            Saying::Declined => about.declined(),
            Saying::Refunded(amount) => about.refunded(&format!("re_{}", delivery.event), amount),
            Saying::Noise => about.noise(),
            Saying::WrongAmount => About { amount: case.amount - 1, ..about }.completed(0),
            Saying::WrongCurrency => {
                let currency = if case.currency == "gbp" { "eur" } else { "gbp" };
                About { currency, ..about }.succeeded()
            }
        }
    }

    /// The path that a delivery is sent to, and the secret that signs it.
    pub fn addressed<'a>(&self, shop: &'a Shop, delivery: &Delivery) -> (&'a str, &'a str) {
        match delivery.saying {
            Saying::Foreign => (&shop.other.path, &shop.other.secret),
            Saying::Forged => (&shop.account.path, "whsec_guessed"),
            _ => (&shop.account.path, &shop.account.secret),
        }
    }
}

/// The deliveries about a payment, in no particular order.
pub fn sayings(fate: Fate, amount: i64, random: &mut Random) -> Vec<Saying> {
    let mut sayings = match fate {
        Fate::Victim => vec![Saying::WrongAmount, Saying::Forged, Saying::Foreign, Saying::Stale],
        Fate::Paid | Fate::Refunded | Fate::SentBack => vec![Saying::Completed],
    };
    if fate != Fate::Victim && random.percent(60) {
        sayings.push(Saying::Succeeded);
    }
    if fate == Fate::Refunded {
        sayings.push(Saying::Refunded(amount / 4));
        sayings.push(Saying::Refunded(amount / 3));
    }
    let extras = [
        (Saying::WrongCurrency, 8),
        (Saying::WrongAmount, 5),
        (Saying::Forged, 10),
        (Saying::Stale, 3),
        (Saying::Foreign, 5),
        (Saying::Declined, 15),
        (Saying::Noise, 15),
    ];
    for (extra, chance) in extras {
        if random.percent(chance) && !sayings.contains(&extra) {
            sayings.push(extra);
        }
    }
    sayings
}
