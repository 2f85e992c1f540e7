//! The footer: the reference, the support address and the choice of language.

use leptos::prelude::*;

use crate::lang::{Lang, LangChoice, plain};

/// The bottom of every page.
#[component]
pub fn Footer(
    /// The reference that support can look up.
    reference: Option<String>,
    /// The address to which shoppers can write.
    support_email: Option<String>,
    /// The address for the page in other languages, where it differs from the page's own address.
    elsewhere: Option<String>,
    /// The page's language.
    lang: LangChoice,
) -> impl IntoView {
    let words = lang.words();
    let page = elsewhere.unwrap_or_default();
    let others = Lang::ALL.into_iter().map(|other| language(&page, other, lang.lang)).collect_view();
    view! {
        <footer class="bottom">
            {reference
                .map(|reference| {
                    view! { <p>{words.reference} " " <bdi class="reference">{plain(&reference)}</bdi></p> }
                })}
            {support_email.map(|email| support(&plain(&email), words.help))}
            <p>{words.by_till}</p>
            <nav class="languages" aria-label=words.languages>
                {others}
            </nav>
        </footer>
    }
}

/// A `mailto:` link to the support address. The address is the merchant's text. Characters that RFC 6068 does not allow in an address are
/// encoded, so that the address can neither add a field to the message nor be cut short.
fn support(email: &str, help: &'static str) -> impl IntoView + use<> {
    let link = format!("mailto:{}", mailbox(email));
    view! { <p>{help} " " <a href=link><bdi>{email.to_owned()}</bdi></a></p> }
}

/// An address in the form that a `mailto:` link needs. The last `@` separates the local part from the domain.
fn mailbox(email: &str) -> String {
    match email.rsplit_once('@') {
        Some((local, domain)) => format!("{}@{}", encoded(local), encoded(domain)),
        None => encoded(email),
    }
}

fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~!$'*+".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

fn language(page: &str, lang: Lang, current: Lang) -> impl IntoView + use<> {
    let here = (lang == current).then_some("true");
    view! {
        <a href=format!("{page}?lang={}", lang.tag()) lang=lang.tag() hreflang=lang.tag() aria-current=here>
            {lang.name()}
        </a>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_stays_one_address_in_its_link() {
        assert_eq!(mailbox("o'brien+x@tea.example"), "o'brien+x@tea.example");
        assert_eq!(mailbox("a&b=c?d#e/f@tea.example"), "a%26b%3Dc%3Fd%23e%2Ff@tea.example");
        assert_eq!(mailbox("\"a@b\"@tea.example"), "%22a%40b%22@tea.example");
        assert_eq!(mailbox("hilfe@b\u{fc}cher.example"), "hilfe@b%C3%BCcher.example");
        assert_eq!(mailbox("a@b.example?bcc=c@d.example"), "a%40b.example%3Fbcc%3Dc@d.example");
    }
}
