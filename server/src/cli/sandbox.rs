//! `till sandbox`.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;
use sandbox::{Options, Sandbox};
use serde_json::json;

use super::Failure;
use super::demo::ready;
use super::output::Format;
use crate::config::{bind, listening};
use crate::run::stop_signal;

/// Run the provider simulators alone: real wire formats, real signatures, a hosted page with test cards.
#[derive(Args, Debug)]
pub(super) struct SandboxCommand {
    /// The address of the simulators
    #[arg(long, env = "TILL_SANDBOX_BIND", default_value = "127.0.0.1:3400", value_parser = listening)]
    bind: SocketAddr,
    /// Keep the state in this file over a restart
    #[arg(long)]
    snapshot: Option<PathBuf>,
    /// Write the address to this file, as JSON, when it answers
    #[arg(long)]
    ready_file: Option<PathBuf>,
    #[command(flatten)]
    format: Format,
}

impl SandboxCommand {
    pub async fn run(self) -> Result<(), Failure> {
        ready::clear(self.ready_file.as_deref())?;
        let listener = bind("TILL_SANDBOX_BIND", self.bind).await?;
        let url = format!("http://{}", listener.local_addr()?);
        let sandbox =
            Sandbox::new(Options { public_url: url.clone(), snapshot: self.snapshot, ..Options::default() }).await?;
        let shutdown = stop_signal()?;
        let about = json!({ "sandbox_url": url });
        if let Some(file) = &self.ready_file {
            ready::write(file, &about)?;
        }
        self.format.print(&about, || {
            format!("The sandbox is at {url}. Any key sk_test_… with at least eight letters or digits after it makes an account.")
        })?;
        Ok(sandbox.run(listener, shutdown).await?)
    }
}
