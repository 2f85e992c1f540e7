//! The view of a session's page or a link's page.

use std::time::Duration;

use domain::checkout::{Figures, Phase, View, choice, phase};
use domain::id::Token;
use domain::link::LinkState;
use domain::method::Method;
use domain::order::Order;
use domain::payment::{Handoff, Payment, Stage};
use domain::session::Session;
use domain::{MINUTE, Millis, Mode, SECOND};

use super::{Checkout, PageError};
use crate::error::{Error, Thing};
use crate::scope::Scope;
use crate::store::{inbox, links, merchants, orders, payments, sessions};

/// How soon after a shopper's return the provider is asked, if no webhook arrives before.
const RETURN_GRACE: Millis = 10 * SECOND;

/// The longest a page waits for deliveries that are being applied, and the greatest age of deliveries to wait for.
const CATCH_UP_MAX: Millis = SECOND;
const CATCH_UP_LOOK: Duration = Duration::from_millis(50);

/// A session with its payment and its order.
pub(super) struct Loaded {
    /// The shopper's scope, which the token has made.
    pub scope: Scope,
    pub session: Session,
    pub payment: Payment,
    pub order: Order,
    /// Whether this is a link without a session. Its session is not stored.
    pub is_link: bool,
    /// Whether another session can begin: the order's link, if there is one, is switched on.
    pub can_begin: bool,
}

impl Checkout {
    pub(super) async fn load(&self, token: &Token) -> Result<Loaded, PageError> {
        let mut connection = self.context.store().reader().await?;
        let stored = sessions::by_token(&mut connection, token).await?.ok_or(PageError::NotFound)?;
        let scope = Scope::of_shopper(stored.session.merchant.clone(), Mode::of(stored.live));
        let payment = payments::find(&mut connection, &scope, &stored.session.payment).await?;
        let order = orders::find(&mut connection, &scope, &stored.session.order).await?;
        let order = order.ok_or_else(|| Error::NotFound(Thing::Order(stored.session.order.clone())))?;
        let can_begin = match &order.link {
            Some(link) => {
                links::find(&mut connection, &scope, link).await?.is_some_and(|link| link.state == LinkState::Active)
            }
            None => true,
        };
        let payment = payment.ok_or_else(|| Error::NotFound(Thing::Payment(stored.session.payment.clone())))?.payment;
        Ok(Loaded { scope, session: stored.session, payment, order, is_link: false, can_begin })
    }

    /// The view of a session's page. `came_back` says that the shopper opened the return address, which proves nothing about the
    /// payment.
    pub async fn view(&self, token: &Token, came_back: bool) -> Result<View, PageError> {
        let loaded = if came_back { self.load_caught_up(token).await? } else { self.load(token).await? };
        self.shown(loaded, came_back).await
    }

    /// The view of a link's page. If the link leads to a session by now, the view is the session's.
    pub async fn view_link(&self, token: &Token) -> Result<View, PageError> {
        let loaded = self.load_link(token).await?;
        self.shown(loaded, false).await
    }

    /// The view of the page with this token, a session's or a link's.
    pub async fn view_either(&self, token: &Token, came_back: bool) -> Result<View, PageError> {
        match self.view(token, came_back).await {
            Err(PageError::NotFound) => self.view_link(token).await,
            other => other,
        }
    }

    async fn shown(&self, loaded: Loaded, came_back: bool) -> Result<View, PageError> {
        let Loaded { scope, session, payment, order, is_link, can_begin } = loaded;
        let now = self.context.env().now();
        let phase = phase(&session, &payment, came_back, now);
        if phase == Phase::Confirming {
            self.hasten_check(&payment, now).await?;
        }
        let mut connection = self.context.store().reader().await?;
        let merchant = merchants::find(&mut connection, &scope).await?;
        let merchant = merchant.ok_or_else(|| Error::NotFound(Thing::Merchant(session.merchant.clone())))?;
        drop(connection);
        let methods: Vec<Method> =
            self.offer(&scope, &order).await?.methods.into_iter().map(|(method, _)| method).collect();
        Ok(View {
            token: session.token.clone(),
            is_link,
            merchant: merchant.name,
            support_email: merchant.support_email,
            total: payment.amount,
            figures: Figures::of(&payment),
            phase,
            notice: session.notice.filter(|_| phase.can_choose() || phase == Phase::Expired),
            chosen: choice(&session, &payment, &methods),
            methods,
            expires: (!is_link).then_some(session.expires),
            ends_soon: !is_link && session.ends_soon(now),
            can_extend: !is_link && session.extended(now).is_some(),
            can_renew: phase == Phase::Expired && can_begin,
            now,
            reference: (!is_link).then(|| reference(&payment)),
            test_mode: !order.live,
            sums: order.basket.sums().map_err(Error::corrupt)?,
            basket: order.basket,
            returns: order.returns,
        })
    }

    /// Loads a session whose shopper has just come back. A webhook that arrived before the shopper is acknowledged but may still be
    /// being applied. A short wait for it shows the true state at once.
    async fn load_caught_up(&self, token: &Token) -> Result<Loaded, PageError> {
        let first = self.load(token).await?;
        let mut watch = self.context.live().watch(&first.payment.id);
        let began = self.context.env().now();
        loop {
            let loaded = self.load(token).await?;
            let now = self.context.env().now();
            let waiting = phase(&loaded.session, &loaded.payment, true, now) == Phase::Confirming;
            let live = loaded.payment.live().filter(|_| waiting && now - began < CATCH_UP_MAX);
            let Some(account) = live.map(|live| live.account.clone()) else { return Ok(loaded) };
            let since = began - CATCH_UP_MAX;
            if !inbox::has_pending(&mut *self.context.store().reader().await?, &loaded.scope, &account, since).await? {
                return Ok(loaded);
            }
            self.context.env().clock.sleep_unless(CATCH_UP_LOOK, Box::pin(watch.changed())).await;
        }
    }

    /// Brings the next question to the provider forward. However often the page is loaded, the provider is asked once per grace.
    async fn hasten_check(&self, payment: &Payment, now: Millis) -> Result<(), Error> {
        let Some(live) = payment.live().filter(|live| live.stage == Stage::Open) else { return Ok(()) };
        self.attempts().hasten_check(&live.id, now + RETURN_GRACE, now).await
    }

    /// The handoff to the provider's page for the payment under way, if it can be used now.
    pub async fn handoff(&self, token: &Token) -> Result<Option<Handoff>, PageError> {
        let Loaded { session, payment, .. } = self.load(token).await?;
        let now = self.context.env().now();
        if session.is_over(now) || payment.status().is_settled() {
            return Ok(None);
        }
        Ok(payment.live().and_then(|live| live.usable_handoff(now)).cloned())
    }
}

/// Eight characters that a shopper can read out and support can search for.
fn reference(payment: &Payment) -> String {
    let id = payment.id.as_str();
    id[id.len().saturating_sub(8)..].to_ascii_uppercase()
}

/// The time added to a provider's shortest page life for the earliest end of a page. Such a page may end later than its session.
pub(super) const PAGE_MARGIN: Millis = 15 * MINUTE;
