//! The providers an installation knows.

use std::fmt;

use crate::connector::Connector;

/// Connectors by the name used in the database, in addresses and on the command line. A copy is cheap.
#[derive(Clone)]
pub struct Registry(Vec<&'static dyn Connector>);

impl Default for Registry {
    /// The providers that are built in. A new one is one line here.
    fn default() -> Self {
        Registry(vec![&crate::stripe::Stripe, &crate::adyen::Adyen])
    }
}

impl Registry {
    /// The same with one more. It replaces a connector of the same name.
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

    /// Every connector, in the order in which providers are listed.
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
    fn connectors_are_found_by_their_names() {
        let registry = Registry::default();
        assert_eq!(format!("{registry:?}"), r#"["stripe", "adyen"]"#);
        assert_eq!(registry.get("adyen").map(Connector::provider), Some("adyen"));
        assert!(registry.get("nobody").is_none());
        let again = registry.with(&crate::stripe::Stripe);
        assert_eq!(format!("{again:?}"), r#"["adyen", "stripe"]"#, "one of each name");
    }
}
