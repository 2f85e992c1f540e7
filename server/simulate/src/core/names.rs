//! Ids and references, made once. A seed takes them in order.

use domain::id::{AttemptId, MerchantId, ModificationId, OrderId, PaymentId, ProviderAccountId, SessionId, Token};

/// More ids of each kind than a seed can use.
pub(super) const NAMES: usize = 64;

/// Ids and references by number.
pub(super) struct Names {
    pub payment: PaymentId,
    pub merchant: MerchantId,
    pub session: SessionId,
    pub order: OrderId,
    pub token: Token,
    pub accounts: [ProviderAccountId; 2],
    pub attempts: Vec<AttemptId>,
    pub modifications: Vec<ModificationId>,
    pub pages: Vec<String>,
    pub payments: Vec<String>,
    pub moves: Vec<String>,
}

impl Names {
    pub fn new() -> Self {
        let bits = |kind: u8, number: usize| {
            let mut bits = [kind; 16];
            bits[15] = u8::try_from(number).unwrap_or(u8::MAX);
            bits
        };
        let texts = |prefix: &str| (0..NAMES).map(|number| format!("{prefix}_{number}")).collect();
        Names {
            payment: PaymentId::from_random(bits(1, 0)),
            merchant: MerchantId::from_random(bits(2, 0)),
            session: SessionId::from_random(bits(3, 0)),
            order: OrderId::from_random(bits(4, 0)),
            token: Token::from_random(bits(5, 0)),
            accounts: [ProviderAccountId::from_random(bits(6, 0)), ProviderAccountId::from_random(bits(6, 1))],
            attempts: (0..NAMES).map(|number| AttemptId::from_random(bits(7, number))).collect(),
            modifications: (0..NAMES).map(|number| ModificationId::from_random(bits(8, number))).collect(),
            pages: texts("page"),
            payments: texts("pay"),
            moves: texts("move"),
        }
    }

    /// The number in a reference such as `page_3`.
    pub fn number(reference: &str) -> Option<usize> {
        reference.rsplit('_').next()?.parse().ok()
    }
}
