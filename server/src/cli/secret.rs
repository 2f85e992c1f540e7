//! Secrets on the command line: better in a file than in the shell's history.

use std::fs;

use super::Failure;

/// The value itself, or, after an `@`, the content of a file.
pub(super) fn value(text: &str) -> Result<String, Failure> {
    match text.strip_prefix('@') {
        Some(file) => {
            let content = fs::read_to_string(file).map_err(|error| format!("cannot read {file}: {error}"))?;
            Ok(content.trim().to_owned())
        }
        None => Ok(text.to_owned()),
    }
}

/// `NAME=VALUE` or `NAME=@FILE`.
pub(super) fn pair(text: &str) -> Result<(String, String), Failure> {
    let (name, text) =
        text.split_once('=').ok_or_else(|| format!("{text:?} must look like NAME=VALUE or NAME=@FILE"))?;
    Ok((name.to_owned(), value(text)?))
}
