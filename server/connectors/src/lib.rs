//! Provider wire formats in and out, signatures and declines. No network, no database, no clock.
//!
//! A [`Connector`] turns an [`Operation`] into an HTTP request and the reply into an [`Outcome`]; the engine does the
//! sending. It authenticates a delivery, splits it into items that can be stored, and reads an item into what the domain
//! understands. A new provider is one folder here and one line in [`by_name`].

pub mod adyen;
mod amount;
mod connector;
mod credential;
mod http;
mod reply;
pub mod stripe;
mod text;

pub use amount::AmountRule;
pub use connector::{
    Account, Authentic, Capabilities, Connector, Disposition, EventsSpec, Fail, Foreign, Incoming, Item, ModifySpec,
    OpenSpec, Operation, Outcome, Reject, Reply, Target, Unreadable, Wire,
};
pub use credential::tidy;
pub use http::{HttpRequest, HttpResponse};

/// Every provider, by the name used in the database, in addresses and on the command line.
pub const PROVIDERS: &[&str] = &["stripe", "adyen"];

/// The connector of a provider.
#[must_use]
pub fn by_name(provider: &str) -> Option<&'static dyn Connector> {
    match provider {
        "adyen" => Some(&adyen::Adyen),
        "stripe" => Some(&stripe::Stripe),
        _ => None,
    }
}

/// The provider at whose own domain a web address is. An address of a proxy, or of anything else, is nobody's.
#[must_use]
pub fn of_address(url: &str) -> Option<&'static str> {
    let url = url::Url::parse(url).ok()?;
    let host = url.host_str()?.trim_end_matches('.');
    let is_at = |domain: &&str| host.strip_suffix(*domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    let owns = |name: &&&str| by_name(name).is_some_and(|one| one.capabilities().domains.iter().any(is_at));
    PROVIDERS.iter().find(owns).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_provider_is_at_its_own_domain() {
        for name in PROVIDERS {
            let connector = by_name(name).unwrap();
            assert_eq!(of_address(connector.capabilities().default_base_url), Some(*name));
        }
        let live = "https://1797a841fbb37ca7-Shop-checkout-live.adyenpayments.com/checkout";
        let cases = [
            ("https://API.Stripe.com:8443/v1", Some("stripe")),
            ("https://stripe.com.", Some("stripe")),
            (live, Some("adyen")),
            ("https://checkout-live.adyen.com", Some("adyen")),
            ("https://notstripe.com", None),
            ("https://stripe.com.example", None),
            ("https://adyen.proxy.example", None),
            ("http://127.0.0.1:3400", None),
            ("stripe", None),
        ];
        for (url, owner) in cases {
            assert_eq!(of_address(url), owner, "{url}");
        }
    }
}
