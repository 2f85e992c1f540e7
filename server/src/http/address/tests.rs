use std::net::Ipv4Addr;

use axum::http::HeaderValue;
use proptest::prelude::*;

use super::*;

fn networks(text: &str) -> Networks {
    text.parse().unwrap()
}

fn headers(lines: &[(&'static str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in lines {
        headers.append(HeaderName::from_static(name), value.parse().unwrap());
    }
    headers
}

fn of(peer: &str, lines: &[(&'static str, &str)], proxies: &str) -> String {
    client(peer.parse().unwrap(), &headers(lines), &networks(proxies)).address.to_string()
}

#[test]
fn only_a_named_proxy_is_believed() {
    let told = [("x-forwarded-for", "203.0.113.9")];
    assert_eq!(of("198.51.100.1", &told, ""), "198.51.100.1");
    assert_eq!(of("198.51.100.1", &told, "10.0.0.0/8"), "198.51.100.1");
    assert_eq!(of("10.1.2.3", &told, "10.0.0.0/8"), "203.0.113.9");
    assert_eq!(of("::ffff:10.1.2.3", &told, "10.0.0.0/8"), "203.0.113.9", "the same proxy on a socket for both");
    assert_eq!(of("10.1.2.3", &[], "10.0.0.0/8"), "10.1.2.3");
}

#[test]
fn the_walk_goes_from_the_right_and_ends_at_the_first_stranger() {
    let cases = [
        ("6.6.6.6, 203.0.113.9, 10.0.0.2", "203.0.113.9"),
        ("6.6.6.6,203.0.113.9:1234,[2001:db8::9]:80", "2001:db8::9"),
        ("10.0.0.3, 10.0.0.2", "10.0.0.3"),
        ("203.0.113.9, unknown, 10.0.0.2", "10.0.0.1"),
        ("203.0.113.9, ", "10.0.0.1"),
        ("203.0.113.9, 10.0.0.256", "10.0.0.1"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
    ];
    for (line, expected) in cases {
        assert_eq!(of("10.0.0.1", &[("x-forwarded-for", line)], "10.0.0.0/8"), expected, "{line}");
    }
    let two = [("x-forwarded-for", "6.6.6.6"), ("x-forwarded-for", "203.0.113.9, 10.0.0.2")];
    assert_eq!(of("10.0.0.1", &two, "10.0.0.0/8"), "203.0.113.9", "the last line is the nearest proxy's");
}

#[test]
fn the_standard_header_is_read_with_its_quotes() {
    let cases = [
        ("for=192.0.2.60;proto=http;by=203.0.113.43", "192.0.2.60"),
        ("for=192.0.2.43, For=\"[2001:db8:cafe::17]:4711\"", "2001:db8:cafe::17"),
        ("for=\"192.0.2.43:47011\";host=\"a,b;for=6.6.6.6\"", "192.0.2.43"),
        ("for=192.0.2.43, for=_hidden", "10.0.0.1"),
        ("for=192.0.2.43;for=6.6.6.6", "10.0.0.1"),
        ("by=192.0.2.43", "10.0.0.1"),
        ("for=\"192.0.2.43, for=6.6.6.6", "6.6.6.6"),
        ("for=6.6.6.6;host=\"a\\\", for=192.0.2.43", "192.0.2.43"),
        ("for=192.0.2.43;host=\"a\\\"b,c\"", "192.0.2.43"),
    ];
    for (line, expected) in cases {
        assert_eq!(of("10.0.0.1", &[("forwarded", line)], "10.0.0.0/8"), expected, "{line}");
    }
    let agree = [("forwarded", "for=192.0.2.60"), ("x-forwarded-for", "192.0.2.60")];
    assert_eq!(of("10.0.0.1", &agree, "10.0.0.0/8"), "192.0.2.60");
    let forged = [("forwarded", "for=6.6.6.6"), ("x-forwarded-for", "192.0.2.60")];
    assert_eq!(of("10.0.0.1", &forged, "10.0.0.0/8"), "10.0.0.1", "one of the two is the client's own");
}

/// The address that a client counts for, or `None` if it does not count.
fn counted(lines: &[(&'static str, Vec<u8>)]) -> Option<String> {
    let mut headers = HeaderMap::new();
    for (name, value) in lines {
        headers.append(HeaderName::from_static(name), HeaderValue::from_bytes(value).unwrap());
    }
    let client = client("10.0.0.1".parse().unwrap(), &headers, &networks("10.0.0.0/8"));
    (!client.is_shared).then(|| client.address.to_string())
}

#[test]
fn no_client_escapes_its_limit_by_what_it_writes() {
    let real = b"203.0.113.9";
    let appended = |forged: &[u8]| vec![("x-forwarded-for", [forged, b", ", real].concat())];
    let own_line = |forged: &[u8]| vec![("x-forwarded-for", forged.to_vec()), ("x-forwarded-for", real.to_vec())];
    let junk: [&[u8]; 5] = [&[b'a'; 5_000], b"\xff\xfe", &[b','; 5_000], b"\"", &b"10.0.0.2,".repeat(40)];
    for forged in junk {
        assert_eq!(counted(&appended(forged)).as_deref(), Some("203.0.113.9"), "{}", String::from_utf8_lossy(forged));
        assert_eq!(counted(&own_line(forged)).as_deref(), Some("203.0.113.9"), "{}", String::from_utf8_lossy(forged));
        let standard = [forged, b", for=203.0.113.9"].concat();
        assert_eq!(counted(&[("forwarded", standard)]).as_deref(), Some("203.0.113.9"));
    }
    // The proxy's header cannot be told from the client's, so all these requests share the proxy's count.
    for forged in ["for=6.6.6.6", "for=\"x, y", "for=unknown", "", "proto=https"] {
        let both = [("forwarded", forged.as_bytes().to_vec()), ("x-forwarded-for", real.to_vec())];
        assert_eq!(counted(&both).as_deref(), Some("10.0.0.1"), "{forged}");
    }
    let unreadable: [&[u8]; 5] = [b"unknown", b"203.0.113.9,", b"", b"\xff", &b"10.0.0.2,".repeat(ENTRIES_MAX)];
    for odd in unreadable {
        let odd = [("x-forwarded-for", odd.to_vec())];
        assert_eq!(counted(&odd).as_deref(), Some("10.0.0.1"), "{odd:?}");
    }
}

#[test]
fn each_proxy_may_write_the_header_it_likes() {
    let told =
        |forwarded: &str, plain: &str| counted(&[("forwarded", forwarded.into()), ("x-forwarded-for", plain.into())]);
    assert_eq!(told("for=10.0.0.2", "203.0.113.9").as_deref(), Some("203.0.113.9"));
    assert_eq!(told("for=203.0.113.9", "10.0.0.2").as_deref(), Some("203.0.113.9"));
    assert_eq!(told("for=10.0.0.3", "10.0.0.2"), None, "a proxy that does not say for whom it asks");
}

#[test]
fn what_seems_to_be_an_unnamed_proxy_is_known() {
    let unnamed = |peer: &str, lines: &[(&'static str, &str)]| {
        client(peer.parse().unwrap(), &headers(lines), &networks("10.0.0.0/8")).unnamed.map(|one| one.to_string())
    };
    let plain = |line| [("x-forwarded-for", line)];
    assert_eq!(unnamed("192.168.0.1", &plain("203.0.113.9")).as_deref(), Some("192.168.0.1"));
    assert_eq!(unnamed("198.51.100.1", &[("forwarded", "for=203.0.113.9")]).as_deref(), Some("198.51.100.1"));
    assert_eq!(unnamed("10.0.0.1", &plain("203.0.113.9, 192.168.0.1")).as_deref(), Some("192.168.0.1"));
    assert_eq!(unnamed("10.0.0.1", &plain("\t, 192.168.0.1, 10.0.0.2")).as_deref(), Some("192.168.0.1"));
    for fine in ["192.168.0.1", "192.168.0.1, 10.0.0.2", "192.168.0.1, 203.0.113.9", "10.0.0.3, 10.0.0.2"] {
        assert_eq!(unnamed("10.0.0.1", &plain(fine)), None, "{fine}");
    }
    assert_eq!(unnamed("192.168.0.1", &[]), None);
}

#[test]
fn a_limit_never_counts_for_everybody() {
    let shared = |peer: &str, proxies| client(peer.parse().unwrap(), &HeaderMap::new(), &networks(proxies)).is_shared;
    assert!(shared("127.0.0.1", "") && shared("10.0.0.1", "") && shared("fd00::1", "") && shared("::1", ""));
    assert!(shared("198.51.100.7", "198.51.100.7"), "a proxy that does not say for whom it asks");
    assert!(!shared("198.51.100.7", "") && !shared("2001:db8::1", ""));
}

#[test]
fn settings_are_networks_or_say_why_not() {
    assert!(networks("").is_empty() && networks(" , ").is_empty());
    let all = networks("10.0.0.0/8, 192.0.2.7,2001:db8::/32 , ::1");
    for inside in ["10.255.0.1", "192.0.2.7", "2001:db8:ffff::1", "::1", "::ffff:10.0.0.1"] {
        assert!(all.contains(inside.parse().unwrap()), "{inside}");
    }
    for outside in ["11.0.0.1", "192.0.2.8", "2001:db9::1", "::2"] {
        assert!(!all.contains(outside.parse().unwrap()), "{outside}");
    }
    // A dual-stack socket shows a proxy's IPv4 address in IPv6 form.
    for mapped in
        ["::ffff:10.0.0.0/104", "::ffff:10.0.0.7", "::ffff:10.0.0.7/128", "::ffff:0:0/96", "::ffff:10.9.9.9/104"]
    {
        let inside = networks(mapped);
        assert!(inside.contains("10.0.0.7".parse().unwrap()), "{mapped}");
        assert!(inside.contains("::ffff:10.0.0.7".parse().unwrap()), "{mapped}");
        assert!(!inside.contains("2001:db8::1".parse().unwrap()), "{mapped}");
    }
    assert!(!networks("::ffff:10.0.0.0/104").contains("11.0.0.1".parse().unwrap()));
    for bad in ["localhost", "10.0.0.0/33", "10.0.0", "10.0.0.1;10.0.0.2", "0x7f.1", "2001:db8::/129"] {
        let error = bad.parse::<Networks>().unwrap_err().to_string();
        assert!(error.contains(bad) && error.contains("10.0.0.0/8"), "{error}");
    }
    let many = vec!["10.0.0.1"; NETWORKS_MAX + 1].join(",");
    assert_eq!(many.parse::<Networks>(), Err(NetworksError::TooMany));
}

fn an_address() -> impl Strategy<Value = IpAddr> {
    let v4 = any::<u32>().prop_map(|bits| IpAddr::V4(Ipv4Addr::from_bits(bits)));
    let v6 = any::<u128>().prop_map(|bits| IpAddr::V6(Ipv6Addr::from_bits(bits)));
    prop_oneof![v4, v6]
}

proptest! {
    #[test]
    fn what_a_client_writes_never_changes_who_it_is(
        forged in "[ -~]{0,300}",
        more in proptest::collection::vec("[ -~]{0,60}", 0..4),
        real in an_address(),
        own_line in any::<bool>(),
        standard in any::<bool>(),
    ) {
        let real = real.to_canonical();
        prop_assume!(!networks("10.0.0.0/8").contains(real));
        let name = if standard { "forwarded" } else { "x-forwarded-for" };
        let word = if standard { format!("for=\"{}\"", SocketAddr::new(real, 1)) } else { real.to_string() };
        let mut lines: Vec<(&'static str, String)> = more.into_iter().map(|line| (name, line)).collect();
        if own_line {
            lines.extend([(name, forged), (name, word)]);
        } else {
            lines.push((name, format!("{forged},{word}")));
        }
        let lines: Vec<_> = lines.iter().map(|(name, line)| (*name, line.as_str())).collect();
        let found = of("10.0.0.1", &lines, "10.0.0.0/8");
        prop_assert_eq!(found, real.to_string());
    }

    #[test]
    fn anything_can_be_read(plain in "\\PC{0,200}", standard in "[ -~]{0,200}", peer in an_address(), entries in 0usize..2_000) {
        let mut all = headers(&[("forwarded", &standard)]);
        if let Ok(value) = HeaderValue::from_str(&plain) {
            all.append("x-forwarded-for", value);
        }
        let long = vec!["10.0.0.2"; entries].join(",");
        all.append("x-forwarded-for", long.parse().unwrap());
        let proxies = networks("0.0.0.0/0,::/0");
        let _ = client(peer, &all, &proxies);
        let strangers = client(peer, &all, &Networks::default());
        prop_assert_eq!(strangers.address, peer.to_canonical());
    }

    #[test]
    fn one_network_of_64_bits_is_one_bucket(network in any::<u64>(), one in any::<u64>(), other in any::<u64>()) {
        let address = |host: u64| Ipv6Addr::from_bits(u128::from(network) << 64 | u128::from(host));
        prop_assume!([one, other].iter().all(|host| address(*host).to_ipv4_mapped().is_none()));
        prop_assert_eq!(bucket(address(one).into()), bucket(address(other).into()));
        let neighbour = Ipv6Addr::from_bits(u128::from(network ^ 1) << 64 | u128::from(one));
        prop_assume!(neighbour.to_ipv4_mapped().is_none());
        prop_assert_ne!(bucket(address(one).into()), bucket(neighbour.into()));
    }
}
