//! The processes of a run, which are started and ended here by their own ids.

use std::fs::File;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

use tokio::time::sleep;

use crate::Failure;

/// A child that does not outlive its owner.
pub struct Process {
    child: Child,
    name: String,
}

impl Process {
    /// Starts a command and appends its output to a file.
    pub fn start(mut command: Command, name: &str, log: &Path) -> Result<Process, Failure> {
        let log = File::options().create(true).append(true).open(log)?;
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        let child = command.spawn().map_err(|error| format!("{name} does not start: {error}"))?;
        Ok(Process { child, name: name.to_owned() })
    }

    /// The process's id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The exit status, if the process has ended.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// `kill -9`, and waits until the kernel has cleaned up.
    pub fn kill(&mut self) -> Result<(), Failure> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// Asks the process to stop in an orderly way, and waits.
    pub async fn stop(&mut self, patience: Duration) -> Result<ExitStatus, Failure> {
        signal(self.id(), "TERM")?;
        let began = Instant::now();
        while began.elapsed() < patience {
            if let Some(status) = self.ended() {
                return Ok(status);
            }
            sleep(Duration::from_millis(20)).await;
        }
        self.kill()?;
        Err(format!("{} did not stop within {patience:?}", self.name).into())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Sends a signal. The standard library has no call for it.
pub fn signal(id: u32, name: &str) -> Result<(), Failure> {
    run(Command::new("kill").arg(format!("-{name}")).arg(id.to_string()))?;
    Ok(())
}

/// Runs a command to its end and returns its output.
pub fn run(command: &mut Command) -> Result<String, Failure> {
    let output = command.stdin(Stdio::null()).output().map_err(|error| format!("{command:?}: {error}"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(format!("{command:?}: {}: {}", output.status, said.trim()).into());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Ports below the kernel's range for outgoing connections: while a server is down, a client's own connection must not
/// take its port.
const PORTS: std::ops::Range<u16> = 20_000..32_000;

/// A free address of this machine.
pub fn free_address() -> Result<SocketAddr, Failure> {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let count = PORTS.end - PORTS.start;
    let offset = u16::try_from(std::process::id() % u32::from(count)).unwrap_or(0);
    for _ in 0..count {
        let step = NEXT.fetch_add(1, Ordering::Relaxed).wrapping_mul(7);
        let port = PORTS.start + (offset.wrapping_add(step)) % count;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        if TcpListener::bind(address).is_ok() {
            return Ok(address);
        }
    }
    Err("no port is free".into())
}
