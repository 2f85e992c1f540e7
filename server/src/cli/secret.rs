//! Secrets on the command line. A file is safer than the shell's history.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;

use super::Failure;

/// The most bytes of a file with a secret.
const FILE_BYTES_MAX: u64 = 64 * 1024;

/// The value itself, or, after an `@`, the content of a file. White space around the secret is removed later.
pub(super) fn value(text: &str) -> Result<String, Failure> {
    let Some(file) = text.strip_prefix('@') else { return Ok(text.to_owned()) };
    let cannot = |error: std::io::Error| format!("cannot read {file}: {error}");
    let mut content = String::new();
    File::open(file).map_err(cannot)?.take(FILE_BYTES_MAX + 1).read_to_string(&mut content).map_err(cannot)?;
    if content.len() as u64 > FILE_BYTES_MAX {
        return Err(format!("{file} has more than 64 KB; a secret has a line").into());
    }
    Ok(content)
}

/// `NAME=VALUE` or `NAME=@FILE`. An error does not repeat the text: it may be a secret whose name was forgotten.
pub(super) fn pair(text: &str) -> Result<(String, String), Failure> {
    let (name, text) = text
        .split_once('=')
        .ok_or("a credential must look like NAME=VALUE or NAME=@FILE; there is no = in what was given")?;
    Ok((name.to_owned(), value(text)?))
}

/// Several credentials, each name once: a second value for a name would silently replace the first.
pub(super) fn pairs(texts: &[String]) -> Result<BTreeMap<String, String>, Failure> {
    let mut pairs = BTreeMap::new();
    for text in texts {
        let (name, value) = pair(text)?;
        if pairs.insert(name, value).is_some() {
            return Err("a credential of one name is given twice; give each --credential once".into());
        }
    }
    Ok(pairs)
}
