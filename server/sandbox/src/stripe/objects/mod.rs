//! The objects of an account: what is kept of each, and how each looks on the wire.
//!
//! Keys are those of the published type definitions (npm `stripe`): every key of an object is present, null where the
//! simulator has nothing to say.

pub mod charge;
pub mod dispute;
pub mod endpoint;
pub mod event;
pub mod intent;
pub mod refund;
pub mod session;

/// What an object's wire form depends on besides the object.
#[derive(Debug, Clone, Copy)]
pub struct View<'a> {
    /// The sandbox's public address, without a trailing slash.
    pub base: &'a str,
    /// The API version the reader asked for.
    pub version: &'a str,
}

/// Writes an enum as the provider's snake_case word.
macro_rules! words {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        pub enum $name { $($(#[$doc])* #[serde(rename = $word)] $variant),+ }
        impl $name {
            /// The provider's word for it.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}
pub(crate) use words;
