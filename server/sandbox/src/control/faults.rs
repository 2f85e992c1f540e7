//! Faults of the API, injected on request: the next calls of an operation go wrong.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Faults that may wait at a time.
pub const CAPACITY: usize = 1_000;

/// The longest a fault may hold a request.
const LONGEST: Duration = Duration::from_secs(300);

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The operation is carried out, the reply is lost.
    TimeoutAfterAccept,
    /// 500 before anything happened; nothing is stored under the idempotency key.
    #[serde(rename = "error_500")]
    Error500,
    /// The operation is carried out, the reply is a 500; a repeat with the same key tells the truth.
    #[serde(rename = "error_500_after_accept")]
    Error500AfterAccept,
    /// A gateway's HTML page instead of JSON, before anything happened.
    #[serde(rename = "html_502")]
    Html502,
    /// 429 with `Retry-After`.
    #[serde(rename = "rate_limit_429")]
    RateLimit429,
    /// Carried out late.
    Slow,
}

impl Kind {
    /// Whether the operation is not carried out at all.
    pub fn refuses(self) -> bool {
        matches!(self, Kind::Error500 | Kind::Html502 | Kind::RateLimit429)
    }

    /// Its name in the control API.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::TimeoutAfterAccept => "timeout_after_accept",
            Kind::Error500 => "error_500",
            Kind::Error500AfterAccept => "error_500_after_accept",
            Kind::Html502 => "html_502",
            Kind::RateLimit429 => "rate_limit_429",
            Kind::Slow => "slow",
        }
    }
}

/// A fault in waiting.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// For example `checkout.sessions.create`, or `*`.
    pub operation: String,
    /// What goes wrong.
    #[serde(rename = "fault")]
    pub kind: Kind,
    /// How often it still happens.
    #[serde(default = "once")]
    pub count: u32,
    /// How long the request is held, milliseconds. A slow call takes 5 s unless told otherwise.
    #[serde(default)]
    pub delay_ms: Option<u64>,
    /// The secret key it is for; every account when absent.
    #[serde(default)]
    pub account: Option<String>,
}

fn once() -> u32 {
    1
}

impl Fault {
    /// How long the request is held.
    pub fn delay(&self) -> Duration {
        let default_ms = if self.kind == Kind::Slow { 5_000 } else { 0 };
        Duration::from_millis(self.delay_ms.unwrap_or(default_ms)).min(LONGEST)
    }
}

/// The fault for a call, if one waits; it is used up once.
pub fn take(faults: &mut Vec<Fault>, operation: &str, key: &str) -> Option<Fault> {
    let fits = |fault: &Fault| {
        (fault.operation == "*" || fault.operation == operation)
            && fault.account.as_deref().is_none_or(|account| account == key)
    };
    let at = faults.iter().position(fits)?;
    let fault = faults[at].clone();
    faults[at].count = faults[at].count.saturating_sub(1);
    if faults[at].count == 0 {
        faults.remove(at);
    }
    Some(fault)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_happens_as_often_as_asked_and_to_whom() {
        let json = r#"{"operation":"refunds.create","fault":"error_500","count":2,"account":"sk_test_a"}"#;
        let mut faults = vec![serde_json::from_str::<Fault>(json).unwrap()];
        assert!(take(&mut faults, "refunds.create", "sk_test_b").is_none());
        assert!(take(&mut faults, "refunds.list", "sk_test_a").is_none());
        assert!(take(&mut faults, "refunds.create", "sk_test_a").is_some());
        assert!(take(&mut faults, "refunds.create", "sk_test_a").is_some());
        assert!(take(&mut faults, "refunds.create", "sk_test_a").is_none());
    }
}
