//! Rules about the source that the compiler does not know: which rooms of the engine may import which, and which files may make a scope.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The rooms of the engine, lowest first, with their top-level modules. A room may import the rooms of lower rows, and no other room of
/// its own row.
const ROOMS: [&[(&str, &[&str])]; 8] = [
    &[("ground", &["env", "error", "host", "paging", "problem", "retention", "scope", "seal", "tls", "transport"])],
    &[("store", &["store"])],
    &[("context", &["accounts", "alerts", "breaker", "context", "gateway", "live", "tuning", "work"])],
    &[("record", &["record"])],
    &[("attempt", &["attempt"])],
    &[("money", &["money"]), ("checkout", &["checkout"]), ("inbox", &["inbox"])],
    &[("jobs", &["jobs"]), ("admin", &["admin"])],
    &[("engine", &["engine", "lib", "readiness"])],
];
/// Paths that a lower room may name all the same, each with the reason.
const EXCEPTIONS: [(&str, &str); 1] =
    [("store::trouble", "words for the errors of a database, which know only its driver")];

/// The modules of the engine that may work for all merchants with the engine's own installation.
const ENGINE: [&str; 11] =
    ["accounts", "admin/keys", "alerts", "attempt", "context", "engine", "gateway", "inbox", "jobs", "record", "work"];
/// Files that may make the operator's installation: the command line and the start of a server.
const OPERATOR: [&str; 2] = ["server/src/cli/whose.rs", "server/src/config.rs"];
/// Files that may make the scope of a token or of an API key.
const CAPABILITY: [&str; 4] = [
    "server/engine/src/admin/keys.rs",
    "server/engine/src/checkout/follow.rs",
    "server/engine/src/checkout/link.rs",
    "server/engine/src/checkout/view.rs",
];
/// Files of the store that send statements of their own to the database's driver, because they are about the database and not its rows.
const DRIVER: [&str; 8] =
    ["backup.rs", "checkpoint.rs", "dialect.rs", "first.rs", "mod.rs", "owner.rs", "statement.rs", "structure.rs"];

fn files(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    let found = entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] });
    found.filter(|path| path.extension().is_some_and(|end| end == "rs")).collect()
}

/// The source files below a directory of the repository, by their path, without comments and unit tests.
fn sources(below: &str) -> BTreeMap<String, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut found = BTreeMap::new();
    for path in files(&root.join(below)) {
        let name = path.strip_prefix(root).unwrap().to_string_lossy().into_owned();
        if name.ends_with("/tests.rs") {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        let text = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
        let lines = text.lines().filter(|line| !line.trim_start().starts_with("//"));
        found.insert(name, lines.collect::<Vec<_>>().join("\n"));
    }
    assert!(found.len() > 10, "only {} files below {below}", found.len());
    found
}

/// The row and the name of a module's room.
fn room(module: &str) -> Option<(usize, &'static str)> {
    ROOMS.iter().enumerate().find_map(|(row, rooms)| {
        let (name, _) = rooms.iter().find(|(_, modules)| modules.contains(&module))?;
        Some((row, *name))
    })
}

/// The paths after `crate::` in a text, with groups in braces taken apart.
fn imports(text: &str) -> Vec<String> {
    let mut paths = vec![];
    for rest in text.split("crate::").skip(1) {
        if let Some(group) = rest.strip_prefix('{') {
            let group = group.split('}').next().unwrap_or_default();
            paths.extend(group.split(',').map(|path| path.trim().to_owned()).filter(|path| !path.is_empty()));
        } else {
            let end = rest.find(|char: char| !char.is_alphanumeric() && !matches!(char, ':' | '_'));
            paths.push(rest[..end.unwrap_or(rest.len())].to_owned());
        }
    }
    paths
}

/// Why an import is against the order of the rooms, if it is.
fn against(module: &str, path: &str) -> Option<String> {
    if EXCEPTIONS.iter().any(|(allowed, _)| path.starts_with(allowed)) {
        return None;
    }
    let target = path.split("::").next().unwrap_or_default();
    let (Some((from, own)), Some((to, other))) = (room(module), room(target)) else {
        return Some(format!("{module} or {target} is in no room"));
    };
    (to > from || (to == from && own != other)).then(|| format!("{own} imports {path} of {other}"))
}

#[test]
fn rooms_import_lower_rooms_only() {
    let mut wrong = vec![];
    for (name, text) in sources("server/engine/src") {
        let inner = name.trim_start_matches("server/engine/src/");
        let module = inner.split(['/', '.']).next().unwrap();
        if module != "lib" {
            let found = imports(&text).into_iter().filter_map(|path| against(module, &path));
            wrong.extend(found.map(|why| format!("{name}: {why}")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_order_of_the_rooms_forbids_something() {
    assert!(against("store", "money::PaymentRow").is_some());
    assert!(against("context", "inbox::Intake").is_some());
    assert!(against("checkout", "money::Payments").is_some());
    assert!(against("record", "jobs").is_some());
    assert!(against("jobs", "engine::Engine").is_some());
    assert!(against("jobs", "attempt::Attempts").is_none());
    assert_eq!(imports("use crate::{jobs, live};\ncrate::store::jobs::due("), ["jobs", "live", "store::jobs::due"]);
}

#[test]
fn the_store_names_no_connector() {
    for (name, text) in sources("server/engine/src/store") {
        assert!(!text.contains("connectors::"), "{name}");
    }
}

#[test]
fn only_the_listed_files_make_a_scope_or_an_installation() {
    let mut wrong = vec![];
    let all = ["server/engine/src", "server/src", "app/src"].into_iter().flat_map(sources);
    for (name, text) in all {
        let module = name.trim_start_matches("server/engine/src/").trim_end_matches(".rs");
        let is_engine = ENGINE.iter().any(|room| module == *room || module.starts_with(&format!("{room}/")));
        if text.contains("ENGINE") && !is_engine && module != "scope" {
            wrong.push(format!("{name} names the engine's installation"));
        }
        if text.contains("Installation::operator") && !OPERATOR.contains(&name.as_str()) {
            wrong.push(format!("{name} makes the operator's installation"));
        }
        let is_made = text.contains("Scope::of_shopper") || text.contains("Scope::of_key");
        if is_made && !CAPABILITY.contains(&name.as_str()) {
            wrong.push(format!("{name} makes a scope"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_store_begins_statements_with_a_reach() {
    for (name, text) in sources("server/engine/src/store") {
        let file = name.rsplit('/').next().unwrap();
        let is_top = name == format!("server/engine/src/store/{file}");
        if !(is_top && DRIVER.contains(&file)) {
            for word in ["sqlx::query", "raw_sql", "sqlx::{query", "query_scalar", ".execute(\"", "Executor"] {
                assert!(!text.contains(word), "{name} uses {word}");
            }
        }
    }
    for (name, text) in sources("server/engine/src") {
        assert!(name.starts_with("server/engine/src/store/") || !text.contains("sqlx::query"), "{name}");
    }
}
