//! The places for event streams, bounded in all, for one session, and for one client.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::id::Token;

use super::address::{Client, bucket};
use crate::bounds::Bounds;

/// The places. Each stream holds one for as long as it is open.
#[derive(Debug)]
pub(super) struct Streams {
    bounds: Bounds,
    taken: Mutex<Taken>,
}

#[derive(Debug, Default)]
struct Taken {
    all: usize,
    of_session: HashMap<Token, usize>,
    of_address: HashMap<IpAddr, usize>,
}

/// Why there is no place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoPlace {
    /// The session or the client has its share.
    Share(&'static str),
    /// All places are taken.
    Full,
}

/// A place, given back when it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    streams: Arc<Streams>,
    session: Token,
    /// The address that the place counts for; `None` if many clients may share it.
    address: Option<IpAddr>,
}

impl Streams {
    pub fn new(bounds: Bounds) -> Arc<Streams> {
        Arc::new(Streams { bounds, taken: Mutex::default() })
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a place for a session's page.
    pub fn take(self: &Arc<Self>, session: &Token, client: Client) -> Result<Place, NoPlace> {
        let address = (!client.is_shared).then(|| bucket(client.address));
        let mut taken = self.taken();
        let of_session = taken.of_session.get(session).copied().unwrap_or(0);
        let of_address = address.and_then(|address| taken.of_address.get(&address).copied()).unwrap_or(0);
        match () {
            () if of_session >= self.bounds.streams_of_session => return Err(NoPlace::Share("streams_of_session")),
            () if of_address >= self.bounds.streams_of_address => return Err(NoPlace::Share("streams_of_address")),
            () if taken.all >= self.bounds.streams => return Err(NoPlace::Full),
            () => {}
        }
        taken.all += 1;
        *taken.of_session.entry(session.clone()).or_default() += 1;
        if let Some(address) = address {
            *taken.of_address.entry(address).or_default() += 1;
        }
        Ok(Place { streams: Arc::clone(self), session: session.clone(), address })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.streams.taken();
        taken.all -= 1;
        give_back(&mut taken.of_session, &self.session);
        if let Some(address) = &self.address {
            give_back(&mut taken.of_address, address);
        }
    }
}

/// Lowers a count, and removes it at zero.
fn give_back<K: Hash + Eq>(counts: &mut HashMap<K, usize>, key: &K) {
    if let Some(count) = counts.get_mut(key) {
        *count -= 1;
        if *count == 0 {
            counts.remove(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(number: u8) -> Token {
        Token::from_random([number; 16])
    }

    fn client(number: u8) -> Client {
        Client { address: IpAddr::from([203, 0, 113, number]), is_shared: false, unnamed: None }
    }

    #[test]
    fn each_share_is_bounded_and_given_back() {
        let bounds = Bounds { streams: 6, streams_of_session: 2, streams_of_address: 3, ..Bounds::of(1_024) };
        let streams = Streams::new(bounds);
        let take = |session_of, client_of| streams.take(&session(session_of), client(client_of));
        let first = [take(1, 1).unwrap(), take(1, 1).unwrap()];
        assert_eq!(take(1, 1).unwrap_err(), NoPlace::Share("streams_of_session"));
        assert_eq!(take(1, 2).unwrap_err(), NoPlace::Share("streams_of_session"), "whoever asks");
        let second = take(2, 1).unwrap();
        assert_eq!(take(3, 1).unwrap_err(), NoPlace::Share("streams_of_address"), "whatever is asked for");
        let third = [take(3, 2).unwrap(), take(3, 2).unwrap(), take(4, 2).unwrap()];
        assert_eq!(take(5, 3).unwrap_err(), NoPlace::Full);
        drop((first, second));
        assert!(take(1, 1).is_ok());
        drop(third);
        let taken = streams.taken();
        assert_eq!((taken.all, taken.of_session.len(), taken.of_address.len()), (0, 0, 0), "nothing is left behind");
    }

    #[test]
    fn an_address_that_everybody_shares_is_not_counted() {
        let streams = Streams::new(Bounds { streams_of_address: 1, ..Bounds::of(1_024) });
        let proxy = Client { address: IpAddr::from([127, 0, 0, 1]), is_shared: true, unnamed: None };
        let held: Vec<_> = (0..50).map(|number| streams.take(&session(number), proxy)).collect();
        assert!(held.iter().all(Result::is_ok));
    }
}
