//! The goods of an order and their sums.
//!
//! A discount lowers the lines in proportion, by whole minor units each, before tax. Tax is computed and rounded for each line, so that the
//! sums agree with the lines that a shopper sees. Shipping is not discounted; a tip has no tax.

use serde::{Deserialize, Serialize};

use super::rate::{Rate, Tax};
use super::{OrderError, Part, printable};
use crate::line::{LINES_MAX, Line, LineError, NAME_CHARS_MAX};
use crate::money::Money;

/// The size of a discount.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Off {
    /// An amount, at most the sum of the lines.
    Amount(Money),
    /// A share of the lines.
    Share(Rate),
}

/// A discount on all lines.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Discount {
    /// Its name, such as a code, in the merchant's words.
    pub name: String,
    /// The size.
    pub off: Off,
}

/// The shipping of the goods.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Shipping {
    /// The name, in the merchant's words.
    pub name: String,
    /// The price.
    pub price: Money,
    /// The tax on the shipping.
    pub tax: Option<Tax>,
}

/// A tip, which the shopper adds of their own accord, without tax.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Tip {
    /// The name, in the merchant's words.
    pub name: String,
    /// The amount.
    pub amount: Money,
}

/// The goods of an order with everything that changes their price.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Basket {
    /// The goods: 1 to [`LINES_MAX`] lines of one currency.
    pub lines: Vec<Line>,
    /// The discount.
    pub discount: Option<Discount>,
    /// The shipping.
    pub shipping: Option<Shipping>,
    /// The tip.
    pub tip: Option<Tip>,
}

/// One tax of an order.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct TaxSum {
    /// The tax.
    pub tax: Tax,
    /// The tax's sum over all lines and shipping.
    pub amount: Money,
}

/// The sums of an order, part by part. `total` = `goods` − `discount` + `shipping` + `tip` + the taxes that are added.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Sums {
    /// The lines before the discount.
    pub goods: Money,
    /// The discount.
    pub discount: Money,
    /// Shipping.
    pub shipping: Money,
    /// The tip.
    pub tip: Money,
    /// Each tax, contained or added, in the order of its first line.
    pub taxes: Vec<TaxSum>,
    /// The amount to pay.
    pub total: Money,
}

impl Basket {
    /// A basket of lines at their prices.
    #[must_use]
    pub fn of(lines: Vec<Line>) -> Basket {
        Basket { lines, discount: None, shipping: None, tip: None }
    }

    /// The sums, after checking every bound.
    pub fn sums(&self) -> Result<Sums, OrderError> {
        let first = self.lines.first().ok_or(LineError::Empty)?;
        if self.lines.len() > LINES_MAX {
            return Err(LineError::TooMany.into());
        }
        let zero = Money::new(0, first.unit.currency);
        let mut goods = zero;
        for line in &self.lines {
            line.check()?;
            line.tax.as_ref().map_or(Ok(()), Tax::check)?;
            goods = goods.checked_add(line.total()?)?;
        }
        let discount = self.discounted(goods)?;
        let shipping = self.shipping_price(zero)?;
        let tip = self.tip_amount(zero)?;
        let mut total = goods.checked_sub(discount)?.checked_add(shipping)?.checked_add(tip)?;
        let taxes = self.taxes(goods, discount)?;
        for sum in taxes.iter().filter(|sum| !sum.tax.inclusive) {
            total = total.checked_add(sum.amount)?;
        }
        if total.minor == 0 {
            return Err(if discount.minor > 0 { OrderError::Discount } else { LineError::Free.into() });
        }
        Ok(Sums { goods, discount, shipping, tip, taxes, total })
    }

    fn discounted(&self, goods: Money) -> Result<Money, OrderError> {
        let Some(discount) = &self.discount else { return Ok(Money::new(0, goods.currency)) };
        printable(Part::DiscountName, &discount.name, NAME_CHARS_MAX)?;
        let off = match discount.off {
            Off::Amount(amount) => amount,
            Off::Share(rate) => Money::new(rate.part(goods.minor), goods.currency),
        };
        // The subtraction also refuses another currency.
        if off.minor <= 0 || goods.checked_sub(off)?.minor < 0 {
            return Err(OrderError::Discount);
        }
        Ok(off)
    }

    fn shipping_price(&self, zero: Money) -> Result<Money, OrderError> {
        let Some(shipping) = &self.shipping else { return Ok(zero) };
        printable(Part::ShippingName, &shipping.name, NAME_CHARS_MAX)?;
        shipping.tax.as_ref().map_or(Ok(()), Tax::check)?;
        if shipping.price.minor < 0 {
            return Err(OrderError::Negative(Part::Shipping));
        }
        Ok(shipping.price)
    }

    fn tip_amount(&self, zero: Money) -> Result<Money, OrderError> {
        let Some(tip) = &self.tip else { return Ok(zero) };
        printable(Part::TipName, &tip.name, NAME_CHARS_MAX)?;
        if tip.amount.minor < 0 { Err(OrderError::Negative(Part::Tip)) } else { Ok(tip.amount) }
    }

    /// Each line's total after its part of the discount, in minor units. The parts add up to the discount exactly.
    fn lowered(&self, goods: Money, discount: Money) -> Result<Vec<i64>, OrderError> {
        let totals = self.lines.iter().map(|line| Ok(line.total()?.minor)).collect::<Result<Vec<_>, OrderError>>()?;
        let mut before = 0_i64;
        let mut taken = 0_i64;
        let lowered = totals.into_iter().map(|total| {
            // The discount of all lines so far is rounded at once, so that no unit is lost or given twice.
            before = before.saturating_add(total);
            let so_far = share(discount.minor, before, goods.minor);
            let part = so_far - taken;
            taken = so_far;
            total - part
        });
        Ok(lowered.collect())
    }

    fn taxes(&self, goods: Money, discount: Money) -> Result<Vec<TaxSum>, OrderError> {
        let lines = self.lines.iter().map(|line| line.tax.as_ref()).zip(self.lowered(goods, discount)?);
        let shipping = self.shipping.iter().map(|shipping| (shipping.tax.as_ref(), shipping.price.minor));
        let mut taxes: Vec<TaxSum> = vec![];
        for (tax, minor) in lines.chain(shipping) {
            let Some(tax) = tax else { continue };
            let amount = Money::new(tax.on(minor), goods.currency);
            match taxes.iter_mut().find(|sum| sum.tax == *tax) {
                Some(sum) => sum.amount = sum.amount.checked_add(amount)?,
                None => taxes.push(TaxSum { tax: tax.clone(), amount }),
            }
        }
        Ok(taxes)
    }

    /// The order as lines alone, for providers that accept only lines. The sum of the lines is the total. A line that a discount lowers
    /// becomes one piece at its new price; shipping, added taxes and the tip are lines of their own.
    pub fn charged(&self) -> Result<Vec<Line>, OrderError> {
        let sums = self.sums()?;
        let currency = sums.goods.currency;
        let one = |name: String, minor: i64| Line {
            name: name.chars().take(NAME_CHARS_MAX).collect(),
            description: None,
            unit: Money::new(minor, currency),
            quantity: 1,
            tax: None,
        };
        let lowered = self.lowered(sums.goods, sums.discount)?;
        let mut charged = Vec::with_capacity(self.lines.len());
        for (line, minor) in self.lines.iter().zip(lowered) {
            if line.total()?.minor == minor {
                charged.push(Line { tax: None, ..line.clone() });
                continue;
            }
            let name =
                if line.quantity == 1 { line.name.clone() } else { format!("{} × {}", line.quantity, line.name) };
            charged.push(Line { description: line.description.clone(), ..one(name, minor) });
        }
        charged.extend(self.shipping.iter().map(|shipping| one(shipping.name.clone(), shipping.price.minor)));
        let added = sums.taxes.iter().filter(|sum| !sum.tax.inclusive && sum.amount.minor > 0);
        charged.extend(added.map(|sum| one(sum.tax.name.clone(), sum.amount.minor)));
        let tip = self.tip.iter().filter(|tip| tip.amount.minor > 0);
        charged.extend(tip.map(|tip| one(tip.name.clone(), tip.amount.minor)));
        Ok(charged)
    }
}

/// `discount × part / whole`, rounded down; all parts together give the discount. `part` ≤ `whole`, both positive or zero.
fn share(discount: i64, part: i64, whole: i64) -> i64 {
    if whole == 0 {
        return 0;
    }
    i64::try_from(i128::from(discount) * i128::from(part) / i128::from(whole)).unwrap_or(0)
}

#[cfg(test)]
mod tests;
