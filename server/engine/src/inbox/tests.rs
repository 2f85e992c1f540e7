use std::collections::BTreeMap;

use bytes::Bytes;
use connectors::stripe::Stripe;
use connectors::{
    AmountRule, Capabilities, Deed, Fail, HttpRequest, HttpResponse, Kept, Operation, Repetition, Setup, SetupProblem,
    Unreadable, Wire,
};
use domain::line::Line;
use domain::method::Method;
use domain::money::Money;
use domain::payment::Limits;
use http::HeaderMap;

use super::*;

/// A provider whose deliveries hold an event for each byte. The provider cannot read colons, and panics at one other byte.
struct Brittle(u8);

impl Connector for Brittle {
    fn provider(&self) -> &'static str {
        "brittle"
    }

    fn setup(&self) -> &'static Setup {
        Stripe.setup()
    }

    fn capabilities(&self, account: &Account) -> Capabilities {
        Stripe.capabilities(account)
    }

    fn limits(&self, account: &Account, method: Method) -> Limits {
        Stripe.limits(account, method)
    }

    fn captures_later(&self, _account: &Account, _method: Method) -> bool {
        false
    }

    fn repetition(&self, _account: &Account, _deed: Deed) -> Repetition {
        Repetition::None
    }

    fn kept(&self) -> &'static Kept {
        Stripe.kept()
    }

    fn check(&self, _credentials: &BTreeMap<String, String>, _live: bool) -> Result<(), SetupProblem> {
        Ok(())
    }

    fn check_webhook_secret(&self, _secret: &str) -> Result<(), SetupProblem> {
        Ok(())
    }

    fn takes(&self, _: &Account, _: Method, _: &[Line], total: Money) -> Result<(), AmountRule> {
        Err(AmountRule::Currency("Brittle", total.currency))
    }

    fn takes_part(&self, part: Money) -> Result<(), AmountRule> {
        Err(AmountRule::Currency("Brittle", part.currency))
    }

    fn begin(&self, _account: &Account, _operation: &Operation, _key: &str) -> Result<HttpRequest, Fail> {
        Err(Fail::Unsure("it opens no payments".to_owned()))
    }

    fn resume(
        &self,
        _account: &Account,
        _operation: &Operation,
        _sent: &HttpRequest,
        _reply: &HttpResponse,
        _now: Millis,
    ) -> Result<Wire, Fail> {
        Err(Fail::Unsure("it opens no payments".to_owned()))
    }

    fn authenticate(&self, account: &Account, delivery: &Delivery, now: Millis) -> Result<Credence, Reject> {
        Stripe.authenticate(account, delivery, now)
    }

    fn right(&self, _request: &str) -> Option<&'static str> {
        None
    }

    fn delivery_bytes_max(&self) -> usize {
        1024
    }

    fn split(&self, delivery: &Authentic) -> Result<Vec<Item>, Reject> {
        let body = delivery.body();
        let item = |at: usize| Item { event: at.to_string(), body: body.slice(at..=at) };
        Ok((0..body.len()).map(item).collect())
    }

    fn read(&self, _account: &Account, item: &[u8], received: Millis) -> Result<Incoming, Unreadable> {
        assert_ne!(item, [self.0], "it breaks down");
        if item == b":" {
            return Err(Unreadable("a colon".to_owned()));
        }
        let observation = Observation { at: received, ..Observation::default() };
        Ok(Incoming { kind: "letter".to_owned(), foreign: None, doubt: None, attempt: None, observation })
    }

    fn reply(&self, _disposition: Disposition) -> Reply {
        Reply::text(200, "")
    }
}

#[test]
fn what_cannot_be_read_or_breaks_the_reading_is_stored_all_the_same() {
    let account = Account {
        id: ProviderAccountId::from_random([1; 16]),
        base_url: String::new(),
        live: false,
        credentials: BTreeMap::new(),
        webhook_secrets: vec!["whsec_test_secret".to_owned().into()],
        tls: None,
    };
    // This vector is from the official library; the connector's own tests use it as well.
    let signature = "t=1614265330,v1=10c96c6fd3f320fcfc264cdc4f476c15060ede8e8a08404cea2ddf3b72544a9c";
    let headers = HeaderMap::from_iter([("stripe-signature".parse().unwrap(), signature.parse().unwrap())]);
    let body = Bytes::from_static(br#"{"test": 2432232314}"#);
    let now = 1_614_265_330_000;
    let delivery = Delivery::posted(headers, body.clone());
    let Ok(Credence::Proven(delivery)) = Brittle(b'x').authenticate(&account, &delivery, now) else {
        panic!("it is signed");
    };
    let read = |breaks_over| read(&Brittle(breaks_over), &account, &delivery, now).unwrap();

    let events = read(b'x');
    assert_eq!(events.iter().flat_map(|(item, _)| item.body.to_vec()).collect::<Vec<_>>(), body);
    assert!(events.iter().all(|(item, reading)| reading.is_some() == (item.body != ":")));

    let events = read(b'4');
    assert_eq!(events.iter().flat_map(|(item, _)| item.body.to_vec()).collect::<Vec<_>>(), body);
    assert!(events.iter().all(|(item, reading)| reading.is_some() == (item.body != ":" && item.body != "4")));
}
