//! Amounts that a provider cannot take are refused when the link is made, never at the shopper.

use axum::http::Method as HttpMethod;
use domain::checkout::Phase;
use domain::currency::Currency;
use domain::id::Token;
use domain::line::Line;
use domain::link::Usage;
use domain::method::Method;
use domain::money::Money;
use domain::order::Policies;
use domain::payment::Capture;
use domain::session::Notice;
use engine::{NewAccount, NewLink, Started};
use futures::future::join_all;
use serde_json::json;

use crate::world::{Told, World, header, random_hex};
use crate::{both, both_at_adyen};

const GOOD: &str = "4242424242424242";

/// An order as the command line makes it: a currency, and prices with quantities.
fn order(currency: &str, prices: &[(&str, u32)], capture: Capture) -> NewLink {
    let currency = currency.parse().unwrap();
    let line =
        |(price, quantity): &(&str, u32)| Line::new("Tea", Money::parse_decimal(price, currency).unwrap(), *quantity);
    let policies = Policies { capture, ..Policies::default() };
    NewLink { policies, ..NewLink::of(prices.iter().map(line).collect(), Usage::Once) }
}

async fn add(world: &World, currency: &str, prices: &[(&str, u32)]) -> Result<Token, String> {
    let added = world.links().add(order(currency, prices, Capture::Automatic)).await;
    let token = |url: String| url.rsplit('/').next().unwrap().parse().unwrap();
    added.map(|link| token(link.url)).map_err(|error| error.told())
}

/// Checks that the order is refused, in a sentence with these words.
async fn refused(world: &World, currency: &str, prices: &[(&str, u32)], words: &[&str]) {
    let text = add(world, currency, prices).await.expect_err(&format!("{currency} {prices:?} is accepted"));
    for word in words {
        assert!(text.contains(word), "{currency} {prices:?}: {text}");
    }
}

/// Checks that the order is accepted and that the provider opens a page for it.
async fn payable(world: &World, currency: &str, prices: &[(&str, u32)]) {
    let link = add(world, currency, prices).await.unwrap_or_else(|text| panic!("{currency} {prices:?}: {text}"));
    let session = world.open(&link).await;
    let started = world.checkout().start(&session, Method::Card, None).await.unwrap();
    assert_eq!(started, Started::Redirect, "{currency} {prices:?}: {:?}", world.view(&session).await);
}

both! {
    async fn what_stripe_cannot_take_is_refused_when_the_link_is_made(world: World) {
        refused(&world, "KWD", &[("1.234", 1)], &["Stripe", "last digit is 0", "1.230 or 1.240"]).await;
        refused(&world, "KWD", &[("0.005", 2)], &["Stripe", "last digit is 0", "0.010"]).await;
        // The sum is valid, but each line is sent by itself.
        refused(&world, "KWD", &[("0.125", 8)], &["\"Tea\"", "0.120 or 0.130"]).await;
        refused(&world, "MGA", &[("12.34", 1)], &["Stripe", "last two digits are 0", "12.00 or 13.00"]).await;
        refused(&world, "EUR", &[("1000000.00", 1)], &["Stripe", "no more than EUR 999999.99"]).await;
        refused(&world, "CRC", &[("500000.00", 2)], &["Stripe", "no more than CRC 999999.99"]).await;
        refused(&world, "UGX", &[("1000000", 1)], &["Stripe", "no more than UGX 999999"]).await;
        refused(&world, "EUR", &[("0.01", 1)], &["Stripe", "no less than EUR 0.50"]).await;
        refused(&world, "JPY", &[("49", 1)], &["no less than JPY 50"]).await;
        refused(&world, "HUF", &[("0.50", 3), ("100.00", 1)], &["no less than HUF 175.00"]).await;
        refused(&world, "KPW", &[("5.00", 1)], &["Stripe takes no KPW"]).await;
        // Stripe knows only the old dobra, and Till only the new one. The lev has given way to the euro.
        refused(&world, "BGN", &[("5.00", 1)], &["Stripe takes no BGN"]).await;
        refused(&world, "STN", &[("5.00", 1)], &["Stripe takes no STN"]).await;
        assert_eq!(world.newest_links().await, vec![]);
    }
}

both! {
    async fn what_stripe_takes_can_be_paid(world: World) {
        payable(&world, "KWD", &[("1.230", 1), ("0.500", 3)]).await;
        payable(&world, "EUR", &[("0.50", 1)]).await;
        payable(&world, "EUR", &[("0.01", 50)]).await;
        payable(&world, "EUR", &[("999999.99", 1)]).await;
        payable(&world, "IDR", &[("25000000.00", 1)]).await;
        payable(&world, "INR", &[("9999999.99", 1)]).await;
        payable(&world, "COP", &[("99999999.99", 1)]).await;
        payable(&world, "UGX", &[("999999", 1)]).await;
        payable(&world, "MGA", &[("12.00", 1)]).await;
        payable(&world, "XCG", &[("12.00", 1)]).await;
        payable(&world, "CRC", &[("999999.99", 1)]).await;
    }
}

both_at_adyen! {
    async fn what_adyen_cannot_take_is_refused_when_the_link_is_made(world: World) {
        refused(&world, "IDR", &[("100.50", 1)], &["Adyen", "last two digits are 0", "100.00 or 101.00"]).await;
        refused(&world, "IDR", &[("100.50", 2)], &["Adyen", "\"Tea\""]).await;
        refused(&world, "CVE", &[("0.50", 2)], &["Adyen", "write 1.00"]).await;
        refused(&world, "MGA", &[("12.00", 1)], &["Adyen takes no MGA"]).await;
        payable(&world, "IDR", &[("25000000.00", 1)]).await;
        payable(&world, "CLP", &[("999999999999", 1)]).await;
        payable(&world, "KWD", &[("1.234", 1)]).await;
        payable(&world, "EUR", &[("0.01", 1)]).await;
        payable(&world, "EUR", &[("1000000.00", 1)]).await;
    }
}

/// A second account, at Adyen's simulator.
async fn also_at_adyen(world: &World) -> String {
    let credentials = [("api_key", format!("test_{}", random_hex())), ("merchant_account", "HarbourBooks".to_owned())];
    let new = NewAccount {
        provider: "adyen".to_owned(),
        base_url: Some(format!("{}/adyen", world.sandbox)),
        credentials: credentials.map(|(name, value)| (name.to_owned(), value)).into(),
        webhook_secrets: vec![format!("{}{}0123456789abcdef", random_hex(), random_hex())],
    };
    world.accounts().add(new).await.unwrap().id
}

both! {
    async fn an_order_is_refused_only_if_no_account_takes_it(world: World) {
        let adyen = also_at_adyen(&world).await;
        let link = add(&world, "KWD", &[("1.234", 1)]).await.unwrap();
        let session = world.open(&link).await;
        assert_eq!(world.view(&session).await.methods, vec![Method::Card]);
        world.start(&session).await;
        let payment = world.payment_of(&session).await;
        let account = world.statement(&payment).await.payment.attempts[0].account.to_string();
        assert_eq!(account, adyen, "the account that takes the amount, although another one is older");
        // The error names each account's reason.
        refused(&world, "MGA", &[("12.34", 1)], &["Stripe takes MGA", "Adyen takes no MGA"]).await;
        refused(&world, "KPW", &[("1.00", 1)], &["Stripe takes no KPW", "Adyen takes no KPW"]).await;
    }
}

both! {
    async fn a_link_whose_accounts_have_changed_says_that_it_cannot_be_paid_here(world: World) {
        let adyen = also_at_adyen(&world).await;
        let link = add(&world, "KWD", &[("1.234", 1)]).await.unwrap();
        let session = world.open(&link).await;
        world.accounts().enable(&adyen.parse().unwrap(), false).await.unwrap();
        let view = world.view(&session).await;
        assert_eq!((view.phase, view.methods), (Phase::Choose, vec![]));
        // A shopper with an older page still presses the button.
        assert_eq!(world.checkout().start(&session, Method::Card, None).await.unwrap(), Started::Stay);
        assert_eq!(world.view(&session).await.notice, Some(Notice::MethodUnavailable));
        assert_eq!(world.calls("checkout.sessions.create").await.len(), 0);
        let headers = [("accept", "text/html"), ("accept-language", "de")];
        let page = world.send(HttpMethod::GET, &format!("{}/c/{session}", world.node.url), "", "", &headers).await;
        let text = String::from_utf8(page.body.to_vec()).unwrap();
        assert_eq!((page.status, header(&page, "retry-after")), (200, String::new()));
        assert!(text.contains("Dieser Shop kann diese Zahlung hier nicht annehmen"), "{text}");
        assert!(!text.contains("id=\"pay\""), "{text}");
        world.accounts().enable(&adyen.parse().unwrap(), true).await.unwrap();
        assert_eq!(world.view(&session).await.methods, vec![Method::Card]);
    }
}

both! {
    async fn bank_debits_are_offered_where_their_own_bounds_hold(world: World) {
        let dollars = add(&world, "USD", &[("12.00", 1)]).await.unwrap();
        let session = world.open(&dollars).await;
        assert_eq!(world.view(&session).await.methods, vec![Method::Card, Method::BankDebit]);
        let euros = add(&world, "EUR", &[("12.00", 1)]).await.unwrap();
        let session = world.open(&euros).await;
        assert_eq!(world.view(&session).await.methods, vec![Method::Card]);
        let world = &world;
        let later = world.links().add(order("USD", &[("12.00", 1)], Capture::Manual)).await;
        let session = world.open(&later.unwrap().url.rsplit('/').next().unwrap().parse().unwrap()).await;
        assert_eq!(world.view(&session).await.methods, vec![Method::Card]);
    }
}

both! {
    async fn parts_that_stripe_cannot_count_are_refused_before_anything_is_written_down(world: World) {
        let link = world.links().add(order("KWD", &[("12.340", 1)], Capture::Manual)).await;
        let session = world.open(&link.unwrap().url.rsplit('/').next().unwrap().parse().unwrap()).await;
        let page = world.start(&session).await;
        world.pay(&page, GOOD).await;
        world.wait_for(&session, Phase::Authorised).await;
        let payment = world.payment_of(&session).await;
        let wrong = world.money().capture(&payment, Some(12_335), true).await.unwrap_err().told();
        assert!(wrong.contains("Stripe takes KWD amounts whose last digit is 0: write 12.330 or 12.340"), "{wrong}");
        world.money().capture(&payment, None, true).await.unwrap();
        world.wait_for(&session, Phase::Paid).await;
        let wrong = world.money().refund(&payment, Some(1_234)).await.unwrap_err().told();
        assert!(wrong.contains("write 1.230 or 1.240"), "{wrong}");
        let modifications = world.statement(&payment).await.payment.attempts[0].modifications.len();
        assert_eq!(modifications, 1, "only the capture");
        // A refund may be smaller than the least payable amount.
        world.money().refund(&payment, Some(10)).await.unwrap();
        world.wait_for(&session, Phase::PartlyRefunded).await;
    }
}

/// Currencies whose decimals a provider counts otherwise than ISO 4217, listed for this test alone: code, decimals.
const STRIPE_DECIMALS: &[(&str, u8)] = &[("ISK", 2), ("UGX", 2), ("MGA", 0)];
const ADYEN_DECIMALS: &[(&str, u8)] = &[("CLP", 2), ("CVE", 0), ("IDR", 0), ("ISK", 2)];

/// The bounds of the providers' rules, in a provider's count.
#[rustfmt::skip]
const COUNTS: &[i64] = &[
    1, 29, 30, 49, 50, 199, 200, 250, 299, 300, 399, 400, 999, 1_000, 1_499, 1_500, 17_499, 17_500, 123_451, 99_999_900,
    100_000_000, 999_999_999, 1_000_000_000, 9_999_999_999, 999_999_999_999, 1_000_000_000_000,
];

/// A provider's count as an amount of ours, if it is one.
fn amount(count: i64, code: &str, decimals: &[(&str, u8)]) -> Option<Money> {
    let currency: Currency = code.parse().unwrap();
    let theirs = decimals.iter().find(|(known, _)| *known == code).map_or(currency.exponent(), |(_, own)| *own);
    let step = 10i64.pow(u32::from(theirs.abs_diff(currency.exponent())));
    let minor = if theirs > currency.exponent() { (count % step == 0).then_some(count / step)? } else { count * step };
    (minor <= domain::money::AMOUNT_MAX).then(|| Money::new(minor, currency))
}

fn takes(provider: &str, money: Money) -> bool {
    let line = Line::new("Tea", money, 1);
    let account = connectors::Account {
        id: domain::id::ProviderAccountId::from_random([1; 16]),
        base_url: String::new(),
        live: false,
        credentials: std::collections::BTreeMap::new(),
        webhook_secrets: vec![],
        tls: None,
    };
    connectors::Registry::default().get(provider).unwrap().takes(&account, Method::Card, &[line], money).is_ok()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connector_and_simulator_take_the_same_amounts() {
    let world = World::new(crate::world::Database::sqlite()).await;
    let verdicts = join_all(Currency::all().map(|currency| compared(&world, currency.code()))).await.concat();
    let taken = verdicts.iter().filter(|verdict| **verdict).count();
    assert!(taken > 1_000 && verdicts.len() - taken > 1_000, "{taken} of {} taken", verdicts.len());
}

/// Asks both simulators for every count of a currency, compares the connectors, and returns the verdicts.
async fn compared(world: &World, code: &str) -> Vec<bool> {
    let mut verdicts = vec![];
    for &count in COUNTS {
        let body = format!(
            "mode=payment&success_url=https://a.test&line_items[0][quantity]=1\
             &line_items[0][price_data][currency]={}&line_items[0][price_data][unit_amount]={count}\
             &line_items[0][price_data][product_data][name]=Tea",
            code.to_lowercase()
        );
        let url = format!("{}/v1/checkout/sessions", world.sandbox);
        let bearer = format!("Bearer {}", world.secret_key);
        let form = "application/x-www-form-urlencoded";
        let reply = world.send(HttpMethod::POST, &url, form, &body, &[("authorization", &bearer)]).await;
        let stripe = amount(count, code, STRIPE_DECIMALS).map(|money| takes("stripe", money));
        agree("stripe", code, count, stripe, reply.status);

        let body = json!({"merchantAccount": "Shop", "reference": "r",
            "amount": {"value": count, "currency": code}, "returnUrl": "https://a.test"});
        let url = format!("{}/adyen/v72/paymentLinks", world.sandbox);
        let key = [("x-api-key", "test_0123456789abcdef")];
        let reply = world.send(HttpMethod::POST, &url, "application/json", &body.to_string(), &key).await;
        let adyen = amount(count, code, ADYEN_DECIMALS).map(|money| takes("adyen", money));
        agree("adyen", code, count, adyen, reply.status);
        verdicts.extend([stripe, adyen].into_iter().flatten());
    }
    verdicts
}

/// A provider may take a currency that Till does not list. In that case the simulator may take more than the connector.
fn agree(provider: &str, code: &str, count: i64, connector: Option<bool>, status: u16) {
    let simulator = status < 300;
    assert!(simulator || (400..500).contains(&status), "{provider} {code} {count}: {status}");
    let listed = takes_currency(provider, code);
    match connector {
        Some(verdict) if listed => assert_eq!(verdict, simulator, "{provider} {code} {count}: {status}"),
        Some(verdict) => assert!(!verdict, "{provider} {code} {count}"),
        // No amount of ours has this count, such as a fraction of a Ugandan shilling.
        None => {}
    }
}

/// Whether the connector takes any amount of the currency.
fn takes_currency(provider: &str, code: &str) -> bool {
    COUNTS.iter().any(|count| takes(provider, Money::new(*count, code.parse().unwrap())))
}
