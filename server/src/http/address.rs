//! The client's address: the remote end of the connection, or the address that a named proxy reports.
//!
//! Anyone can send `X-Forwarded-For` and `Forwarded` (RFC 7239). They are therefore read from the right, the end that
//! the nearest proxy writes, and only as long as each entry was written by a proxy that `TILL_TRUSTED_PROXIES` names.
//! Entries that a client writes further to the left cannot make the proxy's entry unreadable. If that entry cannot be
//! read, the client shares one count with all such clients.

use std::convert::Infallible;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::str::FromStr;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::header::{FORWARDED, HeaderName};
use axum::http::request::Parts;
use ipnet::{IpNet, Ipv4Net};
use thiserror::Error;
use tracing::warn;

use super::State;
use super::door::Connection;

static X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
/// The most entries of a header that are read. A request passes few proxies.
const ENTRIES_MAX: usize = 32;
/// The most bytes of a header that are read, from its end.
const TAIL_BYTES_MAX: usize = 4 * 1024;
/// The most networks in the setting.
const NETWORKS_MAX: usize = 256;

/// The setting of networks cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NetworksError {
    /// An entry is neither an address nor a network.
    #[error(
        "{0:?} is no address and no network; write addresses like 10.0.0.5 or 2001:db8::1 and networks like 10.0.0.0/8, with commas between"
    )]
    Word(String),
    /// The setting has too many networks.
    #[error("more than {most} networks; name larger ones", most = NETWORKS_MAX)]
    TooMany,
}

/// A set of networks, such as the trusted proxies' networks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Networks(Arc<[IpNet]>);

impl Networks {
    /// Whether an address is in one of the networks. An IPv4 address in IPv6 form counts as the IPv4 address.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(&address.to_canonical()))
    }

    /// Whether the set is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromStr for Networks {
    type Err = NetworksError;

    /// Reads addresses and networks, separated by commas.
    fn from_str(text: &str) -> Result<Self, NetworksError> {
        let words = text.split(',').map(str::trim).filter(|word| !word.is_empty());
        let network = |word: &str| {
            let single = || word.parse::<IpAddr>().map(IpNet::from);
            let read = word.parse().or_else(|_| single()).map(canonical);
            read.map_err(|_| NetworksError::Word(word.chars().take(64).collect()))
        };
        let networks = words.map(network).collect::<Result<Vec<_>, _>>()?;
        if networks.len() > NETWORKS_MAX { Err(NetworksError::TooMany) } else { Ok(Networks(networks.into())) }
    }
}

/// A network of IPv4 addresses in IPv6 form becomes the IPv4 network, because addresses are looked up in their
/// canonical form.
fn canonical(network: IpNet) -> IpNet {
    let IpNet::V6(v6) = network else { return network };
    let short = || Ipv4Net::new(v6.network().to_ipv4_mapped()?, v6.prefix_len().checked_sub(96)?).ok();
    short().map_or(network, IpNet::V4)
}

/// The address that a limit counts for: an IPv4 address, or an IPv6 network of 64 bits, the least that a customer has.
#[must_use]
pub fn bucket(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX))),
        v4 => v4,
    }
}

/// Whether an address is this machine's or of a private network. Such an address is more likely a proxy's than a
/// shopper's.
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
    /// The remote address of the connection, or the address that trusted proxies report.
    pub address: IpAddr,
    /// Whether many clients may share the address, as behind a proxy that was not named. Limits do not count for it.
    pub is_shared: bool,
    /// The address of a seeming proxy: it reports another address and is not named.
    pub unnamed: Option<IpAddr>,
}

/// The content of a header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Told {
    /// The first address that is not a named proxy's, and whether further entries follow it.
    Client(IpAddr, bool),
    /// All entries are named proxies; the value is the outermost.
    Proxies(IpAddr),
    /// A named proxy's entry is no address, or there are more entries than a request passes proxies.
    Unreadable,
}

/// The client of a request that came over a connection from `peer`.
#[must_use]
pub fn client(peer: IpAddr, headers: &HeaderMap, proxies: &Networks) -> Client {
    let peer = peer.to_canonical();
    let plain = || walk(tail(headers, &X_FORWARDED_FOR)?.rsplit(|byte| *byte == b',').map(node), proxies);
    let standard = || walk(rsplit_quoted(&tail(headers, &FORWARDED)?, b',').map(for_of), proxies);
    if !proxies.contains(peer) {
        let forwarded = headers.contains_key(&X_FORWARDED_FOR) || headers.contains_key(FORWARDED);
        return Client { address: peer, is_shared: is_near(peer), unnamed: forwarded.then_some(peer) };
    }
    let told = match (plain(), standard()) {
        (None, None) => Told::Proxies(peer),
        (Some(one), None) | (None, Some(one)) => one,
        // One proxy wrote one header, and the next proxy wrote the other.
        (Some(client @ Told::Client(..)), Some(Told::Proxies(_))) => client,
        (Some(Told::Proxies(_)), Some(client @ Told::Client(..))) => client,
        (Some(Told::Client(plain, further)), Some(Told::Client(standard, _))) if plain == standard => {
            Told::Client(plain, further)
        }
        (Some(proxies @ Told::Proxies(_)), Some(Told::Proxies(_))) => proxies,
        // A proxy that writes only one of the two passes the client's version of the other on. The two cannot be told
        // apart.
        _ => Told::Unreadable,
    };
    match told {
        Told::Client(address, further) => {
            let is_shared = is_near(address);
            Client { address, is_shared, unnamed: (is_shared && further).then_some(address) }
        }
        Told::Proxies(address) => Client { address, is_shared: true, unnamed: None },
        // A client can cause this case, so it must not escape the limits. All such clients share the proxy's count.
        Told::Unreadable => Client { address: peer, is_shared: false, unnamed: None },
    }
}

/// Reads from the nearest proxy outwards as long as each address is a trusted proxy's, which wrote the next entry.
fn walk(mut entries: impl Iterator<Item = Option<IpAddr>>, proxies: &Networks) -> Option<Told> {
    let mut outermost = None;
    for _ in 0..ENTRIES_MAX {
        match entries.next() {
            Some(Some(address)) if proxies.contains(address) => outermost = Some(address),
            Some(Some(address)) => return Some(Told::Client(address, entries.next().is_some())),
            // Entries further out may be the client's own.
            Some(None) => return Some(Told::Unreadable),
            None => return Some(outermost.map_or(Told::Unreadable, Told::Proxies)),
        }
    }
    Some(entries.next().map_or(outermost.map_or(Told::Unreadable, Told::Proxies), |_| Told::Unreadable))
}

/// The end of a header with its lines joined, as bytes: the part that a client wrote need not be text. `None` if the
/// header is missing.
fn tail(headers: &HeaderMap, name: &HeaderName) -> Option<Vec<u8>> {
    let lines: Vec<&[u8]> = headers.get_all(name).iter().map(|value| value.as_bytes()).collect();
    let whole = lines.join(&b',');
    (!lines.is_empty()).then(|| whole[whole.len().saturating_sub(TAIL_BYTES_MAX)..].to_vec())
}

/// Splits at a byte outside of quotes, from the right. An unclosed quote further to the left does not change the parts
/// to its right.
fn rsplit_quoted(text: &[u8], at: u8) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let mut quoted = false;
        for index in (0..text.len()).rev() {
            match text[index] {
                b'"' if !is_escaped(&text[..index]) => quoted = !quoted,
                byte if byte == at && !quoted => {
                    rest = Some(&text[..index]);
                    return Some(&text[index + 1..]);
                }
                _ => {}
            }
        }
        rest = None;
        Some(text)
    })
}

/// Whether a backslash escapes the byte after these.
fn is_escaped(before: &[u8]) -> bool {
    before.iter().rev().take_while(|byte| **byte == b'\\').count() % 2 == 1
}

/// The address in the only `for` of an element of `Forwarded`.
fn for_of(element: &[u8]) -> Option<IpAddr> {
    let mut found = rsplit_quoted(element, b';').filter_map(|pair| {
        let (name, value) = std::str::from_utf8(pair).ok()?.split_once('=')?;
        name.trim().eq_ignore_ascii_case("for").then(|| value.trim())
    });
    let value = found.next().filter(|_| found.next().is_none())?;
    let bare = value.strip_prefix('"').map_or(Some(value), |rest| rest.strip_suffix('"'))?;
    node(bare.as_bytes())
}

/// An address with or without a port. IPv6 may stand in brackets.
fn node(text: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(text).ok()?.trim();
    let bracketed = || text.strip_prefix('[')?.strip_suffix(']')?.parse::<Ipv6Addr>().ok().map(IpAddr::V6);
    let address = text.parse().ok().or_else(bracketed).or_else(|| Some(text.parse::<SocketAddr>().ok()?.ip()));
    address.map(|address: IpAddr| address.to_canonical())
}

impl FromRequestParts<State> for Client {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Client, Infallible> {
        // Without a connection, as when the router is called directly, the client is this process.
        let peer = parts.extensions.get::<Arc<Connection>>().map_or(Ipv6Addr::LOCALHOST.into(), |one| one.peer);
        let client = client(peer, &parts.headers, &state.proxies);
        if let Some(proxy) = client.unnamed {
            let say = || {
                warn!(%proxy, "requests are forwarded by a proxy that TILL_TRUSTED_PROXIES does not name; limits per client do not work");
            };
            // Any client can send such a header to a server without a proxy, so the warning is logged once.
            if is_near(proxy) { state.unnamed_proxy.seldom(say) } else { state.forwarding_stranger.call_once(say) }
        }
        Ok(client)
    }
}

#[cfg(test)]
mod tests;
