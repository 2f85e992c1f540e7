//! Waits until every address answers, and writes the ready file.

use std::fs;
use std::path::Path;
use std::time::Duration;

use connectors::HttpRequest;
use engine::{HttpTransport, Transport};
use serde::Serialize;
use tokio::time::{sleep, timeout};

use crate::cli::Failure;

/// Waits until every address answers with success.
pub(in crate::cli) async fn wait(
    transport: &HttpTransport,
    addresses: &[String],
    limit: Duration,
) -> Result<(), Failure> {
    for address in addresses {
        let answering = async {
            while !answers(transport, address).await {
                sleep(Duration::from_millis(50)).await;
            }
        };
        timeout(limit, answering).await.map_err(|_| format!("{address} does not answer"))?;
    }
    Ok(())
}

async fn answers(transport: &HttpTransport, address: &str) -> bool {
    let request = HttpRequest {
        name: "ready",
        method: axum::http::Method::GET,
        path: String::new(),
        credential_header: "authorization",
        credential: String::new().into(),
        headers: vec![],
        body: String::new(),
    };
    transport.send(address, &request).await.is_ok_and(|reply| reply.status == 200)
}

/// Removes the file of an earlier run, so that its addresses are not taken for this run's.
pub(in crate::cli) fn clear(file: Option<&Path>) -> Result<(), Failure> {
    match file.map(fs::remove_file) {
        Some(Err(error)) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(format!("cannot replace the ready file: {error}").into())
        }
        _ => Ok(()),
    }
}

/// Writes a JSON object in one step, so that a reader never sees half of it. The object holds keys, so only the owner
/// may read the file.
pub(in crate::cli) fn write(file: &Path, content: &impl Serialize) -> Result<(), Failure> {
    let explain = |error: std::io::Error| format!("cannot write {}: {error}", file.display());
    let draft = file.with_extension("draft");
    let _ = fs::remove_file(&draft);
    crate::files::write_secret(&draft, &serde_json::to_string(content)?).map_err(explain)?;
    fs::rename(&draft, file).map_err(explain)?;
    Ok(())
}
