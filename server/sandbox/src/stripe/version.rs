//! API versions (Stripe API reference, Versioning): a date, followed by a release name since 2024.

/// The version of an account that has no other.
pub const DEFAULT: &str = "2026-10-28.endive";

/// The last version whose readers see a release as a refund.
pub const OLD: &str = "2025-02-24.acacia";

/// The date from which on a release is no refund (Stripe changelog 2025-03-31.basil).
const RELEASES_ARE_NO_REFUNDS: &str = "2025-03-31";

/// Whether readers on this version see the release of authorised money as a refund.
pub fn shows_releases(version: &str) -> bool {
    version < RELEASES_ARE_NO_REFUNDS
}

/// Whether a text has the shape `YYYY-MM-DD` or `YYYY-MM-DD.name`.
pub fn well_formed(version: &str) -> bool {
    let (date, name) = version.split_once('.').map_or((version, None), |(date, name)| (date, Some(name)));
    let shape = date.len() == 10
        && date.bytes().enumerate().all(
            |(at, byte)| {
                if at == 4 || at == 7 { byte == b'-' } else { byte.is_ascii_digit() }
            },
        );
    let named = name.is_none_or(|name| {
        (1..=40).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
    });
    shape && named
}

#[cfg(test)]
mod tests {
    #[test]
    fn versions_have_a_shape() {
        assert!(super::well_formed("2026-10-28.endive") && super::well_formed("2022-11-15"));
        for bad in ["", "latest", "2026-10-28.", "2026-1-28", "2026-10-28.End!ve", "2026/10/28"] {
            assert!(!super::well_formed(bad), "{bad}");
        }
    }

    #[test]
    fn the_change_is_between_two_versions() {
        assert!(super::shows_releases(super::OLD) && super::shows_releases("2022-11-15"));
        assert!(!super::shows_releases("2025-03-31.basil") && !super::shows_releases(super::DEFAULT));
    }
}
