//! Those who act on Till from outside.

mod bank;
mod merchant;
mod post;
mod shopper;
