//! Words for orders and amounts that are refused.

use domain::line::{LINES_MAX, LineError, NAME_CHARS_MAX, QUANTITY_MAX};
use domain::money::{Money, MoneyError};
use domain::order::{OrderError, Part};

/// An order that is refused.
#[must_use]
pub fn order(error: &OrderError) -> String {
    match error {
        OrderError::Line(error) => line(error),
        OrderError::Money(error) => money_error(error),
        OrderError::Rate => {
            "a rate is a percentage from 0 to 100 with at most four decimals, such as 19 or 7.7".to_owned()
        }
        OrderError::Discount => "a discount is more than zero and leaves something to pay".to_owned(),
        OrderError::Negative(what) => format!("{} cannot be negative", part(*what)),
        OrderError::Text { what, chars_max } => format!(
            "{} has 1 to {chars_max} characters, at least one of them visible, no control characters and none that change the direction \
             of text",
            part(*what)
        ),
        OrderError::TooMany { what, most } => format!("an order has at most {most} {}", part(*what)),
        OrderError::Address(what) => format!(
            "{} is an address that begins with https:// (or http:// on this machine) and has at most 2,048 characters",
            part(*what)
        ),
    }
}

fn line(error: &LineError) -> String {
    match error {
        LineError::Empty => "an order needs at least one line".to_owned(),
        LineError::TooMany => format!("an order has at most {LINES_MAX} lines"),
        LineError::Name => format!(
            "a line's name and description have 1 to {NAME_CHARS_MAX} characters, at least one of them visible, no control characters \
             and none that change the direction of text"
        ),
        LineError::Quantity => format!("a line's quantity is 1 to {QUANTITY_MAX}"),
        LineError::Price => "a line's price cannot be negative".to_owned(),
        LineError::Free => "the total must be more than zero".to_owned(),
        LineError::Money(error) => money_error(error),
    }
}

/// An amount that cannot be read or computed.
#[must_use]
pub fn money_error(error: &MoneyError) -> String {
    match error {
        MoneyError::CurrencyMismatch(one, other) => format!("cannot combine {one} with {other}"),
        MoneyError::TooLarge(most) => format!("the amount is too large; the largest is {most}"),
        MoneyError::Unreadable(text, currency) => {
            let example = Money::new(1250, *currency).to_decimal();
            format!("{text:?} is not an amount in {currency}; write it like {example}")
        }
    }
}

fn part(part: Part) -> &'static str {
    match part {
        Part::CustomerName => "a customer's name",
        Part::Email => "an e-mail address",
        Part::Phone => "a telephone number",
        Part::Reference => "a reference",
        Part::MetadataKeys => "metadata keys",
        Part::MetadataKey => "a metadata key",
        Part::MetadataValue => "a metadata value",
        Part::Fields => "fields",
        Part::FieldKey => "a field's key",
        Part::FieldLabel => "a field's label",
        Part::FieldAnswer => "a field's answer",
        Part::DiscountName => "a discount's name",
        Part::Shipping => "shipping",
        Part::ShippingName => "a shipping method's name",
        Part::Tip => "a tip",
        Part::TipName => "a tip's name",
        Part::TaxName => "a tax's name",
        Part::SuccessAddress => "the address after paying",
        Part::CancelAddress => "the address after giving up",
    }
}
