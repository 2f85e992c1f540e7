//! The codes of errors: stable words for programs, in one table.

use std::fmt::Write;

use connectors::{AmountRule, Fail, SetupProblem};
use domain::line::LineError;
use domain::money::MoneyError;
use domain::order::OrderError;
use domain::payment::{NotNow, Refusal};

use super::{CallError, Error, Later, Raced, Thing};
use crate::problem::{AccountProblem, DatabaseProblem, LinkProblem, MerchantProblem, MoneyProblem, Obstacle, Settled};
use crate::seal::SealError;
use crate::tls::TlsProblem;
use crate::transport::TransportError;

/// The class of a code: what a program can do about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// The request is wrong. The same request fails again.
    Invalid,
    /// The thing does not exist, or not for the one who asks.
    NotFound,
    /// The state of the thing does not allow the request.
    Conflict,
    /// The same request may succeed later.
    Later,
    /// Another request was first. What it did stands.
    Raced,
    /// The provider refused, or its answer is unknown.
    Provider,
    /// The installation needs its operator.
    Internal,
}

impl Class {
    /// The class as programs read it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Class::Invalid => "invalid",
            Class::NotFound => "not_found",
            Class::Conflict => "conflict",
            Class::Later => "later",
            Class::Raced => "raced",
            Class::Provider => "provider",
            Class::Internal => "internal",
        }
    }
}

/// The table: each code with its text, its class and its meaning.
macro_rules! codes {
    ($($name:ident $text:literal $class:ident $meaning:literal;)*) => {
        /// A code.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Code {
            $(#[doc = $meaning] $name,)*
        }

        impl Code {
            /// Every code.
            pub const ALL: &[Code] = &[$(Code::$name),*];

            /// The code as programs read it.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Code::$name => $text,)*
                }
            }

            /// The class.
            #[must_use]
            pub fn class(self) -> Class {
                match self {
                    $(Code::$name => Class::$class,)*
                }
            }

            fn meaning(self) -> &'static str {
                match self {
                    $(Code::$name => $meaning,)*
                }
            }
        }
    };
}

codes! {
    DatabaseError "database_error" Internal "The database refused an operation or cannot be reached.";
    MigrationFailed "migration_failed" Internal "The structure of the database cannot be brought up to date.";
    CorruptValue "corrupt_value" Internal "A stored value is not what this version writes.";
    DatabaseAddress "database_address" Invalid "The address of the database names neither SQLite nor PostgreSQL.";
    DatabaseSilent "database_silent" Later "The database does not answer.";
    DatabaseEncoding "database_encoding" Invalid "The encoding of the database cannot hold every character.";
    CopyNotSqlite "copy_not_sqlite" Invalid "Only an SQLite database can be copied.";
    CopyName "copy_name" Invalid "The name of the copy is not UTF-8.";
    CopyBroken "copy_broken" Internal "The copy of the database is not whole.";
    PaymentSettled "payment_settled" Conflict "The payment has already succeeded.";
    PaymentAuthorised "payment_authorised" Conflict "The payment is authorised.";
    PaymentCanceled "payment_canceled" Conflict "The payment was canceled.";
    PaymentOverdrawn "payment_overdrawn" Conflict "More of the payment has gone back than was taken.";
    AttemptLive "attempt_live" Conflict "Another attempt can still move money.";
    AttemptInProgress "attempt_in_progress" Later "The outcome of an attempt is open.";
    AttemptForeign "attempt_of_other_payment" NotFound "The attempt is not one of the payment's.";
    AttemptAmbiguous "attempt_ambiguous" Invalid "Several attempts are possible, and none was named.";
    AmountMismatch "amount_mismatch" Conflict "The provider reports another amount or currency than the payment's.";
    ReferenceContradiction "reference_contradiction" Conflict "The provider's references are those of another attempt.";
    AmountAboveRest "amount_above_rest" Invalid "The amount exceeds what is left.";
    AmountNotPositive "amount_not_positive" Invalid "The amount is not above zero.";
    TooManyModifications "too_many_modifications" Conflict "The attempt has as many captures and refunds as it can.";
    ModificationUnderWay "modification_under_way" Later "A capture, void or refund is open.";
    AlreadyCaptured "already_captured" Conflict "All that was authorised has been captured, or the rest was released.";
    PartlyCaptured "partly_captured" Conflict "A part of the authorisation has been captured.";
    AlreadyVoided "already_voided" Conflict "The authorisation has been released, or is being released.";
    NothingAuthorised "nothing_authorised" Conflict "The payment has no authorised amount.";
    OnlyAuthorised "only_authorised" Conflict "The money is authorised and not captured.";
    NothingCaptured "nothing_captured" Conflict "The payment has no captured amount.";
    AlreadyRefunded "already_refunded" Conflict "All that was captured has gone back, or a bank holds it.";
    WholeCaptureOnly "whole_capture_only" Invalid "The provider captures the whole amount only.";
    OneCaptureOnly "one_capture_only" Invalid "The provider captures once and releases the rest.";
    WholeRefundOnly "whole_refund_only" Invalid "The provider refunds the whole amount only.";
    TwinImpossible "twin_impossible" Conflict "A second payment on one page must begin as a new attempt that is closed.";
    RuleBreach "rule_breach" Internal "The change would break a rule that protects money.";
    NothingToKeep "nothing_to_keep" Conflict "No money beyond the debt can be kept.";
    KeyTaken "key_taken" Conflict "The idempotency key names another request.";
    RequestRepeated "request_repeated" Conflict "An equal request is recent and has not failed.";
    PaymentNotNamed "payment_not_named" Later "The provider has not named the payment yet.";
    MerchantNotFound "merchant_not_found" NotFound "There is no such merchant.";
    KeyNotFound "key_not_found" NotFound "There is no such active API key.";
    AccountNotFound "account_not_found" NotFound "There is no such provider account.";
    ConnectorNotFound "connector_not_found" Internal "A stored account has a provider that this version does not know.";
    LinkNotFound "link_not_found" NotFound "There is no such link.";
    OrderNotFound "order_not_found" NotFound "There is no such order.";
    SessionNotFound "session_not_found" NotFound "There is no such session.";
    PaymentNotFound "payment_not_found" NotFound "There is no such payment.";
    AttemptNotFound "attempt_not_found" NotFound "There is no such attempt.";
    ModificationNotFound "modification_not_found" NotFound "There is no such capture, void or refund.";
    MovementNotFound "movement_not_found" NotFound "There is no capture, refund, dispute or return with this id or reference.";
    DeliveryNotFound "delivery_not_found" NotFound "There is no such delivery.";
    AlertNotFound "alert_not_found" NotFound "There is no such alert.";
    JobNotFound "job_not_found" NotFound "There is no such job that could be run now.";
    JobKindNotFound "job_kind_not_found" Internal "A stored job is of a kind that this version does not know.";
    RowNotFound "row_not_found" NotFound "The list has no such row to begin after.";
    LinesMissing "lines_missing" Invalid "The order has no lines.";
    TooManyLines "too_many_lines" Invalid "The order has too many lines.";
    LineText "line_text" Invalid "The name or description of a line is no printable text, or too long.";
    LineQuantity "line_quantity" Invalid "The quantity of a line is out of bounds.";
    LinePrice "line_price" Invalid "The price of a line is negative.";
    TotalZero "total_zero" Invalid "The total is zero.";
    CurrencyMismatch "currency_mismatch" Invalid "Amounts of different currencies do not go together.";
    AmountTooLarge "amount_too_large" Invalid "The amount is too large.";
    AmountUnreadable "amount_unreadable" Invalid "The text is no amount in the currency.";
    RateOutOfRange "rate_out_of_range" Invalid "The rate is no percentage from 0 to 100 with at most four decimals.";
    DiscountOutOfRange "discount_out_of_range" Invalid "The discount is not above zero, or leaves nothing to pay.";
    AmountNegative "amount_negative" Invalid "A shipping price or tip is negative.";
    TextUnprintable "text_unprintable" Invalid "A text is empty, too long, or has control characters.";
    TooManyEntries "too_many_entries" Invalid "The order has too many metadata keys or fields.";
    AddressNotHttps "address_not_https" Invalid "A return address is no https address, or too long.";
    CurrencyNotTaken "currency_not_taken" Invalid "The provider does not take the currency.";
    MethodNotTaken "method_not_taken" Invalid "The provider does not take the method in this currency.";
    AmountStep "amount_step" Invalid "The provider counts the currency in larger steps.";
    AmountBelowMinimum "amount_below_minimum" Invalid "The amount is below the provider's minimum.";
    AmountAboveMaximum "amount_above_maximum" Invalid "The amount is above the provider's maximum.";
    MerchantName "merchant_name" Invalid "The merchant's name is no printable text, or too long.";
    SupportEmail "support_email" Invalid "The support e-mail is not one address.";
    ProviderUnknown "provider_unknown" Invalid "There is no connector for the provider.";
    CredentialUnknown "credential_unknown" Invalid "The provider knows no credential of this name.";
    CredentialMissing "credential_missing" Invalid "A credential is missing.";
    CredentialForm "credential_form" Invalid "A credential is not of the provider's form or not for the account's mode.";
    CredentialForeign "credential_foreign" Invalid "A credential is another provider's, was shortened, or belongs to another name.";
    WebhookSecretForm "webhook_secret_form" Invalid "A webhook secret is not of the provider's form.";
    CredentialGuessable "credential_guessable" Invalid "A credential can be guessed.";
    WebhookSecretGuessable "webhook_secret_guessable" Invalid "A webhook secret can be guessed.";
    AddressOfOtherMode "address_of_other_mode" Invalid "The address of the API is for the other mode.";
    AddressUnusable "address_unusable" Invalid "The address of the API cannot be used.";
    AddressOfOtherProvider "address_of_other_provider" Invalid "The address of the API is another provider's.";
    PublicUrlNotHttps "public_url_not_https" Invalid "A live account needs an https address of this installation.";
    TooManyWebhookSecrets "too_many_webhook_secrets" Invalid "The account has as many webhook secrets as it can.";
    TooManyAccounts "too_many_accounts" Invalid "The merchant has as many provider accounts as it can.";
    TlsNeedsHttps "tls_needs_https" Invalid "TLS settings need an https address.";
    TlsIncomplete "tls_incomplete" Invalid "A certificate is given without its key, or a key without its certificate.";
    TlsCertificate "tls_certificate" Invalid "A text is no certificate, or a certificate cannot be a root.";
    TlsTooMany "tls_too_many" Invalid "There are too many certificates or roots.";
    TlsExpired "tls_expired" Invalid "A certificate has expired or is not valid yet.";
    TlsKey "tls_key" Invalid "The key of the certificate cannot be read or used.";
    TlsKeyOfOther "tls_key_of_other" Invalid "The key is another certificate's.";
    CaptureLaterNotOffered "capture_later_not_offered" Conflict "A provider account cannot capture later than it authorises.";
    NoAccount "no_account" Conflict "The merchant has no enabled provider account in this mode.";
    OrderNotTaken "order_not_taken" Conflict "No enabled provider account takes the order.";
    LinkOff "link_off" Conflict "The link is switched off.";
    ProviderRefused "provider_refused" Provider "The provider refused the request and did nothing.";
    ProviderCredentials "provider_credentials" Provider "The provider did not accept the credentials and did nothing.";
    ProviderTurnedAway "provider_turned_away" Provider "The credentials were not accepted, but not in the provider's own words.";
    ProviderUnsupported "provider_unsupported" Provider "The provider does not support the request.";
    ProviderRateLimited "provider_rate_limited" Later "The provider asks for fewer requests.";
    ProviderUnsure "provider_unsure" Provider "The outcome at the provider is unknown.";
    ProviderUnreachable "provider_unreachable" Provider "The request did not reach the provider.";
    ProviderLost "provider_lost" Provider "The reply of the provider was lost.";
    ProviderReplyTooLarge "provider_reply_too_large" Provider "The reply of the provider is too large.";
    PageNotOpen "page_not_open" Later "The provider's page is not open yet.";
    NotAnswered "not_answered" Later "The provider has not answered a capture, void or refund yet.";
    NoEvents "no_events" Later "The provider listed no events.";
    InboxFull "inbox_full" Later "The inbox is full, or the database does not answer.";
    WorkPanicked "work_panicked" Internal "Background work panicked and is repeated.";
    WorkTookTooLong "work_took_too_long" Later "Background work took too long and is repeated.";
    NewsLost "news_lost" Later "The connection that brings other servers' news is lost.";
    DeliveriesRaced "deliveries_raced" Raced "Another server has settled some of the deliveries.";
    SealingRaced "sealing_raced" Raced "Other requests changed an account each time it was to be sealed again.";
    SealedOtherKey "sealed_other_key" Internal "Credentials are sealed under a master key that is not given.";
    SealedDamaged "sealed_damaged" Internal "Sealed credentials are damaged.";
}

/// The text of `docs/ERRORS.md`.
#[must_use]
pub fn document() -> String {
    let mut text = String::from(
        "# Error codes\n\nGenerated from `engine::Code` by `cargo run -p engine --example errors > docs/ERRORS.md`; a test fails when the \
         two differ. The API\nwill answer with these codes; the command line has its own words for each. A code keeps its meaning.\n\n\
         | class | what a program can do |\n|---|---|\n\
         | `invalid` | change the request |\n\
         | `not_found` | the thing does not exist, or belongs to another merchant or mode |\n\
         | `conflict` | look at the state of the thing first |\n\
         | `later` | repeat the request later |\n\
         | `raced` | another request was first, and what it did stands |\n\
         | `provider` | look at the payment: the provider refused, or its answer is unknown |\n\
         | `internal` | the installation needs its operator |\n\n\
         | code | class | meaning |\n|---|---|---|\n",
    );
    for code in Code::ALL {
        let _ = writeln!(text, "| `{}` | {} | {} |", code.as_str(), code.class().as_str(), code.meaning());
    }
    text
}

impl Error {
    /// The error's code, which programs can rely on.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.kind().as_str()
    }

    /// The error's class.
    #[must_use]
    pub fn class(&self) -> Class {
        self.kind().class()
    }

    fn kind(&self) -> Code {
        match self {
            Error::Store(_) => Code::DatabaseError,
            Error::Migrate(_) => Code::MigrationFailed,
            Error::Corrupt(_) => Code::CorruptValue,
            Error::Database(problem) => database(problem),
            Error::Refused(refusal) => refused(refusal),
            Error::NotFound(thing) => not_found(thing),
            Error::Order(error) => order(error),
            Error::Amount(rule) => amount(rule),
            Error::Merchant(MerchantProblem::Name { .. }) => Code::MerchantName,
            Error::Merchant(MerchantProblem::SupportEmail { .. }) => Code::SupportEmail,
            Error::Account(problem) => account(problem),
            Error::Link(LinkProblem::CannotCaptureLater) => Code::CaptureLaterNotOffered,
            Error::Link(LinkProblem::NoAccount { .. }) => Code::NoAccount,
            Error::Link(LinkProblem::NotTaken { .. }) => Code::OrderNotTaken,
            Error::Link(LinkProblem::Off(_)) => Code::LinkOff,
            Error::Money(problem) => money(problem),
            Error::Provider(error) => provider(error),
            Error::Later(later) => of_later(later),
            Error::Raced(Raced::Deliveries) => Code::DeliveriesRaced,
            Error::Raced(Raced::Sealing(_)) => Code::SealingRaced,
            Error::Seal(SealError::OtherKey) => Code::SealedOtherKey,
            Error::Seal(SealError::Damaged) => Code::SealedDamaged,
        }
    }
}

fn database(problem: &DatabaseProblem) -> Code {
    match problem {
        DatabaseProblem::Address => Code::DatabaseAddress,
        DatabaseProblem::Silent { .. } => Code::DatabaseSilent,
        DatabaseProblem::Encoding(_) => Code::DatabaseEncoding,
        DatabaseProblem::CopyNotSqlite => Code::CopyNotSqlite,
        DatabaseProblem::CopyName => Code::CopyName,
        DatabaseProblem::CopyBroken(_) => Code::CopyBroken,
    }
}

fn refused(refusal: &Refusal) -> Code {
    match refusal {
        Refusal::Settled => Code::PaymentSettled,
        Refusal::Canceled => Code::PaymentCanceled,
        Refusal::Live(_) => Code::AttemptLive,
        Refusal::NoSuchAttempt(_) => Code::AttemptForeign,
        Refusal::InProgress(_) => Code::AttemptInProgress,
        Refusal::Mismatch { .. } => Code::AmountMismatch,
        Refusal::Contradiction(_) => Code::ReferenceContradiction,
        Refusal::TooMuch { .. } => Code::AmountAboveRest,
        Refusal::NotNow(why) => not_now(*why),
        Refusal::Breach(_) => Code::RuleBreach,
    }
}

fn not_now(why: NotNow) -> Code {
    match why {
        NotNow::TooMany => Code::TooManyModifications,
        NotNow::Voiding | NotNow::CaptureOpen(_) | NotNow::Capturing => Code::ModificationUnderWay,
        NotNow::Voided => Code::AlreadyVoided,
        NotNow::Captured | NotNow::RefundInstead => Code::AlreadyCaptured,
        NotNow::NothingAuthorised => Code::NothingAuthorised,
        NotNow::WholeCaptureOnly => Code::WholeCaptureOnly,
        NotNow::OneCaptureOnly => Code::OneCaptureOnly,
        NotNow::WholeRefundOnly => Code::WholeRefundOnly,
        NotNow::NotPositive => Code::AmountNotPositive,
        NotNow::NoSuchModification => Code::ModificationNotFound,
        NotNow::Overdrawn => Code::PaymentOverdrawn,
        NotNow::NoTwin => Code::TwinImpossible,
    }
}

fn not_found(thing: &Thing) -> Code {
    match thing {
        Thing::Merchant(_) => Code::MerchantNotFound,
        Thing::ActiveKey(_) => Code::KeyNotFound,
        Thing::Account(_) => Code::AccountNotFound,
        Thing::Connector(_) => Code::ConnectorNotFound,
        Thing::Link(_) => Code::LinkNotFound,
        Thing::Order(_) => Code::OrderNotFound,
        Thing::Session(_) => Code::SessionNotFound,
        Thing::Payment(_) => Code::PaymentNotFound,
        Thing::Attempt(_) => Code::AttemptNotFound,
        Thing::Modification(_) => Code::ModificationNotFound,
        Thing::Movement(_) => Code::MovementNotFound,
        Thing::Delivery(_) => Code::DeliveryNotFound,
        Thing::Alert { .. } => Code::AlertNotFound,
        Thing::Job(_) => Code::JobNotFound,
        Thing::JobKind(_) => Code::JobKindNotFound,
        Thing::Row(_) => Code::RowNotFound,
    }
}

fn order(error: &OrderError) -> Code {
    match error {
        OrderError::Line(LineError::Empty) => Code::LinesMissing,
        OrderError::Line(LineError::TooMany) => Code::TooManyLines,
        OrderError::Line(LineError::Name) => Code::LineText,
        OrderError::Line(LineError::Quantity) => Code::LineQuantity,
        OrderError::Line(LineError::Price) => Code::LinePrice,
        OrderError::Line(LineError::Free) => Code::TotalZero,
        OrderError::Line(LineError::Money(error)) | OrderError::Money(error) => match error {
            MoneyError::CurrencyMismatch(..) => Code::CurrencyMismatch,
            MoneyError::TooLarge(_) => Code::AmountTooLarge,
            MoneyError::Unreadable(..) => Code::AmountUnreadable,
        },
        OrderError::Rate => Code::RateOutOfRange,
        OrderError::Discount => Code::DiscountOutOfRange,
        OrderError::Negative(_) => Code::AmountNegative,
        OrderError::Text { .. } => Code::TextUnprintable,
        OrderError::TooMany { .. } => Code::TooManyEntries,
        OrderError::Address(_) => Code::AddressNotHttps,
    }
}

fn amount(rule: &AmountRule) -> Code {
    match rule {
        AmountRule::Currency(..) => Code::CurrencyNotTaken,
        AmountRule::Method(..) => Code::MethodNotTaken,
        AmountRule::Step { .. } => Code::AmountStep,
        AmountRule::TooSmall(..) => Code::AmountBelowMinimum,
        AmountRule::TooLarge(..) => Code::AmountAboveMaximum,
        AmountRule::Line { rule, .. } => amount(rule),
    }
}

fn account(problem: &AccountProblem) -> Code {
    match problem {
        AccountProblem::UnknownProvider { .. } => Code::ProviderUnknown,
        AccountProblem::UnknownCredential { .. } => Code::CredentialUnknown,
        AccountProblem::MissingCredential { .. } => Code::CredentialMissing,
        AccountProblem::Setup(problem) => setup(problem),
        AccountProblem::LiveNeedsHttps => Code::PublicUrlNotHttps,
        AccountProblem::BaseUrl => Code::AddressUnusable,
        AccountProblem::OtherProvidersAddress { .. } => Code::AddressOfOtherProvider,
        AccountProblem::TooManySecrets { .. } => Code::TooManyWebhookSecrets,
        AccountProblem::TooManyAccounts { .. } => Code::TooManyAccounts,
        AccountProblem::TlsNeedsHttps => Code::TlsNeedsHttps,
        AccountProblem::Tls(problem) => tls(problem),
    }
}

fn setup(problem: &SetupProblem) -> Code {
    match problem {
        SetupProblem::KeyForm { .. } | SetupProblem::KeyChars { .. } | SetupProblem::CodeForm { .. } => {
            Code::CredentialForm
        }
        SetupProblem::KeyForeign { .. } | SetupProblem::CodeIsKey { .. } => Code::CredentialForeign,
        SetupProblem::SecretForm { .. } | SetupProblem::SecretHex { .. } => Code::WebhookSecretForm,
        SetupProblem::KeyGuessable { .. } => Code::CredentialGuessable,
        SetupProblem::SecretGuessable { .. } => Code::WebhookSecretGuessable,
        SetupProblem::TestAddress { .. } | SetupProblem::LiveAddress => Code::AddressOfOtherMode,
    }
}

fn tls(problem: &TlsProblem) -> Code {
    match problem {
        TlsProblem::TooManyRoots { .. } | TlsProblem::TooManyCertificates { .. } => Code::TlsTooMany,
        TlsProblem::NotARoot | TlsProblem::NotACertificate(_) => Code::TlsCertificate,
        TlsProblem::Without { .. } => Code::TlsIncomplete,
        TlsProblem::NotAKey | TlsProblem::KeyKind => Code::TlsKey,
        TlsProblem::OtherKey => Code::TlsKeyOfOther,
        TlsProblem::Expired { .. } | TlsProblem::NotYet { .. } => Code::TlsExpired,
    }
}

fn money(problem: &MoneyProblem) -> Code {
    match problem {
        MoneyProblem::OtherAttempt { .. } => Code::AttemptForeign,
        MoneyProblem::WhichAttempt { .. } => Code::AttemptAmbiguous,
        MoneyProblem::NotPossible { obstacle, .. } => match obstacle {
            Obstacle::UnderWay(_) => Code::ModificationUnderWay,
            Obstacle::AllTaken => Code::AlreadyCaptured,
            Obstacle::PartsTaken(_) => Code::PartlyCaptured,
            Obstacle::Released => Code::AlreadyVoided,
            Obstacle::NothingAuthorised => Code::NothingAuthorised,
            Obstacle::AllGoneBack => Code::AlreadyRefunded,
            Obstacle::OnlyAuthorised(_) => Code::OnlyAuthorised,
            Obstacle::NothingCaptured => Code::NothingCaptured,
        },
        MoneyProblem::NothingToKeep(_) => Code::NothingToKeep,
        MoneyProblem::Settled(Settled::Succeeded(_) | Settled::InPart(_)) => Code::PaymentSettled,
        MoneyProblem::Settled(Settled::Authorised(_) | Settled::NotNow) => Code::PaymentAuthorised,
        MoneyProblem::Settled(Settled::UnderWay(_)) => Code::ModificationUnderWay,
        MoneyProblem::InProgress { .. } => Code::AttemptInProgress,
        MoneyProblem::KeyTaken { .. } => Code::KeyTaken,
        MoneyProblem::Repeated { .. } => Code::RequestRepeated,
        MoneyProblem::NotNamed { .. } => Code::PaymentNotNamed,
    }
}

fn provider(error: &CallError) -> Code {
    match error {
        CallError::Fail(Fail::Refused(_)) => Code::ProviderRefused,
        CallError::Fail(Fail::Unauthorized(_)) => Code::ProviderCredentials,
        CallError::Fail(Fail::TurnedAway(_)) => Code::ProviderTurnedAway,
        CallError::Fail(Fail::Unsupported(_)) => Code::ProviderUnsupported,
        CallError::Fail(Fail::RateLimited(_)) => Code::ProviderRateLimited,
        CallError::Fail(Fail::Unsure(_)) => Code::ProviderUnsure,
        CallError::Transport(TransportError::NotSent(_)) => Code::ProviderUnreachable,
        CallError::Transport(TransportError::Lost(_)) => Code::ProviderLost,
        CallError::Transport(TransportError::TooLarge(_)) => Code::ProviderReplyTooLarge,
    }
}

fn of_later(later: &Later) -> Code {
    match later {
        Later::NotOpen(_) => Code::PageNotOpen,
        Later::NotAnswered { .. } => Code::NotAnswered,
        Later::NoEvents(_) => Code::NoEvents,
        Later::InboxFull => Code::InboxFull,
        Later::Panicked => Code::WorkPanicked,
        Later::TookTooLong(_) => Code::WorkTookTooLong,
        Later::NewsClosed | Later::NewsSilent => Code::NewsLost,
    }
}

#[cfg(test)]
mod tests;
