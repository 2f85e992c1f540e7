//! Payment links. Looking at one stores nothing: order, payment and session come into being when a shopper acts.

use domain::id::{LinkId, OrderId, PaymentId, SessionId, Token};
use domain::link::{Link, LinkState, Usage};
use domain::order::Order;
use domain::payment::Payment;
use domain::session::{Session, SessionState};

use super::PageError;
use super::view::Loaded;
use crate::engine::Engine;
use crate::error::Error;
use crate::jobs::Kind;
use crate::store::payments::Stored;
use crate::store::{Connection, Tx, links, merchants, orders, payments, sessions};

/// Where a link leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OpenedLink {
    /// To this session.
    Session(Token),
    /// To its order, which nobody is paying now: [`Engine::view`] shows it under the link's own token.
    Order,
    /// Nowhere: the merchant has switched it off.
    Inactive {
        /// The merchant's name.
        merchant: String,
    },
}

impl Engine {
    /// Finds out where a link leads. It stores nothing, however often it is asked.
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
        Ok(OpenedLink::Order)
    }

    /// The session that a shopper acts in: the one with this token, or that of the link with this token, which is made now
    /// if there is none. Everybody who acts on a one-time link meets in one session; a reusable link makes a new one.
    pub async fn act_on(&self, token: &Token) -> Result<Token, PageError> {
        let mut connection = self.store().reader().await?;
        let Some(link) = links::by_token(&mut connection, token).await? else { return Ok(token.clone()) };
        let current = current(&mut connection, &link).await?;
        drop(connection);
        if let Some(current) = current {
            return Ok(current);
        }
        if link.state == LinkState::Disabled {
            return Err(PageError::NotFound);
        }
        Ok(self.session_for(&link).await?)
    }

    /// The current session of a one-time link, or a new one.
    async fn session_for(&self, link: &Link) -> Result<Token, Error> {
        if let Some(current) = current(&mut *self.store().reader().await?, link).await? {
            return Ok(current);
        }
        let mut tx = self.store().begin().await?;
        let order = self.order_of(&mut tx, link).await?;
        let payment = match payments::of_order(&mut tx, &order.id).await? {
            Some(stored) => stored.payment.id,
            None => {
                let payment = self.new_payment(&order);
                payments::insert(&mut tx, &payment, &order, order.created).await?;
                payment.id
            }
        };
        let session = self.new_session(&mut tx, &order, payment).await?;
        self.commit(tx).await?;
        Ok(session)
    }

    /// The same for a link by its id, for those who are no shoppers.
    ///
    /// # Errors
    /// There is no such link, or it is switched off.
    pub async fn link_session(&self, id: &LinkId) -> Result<Token, Error> {
        let link = links::find(&mut *self.store().reader().await?, id).await?;
        let link = link.ok_or_else(|| Error::NotFound(format!("link {id}")))?;
        if link.state == LinkState::Disabled {
            return Err(Error::Invalid(format!(
                "link {id} is switched off; switch it on with `till link enable {id}`"
            )));
        }
        self.session_for(&link).await
    }

    /// The order of a one-time link, or a new one.
    async fn order_of(&self, tx: &mut Tx, link: &Link) -> Result<Order, Error> {
        let order = self.new_order(link);
        if orders::insert(tx, &order, link.usage == Usage::Once).await? {
            return Ok(order);
        }
        let existing = orders::once_of_link(tx, &link.id).await?;
        existing.ok_or_else(|| Error::Corrupt(format!("link {} has lost its order", link.id)))
    }

    fn new_order(&self, link: &Link) -> Order {
        link.order(OrderId::from_random(self.env().timed_bits()), self.env().now())
    }

    fn new_payment(&self, order: &Order) -> Payment {
        Payment {
            id: PaymentId::from_random(self.env().timed_bits()),
            merchant: order.merchant.clone(),
            amount: order.total,
            capture: order.policies.capture,
            canceled: false,
            attempts: vec![],
        }
    }

    /// A new session for a debt, or the current one that somebody else has made meanwhile.
    pub(super) async fn new_session(&self, tx: &mut Tx, order: &Order, payment: PaymentId) -> Result<Token, Error> {
        let session = self.session_of(order, payment, Token::from_random(self.env().bits()));
        if sessions::insert(tx, &session).await? {
            self.enqueue(tx, Kind::Expire, None, session.id.as_str(), session.expires).await?;
            return Ok(session.token);
        }
        let existing = sessions::newest_of_order(tx, &order.id).await?;
        existing
            .map(|stored| stored.session.token)
            .ok_or_else(|| Error::Corrupt(format!("order {} has lost its session", order.id)))
    }

    fn session_of(&self, order: &Order, payment: PaymentId, token: Token) -> Session {
        let now = self.env().now();
        Session {
            id: SessionId::from_random(self.env().timed_bits()),
            token,
            merchant: order.merchant.clone(),
            order: order.id.clone(),
            payment,
            state: SessionState::Open,
            notice: None,
            created: now,
            expires: now.saturating_add(order.policies.session_ttl),
            extension: order.policies.extension(),
        }
    }

    /// What the page of a link shows as long as it leads to no session: the order, and what has become of a one-time link's debt,
    /// as a session would show it that begins now.
    pub(super) async fn load_link(&self, token: &Token) -> Result<Loaded, PageError> {
        let mut connection = self.store().reader().await?;
        let link = links::by_token(&mut connection, token).await?.ok_or(PageError::NotFound)?;
        if let Some(current) = current(&mut connection, &link).await? {
            drop(connection);
            return self.load(&current).await;
        }
        let known = match link.usage {
            Usage::Once => orders::once_of_link(&mut connection, &link.id).await?,
            Usage::Reusable => None,
        };
        let order = known.unwrap_or_else(|| self.new_order(&link));
        let payment = payments::of_order(&mut connection, &order.id).await?;
        let payment = payment.map_or_else(|| self.new_payment(&order), |stored| stored.payment);
        let session = self.session_of(&order, payment.id.clone(), link.token.clone());
        let can_begin = link.state == LinkState::Active;
        Ok(Loaded { session, payment, order, is_link: true, can_begin })
    }
}

/// The session of a one-time link that a visitor should see: the current one, or the last if the debt is settled or an attempt of it is
/// still under way.
async fn current(connection: &mut Connection, link: &Link) -> Result<Option<Token>, Error> {
    if link.usage == Usage::Reusable {
        return Ok(None);
    }
    let Some(order) = orders::once_of_link(connection, &link.id).await? else { return Ok(None) };
    let Some(newest) = sessions::newest_of_order(connection, &order.id).await? else { return Ok(None) };
    let session = newest.session;
    if session.state != SessionState::Expired {
        return Ok(Some(session.token));
    }
    let payment = payments::find(connection, &session.payment).await?;
    let is_last =
        payment.is_some_and(|Stored { payment, .. }| payment.status().is_settled() || payment.live().is_some());
    Ok((is_last || link.state == LinkState::Disabled).then_some(session.token))
}
