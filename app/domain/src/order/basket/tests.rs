use proptest::prelude::*;

use super::*;
use crate::currency::Currency;

fn eur(minor: i64) -> Money {
    Money::new(minor, "EUR".parse::<Currency>().unwrap())
}

fn tax(percent: &str, inclusive: bool) -> Option<Tax> {
    Some(Tax { name: format!("VAT {percent} %"), rate: percent.parse().unwrap(), inclusive })
}

fn line(minor: i64, quantity: u32, tax: Option<Tax>) -> Line {
    Line { name: "Tea".into(), description: None, unit: eur(minor), quantity, tax }
}

fn tip(minor: i64) -> Option<Tip> {
    Some(Tip { name: "Tip".into(), amount: eur(minor) })
}

fn off(off: Off) -> Option<Discount> {
    Some(Discount { name: "SUMMER".into(), off })
}

/// Worked out by hand: 2 × 12.99 at 19 % added, 5.00 at 7 % added, 4.90 of shipping at 19 % added.
#[test]
fn added_taxes_are_rounded_line_by_line() {
    let shipping = Shipping { name: "Parcel".into(), price: eur(490), tax: tax("19", false) };
    let basket = Basket {
        shipping: Some(shipping),
        tip: tip(100),
        ..Basket::of(vec![line(1_299, 2, tax("19", false)), line(500, 1, tax("7", false))])
    };
    let sums = basket.sums().unwrap();
    // 25.98 × 0.19 = 4.9362; 4.90 × 0.19 = 0.931; 5.00 × 0.07 = 0.35.
    assert_eq!(sums.taxes.iter().map(|sum| sum.amount.minor).collect::<Vec<_>>(), [494 + 93, 35]);
    assert_eq!((sums.goods, sums.shipping, sums.tip), (eur(3_098), eur(490), eur(100)));
    assert_eq!(sums.total, eur(3_098 + 490 + 100 + 587 + 35));
}

#[test]
fn contained_taxes_do_not_change_the_total() {
    let sums = Basket::of(vec![line(1_190, 1, tax("19", true)), line(1_070, 1, tax("7", true))]).sums().unwrap();
    assert_eq!(sums.total, eur(2_260));
    assert_eq!(sums.taxes.iter().map(|sum| sum.amount.minor).collect::<Vec<_>>(), [190, 70]);
}

/// A third off 10.00 + 10.00 + 10.01 is 10.00: 3.33, 3.33, 3.34 in some order, and tax is on what is left.
#[test]
fn a_discount_is_shared_without_losing_a_cent() {
    let basket = Basket {
        discount: off(Off::Amount(eur(1_000))),
        ..Basket::of(vec![line(1_000, 1, tax("10", false)), line(1_000, 1, None), line(1_001, 1, None)])
    };
    let sums = basket.sums().unwrap();
    assert_eq!(basket.lowered(sums.goods, sums.discount).unwrap(), [667, 667, 667]);
    assert_eq!(sums.taxes[0].amount, eur(67));
    assert_eq!(sums.total, eur(2_001 + 67));
}

#[test]
fn a_share_is_taken_off_all_lines_but_not_off_shipping() {
    let shipping = Shipping { name: "Parcel".into(), price: eur(490), tax: None };
    let basket = Basket {
        discount: off(Off::Share("25".parse().unwrap())),
        shipping: Some(shipping),
        ..Basket::of(vec![line(1_000, 3, None)])
    };
    assert_eq!(basket.sums().unwrap().total, eur(2_250 + 490));
}

#[test]
fn bad_baskets_are_refused() {
    let tea = || vec![line(1_000, 1, None)];
    let with = |discount: Off| Basket { discount: off(discount), ..Basket::of(tea()) }.sums();
    assert_eq!(with(Off::Amount(eur(1_000))), Err(OrderError::Discount));
    assert_eq!(with(Off::Amount(eur(1_001))), Err(OrderError::Discount));
    assert_eq!(with(Off::Amount(eur(0))), Err(OrderError::Discount));
    assert_eq!(with(Off::Share("100".parse().unwrap())), Err(OrderError::Discount));
    assert!(matches!(with(Off::Amount(Money::new(1, "USD".parse().unwrap()))), Err(OrderError::Money(_))));
    let tipped = Basket { tip: tip(-1), ..Basket::of(tea()) };
    assert_eq!(tipped.sums(), Err(OrderError::Negative(Part::Tip)));
    let shipping = Shipping { name: "Parcel".into(), price: eur(-1), tax: None };
    let shipped = Basket { shipping: Some(shipping), ..Basket::of(tea()) };
    assert_eq!(shipped.sums(), Err(OrderError::Negative(Part::Shipping)));
    let unnamed =
        Basket { discount: Some(Discount { name: " ".into(), off: Off::Amount(eur(1)) }), ..Basket::of(tea()) };
    assert!(matches!(unnamed.sums(), Err(OrderError::Text { .. })));
}

#[test]
fn lines_for_a_provider_name_what_changed_the_price() {
    let basket = Basket {
        discount: off(Off::Amount(eur(100))),
        tip: tip(50),
        ..Basket::of(vec![line(1_000, 2, tax("10", false))])
    };
    let names: Vec<_> = basket.charged().unwrap().into_iter().map(|line| (line.name, line.unit.minor)).collect();
    let want = [("2 × Tea", 1_900), ("VAT 10 %", 190), ("Tip", 50)].map(|(name, minor)| (name.to_owned(), minor));
    assert_eq!(names, want);
}

fn any_tax() -> impl Strategy<Value = Option<Tax>> {
    proptest::option::of((0..=1_000_000_u32, any::<bool>()).prop_map(|(millionths, inclusive)| Tax {
        name: "Tax".into(),
        rate: Rate::try_from(millionths).unwrap(),
        inclusive,
    }))
}

fn any_basket() -> impl Strategy<Value = Basket> {
    let line = (0..5_000_000_i64, 1..100_u32, any_tax()).prop_map(|(minor, quantity, tax)| line(minor, quantity, tax));
    let off = prop_oneof![
        (1..1_000_000_i64).prop_map(|minor| Off::Amount(eur(minor))),
        (0..=1_000_000_u32).prop_map(|millionths| Off::Share(Rate::try_from(millionths).unwrap())),
    ];
    let shipping =
        (0..10_000_i64, any_tax()).prop_map(|(minor, tax)| Shipping { name: "Parcel".into(), price: eur(minor), tax });
    let parts = (
        proptest::collection::vec(line, 1..20),
        proptest::option::of(off),
        proptest::option::of(shipping),
        proptest::option::of(0..10_000_i64),
    );
    parts.prop_map(|(lines, off, shipping, minor)| Basket {
        lines,
        discount: off.map(|off| Discount { name: "SUMMER".into(), off }),
        shipping,
        tip: minor.and_then(tip),
    })
}

proptest! {
    /// The lines for a provider sum to the total, and no line is negative.
    #[test]
    fn lines_for_a_provider_come_to_the_total(basket in any_basket()) {
        if let Ok(sums) = basket.sums() {
            let charged = basket.charged().unwrap();
            let minor: i64 = charged.iter().map(|line| line.unit.minor * i64::from(line.quantity)).sum();
            prop_assert_eq!(minor, sums.total.minor);
            prop_assert!(charged.iter().all(|line| line.unit.minor >= 0 && line.name.chars().count() <= NAME_CHARS_MAX));
        }
    }

    /// No line pays more than its price, and the discount is given once.
    #[test]
    fn a_discount_is_given_exactly_once(basket in any_basket()) {
        if let Ok(sums) = basket.sums() {
            let lowered = basket.lowered(sums.goods, sums.discount).unwrap();
            let full: Vec<i64> = basket.lines.iter().map(|line| line.unit.minor * i64::from(line.quantity)).collect();
            prop_assert!(lowered.iter().zip(&full).all(|(low, full)| (0..=*full).contains(low)));
            prop_assert_eq!(lowered.iter().sum::<i64>(), sums.goods.minor - sums.discount.minor);
        }
    }
}
