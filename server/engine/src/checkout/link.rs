//! Opening a payment link.

use domain::Millis;
use domain::id::{PaymentId, SessionId, Token};
use domain::link::{Link, LinkState, Usage};
use domain::payment::Payment;
use domain::session::{Session, SessionState};

use super::PageError;
use crate::engine::Engine;
use crate::error::Error;
use crate::jobs::Kind;
use crate::store::{Connection, Tx, links, merchants, payments, sessions};

/// Where a link leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OpenedLink {
    /// To this session.
    Session(Token),
    /// Nowhere: the merchant has switched it off.
    Inactive {
        /// The merchant's name.
        merchant: String,
    },
}

impl Engine {
    /// Opens a link. Everybody who opens a one-time link meets in one session; a reusable link makes a new one.
    pub async fn open_link(&self, token: &Token) -> Result<OpenedLink, PageError> {
        let mut connection = self.store().reader().await?;
        let link = links::by_token(&mut connection, token).await?.ok_or(PageError::NotFound)?;
        if let Some(current) = current(&mut connection, &link).await? {
            return Ok(OpenedLink::Session(current));
        }
        if link.state == LinkState::Disabled {
            let merchant = merchants::find(&mut connection, &link.merchant).await?;
            let merchant = merchant.map(|merchant| merchant.name).unwrap_or_default();
            return Ok(OpenedLink::Inactive { merchant });
        }
        drop(connection);
        let mut tx = self.store().begin().await?;
        let payment = self.payment_of(&mut tx, &link).await?;
        let session = self.new_session(&mut tx, &link, payment).await?;
        self.commit(tx).await?;
        Ok(OpenedLink::Session(session))
    }

    /// The debt of a one-time link, or a new one.
    async fn payment_of(&self, tx: &mut Tx, link: &Link) -> Result<PaymentId, Error> {
        let once = link.usage == Usage::Once;
        let payment = Payment {
            id: PaymentId::from_random(self.env().timed_bits()),
            merchant: link.merchant.clone(),
            amount: link.total,
            capture: link.capture,
            canceled: false,
            attempts: vec![],
        };
        if payments::insert(tx, &payment, &link.id, once, link.live, self.env().now()).await? {
            return Ok(payment.id);
        }
        let existing = payments::once_of_link(tx, &link.id).await?;
        existing.ok_or_else(|| Error::Corrupt(format!("link {} has lost its payment", link.id)))
    }

    /// A new session for a debt; or, for a one-time link, the one that somebody else has made meanwhile.
    pub(super) async fn new_session(&self, tx: &mut Tx, link: &Link, payment: PaymentId) -> Result<Token, Error> {
        let now = self.env().now();
        let session = Session {
            id: SessionId::from_random(self.env().timed_bits()),
            token: Token::from_random(self.env().bits()),
            merchant: link.merchant.clone(),
            link: link.id.clone(),
            payment,
            state: SessionState::Open,
            notice: None,
            created: now,
            expires: end(now, link),
            extension: if link.extendable { link.session_ttl } else { 0 },
        };
        if sessions::insert(tx, &session, link.usage == Usage::Once).await? {
            self.enqueue(tx, Kind::Expire, None, session.id.as_str(), session.expires).await?;
            return Ok(session.token);
        }
        let existing = sessions::newest_of_link(tx, &link.id).await?;
        existing
            .map(|stored| stored.session.token)
            .ok_or_else(|| Error::Corrupt(format!("link {} has lost its session", link.id)))
    }
}

fn end(now: Millis, link: &Link) -> Millis {
    now.saturating_add(link.session_ttl)
}

/// The session of a one-time link that a visitor should see: the current one, or the last if the debt is settled.
async fn current(connection: &mut Connection, link: &Link) -> Result<Option<Token>, Error> {
    if link.usage == Usage::Reusable {
        return Ok(None);
    }
    let Some(newest) = sessions::newest_of_link(connection, &link.id).await? else { return Ok(None) };
    let session = newest.session;
    if session.state != SessionState::Expired {
        return Ok(Some(session.token));
    }
    let payment = payments::find(connection, &session.payment).await?;
    let settled = payment.is_some_and(|stored| stored.payment.status().is_settled());
    Ok((settled || link.state == LinkState::Disabled).then_some(session.token))
}
