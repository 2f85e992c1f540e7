//! Prints `docs/STATES.md`.

fn main() {
    print!("{}", domain::payment::transitions::document());
}
