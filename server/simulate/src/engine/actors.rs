//! The outside actors: shopper, merchant, postman, forger and banks.

mod bank;
mod merchant;
mod post;
mod shopper;
