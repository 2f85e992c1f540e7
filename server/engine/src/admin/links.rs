//! Payment links.

use domain::id::{EventId, LinkId, OrderId, Token};
use domain::line::Line;
use domain::link::{Link, LinkState, Usage, bounded_ttl};
use domain::order::{Basket, Metadata, Policies, Returns};
use domain::payment::Capture;
use serde::Serialize;
use serde_json::json;

use super::check_merchant;
use crate::checkout::{Checkout, Offer};
use crate::context::Context;
use crate::error::{Error, Thing};
use crate::paging::{Listed, Page};
use crate::problem::LinkProblem;
use crate::record::Source;
use crate::scope::Scope;
use crate::store::events::NewEvent;
use crate::store::{events, links, payments};

/// A payment link, for printing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LinkSummary {
    /// The id.
    pub id: String,
    /// The address to share.
    pub url: String,
    /// The total, such as `EUR 30.98`.
    pub total: String,
    /// Whether the link can be paid only once.
    pub once: bool,
    /// Whether the link can be opened.
    pub active: bool,
    /// How often the link has been paid.
    pub paid: i64,
}

/// A link to be made.
#[derive(Debug, Clone)]
pub struct NewLink {
    /// The lines that are sold.
    pub basket: Basket,
    /// How often the link can be paid.
    pub usage: Usage,
    /// The merchant's notes on every order.
    pub metadata: Metadata,
    /// Where shoppers go after the checkout.
    pub returns: Returns,
    /// The merchant's decisions about every order's payment.
    pub policies: Policies,
}

impl NewLink {
    /// A link of lines at their prices, under the usual policies.
    #[must_use]
    pub fn of(lines: Vec<Line>, usage: Usage) -> NewLink {
        NewLink {
            basket: Basket::of(lines),
            usage,
            metadata: Metadata::default(),
            returns: Returns::default(),
            policies: Policies::default(),
        }
    }
}

/// A merchant's payment links, in one mode.
#[derive(Clone)]
pub struct Links {
    context: Context,
    scope: Scope,
}

impl Links {
    pub(crate) fn new(context: Context, scope: Scope) -> Links {
        Links { context, scope }
    }

    /// Makes a payment link.
    ///
    /// # Errors
    /// The order is invalid, or no enabled account of the merchant in this mode takes it, so that the link could not be paid.
    pub async fn add(&self, new: NewLink) -> Result<LinkSummary, Error> {
        check_merchant(&self.context, &self.scope).await?;
        let link = Link {
            id: LinkId::from_random(self.context.env().bits()),
            token: Token::from_random(self.context.env().bits()),
            merchant: self.scope.merchant().clone(),
            state: LinkState::Active,
            usage: new.usage,
            live: self.scope.mode().is_live(),
            total: new.basket.sums()?.total,
            basket: new.basket,
            metadata: new.metadata,
            returns: new.returns,
            policies: Policies { session_ttl: bounded_ttl(new.policies.session_ttl), ..new.policies },
            created: self.context.env().now(),
        };
        let sample = link.order(OrderId::from_random(self.context.env().bits()), link.created).checked()?;
        let checkout = Checkout::new(self.context.clone());
        let offer = checkout.offer(&self.scope, &sample).await?;
        if link.policies.capture == Capture::Manual && !checkout.can_capture_later(&offer).await? {
            return Err(LinkProblem::CannotCaptureLater.into());
        }
        if offer.methods.is_empty() {
            return Err(cannot_be_paid(offer, link.live).into());
        }
        let mut tx = self.context.store().begin().await?;
        links::insert(&mut tx, &self.scope, &link).await?;
        events::add(&mut tx, &self.scope, &self.event("link.created", &link)).await?;
        self.context.commit(tx).await?;
        Ok(self.summary(&link, 0))
    }

    /// The links, newest first.
    ///
    /// # Errors
    /// There is no such merchant, or no such row to begin after.
    pub async fn list(&self, page: &Page) -> Result<Listed<LinkSummary>, Error> {
        check_merchant(&self.context, &self.scope).await?;
        let links = links::of_merchant(&mut *self.context.store().reader().await?, &self.scope, page).await?;
        let ids: Vec<LinkId> = links.rows.iter().map(|link| link.id.clone()).collect();
        let paid = payments::paid_of_links(&mut *self.context.store().reader().await?, &self.scope, &ids).await?;
        let times = |link: &Link| paid.get(link.id.as_str()).copied().unwrap_or(0);
        Ok(links.map(|link| self.summary(&link, times(&link))))
    }

    /// Switches a link on or off. Sessions that are already open continue.
    pub async fn activate(&self, id: &LinkId, active: bool) -> Result<(), Error> {
        let state = if active { LinkState::Active } else { LinkState::Disabled };
        let mut tx = self.context.store().begin().await?;
        if !links::set_state(&mut tx, &self.scope, id, state).await? {
            return Err(Error::NotFound(Thing::Link(id.clone())));
        }
        let link =
            links::find(&mut tx, &self.scope, id).await?.ok_or_else(|| Error::NotFound(Thing::Link(id.clone())))?;
        events::add(&mut tx, &self.scope, &self.event("link.updated", &link)).await?;
        self.context.commit(tx).await
    }

    /// The current session of a link, or a new one, for callers other than shoppers.
    ///
    /// # Errors
    /// There is no such link, or it is switched off.
    pub async fn session(&self, id: &LinkId) -> Result<Token, Error> {
        let link = links::find(&mut *self.context.store().reader().await?, &self.scope, id).await?;
        let link = link.ok_or_else(|| Error::NotFound(Thing::Link(id.clone())))?;
        if link.state == LinkState::Disabled {
            return Err(LinkProblem::Off(id.clone()).into());
        }
        Checkout::new(self.context.clone()).session_for(&self.scope, &link).await
    }

    /// The event that reports a link's state to the merchant.
    fn event(&self, name: &str, link: &Link) -> NewEvent {
        let snapshot = json!({
            "id": link.id,
            "amount": link.total.minor,
            "currency": link.total.currency.code(),
            "once": link.usage == Usage::Once,
            "active": link.state == LinkState::Active,
        });
        NewEvent {
            id: EventId::from_random(self.context.env().timed_bits()),
            merchant: link.merchant.clone(),
            live: link.live,
            name: name.to_owned(),
            object_kind: "link",
            object_id: link.id.to_string(),
            snapshot,
            place: None,
            source: Source::Merchant(self.scope.actor()).name(),
            actor: self.scope.actor().to_string(),
            at: self.context.env().now(),
        }
    }

    fn summary(&self, link: &Link, paid: i64) -> LinkSummary {
        LinkSummary {
            id: link.id.to_string(),
            url: format!("{}/l/{}", self.context.public_url(), link.token),
            total: link.total.to_string(),
            once: link.usage == Usage::Once,
            active: link.state == LinkState::Active,
            paid,
        }
    }
}

/// Why a link cannot be paid.
fn cannot_be_paid(offer: Offer, live: bool) -> LinkProblem {
    if !offer.asked {
        return LinkProblem::NoAccount { live };
    }
    let mut rules = vec![];
    for rule in offer.rules {
        // Two accounts at one provider give the same reason.
        if !rules.contains(&rule) {
            rules.push(rule);
        }
    }
    LinkProblem::NotTaken { live, rules }
}
