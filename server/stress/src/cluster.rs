//! A PostgreSQL of the run's own, with fsync on: what it has acknowledged must survive its own sudden end.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::Failure;
use crate::process::{free_address, run};

/// A cluster in a temporary directory.
pub struct Cluster {
    directory: TempDir,
    binaries: PathBuf,
    /// Under which user it runs, if not ours: PostgreSQL refuses to run as root.
    owner: Option<String>,
    port: u16,
    prefix: Vec<String>,
}

impl Cluster {
    /// Makes one and starts it.
    pub fn start_new() -> Result<Cluster, Failure> {
        Cluster::start_within(&[])
    }

    /// The same within another program, such as `taskset`.
    pub fn start_within(prefix: &[&str]) -> Result<Cluster, Failure> {
        let directory = tempfile::Builder::new().prefix("till-stress-pg").tempdir()?;
        let root = run(Command::new("id").arg("-u"))?.trim() == "0";
        let owner = root.then(|| "postgres".to_owned());
        if let Some(owner) = &owner {
            run(Command::new("chown").arg(owner).arg(directory.path()))?;
        }
        let port = free_address()?.port();
        let prefix = prefix.iter().map(|word| (*word).to_owned()).collect();
        let cluster = Cluster { directory, binaries: binaries()?, owner, port, prefix };
        run(cluster.command("initdb").args(["-U", "till", "-A", "trust"]).arg("-D").arg(cluster.data()))?;
        cluster.start()?;
        Ok(cluster)
    }

    /// Its address, without a database.
    pub fn url(&self) -> String {
        format!("postgres://till@127.0.0.1:{}", self.port)
    }

    fn data(&self) -> PathBuf {
        self.directory.path().join("data")
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

    /// Starts it and waits until it takes connections.
    pub fn start(&self) -> Result<(), Failure> {
        let sockets = self.directory.path().display();
        let options = format!(
            "-c listen_addresses=127.0.0.1 -c port={} -c unix_socket_directories={sockets} -c max_connections=200 \
             -c fsync=on -c synchronous_commit=on",
            self.port
        );
        let log = self.directory.path().join("log");
        let mut command = self.command("pg_ctl");
        command.arg("-D").arg(self.data()).arg("-w").arg("-l").arg(log).arg("-o").arg(options).arg("start");
        // Its children keep a pipe open for ever; a file they may keep.
        let said = self.directory.path().join("pg_ctl");
        let file = std::fs::File::create(&said)?;
        let status = command.stdout(file.try_clone()?).stderr(file).status()?;
        if !status.success() {
            return Err(format!("PostgreSQL does not start: {}", std::fs::read_to_string(said)?).into());
        }
        Ok(())
    }

    /// Stops it: `fast` breaks connections off, `immediate` is a crash without a last word to the disk.
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

/// Where PostgreSQL's programs are: Debian keeps them apart from the others.
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
