//! Fills the database's disk under load. Meanwhile deliveries are answered "busy". When there is room again, the same
//! server continues, and nothing is lost or corrupt.

use std::fs::{File, Permissions, create_dir_all, remove_file, set_permissions};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use sqlx::query_scalar;
use tempfile::TempDir;
use tokio::task::block_in_place;
use tokio::time::sleep;

use super::Faults;
use super::rounds::Rounds;
use super::site::{Setup, Site};
use crate::Failure;
use crate::cluster::Cluster;
use crate::database::Database;
use crate::process::run as run_command;
use crate::random::Random;

/// The disk's size in MB with SQLite, and with PostgreSQL, which itself needs 40.
const SQLITE_DISK: u32 = 48;
const POSTGRES_DISK: u32 = 96;
/// The most data of one round's load, in MB: the filler must fill the disk, not the load.
const OF_ROUND: u32 = 6;
/// The time with room, in milliseconds.
const ROOM: (u64, u64) = (400, 1500);
/// The time without room after writes begin to fail, in milliseconds.
const FULL: (u64, u64) = (300, 2000);
/// The longest time until a full disk makes writes fail: existing files may still have room.
const FELT_MAX: Duration = Duration::from_secs(20);
/// The kernel's signal for a file beyond its limit would end the server; a full disk sends no signal.
const IGNORE_LIMIT: [&str; 4] = ["sh", "-c", "trap '' XFSZ; exec \"$@\"", "sh"];

/// The means that takes room away.
enum Disk {
    /// A small mounted disk, and a file that fills it.
    Mounted(PathBuf),
    /// The kernel's limit on the size of any file, for runs without the right to mount.
    Limited,
}

impl Disk {
    fn new(directory: &Path, megabytes: u32) -> Result<Disk, Failure> {
        let place = directory.join("disk");
        create_dir_all(&place)?;
        let size = format!("size={megabytes}m");
        let mounted = run_command(Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(&place));
        Ok(if mounted.is_ok() { Disk::Mounted(place) } else { Disk::Limited })
    }

    fn name(&self) -> &'static str {
        match self {
            Disk::Mounted(_) => "disk full",
            Disk::Limited => "file limit",
        }
    }

    fn fill(&self, server: u32) -> Result<(), Failure> {
        match self {
            Disk::Mounted(place) => {
                let mut file = File::options().create(true).append(true).open(place.join("filler"))?;
                // The pieces become smaller until not even a byte fits.
                for size in [1 << 20, 1 << 12, 1] {
                    let piece = vec![0; size];
                    while file.write_all(&piece).is_ok() {}
                }
                Ok(())
            }
            Disk::Limited => limit(server, "1024:unlimited"),
        }
    }

    fn make_room(&self, server: u32) -> Result<(), Failure> {
        match self {
            Disk::Mounted(place) => Ok(remove_file(place.join("filler"))?),
            Disk::Limited => limit(server, "unlimited:unlimited"),
        }
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        if let Disk::Mounted(place) = self {
            let _ = run_command(Command::new("umount").arg("-l").arg(place));
        }
    }
}

fn limit(server: u32, size: &str) -> Result<(), Failure> {
    run_command(Command::new("prlimit").arg(format!("--pid={server}")).arg(format!("--fsize={size}")))?;
    Ok(())
}

pub(super) async fn run(options: &Faults) -> Result<(), Failure> {
    let directory: TempDir = tempfile::Builder::new().prefix("till-stress-disk").tempdir()?;
    let disk = Disk::new(directory.path(), SQLITE_DISK + OF_ROUND * options.rounds)?;
    let database = match &disk {
        Disk::Mounted(place) => Database::sqlite_in(place),
        Disk::Limited => Database::sqlite_in(directory.path()),
    };
    let file = database.url.clone();
    let wrapper = IGNORE_LIMIT.map(str::to_owned).to_vec();
    let mut site = Site::open(options, disk.name(), database, Setup { wrapper, ..Setup::default() }).await?;
    let (rounds, what) = fill_and_empty(options, &mut site, &disk, || Ok(())).await?;
    site.conclude_then(options, &rounds, &what, async || {
        let mut connection = Database::look_at(&file).await?;
        let verdict: String = query_scalar("PRAGMA integrity_check").fetch_one(&mut connection).await?;
        if verdict == "ok" { Ok(()) } else { Err(format!("the database is corrupt: {verdict}").into()) }
    })
    .await
}

/// The same with a PostgreSQL of the run's own on the small disk. PostgreSQL may end for want of room and is then
/// restarted.
pub(super) async fn run_on_postgres(options: &Faults) -> Result<(), Failure> {
    let directory: TempDir = tempfile::Builder::new().prefix("till-stress-disk").tempdir()?;
    let disk = Disk::new(directory.path(), POSTGRES_DISK + OF_ROUND * options.rounds)?;
    let Disk::Mounted(place) = &disk else {
        return Err("disk: nothing can be mounted here; name the --kinds to do without it on PostgreSQL".into());
    };
    // The user that runs PostgreSQL must be able to enter the directory.
    set_permissions(directory.path(), Permissions::from_mode(0o755))?;
    let cluster = block_in_place(|| Cluster::start_in(place))?;
    let database = Database::postgres(&cluster.url(), &Random::new(options.seed, 9).word()).await?;
    let mut site = Site::open(options, disk.name(), database, Setup::default()).await?;
    let revive = || block_in_place(|| cluster.revive());
    let (rounds, what) = fill_and_empty(options, &mut site, &disk, revive).await?;
    site.conclude(options, &rounds, &what).await
}

/// Takes room away and gives it back, again and again. `revive` restarts a database that has ended for want of room.
async fn fill_and_empty(
    options: &Faults,
    site: &mut Site,
    disk: &Disk,
    revive: impl Fn() -> Result<(), Failure>,
) -> Result<(Rounds, String), Failure> {
    let mut moments = Random::new(options.seed, 6);
    let (mut rounds, mut slowest) = (options.begin(), Duration::ZERO);
    while rounds.go_on() {
        sleep(Duration::from_millis(moments.between(ROOM.0, ROOM.1))).await;
        let busy = site.replies(503);
        disk.fill(site.server.id())?;
        let began = Instant::now();
        while site.replies(503) == busy {
            if began.elapsed() > FELT_MAX {
                // Without pages there is soon no delivery left to fail. Then the shoppers have noticed the full disk.
                if site.load().waiting() == 0 {
                    break;
                }
                return Err(site.broken(options, "nobody noticed that the disk is full".to_owned()));
            }
            sleep(Duration::from_millis(20)).await;
            disk.fill(site.server.id())?;
        }
        sleep(Duration::from_millis(moments.between(FULL.0, FULL.1))).await;
        disk.make_room(site.server.id())?;
        revive()?;
        slowest = slowest.max(site.recovered(options, "there is room again").await?);
        rounds.did();
    }
    let busy = site.replies(503);
    Ok((rounds, format!("{busy} times told to come back, slowest recovery {} ms", slowest.as_millis())))
}
