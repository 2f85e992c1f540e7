//! The shopper pages: components, islands and server functions.
//!
//! Pages and components are rendered by the server only; the browser's WebAssembly contains nothing but the islands and
//! the client half of the server functions.

pub mod actions;
pub mod islands;

#[cfg(not(target_arch = "wasm32"))]
mod components;
#[cfg(not(target_arch = "wasm32"))]
pub mod lang;
#[cfg(not(target_arch = "wasm32"))]
pub mod pages;
