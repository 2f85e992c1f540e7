//! The `till` binary.

use std::process::ExitCode;

use mimalloc::MiMalloc;

/// Serves SQLite too. Applying a delivery allocates a few hundred times; see docs/decisions/0006-group-commit.md for what it gains.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    server::cli::main()
}
