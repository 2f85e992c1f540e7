//! The simulated providers. A new one is a line here and a folder beside this file.

use crate::{
    adyen::state::Adyen,
    provider::{Entry, entry},
    stripe::state::Stripe,
};

/// The providers, in the order of the control page.
pub static PROVIDERS: &[Entry] = &[entry::<Stripe>(), entry::<Adyen>()];
