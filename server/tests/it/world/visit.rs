//! Makes links, visits and payments, as merchants and shoppers do.

use domain::HOUR;
use domain::checkout::{Phase, View};
use domain::id::{PaymentId, Token};
use domain::line::Line;
use domain::link::Usage;
use domain::money::Money;
use domain::order::Policies;
use domain::payment::Capture;
use engine::{NewLink, Started};

use super::{World, eventually, operator};

impl World {
    /// A link for two items, EUR 30.98.
    pub async fn link(&self, usage: Usage) -> Token {
        self.link_with_ttl(usage, HOUR).await
    }

    /// A fresh session of a one-time link with manual capture.
    pub async fn session_to_capture(&self) -> Token {
        let link = self.link_with(Usage::Once, HOUR, Capture::Manual).await;
        self.open(&link).await
    }

    pub async fn link_with_ttl(&self, usage: Usage, session_ttl: i64) -> Token {
        self.link_with(usage, session_ttl, Capture::Automatic).await
    }

    async fn link_with(&self, usage: Usage, session_ttl: i64, capture: Capture) -> Token {
        let eur = "EUR".parse().unwrap();
        let line = |name: &str, minor, quantity| Line::new(name, Money::new(minor, eur), quantity);
        let lines = vec![line("Tea", 1299, 2), line("Cup", 500, 1)];
        let policies = Policies { capture, session_ttl, extendable: true };
        let new = NewLink { policies, ..NewLink::of(lines, usage) };
        let link = self.links().add(new).await.unwrap();
        link.url.rsplit('/').next().unwrap().parse().unwrap()
    }

    /// The session of a shopper who acts on a link.
    pub async fn open(&self, link: &Token) -> Token {
        self.checkout().act_on(link).await.unwrap()
    }

    /// A fresh session of a one-time link.
    pub async fn session(&self) -> Token {
        let link = self.link(Usage::Once).await;
        self.open(&link).await
    }

    pub async fn view(&self, token: &Token) -> View {
        self.checkout().view(token, false).await.unwrap()
    }

    pub async fn phase(&self, token: &Token) -> Phase {
        self.view(token).await.phase
    }

    /// Starts with a card and returns the address of the provider's page.
    pub async fn start(&self, token: &Token) -> String {
        assert_eq!(self.checkout().start(token, domain::method::Method::Card, None).await.unwrap(), Started::Redirect);
        self.checkout().handoff(token).await.unwrap().expect("a page is open").address().to_owned()
    }

    /// Enters a card on the provider's page; returns the reply's status.
    pub async fn pay(&self, page: &str, number: &str) -> u16 {
        self.post_form(page, &[("number", number), ("expiry", "12/40"), ("cvc", "123")]).await.status
    }

    pub async fn wait_for(&self, token: &Token, phase: Phase) {
        eventually(&format!("{phase:?}"), || async { self.phase(token).await == phase }).await;
    }

    pub async fn payment_of(&self, token: &Token) -> PaymentId {
        self.stored_session(token).await.payment
    }

    pub async fn stored_session(&self, token: &Token) -> domain::session::Session {
        let mut connection = self.engine().store().reader().await.unwrap();
        engine::store::sessions::by_token(&mut connection, token).await.unwrap().unwrap().session
    }

    /// The payment's events.
    pub async fn events(&self, token: &Token) -> Vec<engine::store::payments::Happened> {
        let id = self.payment_of(token).await;
        let mut connection = self.engine().store().reader().await.unwrap();
        engine::store::payments::events(&mut connection, &operator(), &id).await.unwrap()
    }

    /// A fresh payment, paid with a card.
    pub async fn paid_with(&self, card: &str) -> (Token, PaymentId) {
        let session = self.session().await;
        let page = self.start(&session).await;
        self.pay(&page, card).await;
        self.wait_for(&session, Phase::Paid).await;
        let payment = self.payment_of(&session).await;
        (session, payment)
    }

    /// A fresh payment, authorised only.
    pub async fn authorised(&self) -> (Token, PaymentId) {
        let session = self.session_to_capture().await;
        let page = self.start(&session).await;
        self.pay(&page, "4242424242424242").await;
        self.wait_for(&session, Phase::Authorised).await;
        let payment = self.payment_of(&session).await;
        (session, payment)
    }

    /// Enters a card on Adyen's page; the holder's name chooses the outcome. Returns the reply's status.
    pub async fn pay_at_adyen(&self, page: &str, holder: &str) -> u16 {
        let fields = [
            ("number", "4111111111111111"),
            ("expiry", "03/30"),
            ("cvc", "737"),
            ("holderName", holder),
            ("action", "pay"),
        ];
        self.post_form(page, &fields).await.status
    }
}
