//! Printing results: for people, or as JSON.

use std::io::{ErrorKind, Write, stderr, stdout};

use clap::Args;
use engine::{Listed, Page};
use serde::Serialize;

use super::Failure;
use crate::terminal;

/// Prints a line, or several, on standard output.
pub(super) fn say(text: &str) -> Result<(), Failure> {
    let mut out = stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.write_all(b"\n")).and_then(|()| out.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Err(Failure::ReaderGone),
        written => Ok(written?),
    }
}

/// Prints on standard error. A missing reader changes nothing for the command.
pub(super) fn aside(text: &str) {
    let mut out = stderr().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// The format of the output.
#[derive(Args, Debug, Clone, Copy)]
pub(super) struct Format {
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

impl Format {
    /// Prints a result: one line of JSON, or the text of `people`.
    pub fn print(self, result: &impl Serialize, people: impl FnOnce() -> String) -> Result<(), Failure> {
        let text = if self.json {
            terminal::json(&serde_json::to_string(result)?)
        } else {
            terminal::lines(people().trim_end())
        };
        say(&text)
    }

    /// Prints a page of a list. The command for the next page follows the list; with JSON it goes to standard error, so
    /// that the output stays JSON.
    pub fn print_page<T: Serialize>(
        self,
        page: &Listed<T>,
        name: impl Fn(&T) -> String,
        people: impl FnOnce(&[T]) -> String,
    ) -> Result<(), Failure> {
        let rest = page.rows.last().filter(|_| page.more > 0).map(|last| {
            let least = if page.more > Page::COUNTED_MAX { "more than " } else { "" };
            format!("{least}{} more; go on with --after {}", page.more.min(Page::COUNTED_MAX), quoted(&name(last)))
        });
        match rest {
            Some(rest) if self.json => {
                aside(&format!("{}\n", terminal::line(&rest)));
                self.print(&page.rows, String::new)
            }
            Some(rest) => self.print(&page.rows, || format!("{}\n\n{rest}", people(&page.rows).trim_end())),
            None => self.print(&page.rows, || people(&page.rows)),
        }
    }
}

/// The part of a list to print.
#[derive(Args, Debug, Clone)]
pub(super) struct Paging {
    /// The most rows to list; if there are more, the last line has the command for the next page
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(i64).range(1..=10_000))]
    limit: i64,
    /// Begin after this row, named as in the list
    #[arg(long, value_name = "ROW")]
    after: Option<String>,
}

impl From<Paging> for Page {
    fn from(paging: Paging) -> Page {
        Page { after: paging.after, limit: paging.limit }
    }
}

/// A word for the command line, in quotes if it needs them.
fn quoted(word: &str) -> String {
    let plain = word.chars().all(|char| char.is_ascii_alphanumeric() || "_-:./,@%+".contains(char));
    if plain { word.to_owned() } else { format!("'{}'", word.replace('\'', "'\\''")) }
}

/// Rows in aligned columns, or the sentence `none` if there are no rows. A cell stays on its line.
pub(super) fn table(heads: &[&str], rows: &[Vec<String>], none: &str) -> String {
    if rows.is_empty() {
        return none.to_owned();
    }
    let heads: Vec<String> = heads.iter().map(|head| (*head).to_owned()).collect();
    let rows: Vec<Vec<String>> = rows.iter().map(|row| row.iter().map(|cell| terminal::line(cell)).collect()).collect();
    let all: Vec<&Vec<String>> = std::iter::once(&heads).chain(&rows).collect();
    let width = |column: usize| all.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..heads.len()).map(width).collect();
    let line = |row: &&Vec<String>| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    all.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// `yes` or `no`.
pub(super) fn yes(flag: bool) -> String {
    if flag { "yes" } else { "no" }.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_aligned_and_empty_ones_say_so() {
        let rows = vec![vec!["a".to_owned(), "1".to_owned()], vec!["longer".to_owned(), "2".to_owned()]];
        assert_eq!(table(&["NAME", "N"], &rows, "none"), "NAME    N\na       1\nlonger  2");
        assert_eq!(table(&["NAME"], &[], "no merchants yet"), "no merchants yet");
        let forged = vec![vec!["a\nb  2".to_owned()]];
        assert_eq!(table(&["NAME"], &forged, "none"), "NAME\na\\nb  2", "one row is one line");
    }

    #[test]
    fn a_row_can_be_named_again() {
        assert_eq!(quoted("pi_01"), "pi_01");
        assert_eq!(quoted("x:it's"), "'x:it'\\''s'");
    }
}
