//! The `till` binary.

use std::process::ExitCode;

use mimalloc::MiMalloc;

/// The allocator, which SQLite uses as well. Applying a delivery makes a few hundred allocations;
/// docs/decisions/0006-group-commit.md has the gain.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    server::cli::main()
}
