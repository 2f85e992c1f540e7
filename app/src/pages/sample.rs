//! Made-up sessions for the gallery and the tests.

use domain::checkout::{Figures, Phase, View};
use domain::decline::DeclineClass;
use domain::id::Token;
use domain::line::Line;
use domain::method::Method;
use domain::money::Money;
use domain::order::{Basket, Discount, Off, Rate, Returns, Shipping, Tax, TaxSum, Tip};
use domain::session::Notice;
use domain::{HOUR, MINUTE};

use super::{Asset, Assets};
use crate::lang::Facts;

/// Every notice.
pub const NOTICES: [Notice; 6] = [
    Notice::MethodUnavailable,
    Notice::ProviderUnreachable,
    Notice::ProviderRefused,
    Notice::Cancelled,
    Notice::Extended,
    Notice::NotExtendable,
];

/// Every phase, with every class of decline.
#[must_use]
pub fn phases() -> Vec<Phase> {
    let mut phases = vec![
        Phase::Choose,
        Phase::Resume,
        Phase::Opening,
        Phase::Closing,
        Phase::Confirming,
        Phase::Authenticate,
        Phase::Processing,
        Phase::Unknown,
        Phase::Unclear,
        Phase::Authorised,
        Phase::Paid,
        Phase::PaidLate,
        Phase::PartlyPaid,
        Phase::PartlyCollected,
        Phase::Overpaid,
        Phase::OverpaidKept,
        Phase::PartlyRefunded,
        Phase::Refunded,
        Phase::Returned,
        Phase::Cancelled,
        Phase::Cancelling,
        Phase::PaidCancelled,
        Phase::Released,
        Phase::Expired,
    ];
    phases.extend(DeclineClass::ALL.map(Phase::Declined));
    phases
}

/// An order of two lines over €30.98.
#[must_use]
pub fn view(phase: Phase) -> View {
    let euro = |minor| Money::new(minor, "EUR".parse().expect("EUR is a currency"));
    let line = |name: &str, description: Option<&str>, minor, quantity| Line {
        name: name.to_owned(),
        description: description.map(str::to_owned),
        unit: euro(minor),
        quantity,
        tax: None,
    };
    let lines = vec![line("Assam, second flush", Some("250 g, loose leaf"), 1299, 2), line("Shipping", None, 500, 1)];
    let basket = Basket::of(lines);
    View {
        token: Token::from_random([7; 16]),
        is_link: false,
        merchant: "Nordlicht Tea House".to_owned(),
        support_email: Some("help@nordlicht.example".to_owned()),
        sums: basket.sums().expect("an order of two lines has a sum"),
        basket,
        returns: Returns::default(),
        total: euro(3098),
        figures: figures(phase, euro),
        phase,
        notice: None,
        methods: Method::ALL.to_vec(),
        chosen: Some(Method::Card),
        expires: Some(HOUR),
        ends_soon: false,
        can_extend: true,
        can_renew: phase == Phase::Expired,
        now: 0,
        reference: Some("7KQ2-M9XD".to_owned()),
        test_mode: true,
    }
}

/// A link's page before the shopper's first action, with discount, shipping, a tip, a contained tax, an added tax, and links back to the
/// shop.
#[must_use]
pub fn link() -> View {
    let mut link = view(Phase::Choose);
    let tax = |name: &str, inclusive| Tax { name: name.to_owned(), rate: tenth(), inclusive };
    link.basket.lines[0].tax = Some(tax("VAT", true));
    link.basket.lines[1].tax = Some(tax("City tax", false));
    link.basket.discount = Some(Discount { name: "Summer".to_owned(), off: Off::Share(tenth()) });
    let euro = |minor| Money::new(minor, link.total.currency);
    link.basket.shipping = Some(Shipping { name: "Parcel".to_owned(), price: euro(490), tax: None });
    link.basket.tip = Some(Tip { name: "For the pickers".to_owned(), amount: euro(100) });
    link.sums = link.basket.sums().expect("an order at these prices has a sum");
    link.returns = Returns {
        success: Some("https://nordlicht.example/thanks".to_owned()),
        cancel: Some("https://nordlicht.example/cart".to_owned()),
    };
    View { is_link: true, total: link.sums.total, expires: None, can_extend: false, reference: None, ..link }
}

fn tenth() -> Rate {
    Rate::try_from(100_000).expect("a tenth is a rate")
}

fn figures(phase: Phase, euro: impl Fn(i64) -> Money) -> Figures {
    let received = match phase {
        Phase::Overpaid | Phase::OverpaidKept => 6196,
        Phase::PartlyPaid | Phase::PartlyCollected => 1500,
        _ => 3098,
    };
    let refunded = if phase == Phase::Refunded { 3098 } else { 500 };
    Figures {
        received: euro(received),
        refunded: euro(refunded),
        returned: euro(3098),
        kept: euro(3098),
        wanted: euro(3098),
    }
}

/// A session that ends in four minutes.
#[must_use]
pub fn ending(phase: Phase) -> View {
    View { expires: Some(4 * MINUTE), ends_soon: true, ..view(phase) }
}

/// A session of a hostile merchant: markup, quotes, marks of direction, long names, a hundred lines.
#[must_use]
pub fn hostile(phase: Phase) -> View {
    let nasty = "</textarea><script>alert(1)</script><img src=x onerror='a()'>\"'&\u{202e}\u{2069}";
    let mut hostile = view(phase);
    let line = Line {
        name: format!("{nasty}{}", "W".repeat(170)),
        description: Some(nasty.to_owned()),
        ..hostile.basket.lines[0].clone()
    };
    hostile.basket.lines = vec![line; 100];
    let (name, amount) = (nasty.to_owned(), hostile.total);
    hostile.basket.discount = Some(Discount { name: name.clone(), off: Off::Amount(amount) });
    hostile.basket.shipping = Some(Shipping { name: name.clone(), price: amount, tax: None });
    hostile.basket.tip = Some(Tip { name: name.clone(), amount });
    hostile.sums.taxes = vec![TaxSum { tax: Tax { name, rate: tenth(), inclusive: true }, amount }];
    let address = Some("https://shop.example/?a=\"'><script>alert(1)</script>&b=1".to_owned());
    hostile.returns = Returns { success: address.clone(), cancel: address };
    hostile.merchant = format!("متجر {nasty}");
    hostile.support_email = Some(format!("a@b.example?bcc={nasty}"));
    hostile.reference = Some(nasty.to_owned());
    hostile
}

/// Facts for sentences.
#[must_use]
pub fn facts() -> Facts {
    Facts {
        merchant: "M".to_owned(),
        total: "T".to_owned(),
        received: "R".to_owned(),
        refunded: "B".to_owned(),
        returned: "N".to_owned(),
        kept: "K".to_owned(),
        less: None,
        went_back: false,
        can_renew: true,
    }
}

/// Files that exist nowhere.
#[must_use]
pub fn assets() -> Assets {
    let asset = |url: &str| Asset { url: url.to_owned(), integrity: "sha384-x".to_owned() };
    Assets { css: asset("/assets/till.css"), js: asset("/assets/till.js"), wasm: asset("/assets/till.wasm") }
}
