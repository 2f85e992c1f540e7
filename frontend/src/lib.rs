//! The WebAssembly entry.

// Without a use the linker would drop the islands with their crate.
extern crate app;

use wasm_bindgen::prelude::wasm_bindgen;

/// Prepares the page. The loader then calls each island's own function.
#[wasm_bindgen]
pub fn hydrate() {
    leptos::mount::hydrate_islands();
}
