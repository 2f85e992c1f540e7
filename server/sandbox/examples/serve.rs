//! Runs the sandbox alone: `cargo run -p sandbox --example serve -- 127.0.0.1:3400 [snapshot.json]`.

use sandbox::{Options, Sandbox};
use tokio_util::sync::CancellationToken;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let bind = arguments.next().unwrap_or_else(|| "127.0.0.1:3400".to_owned());
    let listener = tokio::net::TcpListener::bind(&bind).await?;
    let public_url = format!("http://{}", listener.local_addr()?);
    println!("{public_url}");
    let options = Options { public_url, snapshot: arguments.next().map(Into::into), ..Options::default() };
    let shutdown = CancellationToken::new();
    let stop = shutdown.clone();
    tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            stop.cancel();
        }
    });
    Sandbox::new(options).await?.run(listener, shutdown).await?;
    Ok(())
}
