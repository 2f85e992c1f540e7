//! A PostgreSQL of the run's own, with fsync on: acknowledged data must survive its sudden end.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use crate::Failure;
use crate::process::{free_address, run};

/// The longest time for PostgreSQL to recover.
const REVIVAL_TRIES: u32 = 300;
const REVIVAL_PAUSE: Duration = Duration::from_millis(100);

/// A cluster in a temporary directory.
pub struct Cluster {
    directory: PathBuf,
    /// The temporary directory, removed with the cluster. `None` if the caller has given a place.
    _kept: Option<TempDir>,
    binaries: PathBuf,
    /// The user that PostgreSQL runs as, if not ours: it refuses to run as root.
    owner: Option<String>,
    port: u16,
    prefix: Vec<String>,
}

impl Cluster {
    /// Makes a cluster and starts it.
    pub fn start_new() -> Result<Cluster, Failure> {
        Cluster::start_within(&[])
    }

    /// The same within another program, such as `taskset`.
    pub fn start_within(prefix: &[&str]) -> Result<Cluster, Failure> {
        let directory = tempfile::Builder::new().prefix("till-stress-pg").tempdir()?;
        let path = directory.path().to_owned();
        Cluster::make(path, Some(directory), prefix, &[])
    }

    /// The same in a directory with little room: WAL segments are small.
    pub fn start_in(directory: &Path) -> Result<Cluster, Failure> {
        Cluster::make(directory.to_owned(), None, &[], &["--wal-segsize=1"])
    }

    fn make(directory: PathBuf, kept: Option<TempDir>, prefix: &[&str], init: &[&str]) -> Result<Cluster, Failure> {
        let root = run(Command::new("id").arg("-u"))?.trim() == "0";
        let owner = root.then(|| "postgres".to_owned());
        if let Some(owner) = &owner {
            run(Command::new("chown").arg(owner).arg(&directory))?;
        }
        let port = free_address()?.port();
        let prefix = prefix.iter().map(|word| (*word).to_owned()).collect();
        let cluster = Cluster { directory, _kept: kept, binaries: binaries()?, owner, port, prefix };
        run(cluster
            .command("initdb")
            .args(["-U", "till", "-A", "trust", "--no-locale", "--encoding", "UTF8"])
            .args(init)
            .arg("-D")
            .arg(cluster.data()))?;
        cluster.start()?;
        Ok(cluster)
    }

    /// The server's address, without a database.
    pub fn url(&self) -> String {
        format!("postgres://till@127.0.0.1:{}", self.port)
    }

    fn data(&self) -> PathBuf {
        self.directory.join("data")
    }

    fn command(&self, program: &str) -> Command {
        let owner = self.owner.iter().flat_map(|owner| ["runuser", "-u", owner, "--"]);
        let program = self.binaries.join(program);
        let words = self.prefix.iter().map(String::as_str).chain(owner).map(PathBuf::from).chain([program]);
        let words: Vec<PathBuf> = words.collect();
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]);
        command.current_dir("/");
        command
    }

    /// Starts the server and waits until it takes connections.
    pub fn start(&self) -> Result<(), Failure> {
        let sockets = self.directory.display();
        let options = format!(
            "-c listen_addresses=127.0.0.1 -c port={} -c unix_socket_directories={sockets} -c max_connections=200 \
             -c fsync=on -c synchronous_commit=on",
            self.port
        );
        let log = self.directory.join("log");
        let mut command = self.command("pg_ctl");
        command.arg("-D").arg(self.data()).arg("-w").arg("-l").arg(log).arg("-o").arg(options).arg("start");
        // The server's processes keep a pipe open for ever, so the output goes to a file.
        let said = self.directory.join("pg_ctl");
        let file = std::fs::File::create(&said)?;
        let status = command.stdout(file.try_clone()?).stderr(file).status()?;
        if !status.success() {
            return Err(format!("PostgreSQL does not start: {}", std::fs::read_to_string(said)?).into());
        }
        Ok(())
    }

    /// Waits until the server takes connections again. It is started if it has ended, as it does without room for its
    /// WAL.
    pub fn revive(&self) -> Result<(), Failure> {
        let runs = || run(self.command("pg_ctl").arg("-D").arg(self.data()).arg("status")).is_ok();
        let ready =
            || run(self.command("pg_isready").args(["-q", "-h", "127.0.0.1", "-p", &self.port.to_string()])).is_ok();
        for _ in 0..REVIVAL_TRIES {
            if !runs() {
                return self.start();
            }
            if ready() {
                return Ok(());
            }
            std::thread::sleep(REVIVAL_PAUSE);
        }
        Err("PostgreSQL runs and takes no connections although there is room".into())
    }

    /// Stops the server. `fast` closes connections; `immediate` is a crash without a final write to the disk.
    pub fn stop(&self, mode: &str) -> Result<(), Failure> {
        run(self.command("pg_ctl").arg("-D").arg(self.data()).args(["-w", "-m", mode, "stop"]))?;
        Ok(())
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let _ = self.stop("immediate");
    }
}

/// The directory of PostgreSQL's programs. Debian keeps them apart from other programs.
fn binaries() -> Result<PathBuf, Failure> {
    let mut found: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path().join("bin")))
        .filter(|path| path.join("initdb").exists())
        .collect();
    found.sort();
    let on_path = || {
        let paths = std::env::var_os("PATH")?;
        std::env::split_paths(&paths).find(|path: &PathBuf| Path::new(path).join("initdb").exists())
    };
    found.pop().or_else(on_path).ok_or_else(|| "PostgreSQL is not installed (initdb is missing)".into())
}
