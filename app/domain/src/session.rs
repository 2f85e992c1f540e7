//! Checkout sessions: one shopper's visit.

use serde::{Deserialize, Serialize};

use crate::Millis;
use crate::id::{MerchantId, OrderId, PaymentId, SessionId, Token};
use crate::link::{EXPIRY_WARNING, SESSION_TTL_MAX};

/// The state of a session.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SessionState {
    /// The shopper can act.
    Open,
    /// The session's payment has succeeded.
    Complete,
    /// The session's time ran out before its payment succeeded.
    Expired,
}

/// The outcome of the shopper's last action, kept on the session and shown from there, so that it survives a reload and
/// never travels in an address.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Notice {
    /// The method is not offered here.
    MethodUnavailable,
    /// The provider could not be reached; nothing was charged.
    ProviderUnreachable,
    /// The provider refused to open a payment; nothing was charged.
    ProviderRefused,
    /// The shopper stopped the payment under way.
    Cancelled,
    /// The session lives longer now.
    Extended,
    /// The session cannot live longer.
    NotExtendable,
}

/// One shopper's visit to one payment.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Session {
    /// The id.
    pub id: SessionId,
    /// The part of the address that cannot be guessed.
    pub token: Token,
    /// The merchant who gets paid.
    pub merchant: MerchantId,
    /// The order.
    pub order: OrderId,
    /// The payment. Several sessions of an order share one payment.
    pub payment: PaymentId,
    /// The state.
    pub state: SessionState,
    /// The outcome of the last action.
    pub notice: Option<Notice>,
    /// When the session was made.
    pub created: Millis,
    /// When the session ends by itself.
    pub expires: Millis,
    /// How much an extension adds; zero where the merchant allows none.
    pub extension: Millis,
}

impl Session {
    /// Whether the session's time has run out, even if its state is still open.
    #[must_use]
    pub fn is_over(&self, now: Millis) -> bool {
        self.state == SessionState::Expired || (self.state == SessionState::Open && now >= self.expires)
    }

    /// The new end, if the shopper may have more time: only while the session is open, and never past [`SESSION_TTL_MAX`].
    #[must_use]
    pub fn extended(&self, now: Millis) -> Option<Millis> {
        let latest = self.created.checked_add(SESSION_TTL_MAX)?;
        let wanted = now.checked_add(self.extension)?.min(latest);
        let allowed = self.state == SessionState::Open && !self.is_over(now) && self.extension > 0;
        (allowed && wanted > self.expires).then_some(wanted)
    }

    /// Whether the page should announce the coming end.
    #[must_use]
    pub fn ends_soon(&self, now: Millis) -> bool {
        self.state == SessionState::Open && !self.is_over(now) && self.expires - now <= EXPIRY_WARNING
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{DAY, HOUR};

    fn session() -> Session {
        Session {
            id: SessionId::from_random([1; 16]),
            token: Token::from_random([2; 16]),
            merchant: MerchantId::from_random([3; 16]),
            order: OrderId::from_random([4; 16]),
            payment: PaymentId::from_random([5; 16]),
            state: SessionState::Open,
            notice: None,
            created: 0,
            expires: HOUR,
            extension: HOUR,
        }
    }

    #[test]
    fn an_extension_counts_from_now_and_ends_at_a_day() {
        assert_eq!(session().extended(HOUR / 2), Some(HOUR * 3 / 2));
        let late = Session { expires: DAY - 1, ..session() };
        assert_eq!(late.extended(DAY - 2), Some(DAY));
        assert_eq!(Session { expires: DAY, ..session() }.extended(DAY - 1), None);
    }

    #[test]
    fn an_ended_or_fixed_session_is_not_extended() {
        assert_eq!(session().extended(HOUR), None);
        assert_eq!(Session { extension: 0, ..session() }.extended(0), None);
        assert_eq!(Session { state: SessionState::Complete, ..session() }.extended(0), None);
    }

    #[test]
    fn the_end_is_announced_five_minutes_before() {
        assert!(!session().ends_soon(HOUR - EXPIRY_WARNING - 1));
        assert!(session().ends_soon(HOUR - EXPIRY_WARNING));
        assert!(!session().ends_soon(HOUR));
    }
}
