//! Compiles the server anew when the pages' files have changed.

fn main() {
    println!("cargo::rerun-if-env-changed=TILL_SITE_DIR");
    if let Ok(site) = std::env::var("TILL_SITE_DIR") {
        println!("cargo::rerun-if-changed={site}");
    }
}
