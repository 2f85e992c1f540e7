//! Idempotency keys (Adyen, API idempotency): what was processed once is answered the same for 31 days.

use std::collections::{HashMap, VecDeque};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::error::ApiError;

/// How long a reply is kept.
const RETENTION_MS: i64 = 31 * 24 * 3600 * 1000;

/// Keys per account; beyond it the oldest are forgotten.
const CAPACITY: usize = 20_000;

/// Longest key the API takes, in characters.
const LONGEST: usize = 64;

/// An account's keys.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Keys {
    entries: HashMap<String, Entry>,
    order: VecDeque<(i64, String)>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Entry {
    fingerprint: String,
    reply: Option<Reply>,
}

/// A stored reply.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// JSON body.
    pub body: Value,
}

/// What a key means for a request.
#[derive(Debug, PartialEq, Eq)]
pub enum Begin {
    /// Carry it out; the key is taken until `finish`.
    Execute,
    /// Answer with this.
    Replay(Reply),
}

/// What makes two requests the same: path and body.
pub fn fingerprint(path: &str, body: &[u8]) -> String {
    hex::encode(Sha256::new().chain_update(path).chain_update([0]).chain_update(body).finalize())
}

impl Keys {
    /// Takes a key, or tells why not.
    pub fn begin(&mut self, key: &str, fingerprint: &str, now_ms: i64) -> Result<Begin, ApiError> {
        if key.is_empty() || key.chars().count() > LONGEST {
            return Err(ApiError::invalid("702", "The idempotency key must have 1 to 64 characters."));
        }
        self.prune(now_ms);
        match self.entries.get(key) {
            Some(entry) if entry.fingerprint != fingerprint => {
                Err(ApiError::invalid("702", "The idempotency key was used before with another request."))
            }
            Some(Entry { reply: Some(reply), .. }) => Ok(Begin::Replay(reply.clone())),
            Some(_) => Err(ApiError::in_progress()),
            None => {
                self.entries.insert(key.to_owned(), Entry { fingerprint: fingerprint.to_owned(), reply: None });
                self.order.push_back((now_ms, key.to_owned()));
                Ok(Begin::Execute)
            }
        }
    }

    /// Keeps the reply of a request that was processed, a refusal too.
    pub fn finish(&mut self, key: &str, reply: Reply) {
        if let Some(entry) = self.entries.get_mut(key) {
            debug_assert!(entry.reply.is_none(), "a key is finished once");
            entry.reply = Some(reply);
        }
    }

    /// Frees the keys of requests that a stopped process never finished.
    pub fn recover(&mut self) {
        self.entries.retain(|_, entry| entry.reply.is_some());
        let Keys { entries, order } = self;
        order.retain(|(_, key)| entries.contains_key(key));
    }

    fn prune(&mut self, now_ms: i64) {
        while let Some((since_ms, _)) = self.order.front()
            && (now_ms - since_ms >= RETENTION_MS || self.order.len() >= CAPACITY)
        {
            if let Some((_, key)) = self.order.pop_front() {
                self.entries.remove(&key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn begin(keys: &mut Keys, body: &[u8], now_ms: i64) -> Result<Begin, ApiError> {
        keys.begin("k", &fingerprint("/v72/paymentLinks", body), now_ms)
    }

    fn reply() -> Reply {
        Reply { status: 201, body: Value::Null }
    }

    #[test]
    fn the_first_reply_is_repeated_for_31_days() {
        let mut keys = Keys::default();
        assert_eq!(begin(&mut keys, b"{}", 0).unwrap(), Begin::Execute);
        keys.finish("k", reply());
        assert_eq!(begin(&mut keys, b"{}", RETENTION_MS - 1).unwrap(), Begin::Replay(reply()));
        assert_eq!(begin(&mut keys, b"{}", RETENTION_MS).unwrap(), Begin::Execute);
    }

    #[test]
    fn another_body_is_refused_and_a_running_request_conflicts() {
        let mut keys = Keys::default();
        begin(&mut keys, b"1", 0).unwrap();
        assert_eq!(begin(&mut keys, b"2", 1).unwrap_err().status, 422);
        let running = begin(&mut keys, b"1", 1).unwrap_err();
        assert!(running.status == 409 && running.transient && running.body("")["errorCode"] == "704");
        keys.recover();
        assert_eq!(begin(&mut keys, b"2", 2).unwrap(), Begin::Execute);
    }

    #[test]
    fn keys_are_bounded_in_number_and_length() {
        let mut keys = Keys::default();
        for n in 0..=CAPACITY {
            keys.begin(&n.to_string(), "f", 0).unwrap();
        }
        assert_eq!((keys.entries.len(), keys.order.len()), (CAPACITY, CAPACITY));
        assert!(keys.begin(&"k".repeat(64), "f", 0).is_ok());
        assert!(keys.begin(&"k".repeat(65), "f", 0).is_err() && keys.begin("", "f", 0).is_err());
    }
}
