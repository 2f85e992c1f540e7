//! The bounds on work served at a time, derived from the number of files that the process may open: every connection is
//! a file.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use thiserror::Error;
use tracing::warn;

/// The most descriptors that are requested. The bounds derived from them end below that number.
const DESCRIPTORS_WANTED: u64 = 65_536;
/// The fewest descriptors. With fewer there is no room for clients beside the database and the providers.
const DESCRIPTORS_MIN: u64 = 256;

/// The server's own files: the database's connections (SQLite opens three files for each of nine, PostgreSQL has 25),
/// listeners, standard streams, and a few to spare.
const OWN: usize = 64;
/// Jobs that may be calling a provider.
const JOBS: usize = 32;
/// Connections of the operations' listener.
const OPERATIONS: usize = 32;
/// Shoppers' actions that may be calling a provider.
const ACTIONS_MAX: usize = 256;

/// Connections of shoppers and providers. Each keeps at most 32 KB that were not asked for.
const CONNECTIONS_MAX: usize = 16_384;
/// Open event streams.
const STREAMS_MAX: usize = 10_000;
/// Event streams of one session: several devices with several tabs each.
const STREAMS_OF_SESSION: usize = 32;
/// The least number of event streams that one address may have, however small its share is.
const STREAMS_OF_ADDRESS_MIN: usize = 32;
/// Bodies that do not arrive at once, at a time.
const BODIES_MAX: usize = 128;
/// Requests of shoppers at a time, event streams apart.
const REQUESTS_MAX: usize = 512;
/// Deliveries at a time. They are bounded apart from the shoppers' requests, so that neither can starve the other.
const DELIVERIES_MAX: usize = 256;

/// The process may open too few files.
#[derive(Debug, Error)]
#[error(
    "this process may open {0} files, and {least} are the least; raise the limit, for example with `ulimit -n 4096` or \
     LimitNOFILE=4096 in a systemd unit",
    least = DESCRIPTORS_MIN
)]
pub struct TooFewDescriptors(u64);

/// The bounds on work served at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Connections of shoppers and providers.
    pub connections: usize,
    /// Connections of one remote address, unless it is this machine's, a private network's or a named proxy's.
    pub connections_of_peer: usize,
    /// Connections of operators.
    pub operations: usize,
    /// Open event streams.
    pub streams: usize,
    /// Event streams of one session.
    pub streams_of_session: usize,
    /// Event streams of one client's address.
    pub streams_of_address: usize,
    /// Bodies of forms that do not arrive at once. Deliveries have the same bound for themselves.
    pub bodies: usize,
    /// Requests of shoppers at a time.
    pub requests: usize,
    /// Deliveries at a time.
    pub deliveries: usize,
    /// Shoppers' actions under way, which may be calling a provider.
    pub actions: usize,
}

impl Bounds {
    /// The bounds that fit into a number of open files.
    #[must_use]
    pub fn of(descriptors: u64) -> Bounds {
        let descriptors = usize::try_from(descriptors).unwrap_or(usize::MAX);
        let actions = (descriptors / 8).clamp(16, ACTIONS_MAX);
        let connections = descriptors.saturating_sub(OWN + JOBS + OPERATIONS + actions).clamp(16, CONNECTIONS_MAX);
        let streams = (connections / 2).min(STREAMS_MAX);
        Bounds {
            connections,
            connections_of_peer: connections / 4,
            operations: OPERATIONS,
            streams,
            streams_of_session: STREAMS_OF_SESSION,
            streams_of_address: (streams / 4).max(STREAMS_OF_ADDRESS_MIN),
            bodies: (connections / 8).min(BODIES_MAX),
            requests: REQUESTS_MAX,
            deliveries: DELIVERIES_MAX,
            actions,
        }
    }

    /// The bounds that fit into the present limit of open files.
    #[must_use]
    pub fn current() -> Bounds {
        Bounds::of(getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX))
    }

    /// Raises the limit of open files as far as the process may, and derives the bounds from it.
    pub fn raised() -> Result<Bounds, TooFewDescriptors> {
        let descriptors = raise_descriptors();
        if descriptors < DESCRIPTORS_MIN { Err(TooFewDescriptors(descriptors)) } else { Ok(Bounds::of(descriptors)) }
    }
}

/// Raises the soft limit and returns the limit afterwards. A shell's soft limit is usually 1,024, for the sake of
/// programs that use `select`.
fn raise_descriptors() -> u64 {
    let limit = getrlimit(Resource::Nofile);
    let (soft, hard) = (limit.current.unwrap_or(u64::MAX), limit.maximum.unwrap_or(u64::MAX));
    let wanted = hard.min(DESCRIPTORS_WANTED);
    if soft >= wanted {
        return soft;
    }
    match setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum: limit.maximum }) {
        Ok(()) => wanted,
        Err(error) => {
            warn!(%error, soft, wanted, "the limit of open files could not be raised");
            soft
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_served_leaves_room_for_the_database_the_providers_and_the_operators() {
        for descriptors in [256, 300, 1_024, 4_096, 20_000, 65_536, 1 << 20, u64::MAX] {
            let bounds = Bounds::of(descriptors);
            let all = bounds.connections + bounds.operations + bounds.actions + OWN + JOBS;
            assert!(all as u64 <= descriptors, "{descriptors}: {bounds:?}");
            assert!(bounds.streams <= bounds.connections / 2, "streams leave room for pages: {bounds:?}");
            assert!(bounds.streams_of_address <= bounds.streams && bounds.streams_of_session <= bounds.streams);
            assert!(bounds.bodies >= 8 && 4 * bounds.bodies <= bounds.connections, "so do bodies: {bounds:?}");
        }
        assert_eq!(Bounds::of(1 << 20).connections, CONNECTIONS_MAX);
        assert!(Bounds::of(1_024).connections > 700, "a default shell's limit serves hundreds");
    }
}
