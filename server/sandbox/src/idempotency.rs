//! Idempotency keys: a repetition gets the first reply for as long as the provider keeps it. Each provider words its own errors for keys
//! that cannot be used.

use std::collections::{HashMap, VecDeque};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

/// The most keys per account. Beyond it the oldest are forgotten.
const CAPACITY: usize = 20_000;

/// A provider's limits of idempotency keys.
#[derive(Debug)]
pub struct Limits {
    /// The time for which a reply is kept, in milliseconds.
    pub retention_ms: i64,
    /// The longest key that the API takes, in characters.
    pub longest: usize,
}

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

/// The next step for a request with a key.
#[derive(Debug, PartialEq, Eq)]
pub enum Begin {
    /// Carry the request out. The key is taken until `finish` or `abandon`.
    Execute,
    /// Answer with this stored reply.
    Replay(Reply),
}

/// The reason why a key cannot be used.
#[derive(Debug, PartialEq, Eq)]
pub enum Unusable {
    /// The key is empty or too long.
    Length,
    /// The key was used before with another request.
    AnotherRequest,
    /// The first request with this key is still running.
    InProgress,
}

/// The fingerprint by which requests count as the same: path and body.
pub fn fingerprint(path: &str, body: &[u8]) -> String {
    hex::encode(Sha256::new().chain_update(path).chain_update([0]).chain_update(body).finalize())
}

impl Keys {
    /// Takes a key, or returns the reason why it cannot be used.
    pub fn begin(&mut self, limits: &Limits, key: &str, fingerprint: &str, now_ms: i64) -> Result<Begin, Unusable> {
        if key.is_empty() || key.chars().count() > limits.longest {
            return Err(Unusable::Length);
        }
        self.prune(limits, now_ms);
        match self.entries.get(key) {
            Some(entry) if entry.fingerprint != fingerprint => Err(Unusable::AnotherRequest),
            Some(Entry { reply: Some(reply), .. }) => Ok(Begin::Replay(reply.clone())),
            Some(_) => Err(Unusable::InProgress),
            None => {
                self.entries.insert(key.to_owned(), Entry { fingerprint: fingerprint.to_owned(), reply: None });
                self.order.push_back((now_ms, key.to_owned()));
                Ok(Begin::Execute)
            }
        }
    }

    /// Stores the reply of a request that was carried out.
    pub fn finish(&mut self, key: &str, reply: Reply) {
        if let Some(entry) = self.entries.get_mut(key) {
            debug_assert!(entry.reply.is_none(), "a key is finished once");
            entry.reply = Some(reply);
        }
    }

    /// Frees a key whose request was not carried out.
    pub fn abandon(&mut self, key: &str) {
        self.entries.remove(key);
        self.order.retain(|(_, known)| known != key);
    }

    /// Frees the keys of requests that a stopped process never finished.
    pub fn recover(&mut self) {
        self.entries.retain(|_, entry| entry.reply.is_some());
        let Keys { entries, order } = self;
        order.retain(|(_, key)| entries.contains_key(key));
    }

    fn prune(&mut self, limits: &Limits, now_ms: i64) {
        while let Some((since_ms, _)) = self.order.front()
            && (now_ms - since_ms >= limits.retention_ms || self.order.len() >= CAPACITY)
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

    const LIMITS: Limits = Limits { retention_ms: 1_000, longest: 64 };

    fn begin(keys: &mut Keys, body: &[u8], now_ms: i64) -> Result<Begin, Unusable> {
        keys.begin(&LIMITS, "k", &fingerprint("/v72/paymentLinks", body), now_ms)
    }

    fn reply() -> Reply {
        Reply { status: 201, body: Value::Null }
    }

    #[test]
    fn the_first_reply_is_repeated_while_it_is_kept() {
        let mut keys = Keys::default();
        assert_eq!(begin(&mut keys, b"{}", 0), Ok(Begin::Execute));
        keys.finish("k", reply());
        assert_eq!(begin(&mut keys, b"{}", 999), Ok(Begin::Replay(reply())));
        assert_eq!(begin(&mut keys, b"{}", 1_000), Ok(Begin::Execute));
    }

    #[test]
    fn another_body_is_refused_and_a_running_request_conflicts() {
        let mut keys = Keys::default();
        begin(&mut keys, b"1", 0).unwrap();
        assert_eq!(begin(&mut keys, b"2", 1), Err(Unusable::AnotherRequest));
        assert_eq!(begin(&mut keys, b"1", 1), Err(Unusable::InProgress));
    }

    #[test]
    fn a_request_that_was_not_carried_out_leaves_the_key_free() {
        let mut keys = Keys::default();
        begin(&mut keys, b"1", 0).unwrap();
        keys.abandon("k");
        assert_eq!(begin(&mut keys, b"2", 1), Ok(Begin::Execute));
        keys.recover();
        assert_eq!(begin(&mut keys, b"3", 2), Ok(Begin::Execute));
    }

    #[test]
    fn keys_are_bounded_in_number_and_length() {
        let mut keys = Keys::default();
        let mut take = |key: &str| keys.begin(&LIMITS, key, "f", 0);
        for n in 0..=CAPACITY {
            take(&n.to_string()).unwrap();
        }
        assert_eq!((take(&"k".repeat(65)), take("")), (Err(Unusable::Length), Err(Unusable::Length)));
        assert!(take(&"k".repeat(64)).is_ok());
        assert_eq!((keys.entries.len(), keys.order.len()), (CAPACITY, CAPACITY));
    }
}
