//! Islands: the only parts that run in the browser.

mod live;
#[cfg(target_arch = "wasm32")]
mod watch;

pub use live::Live;
