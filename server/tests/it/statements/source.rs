//! Reads the statements in the store's source.

use std::fs;
use std::path::{Path, PathBuf};

use engine::store::seen::Seen;

/// Files of the store with statements for the database's upkeep, which are not executed like the others.
const APART: [&str; 4] = ["backup.rs", "checkpoint.rs", "owner.rs", "structure.rs"];
/// Statements of that kind in other files, by their beginning.
const MAINTENANCE: [&str; 5] = [
    "UPDATE jobs SET tries = tries",
    "SELECT name FROM sqlite_master",
    "SELECT CAST(tablename AS TEXT)",
    "SELECT CAST(relname AS TEXT)",
    "SELECT CAST(pg_advisory_xact_lock",
];
/// The file with the databases' differences.
const DIALECT: &str = "dialect.rs";

/// The character that stands for any text in a pattern.
const ANY: char = '\u{1}';

/// The literals in the source that match no executed statement.
pub fn not_among(sqlite: &[Seen], postgres: &[Seen]) -> Vec<String> {
    let plain_all = |of: &[Seen]| of.iter().map(|one| plain(&one.text)).collect::<Vec<_>>();
    let (sqlite, postgres) = (plain_all(sqlite), plain_all(postgres));
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("engine/src/store");
    let mut missing = vec![];
    let mut found = 0;
    for path in files(&directory) {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if APART.contains(&name.as_str()) {
            continue;
        }
        let source = fs::read_to_string(&path).unwrap();
        for literal in literals(&source) {
            let pattern = pattern(&literal);
            let begins = ["SELECT ", "INSERT ", "UPDATE ", "DELETE ", "WHERE ", "FROM "]
                .iter()
                .any(|word| pattern.starts_with(word));
            if !begins || MAINTENANCE.iter().any(|one| literal.starts_with(one)) {
                continue;
            }
            found += 1;
            let among = |all: &[String]| all.iter().any(|text| matches(text, &pattern));
            let (one, two) = (among(&sqlite), among(&postgres));
            if !(one && two) && !(name == DIALECT && (one || two)) {
                let databases = if one {
                    "PostgreSQL"
                } else if two {
                    "SQLite"
                } else {
                    "either database"
                };
                missing.push(format!("{name}: never executed on {databases}: {}", pattern.replace(ANY, "…")));
            }
        }
    }
    assert!(found > 80, "only {found} statements were found in {}", directory.display());
    missing
}

/// The source files of a directory and those below it.
fn files(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

/// The string literals of a source file, without those of its tests and comments.
fn literals(source: &str) -> Vec<String> {
    let source = source.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
    let mut literals = vec![];
    let mut rest = source.chars().peekable();
    while let Some(char) = rest.next() {
        match char {
            '/' if rest.peek() == Some(&'/') => while rest.next().is_some_and(|char| char != '\n') {},
            // The quote is a character's, not a lifetime's.
            '\'' if rest.peek() == Some(&'"') => while rest.next().is_some_and(|char| char != '\'') {},
            '"' => {
                let mut literal = String::new();
                while let Some(char) = rest.next() {
                    match char {
                        '"' => break,
                        '\\' => match rest.next() {
                            Some('\n') => while rest.next_if(|char| char.is_whitespace()).is_some() {},
                            Some(escaped) => literal.push(escaped),
                            None => {}
                        },
                        other => literal.push(other),
                    }
                }
                literals.push(literal);
            }
            _ => {}
        }
    }
    literals
}

/// A statement without the differences between its sizes and databases: parameters lose their numbers, and a list keeps
/// one of them.
pub fn plain(text: &str) -> String {
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut plain = String::new();
    let mut rest = words.chars().peekable();
    while let Some(char) = rest.next() {
        if char == '$' && rest.peek().is_some_and(char::is_ascii_digit) {
            while rest.next_if(char::is_ascii_digit).is_some() {}
            plain.push('?');
        } else {
            plain.push(char);
        }
    }
    for (several, one) in [("?, ?", "?"), ("(?), (?)", "(?)")] {
        while plain.contains(several) {
            plain = plain.replace(several, one);
        }
    }
    plain
}

/// The text of a literal, with [`ANY`] in the place of inserted text.
fn pattern(literal: &str) -> String {
    let plain = plain(literal);
    let mut pattern = String::new();
    let mut rest = plain.chars();
    while let Some(char) = rest.next() {
        match char {
            '{' => {
                while rest.next().is_some_and(|char| char != '}') {}
                pattern.push(ANY);
            }
            other => pattern.push(other),
        }
    }
    pattern
}

/// Whether a statement has the parts of a pattern in their order.
fn matches(text: &str, pattern: &str) -> bool {
    let mut rest = text;
    pattern.split(ANY).all(|part| {
        let found = rest.find(part.trim());
        if let Some(at) = found {
            rest = &rest[at + part.trim().len()..];
        }
        found.is_some()
    })
}

#[test]
fn literals_are_found_and_matched() {
    let source = "// \"not this\"\nquery(\"SELECT a\n   FROM b WHERE c = $1 \\\n  AND d IN ({})\"); '\"'; x(\"UPDATE \\\"y\\\"\")\n#[cfg(test)]\nmod tests { \"SELECT 1\" }";
    let found = literals(source);
    assert_eq!(found.len(), 2, "{found:?}");
    let pattern = pattern(&found[0]);
    assert!(matches(&plain("SELECT a FROM b  WHERE c = ? AND d IN ($2, $3, $4)"), &pattern), "{pattern}");
    assert!(!matches("SELECT a FROM b WHERE d IN (?)", &pattern));
    assert_eq!(plain("($1, $2), ($3, $4), ($5, $6) a $17"), plain("(?) a ?").as_str());
}
