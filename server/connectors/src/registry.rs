//! The providers that an installation knows.

use std::fmt;

use crate::connector::Connector;

/// Connectors by the provider's name, which is used in the database, in addresses and on the command line. A copy is cheap.
#[derive(Clone)]
pub struct Registry(Vec<&'static dyn Connector>);

impl Default for Registry {
    /// The built-in providers. A new provider is one line here.
    fn default() -> Self {
        Registry(vec![&crate::stripe::Stripe, &crate::adyen::Adyen])
    }
}

impl Registry {
    /// The registry with one more connector, which replaces a connector of the same name.
    #[must_use]
    pub fn with(mut self, connector: &'static dyn Connector) -> Registry {
        self.0.retain(|known| known.provider() != connector.provider());
        self.0.push(connector);
        self
    }

    /// The connector of a provider.
    #[must_use]
    pub fn get(&self, provider: &str) -> Option<&'static dyn Connector> {
        self.iter().find(|known| known.provider() == provider)
    }

    /// The provider whose own domain contains a web address. The address of a proxy, or any other address, has no provider.
    #[must_use]
    pub fn of_address(&self, url: &str) -> Option<&'static str> {
        let url = url::Url::parse(url).ok()?;
        let host = url.host_str()?.trim_end_matches('.');
        let is_at =
            |domain: &&str| host.strip_suffix(*domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
        let owns = |known: &&'static dyn Connector| known.setup().domains.iter().any(is_at);
        self.iter().find(owns).map(Connector::provider)
    }

    /// All connectors, in the order in which providers are listed.
    pub fn iter(&self) -> impl Iterator<Item = &'static dyn Connector> {
        self.0.iter().copied()
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter().map(Connector::provider)).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_provider_is_at_its_own_domain() {
        let registry = Registry::default();
        for connector in registry.iter() {
            assert_eq!(registry.of_address(connector.setup().default_base_url), Some(connector.provider()));
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
            assert_eq!(registry.of_address(url), owner, "{url}");
        }
    }

    #[test]
    fn connectors_are_found_by_their_names() {
        let registry = Registry::default();
        assert_eq!(format!("{registry:?}"), r#"["stripe", "adyen"]"#);
        assert_eq!(registry.get("adyen").map(Connector::provider), Some("adyen"));
        assert!(registry.get("nobody").is_none());
        let again = registry.with(&crate::stripe::Stripe);
        assert_eq!(format!("{again:?}"), r#"["adyen", "stripe"]"#, "one of each name");
    }
}
