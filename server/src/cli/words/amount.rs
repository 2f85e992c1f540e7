//! Words for the rules of providers about amounts.

use connectors::AmountRule;
use domain::money::Money;

/// The rule, with the provider's name and, where an amount lies between two steps, what to write instead.
pub(super) fn rule(broken: &AmountRule) -> String {
    match broken {
        AmountRule::Currency(provider, currency) => format!("{provider} takes no {currency}"),
        AmountRule::Method(provider, currency, method) => {
            format!("{provider} takes no {} in {currency}", method.as_str().replace('_', " "))
        }
        AmountRule::Step { provider, amount, step } => format!(
            "{provider} takes {} amounts whose last {} 0: write {}",
            amount.currency,
            last_digits(*step),
            neighbours(*amount, *step)
        ),
        AmountRule::TooSmall(provider, least) => format!("{provider} takes no less than {least}"),
        AmountRule::TooLarge(provider, most) => format!("{provider} takes no more than {most}"),
        AmountRule::Line { name, rule: broken } => format!("the line {name:?}: {}", rule(broken)),
    }
}

fn last_digits(step: i64) -> &'static str {
    match step {
        10 => "digit is",
        100 => "two digits are",
        _ => "three digits are",
    }
}

/// The nearest multiples of the step above and below. Zero is not offered.
fn neighbours(amount: Money, step: i64) -> String {
    let below = amount.minor - amount.minor.rem_euclid(step);
    let decimal = |minor| Money::new(minor, amount.currency).to_decimal();
    let above = decimal(below.saturating_add(step));
    if below > 0 { format!("{} or {above}", decimal(below)) } else { above }
}
