//! Words for provider accounts that are refused. No text repeats a credential or an address, which may hold a password.

use connectors::SetupProblem;
use engine::problem::AccountProblem;

use super::tls;

pub(super) fn words(problem: &AccountProblem) -> String {
    match problem {
        AccountProblem::UnknownProvider { given, known } => {
            format!("unknown provider {given:?}; known: {}", known.join(", "))
        }
        AccountProblem::UnknownCredential { needed } => {
            format!("a credential has a name that this provider does not know; needed: {}", needed.join(", "))
        }
        AccountProblem::MissingCredential { name, needed } => {
            format!("the credential {name} is missing; needed: {}", needed.join(", "))
        }
        AccountProblem::Setup(problem) => setup(problem),
        AccountProblem::LiveNeedsHttps => {
            "a live account needs TILL_PUBLIC_URL, the https address at which the provider reaches this server"
                .to_owned()
        }
        AccountProblem::BaseUrl => {
            "--base-url is no usable address; it must look like https://api.example.com, with a path if need be and nothing after it; \
             http:// is for this machine only"
                .to_owned()
        }
        AccountProblem::OtherProvidersAddress { other, provider } => {
            format!("--base-url is an address of {other}, and this is an account at {provider}; leave it out")
        }
        AccountProblem::TooManySecrets { most } => format!("an account has at most {most} webhook secrets"),
        AccountProblem::TooManyAccounts { most } => format!("a merchant has at most {most} provider accounts"),
        AccountProblem::TlsNeedsHttps => {
            "--client-cert and --root are for an https address; --base-url is another".to_owned()
        }
        AccountProblem::Tls(problem) => tls::words(problem),
    }
}

/// A setting that is not of the provider's form.
fn setup(problem: &SetupProblem) -> String {
    match problem {
        SetupProblem::KeyForm { name, prefixes: [one, other], live, chars_min, shown } => {
            let mode = if *live { "live" } else { "test" };
            format!(
                "{name} must start with {one}_{mode}_ or {other}_{mode}_ for a {mode} account, followed by at least {chars_min} letters \
                 and digits, as {shown} shows it; to read it from a file, write @FILE"
            )
        }
        SetupProblem::KeyChars { name, chars_min, chars_max, shown } => format!(
            "{name} must be an API key from {shown}: {chars_min} to {chars_max} characters without blanks or quotes; to read it from a \
             file, write @FILE"
        ),
        SetupProblem::KeyForeign { name, provider, shown } => {
            format!("{name} is no API key of {provider}, or a shortened one; copy the whole key from {shown}")
        }
        SetupProblem::CodeIsKey { name } => {
            format!("{name} must be the code of a merchant account, not the API key")
        }
        SetupProblem::CodeForm { name, marks } => {
            format!("{name} must be the code of a merchant account: letters, digits, {marks}")
        }
        SetupProblem::SecretForm { prefix, chars_min, provider } => format!(
            "a webhook secret is {prefix}, followed by at least {chars_min} letters and digits, as {provider} shows it for the endpoint; \
             to read it from a file, write @FILE"
        ),
        SetupProblem::SecretHex { digits, shown } => format!(
            "an HMAC key has {digits} hexadecimal digits, as {shown} shows it when it is generated; to read it from a file, write @FILE"
        ),
        SetupProblem::KeyGuessable { name, shown } => {
            format!("{name} repeats itself, so that anybody can guess it; copy it from {shown}")
        }
        SetupProblem::SecretGuessable { shown } => {
            format!("the webhook secret repeats itself, so that anybody can guess it; copy a random one from {shown}")
        }
        SetupProblem::TestAddress { expected } => {
            format!("a live account needs --base-url with your own prefix: {expected}")
        }
        SetupProblem::LiveAddress => {
            "this address is for live accounts; add --live, or leave --base-url out for a test account".to_owned()
        }
    }
}
