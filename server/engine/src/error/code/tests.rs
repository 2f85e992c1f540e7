use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::*;

#[test]
fn every_code_is_one_word_that_no_other_code_has() {
    let texts: BTreeSet<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
    assert_eq!(texts.len(), Code::ALL.len());
    let fits = |text: &str| text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    assert!(texts.iter().all(|text| fits(text) && text.len() <= 40), "{texts:?}");
}

/// A code that no error has would be a promise without a meaning.
#[test]
fn every_code_is_the_code_of_an_error() {
    let source = include_str!("../code.rs");
    let (_, uses) = source.split_once("impl Error {").unwrap();
    for code in Code::ALL {
        let name = format!("Code::{code:?}");
        let is_used = |rest: &str| !rest.starts_with(|next: char| next.is_ascii_alphanumeric());
        assert!(uses.split(&name).skip(1).any(is_used), "no error has {name}");
    }
}

#[test]
fn the_document_is_current() {
    let document = include_str!("../../../../../docs/ERRORS.md");
    assert_eq!(document, super::document(), "run: cargo run -p engine --example errors > docs/ERRORS.md");
}

/// The texts of Rust files below a directory, with their paths.
fn sources(directory: &Path, found: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(directory).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|end| end == "rs") && !path.ends_with("error/code/tests.rs") {
            found.push((path.display().to_string(), fs::read_to_string(&path).unwrap()));
        }
    }
}

/// An error that carries a sentence would bring words back into the engine, and callers that compare them.
#[test]
fn no_error_carries_a_sentence() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = vec![];
    for room in ["src", "../connectors/src", "../../app/domain/src"] {
        sources(&root.join(room), &mut found);
    }
    assert!(found.len() > 100, "the sources are there");
    for (path, text) in &found {
        for sentence in [
            "Invalid(format!",
            "Invalid(String",
            "Invalid(\"",
            "NotFound(String",
            "NotFound(format!",
            "NotFound(\"",
            "NotNow(\"",
        ] {
            assert!(!text.contains(sentence), "{path} has {sentence}");
        }
        let declares = |line: &&str| line.contains("-> Result<(), String>");
        assert!(!text.lines().any(|line| declares(&line)), "{path} has an error that is a text");
    }
}

#[test]
fn a_log_has_the_code_and_no_advice() {
    let order = Error::from(OrderError::Rate).to_string();
    assert!(order.starts_with("rate_out_of_range: "), "{order}");
    let row = Error::NotFound(Thing::Row("pi_\n".to_owned()));
    assert_eq!(row.to_string(), "row_not_found: \"pi_\\n\"");
    assert_eq!((row.code(), row.class()), ("row_not_found", Class::NotFound));
    let late = Error::from(Later::TookTooLong(std::time::Duration::from_secs(12)));
    assert_eq!((late.to_string().as_str(), late.class()), ("work_took_too_long: more than 12 seconds", Class::Later));
    assert_eq!(Error::Raced(Raced::Deliveries).class(), Class::Raced);
}
