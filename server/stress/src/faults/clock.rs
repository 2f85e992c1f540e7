//! The server's clock set forward and back by two hours under load. Deliveries may be refused as stale or future meanwhile;
//! afterwards nothing is lost, nothing is charged twice, and no job waits for a time that was never real.

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

/// How far the clock jumps, in seconds.
const JUMP: i64 = 2 * 60 * 60;
/// How long it stays there, in milliseconds.
const STAY: (u64, u64) = (700, 2500);

/// Debian's package `faketime`: a library that stands between a program and its clock. Leaving the fault out without it would be
/// a run that says "no violations" about what was never tried.
pub(super) fn library() -> Result<PathBuf, Failure> {
    let architectures = fs::read_dir("/usr/lib")?.filter_map(Result::ok);
    let mut libraries = architectures.map(|entry| entry.path().join("faketime/libfaketimeMT.so.1"));
    let missing = "clock: the package faketime is not installed; name the --kinds to do without it";
    libraries.find(|path| path.exists()).ok_or_else(|| missing.into())
}

/// On SQLite, or on the PostgreSQL at an address.
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
            // Half of the time the provider's clock is wrong in the same way, and deliveries are taken.
            let follows = moments.percent(50);
            site.load().offset.store(if follows { jump * 1000 } else { 0 }, Ordering::SeqCst);
        }
        rounds.did();
    }
    let refused = site.replies(400);
    site.conclude(options, &rounds, &format!("jumps there and back, {refused} deliveries refused")).await
}

/// Sets the offset in one step, so that nobody reads half of it.
fn set(file: &Path, seconds: i64) -> Result<(), Failure> {
    let next = file.with_extension("next");
    fs::write(&next, format!("{seconds:+}\n"))?;
    fs::rename(next, file)?;
    Ok(())
}
