//! Prints `docs/ERRORS.md`.

fn main() {
    print!("{}", engine::document());
}
