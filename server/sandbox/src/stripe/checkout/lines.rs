//! `line_items`: the order's lines and their total.

use super::create::metadata;
use crate::stripe::{error::ApiError, ids, money, objects::session::Line, params::Params};

/// The most line items in one session.
const MAX_LINES: usize = 100;

/// The lines and their one currency.
pub fn line_items(params: &mut Params) -> Result<(String, Vec<Line>), ApiError> {
    let preset = params.string("currency", 3)?;
    let items = params
        .objects("line_items")?
        .filter(|items| !items.is_empty())
        .ok_or_else(|| ApiError::missing("line_items"))?;
    if items.len() > MAX_LINES {
        return Err(ApiError::invalid("A Checkout Session in payment mode can have at most 100 line items.")
            .param("line_items"));
    }
    let mut currency = preset;
    let mut lines = Vec::with_capacity(items.len());
    for item in items {
        let (of_line, line) = line(item)?;
        if currency.get_or_insert_with(|| of_line.clone()) != &of_line {
            return Err(ApiError::invalid("All line items in a Checkout Session must have the same currency.")
                .param("line_items"));
        }
        lines.push(line);
    }
    Ok((currency.unwrap_or_default(), lines))
}

fn line(mut item: Params) -> Result<(String, Line), ApiError> {
    if let Some(price) = item.string("price", 200)? {
        return Err(ApiError::no_such("price", &price, &item.name("price")).status(400));
    }
    let quantity_name = item.name("quantity");
    let quantity = item.integer("quantity")?.ok_or_else(|| ApiError::missing(&quantity_name))?;
    if !(1..=999_999).contains(&quantity) {
        return Err(ApiError::invalid("Quantity must be between 1 and 999999.")
            .code("parameter_invalid_integer")
            .param(&quantity_name));
    }
    let missing = ApiError::missing(&item.name("price_data"));
    let mut data = item.object("price_data")?.ok_or(missing)?;
    let currency = currency(&mut data)?;
    let unit_amount = unit_amount(&mut data)?;
    money::in_steps(unit_amount, &currency, &data.name("unit_amount"))?;
    let tax_behavior = data.one_of("tax_behavior", &["exclusive", "inclusive", "unspecified"])?;
    let missing = ApiError::missing(&data.name("product_data"));
    let mut product = data.object("product_data")?.ok_or(missing)?;
    let line = Line {
        id: ids::object("li_1"),
        price: ids::object("price_1"),
        product: crate::ids::fresh("prod_", 14),
        name: product.required("name", 250)?,
        description: product.string("description", 40_000)?,
        unit_amount,
        quantity,
        metadata: metadata(&mut item)?,
        tax_behavior,
    };
    // Images are not shown, because they would be fetched from elsewhere.
    product.strings("images")?;
    metadata(&mut product)?;
    for key in ["tax_code", "tax_details", "unit_label"] {
        product.raw(key);
    }
    item.raw("adjustable_quantity");
    product.finish()?;
    data.finish()?;
    item.finish()?;
    Ok((currency, line))
}

fn currency(data: &mut Params) -> Result<String, ApiError> {
    let name = data.name("currency");
    let currency = data.required("currency", 3)?.to_lowercase();
    if money::exponent(&currency).is_none() {
        return Err(ApiError::invalid(format!(
            "Invalid currency: {currency}. The payment method types do not support it."
        ))
        .param(&name));
    }
    Ok(currency)
}

/// `unit_amount`, or `unit_amount_decimal` if it is a whole number.
fn unit_amount(data: &mut Params) -> Result<i64, ApiError> {
    let name = data.name("unit_amount");
    let decimal_name = data.name("unit_amount_decimal");
    let decimal = data.string("unit_amount_decimal", 20)?;
    let amount = match (data.integer("unit_amount")?, decimal) {
        (Some(_), Some(_)) => {
            return Err(ApiError::invalid("You may only specify one of unit_amount and unit_amount_decimal.")
                .param(&decimal_name));
        }
        (Some(amount), None) => amount,
        (None, Some(text)) => {
            let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
            if fraction.bytes().any(|digit| digit != b'0') {
                return Err(ApiError::invalid("This sandbox charges whole minor units only.").param(&decimal_name));
            }
            whole.parse().map_err(|_| ApiError::invalid("Invalid decimal").param(&decimal_name))?
        }
        (None, None) => return Err(ApiError::missing(&name)),
    };
    if amount < 0 {
        return Err(ApiError::invalid("This value must be greater than or equal to 0.")
            .code("parameter_invalid_integer")
            .param(&name));
    }
    Ok(amount)
}

/// The session's total, checked against the provider's limits.
pub fn total(lines: &[Line], currency: &str) -> Result<i64, ApiError> {
    let (least, most) = (money::least(currency), money::most(currency));
    let sum = lines.iter().try_fold(0_i64, |sum, line| sum.checked_add(line.unit_amount.checked_mul(line.quantity)?));
    let amount = sum.filter(|sum| *sum <= most).ok_or_else(|| {
        let most = money::display(most, currency);
        ApiError::invalid(format!("The Checkout Session's total amount due must be no more than {most} {currency}"))
            .code("amount_too_large")
            .param("line_items")
    })?;
    if amount < least {
        let least = money::display(least, currency);
        return Err(ApiError::invalid(format!(
            "The Checkout Session's total amount due must add up to at least {least} {currency}"
        ))
        .code("amount_too_small")
        .param("line_items"));
    }
    Ok(amount)
}
