//! Host names, as certificates and browsers know them.

use std::net::IpAddr;

use url::{Host, Url};

/// The most octets of one label of a name, in its ASCII form (RFC 1035, 2.3.4).
const LABEL_BYTES_MAX: usize = 63;
/// The most octets of a whole name, without the dot at its end (RFC 1035, 3.1).
const NAME_BYTES_MAX: usize = 253;

/// Whether a name in its ASCII form is a host name (RFC 1123, 2.1): labels of letters, digits and hyphens, separated by dots. No public
/// authority signs a certificate for a name with an underscore (CA/Browser Forum, Baseline Requirements, 7.1.4.2).
pub(crate) fn is_name(ascii: &str) -> bool {
    let is_label = |label: &str| {
        let made = label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        made && (1..=LABEL_BYTES_MAX).contains(&label.len()) && !label.starts_with('-') && !label.ends_with('-')
    };
    ascii.len() <= NAME_BYTES_MAX && ascii.split('.').all(is_label)
}

/// The reason why a web address cannot be reached on any network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HostProblem {
    /// The host is no full name.
    Name,
    /// The host is no address of one machine.
    NoMachine,
    /// The port is zero.
    PortZero,
}

/// Why a web address cannot be reached on any network; `None` if it can be reached.
#[must_use]
pub fn unreachable_host(url: &Url) -> Option<HostProblem> {
    let address = match url.host()? {
        Host::Domain(name) if !is_name(name) => return Some(HostProblem::Name),
        Host::Domain(_) => None,
        Host::Ipv4(address) => Some(IpAddr::V4(address)),
        Host::Ipv6(address) => Some(IpAddr::V6(address).to_canonical()),
    };
    let is_nowhere = |address: IpAddr| {
        address.is_unspecified() || address.is_multicast() || matches!(address, IpAddr::V4(v4) if v4.is_broadcast())
    };
    if address.is_some_and(is_nowhere) {
        return Some(HostProblem::NoMachine);
    }
    (url.port() == Some(0)).then_some(HostProblem::PortZero)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_hosts_are_told_from_others() {
        let long = format!("{}.example", "a".repeat(63));
        for good in ["example.com", "localhost", "xn--bcher-kva.example", "a-b.c", "1.example", &long] {
            assert!(is_name(good), "{good}");
        }
        let (label, whole) = (format!("{}.example", "a".repeat(64)), ["a"; 128].join("."));
        for bad in
            ["", ".", "a.", ".a", "a..b", "*.a", "a_b.c", "-a.b", "a-.b", "a b", "b\u{fc}cher.example", &label, &whole]
        {
            assert!(!is_name(bad), "{bad}");
        }
    }

    #[test]
    fn addresses_that_nobody_reaches_are_known() {
        let why = |text: &str| unreachable_host(&Url::parse(text).unwrap());
        for good in ["https://pay.example.com", "http://localhost:3000", "http://127.0.0.1:1", "https://[2001:db8::1]"]
        {
            assert_eq!(why(good), None, "{good}");
        }
        for bad in [
            "https://x:0",
            "https://*.x",
            "https://0.0.0.0",
            "https://[::]",
            "https://[::ffff:0.0.0.0]",
            "https://[ff02::1]",
        ] {
            assert!(why(bad).is_some(), "{bad}");
        }
    }
}
