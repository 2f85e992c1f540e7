//! Payment links.

use domain::id::{EventId, LinkId, MerchantId, OrderId, Token};
use domain::line::Line;
use domain::link::{Link, LinkState, Usage, bounded_ttl};
use domain::order::{Basket, Metadata, Policies, Returns};
use domain::payment::Capture;
use serde::Serialize;
use serde_json::json;

use super::LIST_MAX;
use super::problem::LinkProblem;
use crate::checkout::Offer;
use crate::engine::Engine;
use crate::error::{Error, Thing};
use crate::paging::{Listed, Page};
use crate::record::Source;
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
    /// Whether real money moves.
    pub live: bool,
    /// The merchant's notes on every order.
    pub metadata: Metadata,
    /// Where shoppers go after the checkout.
    pub returns: Returns,
    /// The merchant's decisions about every order's payment.
    pub policies: Policies,
}

impl NewLink {
    /// A test link of lines at their prices, under the usual policies.
    #[must_use]
    pub fn of(lines: Vec<Line>, usage: Usage) -> NewLink {
        NewLink {
            basket: Basket::of(lines),
            usage,
            live: false,
            metadata: Metadata::default(),
            returns: Returns::default(),
            policies: Policies::default(),
        }
    }
}

impl Engine {
    /// Makes a payment link.
    ///
    /// # Errors
    /// The order is invalid, or no enabled account of the merchant in this mode takes it, so that the link could not be paid.
    pub async fn add_link(&self, merchant: &MerchantId, new: NewLink) -> Result<LinkSummary, Error> {
        self.check_merchant(merchant).await?;
        let link = Link {
            id: LinkId::from_random(self.env().bits()),
            token: Token::from_random(self.env().bits()),
            merchant: merchant.clone(),
            state: LinkState::Active,
            usage: new.usage,
            live: new.live,
            total: new.basket.sums()?.total,
            basket: new.basket,
            metadata: new.metadata,
            returns: new.returns,
            policies: Policies { session_ttl: bounded_ttl(new.policies.session_ttl), ..new.policies },
            created: self.env().now(),
        };
        let sample = link.order(OrderId::from_random(self.env().bits()), link.created).checked()?;
        let offer = self.offer(&sample).await?;
        if link.policies.capture == Capture::Manual && !self.can_capture_later(&offer).await? {
            return Err(LinkProblem::CannotCaptureLater.into());
        }
        if offer.methods.is_empty() {
            return Err(cannot_be_paid(offer, link.live).into());
        }
        let mut tx = self.store().begin().await?;
        links::insert(&mut tx, &link).await?;
        events::insert(&mut tx, &[self.link_event("link.created", &link)]).await?;
        self.commit(tx).await?;
        Ok(self.link_summary(&link, 0))
    }

    /// A merchant's newest links.
    pub async fn links(&self, merchant: &MerchantId) -> Result<Vec<LinkSummary>, Error> {
        Ok(self.links_page(merchant, &Page::first(LIST_MAX)).await?.rows)
    }

    /// A merchant's links, newest first.
    ///
    /// # Errors
    /// There is no such merchant, or no such row to begin after.
    pub async fn links_page(&self, merchant: &MerchantId, page: &Page) -> Result<Listed<LinkSummary>, Error> {
        self.check_merchant(merchant).await?;
        let links = links::of_merchant(&mut *self.store().reader().await?, merchant, page).await?;
        let ids: Vec<LinkId> = links.rows.iter().map(|link| link.id.clone()).collect();
        let paid = payments::paid_of_links(&mut *self.store().reader().await?, &ids).await?;
        let times = |link: &Link| paid.get(link.id.as_str()).copied().unwrap_or(0);
        Ok(links.map(|link| self.link_summary(&link, times(&link))))
    }

    /// Switches a link on or off. Sessions that are already open continue.
    pub async fn activate_link(&self, id: &LinkId, active: bool) -> Result<(), Error> {
        let state = if active { LinkState::Active } else { LinkState::Disabled };
        let mut tx = self.store().begin().await?;
        if !links::set_state(&mut tx, id, state).await? {
            return Err(Error::NotFound(Thing::Link(id.clone())));
        }
        let link = links::find(&mut tx, id).await?.ok_or_else(|| Error::NotFound(Thing::Link(id.clone())))?;
        events::insert(&mut tx, &[self.link_event("link.updated", &link)]).await?;
        self.commit(tx).await
    }

    /// The event that reports a link's state to the merchant.
    fn link_event(&self, name: &str, link: &Link) -> NewEvent {
        let snapshot = json!({
            "id": link.id,
            "amount": link.total.minor,
            "currency": link.total.currency.code(),
            "once": link.usage == Usage::Once,
            "active": link.state == LinkState::Active,
        });
        NewEvent {
            id: EventId::from_random(self.env().timed_bits()),
            merchant: link.merchant.clone(),
            live: link.live,
            name: name.to_owned(),
            object_kind: "link",
            object_id: link.id.to_string(),
            snapshot,
            place: None,
            source: Source::Merchant.name(),
            at: self.env().now(),
        }
    }

    fn link_summary(&self, link: &Link, paid: i64) -> LinkSummary {
        LinkSummary {
            id: link.id.to_string(),
            url: format!("{}/l/{}", self.public_url(), link.token),
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
