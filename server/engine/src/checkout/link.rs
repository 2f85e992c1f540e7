//! Payment links. Opening a link stores nothing. Order, payment and session are created when a shopper acts.

use domain::Mode;
use domain::id::{OrderId, PaymentId, SessionId, Token};
use domain::link::{Link, LinkState, Usage};
use domain::order::Order;
use domain::payment::Payment;
use domain::session::{Session, SessionState};

use super::view::Loaded;
use super::{Checkout, PageError};
use crate::error::Error;
use crate::scope::Scope;
use crate::store::payments::Stored;
use crate::store::{Connection, Tx, links, merchants, orders, payments, sessions};
use crate::work::Kind;

/// The target of a link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OpenedLink {
    /// A session.
    Session(Token),
    /// The link's order, without a session. [`Checkout::view_link`] shows the order under the link's own token.
    Order,
    /// No target: the merchant has switched the link off.
    Inactive {
        /// The merchant's name.
        merchant: String,
    },
}

impl Checkout {
    /// Finds the target of a link. Stores nothing, however often it is called.
    pub async fn open_link(&self, token: &Token) -> Result<OpenedLink, PageError> {
        let mut connection = self.context.store().reader().await?;
        let link = links::by_token(&mut connection, token).await?.ok_or(PageError::NotFound)?;
        let scope = scope_of(&link);
        if let Some(current) = current(&mut connection, &scope, &link).await? {
            return Ok(OpenedLink::Session(current));
        }
        if link.state == LinkState::Disabled {
            let merchant = merchants::find(&mut connection, &scope).await?;
            let merchant = merchant.map(|merchant| merchant.name).unwrap_or_default();
            return Ok(OpenedLink::Inactive { merchant });
        }
        Ok(OpenedLink::Order)
    }

    /// The session that a shopper acts in: the session with this token, or the session of the link with this token, created now if there
    /// is none. All visitors of a one-time link share one session; a reusable link creates a new session each time.
    pub async fn act_on(&self, token: &Token) -> Result<Token, PageError> {
        let mut connection = self.context.store().reader().await?;
        let Some(link) = links::by_token(&mut connection, token).await? else { return Ok(token.clone()) };
        let scope = scope_of(&link);
        let current = current(&mut connection, &scope, &link).await?;
        drop(connection);
        if let Some(current) = current {
            return Ok(current);
        }
        if link.state == LinkState::Disabled {
            return Err(PageError::NotFound);
        }
        Ok(self.session_for(&scope, &link).await?)
    }

    /// The current session of a one-time link, or a new one.
    pub(crate) async fn session_for(&self, scope: &Scope, link: &Link) -> Result<Token, Error> {
        if let Some(current) = current(&mut *self.context.store().reader().await?, scope, link).await? {
            return Ok(current);
        }
        let mut tx = self.context.store().begin().await?;
        let order = self.order_of(&mut tx, scope, link).await?;
        let payment = match payments::of_order(&mut tx, scope, &order.id).await? {
            Some(stored) => stored.payment.id,
            None => {
                let payment = self.new_payment(&order);
                payments::insert(&mut tx, scope, &payment, &order, order.created).await?;
                payment.id
            }
        };
        let session = self.new_session(&mut tx, scope, &order, payment).await?;
        self.context.commit(tx).await?;
        Ok(session)
    }

    /// The order of a one-time link, or a new one.
    async fn order_of(&self, tx: &mut Tx, scope: &Scope, link: &Link) -> Result<Order, Error> {
        let order = self.new_order(link);
        if orders::insert(tx, scope, &order, link.usage == Usage::Once).await? {
            return Ok(order);
        }
        let existing = orders::once_of_link(tx, scope, &link.id).await?;
        existing.ok_or_else(|| Error::Corrupt(format!("link {} has lost its order", link.id)))
    }

    fn new_order(&self, link: &Link) -> Order {
        link.order(OrderId::from_random(self.context.env().timed_bits()), self.context.env().now())
    }

    fn new_payment(&self, order: &Order) -> Payment {
        Payment {
            id: PaymentId::from_random(self.context.env().timed_bits()),
            merchant: order.merchant.clone(),
            amount: order.total,
            capture: order.policies.capture,
            canceled: false,
            attempts: vec![],
        }
    }

    /// Creates a session for an order, or returns the session that a concurrent request has created.
    pub(super) async fn new_session(
        &self,
        tx: &mut Tx,
        scope: &Scope,
        order: &Order,
        payment: PaymentId,
    ) -> Result<Token, Error> {
        let session = self.session_of(order, payment, Token::from_random(self.context.env().bits()));
        if sessions::insert(tx, scope, &session).await? {
            self.context.enqueue(tx, Kind::Expire, None, session.id.as_str(), session.expires).await?;
            return Ok(session.token);
        }
        let existing = sessions::newest_of_order(tx, scope, &order.id).await?;
        existing
            .map(|stored| stored.session.token)
            .ok_or_else(|| Error::Corrupt(format!("order {} has lost its session", order.id)))
    }

    fn session_of(&self, order: &Order, payment: PaymentId, token: Token) -> Session {
        let now = self.context.env().now();
        Session {
            id: SessionId::from_random(self.context.env().timed_bits()),
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

    /// Loads the page of a link that leads to no session: the order and, for a one-time link, the state of its payment, as a session
    /// that begins now would show them.
    pub(super) async fn load_link(&self, token: &Token) -> Result<Loaded, PageError> {
        let mut connection = self.context.store().reader().await?;
        let link = links::by_token(&mut connection, token).await?.ok_or(PageError::NotFound)?;
        let scope = scope_of(&link);
        if let Some(current) = current(&mut connection, &scope, &link).await? {
            drop(connection);
            return self.load(&current).await;
        }
        let known = match link.usage {
            Usage::Once => orders::once_of_link(&mut connection, &scope, &link.id).await?,
            Usage::Reusable => None,
        };
        let order = known.unwrap_or_else(|| self.new_order(&link));
        let payment = payments::of_order(&mut connection, &scope, &order.id).await?;
        let payment = payment.map_or_else(|| self.new_payment(&order), |stored| stored.payment);
        let session = self.session_of(&order, payment.id.clone(), link.token.clone());
        let can_begin = link.state == LinkState::Active;
        Ok(Loaded { scope, session, payment, order, is_link: true, can_begin })
    }
}

/// The scope of a shopper who holds the link's token.
fn scope_of(link: &Link) -> Scope {
    Scope::of_shopper(link.merchant.clone(), Mode::of(link.live))
}

/// The session that a visitor of a one-time link sees: the current session, or an expired one if its payment is settled, an attempt is
/// still live, or the link is switched off.
async fn current(connection: &mut Connection, scope: &Scope, link: &Link) -> Result<Option<Token>, Error> {
    if link.usage == Usage::Reusable {
        return Ok(None);
    }
    let Some(order) = orders::once_of_link(connection, scope, &link.id).await? else { return Ok(None) };
    let Some(newest) = sessions::newest_of_order(connection, scope, &order.id).await? else { return Ok(None) };
    let session = newest.session;
    if session.state != SessionState::Expired {
        return Ok(Some(session.token));
    }
    let payment = payments::find(connection, scope, &session.payment).await?;
    let is_last =
        payment.is_some_and(|Stored { payment, .. }| payment.status().is_settled() || payment.live().is_some());
    Ok((is_last || link.state == LinkState::Disabled).then_some(session.token))
}
