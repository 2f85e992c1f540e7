//! Checks e-mail addresses: RFC 5321 and 6531 define the mailboxes that a shopper can write to. Address literals (`name@[192.0.2.1]`),
//! comments and host names without a dot are refused.

use url::Host;

use crate::error::Error;
use crate::host;
use crate::problem::MerchantProblem;

/// The most octets of an address (RFC 5321, 4.5.3.1.3, less the brackets) and of the part before the `@` (4.5.3.1.1).
const ADDRESS_BYTES_MAX: usize = 254;
const LOCAL_BYTES_MAX: usize = 64;

/// The address, with its domain in lower case.
pub(super) fn address(text: &str) -> Result<String, Error> {
    let problem = MerchantProblem::SupportEmail { local_bytes_max: LOCAL_BYTES_MAX, bytes_max: ADDRESS_BYTES_MAX };
    parsed(text.trim()).ok_or(Error::Merchant(problem))
}

fn parsed(text: &str) -> Option<String> {
    let (local, domain) = text.rsplit_once('@')?;
    let is_local = local.len() <= LOCAL_BYTES_MAX && (is_dotted(local) || is_quoted(local));
    let domain = domain_of(domain).filter(|_| is_local)?;
    let whole = format!("{local}@{domain}");
    (whole.len() <= ADDRESS_BYTES_MAX).then_some(whole)
}

/// Words joined by dots. Letters and digits of any script are allowed (RFC 6531); all other characters are ASCII.
fn is_dotted(local: &str) -> bool {
    let fits = |char: char| char.is_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(char);
    local.split('.').all(|word| !word.is_empty() && word.chars().all(fits))
}

/// Printable ASCII between quotes. A quote or a backslash inside needs a backslash before it.
fn is_quoted(local: &str) -> bool {
    let Some(inner) = local.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) else { return false };
    let mut chars = inner.chars();
    while let Some(char) = chars.next() {
        let fits = match char {
            '"' => false,
            '\\' => chars.next().is_some_and(|escaped| matches!(escaped, ' '..='~')),
            _ => matches!(char, ' '..='~'),
        };
        if !fits {
            return false;
        }
    }
    !inner.is_empty()
}

/// A host name of at least two parts, in lower case. International names are judged by their ASCII form and kept as written.
fn domain_of(text: &str) -> Option<String> {
    let Ok(Host::Domain(ascii)) = Host::parse(text) else { return None };
    let whole = ascii.contains('.') && ascii.len() < ADDRESS_BYTES_MAX && host::is_name(&ascii);
    let kept = text.to_lowercase();
    // Characters that the ASCII form drops would be invisible in the address that is shown.
    let shown = kept.chars().all(|char| char.is_alphanumeric() || matches!(char, '-' | '.') || is_mark(char));
    (whole && shown && !text.contains('%')).then_some(kept)
}

/// Marks that belong to the letter before them and that [`char::is_alphanumeric`] does not count: combining accents, and the virama and
/// similar signs of the scripts of India and South East Asia.
fn is_mark(char: char) -> bool {
    matches!(char, '\u{300}'..='\u{36f}' | '\u{900}'..='\u{dff}' | '\u{e31}'..='\u{e4e}' | '\u{f71}'..='\u{f84}' | '\u{1037}'..='\u{103a}' | '\u{17b4}'..='\u{17d3}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_kept_as_the_standard_reads_them() {
        for (written, kept) in [
            ("Help@Tea.Example", "Help@tea.example"),
            ("\"a@b\"@tea.example", "\"a@b\"@tea.example"),
            ("a@b.c.example", "a@b.c.example"),
            ("hilfe@bücher.example", "hilfe@bücher.example"),
            ("help@xn--bcher-kva.example", "help@xn--bcher-kva.example"),
            ("مساعدة@متجر.example", "مساعدة@متجر.example"),
        ] {
            assert_eq!(parsed(written).as_deref(), Some(kept), "{written}");
        }
        for odd in [
            "a@b",
            "a@b.",
            "a@.b",
            "a@b..c",
            "@b.c",
            "a.@b.c",
            "\"\"@b.c",
            "a@b%2ec.d",
            "a@１.２.３.４",
            "a@tea\u{ad}.example",
            "a\0@b.c",
        ] {
            assert_eq!(parsed(odd), None, "{odd:?}");
        }
    }
}
