//! The parts of an order that a refusal can name.

/// A part of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The customer's name.
    CustomerName,
    /// The customer's e-mail address.
    Email,
    /// The customer's telephone number.
    Phone,
    /// The merchant's reference of the customer.
    Reference,
    /// The keys of the metadata.
    MetadataKeys,
    /// One key of the metadata.
    MetadataKey,
    /// One value of the metadata.
    MetadataValue,
    /// The merchant's own questions.
    Fields,
    /// The key of a question.
    FieldKey,
    /// The label of a question.
    FieldLabel,
    /// The answer to a question.
    FieldAnswer,
    /// The name of the discount.
    DiscountName,
    /// The shipping price.
    Shipping,
    /// The name of the shipping method.
    ShippingName,
    /// The tip.
    Tip,
    /// The name of the tip.
    TipName,
    /// The name of a tax.
    TaxName,
    /// The address for shoppers who have paid.
    SuccessAddress,
    /// The address for shoppers who do not want to pay.
    CancelAddress,
}
