//! Sets the server's clock forward and back by two hours under load. Meanwhile deliveries may be refused as stale or
//! future. Afterwards nothing is lost, no payment is charged twice, and no job waits for a time that was never real.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::sleep;

use super::Faults;
use super::site::{Setup, Site};
use crate::Failure;
use crate::database::Database;
use crate::random::Random;

/// The jump of the clock, in seconds.
const JUMP: i64 = 2 * 60 * 60;
/// The time between jumps, in milliseconds.
const STAY: (u64, u64) = (700, 2500);

/// The library of Debian's package `faketime`, which replaces a program's clock. Without the library the run fails:
/// skipping the fault would report "no violations" about an untested case.
pub(super) fn library() -> Result<PathBuf, Failure> {
    let architectures = fs::read_dir("/usr/lib")?.filter_map(Result::ok);
    let mut libraries = architectures.map(|entry| entry.path().join("faketime/libfaketimeMT.so.1"));
    let missing = "clock: the package faketime is not installed; name the --kinds to do without it";
    libraries.find(|path| path.exists()).ok_or_else(|| missing.into())
}

/// Runs on SQLite, or on the PostgreSQL at an address.
pub(super) async fn run(options: &Faults, library: &Path, postgres: Option<&str>) -> Result<(), Failure> {
    let mut moments = Random::new(options.seed, 7);
    let directory = tempfile::Builder::new().prefix("till-stress-clock").tempdir()?;
    let file = directory.path().join("offset");
    set(&file, 0)?;
    let on = |name: &'static str| (name, "1".to_owned());
    let env = vec![
        ("LD_PRELOAD", library.display().to_string()),
        ("FAKETIME_TIMESTAMP_FILE", file.display().to_string()),
        on("FAKETIME_NO_CACHE"),
        on("FAKETIME_DONT_FAKE_MONOTONIC"),
        on("NO_FAKE_STAT"),
    ];
    let setup = Setup { env, clock_moves: true, ..Setup::default() };
    let database = match postgres {
        Some(url) => Database::postgres(url, &Random::new(options.seed, 8).word()).await?,
        None => Database::sqlite()?,
    };
    let site = Site::open(options, "clock", database, setup).await?;
    let mut rounds = options.begin();
    while rounds.go_on() {
        for jump in [*moments.pick(&[JUMP, -JUMP]), 0] {
            sleep(Duration::from_millis(moments.between(STAY.0, STAY.1))).await;
            set(&file, jump)?;
            // Half of the time the provider's clock is wrong in the same way, and Till accepts its deliveries.
            let follows = moments.percent(50);
            site.load().offset.store(if follows { jump * 1000 } else { 0 }, Ordering::SeqCst);
        }
        rounds.did();
    }
    let refused = site.replies(400);
    site.conclude(options, &rounds, &format!("jumps there and back, {refused} deliveries refused")).await
}

/// Sets the offset in one step, so that a reader never sees half of it.
fn set(file: &Path, seconds: i64) -> Result<(), Failure> {
    let next = file.with_extension("next");
    fs::write(&next, format!("{seconds:+}\n"))?;
    fs::rename(next, file)?;
    Ok(())
}
