//! The reach of a request, and its actor. Every statement of the store begins with one of the values made here: a [`Scope`] reads and
//! changes one merchant's rows of one mode, an [`Installation`] the rows of all merchants. A row outside the scope is *not found*.
//!
//! An installation comes from the operator's side ([`Installation::operator`]) or is the engine's own ([`ENGINE`]). A scope comes from an
//! installation, from an API key, or from the token in a shopper's address. `tests/it/sources.rs` lists the files that may make them.

use std::fmt;

use domain::Mode;
use domain::id::{ApiKeyId, MerchantId};

/// The one who acts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    /// The operator, at the command line.
    CommandLine,
    /// A merchant's program, by its API key.
    ApiKey(ApiKeyId),
    /// A shopper, by the token in the address.
    Shopper,
    /// A payment provider, by a delivery or an answer.
    Provider,
    /// Till itself: jobs, and the policies that merchants have set.
    Engine,
}

impl Actor {
    /// The name of the kind of actor.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Actor::CommandLine => "command_line",
            Actor::ApiKey(_) => "api_key",
            Actor::Shopper => "shopper",
            Actor::Provider => "provider",
            Actor::Engine => "engine",
        }
    }
}

/// The actor as stored: the kind and, for an API key, the key's id, such as `api_key key_…`.
impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Actor::ApiKey(id) => write!(f, "{} {id}", self.as_str()),
            other => f.write_str(other.as_str()),
        }
    }
}

/// One merchant in one mode, and the actor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    merchant: MerchantId,
    mode: Mode,
    actor: Actor,
}

impl Scope {
    /// The scope of an API key: its merchant in its mode. The caller has compared the key's digest.
    pub(crate) fn of_key(merchant: MerchantId, mode: Mode, key: ApiKeyId) -> Scope {
        Scope { merchant, mode, actor: Actor::ApiKey(key) }
    }

    /// The scope of a shopper, whose token has found a link or a session of this merchant in this mode.
    pub(crate) fn of_shopper(merchant: MerchantId, mode: Mode) -> Scope {
        Scope { merchant, mode, actor: Actor::Shopper }
    }

    /// The merchant.
    #[must_use]
    pub fn merchant(&self) -> &MerchantId {
        &self.merchant
    }

    /// The mode.
    #[must_use]
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// The actor.
    #[must_use]
    pub fn actor(&self) -> &Actor {
        &self.actor
    }
}

/// All merchants in both modes, and the actor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installation {
    actor: Actor,
}

/// The engine's own installation, for its rooms that work for all merchants: the record, the inbox, attempts, jobs.
pub(crate) static ENGINE: Installation = Installation { actor: Actor::Engine };

impl Installation {
    /// The operator's installation. An operator who can run commands on the server may see and change everything.
    #[must_use]
    pub fn operator() -> Installation {
        Installation { actor: Actor::CommandLine }
    }

    /// The same actor acting for one merchant in one mode. Whether there is such a merchant is not examined: of a missing merchant
    /// nothing is found.
    #[must_use]
    pub fn acting_for(&self, merchant: &MerchantId, mode: Mode) -> Scope {
        Scope { merchant: merchant.clone(), mode, actor: self.actor.clone() }
    }

    /// The actor.
    #[must_use]
    pub fn actor(&self) -> &Actor {
        &self.actor
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_actor_is_stored_by_its_kind_and_its_key() {
        let key = ApiKeyId::from_random([7; 16]);
        assert_eq!(Actor::ApiKey(key.clone()).to_string(), format!("api_key {key}"));
        for actor in [Actor::CommandLine, Actor::Shopper, Actor::Provider, Actor::Engine] {
            assert_eq!(actor.to_string(), actor.as_str());
        }
    }

    #[test]
    fn an_operator_acts_for_a_merchant_as_the_operator() {
        let merchant = MerchantId::from_random([1; 16]);
        let scope = Installation::operator().acting_for(&merchant, Mode::Live);
        assert_eq!((scope.merchant(), scope.mode(), scope.actor()), (&merchant, Mode::Live, &Actor::CommandLine));
    }
}
