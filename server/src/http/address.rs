//! The client's address: the other end of the connection, or the address that a named proxy reports.
//!
//! `X-Forwarded-For` and `Forwarded` (RFC 7239) can be sent by anybody, so they are read from the right, the end that the nearest proxy
//! writes, and only for as long as each word was written by a proxy that `TILL_TRUSTED_PROXIES` names.

use std::convert::Infallible;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::str::FromStr;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::header::{FORWARDED, HeaderName};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue};
use ipnet::IpNet;
use thiserror::Error;
use tracing::warn;

use super::State;
use super::door::Connection;

static X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
static STANDARD: HeaderName = FORWARDED;
/// Entries of a header that are looked at. A request passes few proxies.
const ENTRIES_MAX: usize = 32;
/// Bytes of a header's line that are looked at.
const LINE_BYTES_MAX: usize = 4 * 1024;
/// Networks that can be named.
const NETWORKS_MAX: usize = 256;

/// A setting names no networks.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NetworksError {
    /// One of the words.
    #[error(
        "{0:?} is no address and no network; write addresses like 10.0.0.5 or 2001:db8::1 and networks like 10.0.0.0/8, with commas between"
    )]
    Word(String),
    /// Too many.
    #[error("more than {most} networks; name larger ones", most = NETWORKS_MAX)]
    TooMany,
}

/// Networks, such as those of the proxies that are believed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Networks(Arc<[IpNet]>);

impl Networks {
    /// Whether an address is in one of them. An IPv4 address in IPv6 form is the IPv4 address.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(&address.to_canonical()))
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromStr for Networks {
    type Err = NetworksError;

    /// Reads addresses and networks with commas between.
    fn from_str(text: &str) -> Result<Self, NetworksError> {
        let words = text.split(',').map(str::trim).filter(|word| !word.is_empty());
        let network = |word: &str| {
            let single = || word.parse::<IpAddr>().map(|address| IpNet::from(address.to_canonical()));
            word.parse().or_else(|_| single()).map_err(|_| NetworksError::Word(word.chars().take(64).collect()))
        };
        let networks = words.map(network).collect::<Result<Vec<_>, _>>()?;
        if networks.len() > NETWORKS_MAX { Err(NetworksError::TooMany) } else { Ok(Networks(networks.into())) }
    }
}

/// The address that a limit counts for: an IPv4 address, or the network of 64 bits that one customer has at the least.
#[must_use]
pub fn bucket(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX))),
        v4 => v4,
    }
}

/// Whether an address is this machine's or of a private network: more likely a proxy's than a shopper's.
#[must_use]
pub fn is_near(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(v4) => v4.is_loopback() || v4.is_private() || v4.is_link_local() || v4.is_unspecified(),
        IpAddr::V6(v6) => v6.is_loopback() || v6.is_unique_local() || v6.is_unicast_link_local() || v6.is_unspecified(),
    }
}

/// The client's address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Client {
    /// The peer's address, or the one that trusted proxies report.
    pub address: IpAddr,
    /// Whether everybody may share it, as behind a proxy that was not named: no limit may count for it.
    pub is_shared: bool,
}

/// The client of a request that came over a connection from `peer`.
#[must_use]
pub fn client(peer: IpAddr, headers: &HeaderMap, proxies: &Networks) -> Client {
    let peer = peer.to_canonical();
    if !proxies.contains(peer) {
        return Client { address: peer, is_shared: is_near(peer) };
    }
    let plain = headers.contains_key(&X_FORWARDED_FOR).then(|| walk(peer, addresses(headers), proxies));
    let standard = headers.contains_key(FORWARDED).then(|| walk(peer, standard_addresses(headers), proxies));
    let address = match (plain, standard) {
        (Some(plain), Some(standard)) if plain == standard => plain,
        // A proxy that writes one of them passes the other on as the client sent it. Neither can be told from the other.
        (Some(_), Some(_)) | (None, None) => peer,
        (Some(one), None) | (None, Some(one)) => one,
    };
    Client { address, is_shared: proxies.contains(address) || is_near(address) }
}

/// Goes from the nearest proxy outwards for as long as each address is a trusted proxy's, which wrote the next.
fn walk(peer: IpAddr, entries: impl Iterator<Item = Option<IpAddr>>, proxies: &Networks) -> IpAddr {
    let mut nearest = peer;
    for entry in entries.take(ENTRIES_MAX) {
        // An entry that cannot be read ends the walk, because entries further out may be the client's own.
        let Some(address) = entry else { return nearest };
        nearest = address;
        if !proxies.contains(address) {
            return nearest;
        }
    }
    nearest
}

/// The lines of a header, the last one first. One that is too long or no text cannot be read.
fn lines<'a>(headers: &'a HeaderMap, name: &'static HeaderName) -> impl Iterator<Item = Option<&'a str>> {
    let values: Vec<&HeaderValue> = headers.get_all(name).iter().collect();
    values.into_iter().rev().map(|value| value.to_str().ok().filter(|line| line.len() <= LINE_BYTES_MAX))
}

/// The entries of `X-Forwarded-For`, from the right.
fn addresses(headers: &HeaderMap) -> impl Iterator<Item = Option<IpAddr>> {
    lines(headers, &X_FORWARDED_FOR).flat_map(|line| match line {
        Some(line) => line.rsplit(',').map(node).collect::<Vec<_>>(),
        None => vec![None],
    })
}

/// The `for` of each element of `Forwarded`, from the right.
fn standard_addresses(headers: &HeaderMap) -> impl Iterator<Item = Option<IpAddr>> {
    lines(headers, &STANDARD).flat_map(|line| {
        let elements = line.and_then(|line| split_quoted(line, ','));
        match elements {
            Some(elements) => elements.into_iter().rev().map(for_of).collect(),
            None => vec![None],
        }
    })
}

/// Splits at a character outside of quotes. Returns `None` if a quote is not closed, because the rest of the line may belong inside.
fn split_quoted(text: &str, at: char) -> Option<Vec<&str>> {
    let (mut parts, mut start, mut quoted, mut escaped) = (vec![], 0, false, false);
    for (index, character) in text.char_indices() {
        match character {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            _ if character == at && !quoted => {
                parts.push(&text[start..index]);
                start = index + at.len_utf8();
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    (!quoted).then_some(parts)
}

fn for_of(element: &str) -> Option<IpAddr> {
    let mut found = split_quoted(element, ';')?.into_iter().filter_map(|pair| {
        let (name, value) = pair.split_once('=')?;
        name.trim().eq_ignore_ascii_case("for").then(|| value.trim())
    });
    let value = found.next().filter(|_| found.next().is_none())?;
    let bare = value.strip_prefix('"').map_or(Some(value), |rest| rest.strip_suffix('"'))?;
    node(bare)
}

/// An address with or without a port. IPv6 may stand in brackets.
fn node(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let bracketed = || text.strip_prefix('[')?.strip_suffix(']')?.parse::<Ipv6Addr>().ok().map(IpAddr::V6);
    let address = text.parse().ok().or_else(bracketed).or_else(|| Some(text.parse::<SocketAddr>().ok()?.ip()));
    address.map(|address: IpAddr| address.to_canonical())
}

impl FromRequestParts<State> for Client {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Client, Infallible> {
        // Without a connection, as when the router is called directly, the client is this process.
        let peer = parts.extensions.get::<Arc<Connection>>().map_or(Ipv6Addr::LOCALHOST.into(), |one| one.peer);
        let named = &state.proxies;
        let forwarded = parts.headers.contains_key(&X_FORWARDED_FOR) || parts.headers.contains_key(FORWARDED);
        if forwarded && !named.contains(peer) {
            state.unnamed_proxy.call_once(|| {
                warn!(%peer, "requests are forwarded by a proxy that TILL_TRUSTED_PROXIES does not name; limits per client do not work");
            });
        }
        Ok(client(peer, &parts.headers, named))
    }
}

#[cfg(test)]
mod tests;
