//! The kinds of faults and their effects, in one table.

use serde::{Deserialize, Serialize};

/// The side on which a fault can strike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// A call of the provider's API.
    Api,
    /// The delivery of a webhook.
    Webhook,
}

macro_rules! kinds {
    ($($(#[doc = $effect:literal])+ $variant:ident = $name:literal, $title:literal, [$($side:ident),+];)+) => {
        /// The kind of a fault.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
        pub enum Kind {
            $($(#[doc = $effect])+ #[serde(rename = $name)] $variant,)+
        }

        impl Kind {
            /// Every kind, in the order of the page.
            pub const ALL: &[Kind] = &[$(Kind::$variant),+];

            /// The kind's name in the control API.
            pub fn as_str(self) -> &'static str {
                match self { $(Kind::$variant => $name),+ }
            }

            /// The kind's name for people.
            pub fn title(self) -> &'static str {
                match self { $(Kind::$variant => $title),+ }
            }

            /// The kind's effect, in a sentence or two. [`super::Faults::effect`] adds the providers at which it cannot happen.
            pub fn effect(self) -> &'static str {
                match self { $(Kind::$variant => concat!($($effect),+).trim_ascii()),+ }
            }

            /// The sides on which the kind can strike.
            pub fn sides(self) -> &'static [Side] {
                match self { $(Kind::$variant => &[$(Side::$side),+]),+ }
            }
        }
    };
}

kinds! {
    /// The call is carried out, then the connection is cut without a reply; the delay holds it open first.
    TimeoutAfterAccept = "timeout_after_accept", "Reply lost after accepting", [Api];
    /// The connection is cut without a reply and nothing is carried out; the delay holds it open first.
    TimeoutBeforeAccept = "timeout_before_accept", "Connection cut before accepting", [Api];
    /// Answers 500; nothing is carried out or stored under the idempotency key.
    Error500 = "error_500", "Error 500", [Api];
    /// The call is carried out but answered with 500. A repeat with the same idempotency key tells the truth.
    Error500AfterAccept = "error_500_after_accept", "Error 500 after accepting", [Api];
    /// Answers 500 from the middle of the work: nothing comes of it, and the 500 is the stored reply of the idempotency key.
    Error500Stored = "error_500_stored", "Error 500, stored", [Api];
    /// Answers 503; nothing is carried out.
    Error503 = "error_503", "Error 503", [Api];
    /// A gateway's HTML page with status 502; nothing is carried out.
    Html502 = "html_502", "HTML page, status 502", [Api];
    /// A proxy's HTML page with status 200; nothing is carried out.
    Html200 = "html_200", "HTML page, status 200", [Api];
    /// Answers 429 with Retry-After: 1; nothing is carried out.
    RateLimit429 = "rate_limit_429", "Rate limit 429", [Api];
    /// Refuses a refund because the merchant's balance does not cover it; nothing is carried out.
    InsufficientBalance = "insufficient_balance", "Balance too low", [Api];
    /// Answers 409: another request with this idempotency key is still running. Nothing is carried out.
    Conflict409 = "conflict_409", "Conflict 409", [Api];
    /// The call is carried out and answered late, by 5 seconds unless a delay is given.
    Slow = "slow", "Slow reply", [Api];
    /// The reply or the event has a status and a field nobody has heard of.
    UnknownValue = "unknown_value", "Unknown values", [Api, Webhook];
    /// The reply or the event states other amounts than the truth: 100 minor units more unless a difference is given.
    WrongAmount = "wrong_amount", "Wrong amount", [Api, Webhook];
    /// The same event is delivered again at the same time: one extra copy unless more are asked for.
    Duplicate = "duplicate", "Duplicate", [Webhook];
    /// The webhook is kept back until the next one to the same endpoint has gone, for 60 seconds at most unless a delay is given.
    Reorder = "reorder", "Out of order", [Webhook];
    /// The webhook is sent and acknowledged before the API reply or the page that caused it goes out.
    Early = "early", "Before the reply", [Webhook];
    /// The webhook is sent late, by 10 seconds unless a delay is given. Advancing time brings it forward.
    Late = "late", "Late", [Webhook];
    /// The webhook is never sent. The event can still be fetched and sent again.
    Drop = "drop", "Lost", [Webhook];
    /// The signature is right but an hour old.
    Stale = "stale", "Old signature", [Webhook];
    /// The signature is right but dated an hour ahead.
    Future = "future", "Signature from the future", [Webhook];
    /// The body is changed after it was signed.
    Tamper = "tamper", "Changed body", [Webhook];
    /// The webhook is signed with another secret.
    WrongKey = "wrong_key", "Signed with another secret", [Webhook];
    /// The webhook has no signature.
    MissingSignature = "missing_signature", "No signature", [Webhook];
    /// The webhook is signed rightly but says that it is about another account.
    AnotherAccount = "another_account", "Another account's event", [Webhook];
}

impl Kind {
    /// Whether the kind prevents the operation.
    pub fn refuses(self) -> bool {
        matches!(
            self,
            Kind::TimeoutBeforeAccept
                | Kind::Error500
                | Kind::Error503
                | Kind::Html502
                | Kind::Html200
                | Kind::RateLimit429
                | Kind::InsufficientBalance
                | Kind::Conflict409
        )
    }

    /// Whether the caller gets no reply at all.
    pub fn loses_reply(self) -> bool {
        matches!(self, Kind::TimeoutAfterAccept | Kind::TimeoutBeforeAccept)
    }

    /// The kind of this name.
    pub fn named(name: &str) -> Option<Kind> {
        Kind::ALL.iter().copied().find(|kind| kind.as_str() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_the_same_in_json_and_in_code() {
        for kind in Kind::ALL {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
            assert_eq!(Kind::named(kind.as_str()), Some(*kind));
            assert!(!kind.refuses() || kind.sides() == [Side::Api], "only calls can be refused: {kind:?}");
        }
    }

    #[test]
    fn the_document_tells_of_every_kind_and_its_examples_work() {
        let document = include_str!("../../../../../docs/SANDBOX.md");
        let (tables, _) = document.split_once("## Switches").unwrap();
        let mut rows = 0;
        for row in tables.lines().filter(|row| row.contains("`{\"fault\":")) {
            let cells: Vec<&str> = row.split('|').map(str::trim).collect();
            let kind = Kind::named(cells[1].trim_matches('`')).unwrap_or_else(|| panic!("no kind: {row}"));
            let example = cells[cells.len() - 2].trim_matches('`');
            let faults = super::super::Faults::default();
            faults.add(super::super::Wanted::read(example.as_bytes()).unwrap()).unwrap();
            assert_eq!(faults.list()[0].kind, kind, "{row}");
            rows += 1;
        }
        for kind in Kind::ALL {
            let row = format!("\n| `{}` |", kind.as_str());
            assert_eq!(tables.matches(&row).count(), 1, "docs/SANDBOX.md has one row for {}", kind.as_str());
        }
        assert_eq!(rows, Kind::ALL.len());
    }
}
