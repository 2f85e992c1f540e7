//! A shop whose server is restarted for each measurement, on a core of its own.

use std::path::Path;
use std::time::{Duration, Instant};

use tokio::time::{sleep, timeout};

use super::{SERVER_CORE, SWITCH};
use crate::Failure;
use crate::database::Database;
use crate::process::Process;
use crate::random::Random;
use crate::shop::Shop;

/// The longest time for a server to finish the work that a measurement left.
const IDLE_MAX: Duration = Duration::from_secs(120);

/// A shop and the variant of its server's intake.
pub struct BenchSite {
    /// The shop.
    pub shop: Shop,
    /// The value of the switch, or a word for a server without the switch.
    pub variant: &'static str,
    wrapper: Vec<String>,
    env: Vec<(&'static str, String)>,
}

impl BenchSite {
    pub async fn open(
        till: &Path,
        database: Database,
        variant: &'static str,
        pinned: bool,
        random: &mut Random,
    ) -> Result<BenchSite, Failure> {
        let shop = Shop::open(till, database, random).await?;
        let wrapper = if pinned { ["taskset", "-c", SERVER_CORE].map(str::to_owned).to_vec() } else { vec![] };
        Ok(BenchSite { shop, variant, wrapper, env: vec![(SWITCH, variant.to_owned())] })
    }

    /// Whether the server knows the switch: it then refuses to start with an unknown value.
    pub async fn knows_variants(&self) -> Result<bool, Failure> {
        let mut process = self.shop.launch(&[], &[(SWITCH, "nonsense".to_owned())])?;
        let ended = async {
            while process.ended().is_none() {
                sleep(Duration::from_millis(20)).await;
            }
        };
        let refused = timeout(Duration::from_secs(2), ended).await.is_ok();
        if !refused {
            process.kill()?;
        }
        Ok(refused)
    }

    /// The same site for a server without the switch.
    pub fn without_switch(self) -> BenchSite {
        BenchSite { variant: "as built", env: vec![], ..self }
    }

    /// Starts the server.
    pub async fn serve(&self) -> Result<Process, Failure> {
        self.shop.serve_with(&self.wrapper, &self.env).await
    }

    /// The same with further settings.
    pub async fn serve_with(&self, settings: &[(&'static str, String)]) -> Result<Process, Failure> {
        self.shop.serve_with(&self.wrapper, &[&self.env[..], settings].concat()).await
    }

    /// Waits until no delivery is pending.
    pub async fn idle(&self) -> Result<(), Failure> {
        let began = Instant::now();
        let waiting = "SELECT COUNT(*) FROM inbox WHERE state = 'pending'";
        while self.shop.database.number(waiting).await? > 0 {
            if began.elapsed() > IDLE_MAX {
                return Err(format!("deliveries are still waiting after {IDLE_MAX:?}").into());
            }
            sleep(Duration::from_millis(50)).await;
        }
        Ok(())
    }
}

/// The peak memory of a process, in KiB.
pub fn peak_memory_kib(process: &Process) -> u64 {
    memory_kib(process, "VmHWM:")
}

/// The figure of a process's memory that the system gives under a name, in KiB.
pub fn memory_kib(process: &Process, name: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", process.id())).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}
