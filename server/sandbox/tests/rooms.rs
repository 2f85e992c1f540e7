//! The shared parts name no provider: they know a provider only through `provider::Provider`.

use std::{
    fs,
    path::{Path, PathBuf},
};

use sandbox::registry::PROVIDERS;

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files(&path, found) } else { found.push(path) }
    }
}

#[test]
fn only_the_registry_and_their_own_folders_name_providers() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut shared = Vec::new();
    files(&source, &mut shared);
    let names: Vec<&str> = PROVIDERS.iter().map(|entry| entry.about.name).collect();
    // A provider's folder has the provider's name, and one line of `lib.rs` declares it.
    shared.retain(|path| {
        let below = path.strip_prefix(&source).unwrap();
        below != Path::new("registry.rs") && !names.iter().any(|name| below.starts_with(name))
    });
    assert!(shared.len() > 40, "the shared parts were found: {}", shared.len());
    let mut named = Vec::new();
    for path in shared {
        let text = fs::read_to_string(&path).unwrap().to_lowercase();
        for (at, line) in text.lines().enumerate() {
            let declares = |name: &&&str| path.ends_with("lib.rs") && line == format!("mod {name};");
            if names.iter().any(|name| line.contains(name) && !declares(&name)) {
                named.push(format!("{}:{}: {line}", path.display(), at + 1));
            }
        }
    }
    assert!(named.is_empty(), "shared parts name a provider:\n{}", named.join("\n"));
}

#[test]
fn providers_have_names_of_their_own() {
    for (at, entry) in PROVIDERS.iter().enumerate() {
        let about = entry.about;
        assert!(about.name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit()), "{}", about.name);
        assert!(!about.title.is_empty() && about.api.starts_with('/') && !about.keys.is_empty(), "{}", about.name);
        assert!(PROVIDERS[..at].iter().all(|other| other.about.name != about.name && other.about.api != about.api));
    }
}
