//! Prints `docs/LEDGER.md`.

fn main() {
    print!("{}", domain::ledger::document());
}
