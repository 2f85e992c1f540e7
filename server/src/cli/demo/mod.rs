//! `till demo`.

pub(super) mod ready;
mod seed;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use engine::{Engine, HttpTransport, LinkSummary};
use sandbox::{Options, Sandbox, Seed};
use serde::Serialize;
use tokio_util::sync::CancellationToken;

use super::Failure;
use super::output::Format;
use crate::bounds::Bounds;
use crate::config::{Common, Listen, bind, listening};
use crate::files::Missing;
use crate::run;
use seed::Seeded;

/// Try Till: a server, a provider sandbox on its own origin, an SQLite file and a seeded shop. Prints a link that can
/// be paid and the test cards. The demo's data is in data/demo unless --database-url says otherwise; delete that
/// directory to start afresh.
#[derive(Args, Debug)]
pub(super) struct Demo {
    #[command(flatten)]
    common: Common,
    #[command(flatten)]
    listen: Listen,
    /// Where the provider sandbox listens
    #[arg(long, env = "TILL_SANDBOX_BIND", default_value = "127.0.0.1:3400", value_parser = listening)]
    sandbox_bind: SocketAddr,
    /// Write addresses and keys to this file, as one JSON object, when everything answers
    #[arg(long)]
    ready_file: Option<PathBuf>,
    #[command(flatten)]
    format: Format,
}

/// The content of the ready file.
#[derive(Serialize)]
struct Ready<'a> {
    public_url: &'a str,
    sandbox_url: &'a str,
    ops_url: String,
    database_url: &'a str,
    pay_link: &'a str,
    link_id: &'a str,
    merchant: &'a str,
    api_key: &'a str,
    provider_account: &'a str,
    webhook_url: &'a str,
    webhook_secret: &'a str,
    sandbox_key: &'a str,
    adyen_pay_link: Option<&'a str>,
    adyen_merchant: Option<&'a str>,
    adyen_api_key: Option<&'a str>,
}

/// The longest time until every address answers.
const READY_MAX: Duration = Duration::from_secs(20);

impl Demo {
    pub async fn run(self) -> Result<(), Failure> {
        ready::clear(self.ready_file.as_deref())?;
        let (bounds, proxies) = (Bounds::raised()?, self.listen.proxies()?);
        // Addresses are bound first: the real ports can then be printed and seeded, whatever ports were configured.
        let listener = bind("TILL_BIND", self.listen.bind).await?;
        let ops = bind("TILL_OPS_BIND", self.listen.ops_bind).await?;
        let sandbox_listener = bind("TILL_SANDBOX_BIND", self.sandbox_bind).await?;
        let sandbox_url = format!("http://{}", sandbox_listener.local_addr()?);
        let common = self.common.clone().for_demo().reached_at(listener.local_addr()?)?;
        let held = common.hold(Missing::Make).await?;
        let engine = common.migrated_engine().await?;
        let seeded = seed::sow(&engine, &common, &sandbox_url).await?;
        let link = seed::link(&engine, &seeded).await?;
        let adyen_link = match &seeded.adyen {
            Some(shop) => Some(seed::adyen_link(&engine, shop).await?),
            None => None,
        };
        let sandbox = self.sandbox(&common, &sandbox_url, &seeded).await?;
        let ops_url = format!("http://{}", ops.local_addr()?);

        let shutdown = run::stop_signal()?;
        let provider = tokio::spawn({
            let stop = shutdown.clone();
            async move { sandbox.run(sandbox_listener, stop).await }
        });
        let server = tokio::spawn(run::serve(engine.clone(), listener, ops, (bounds, proxies, held), shutdown.clone()));
        self.announce(&engine, &sandbox_url, &ops_url, &common, &seeded, (&link, adyen_link.as_ref()), &shutdown)
            .await?;
        let served = server.await?;
        shutdown.cancel();
        provider.await??;
        Ok(served?)
    }

    async fn sandbox(&self, common: &Common, url: &str, seeded: &Seeded) -> Result<Sandbox, Failure> {
        let snapshot = common.beside("sandbox.json")?;
        let first = Seed {
            provider: "stripe",
            key: seeded.sandbox_key.clone(),
            webhook_url: seeded.webhook_url.clone(),
            webhook_secret: seeded.webhook_secret.clone(),
            ..Seed::default()
        };
        let second = seeded.adyen.as_ref().map(|shop| Seed {
            provider: "adyen",
            key: shop.api_key.clone(),
            webhook_url: shop.webhook_url.clone(),
            webhook_secret: shop.hmac_key.clone(),
            more: [("merchant_account", seed::ADYEN_MERCHANT_ACCOUNT.to_owned())].into(),
        });
        let seeds = std::iter::once(first).chain(second).collect();
        let options = Options { public_url: url.to_owned(), snapshot, seeds };
        Ok(Sandbox::new(options).await?)
    }

    #[expect(clippy::too_many_arguments, reason = "everything that is printed")]
    async fn announce(
        &self,
        engine: &Engine,
        sandbox_url: &str,
        ops_url: &str,
        common: &Common,
        seeded: &Seeded,
        (link, adyen_link): (&LinkSummary, Option<&LinkSummary>),
        shutdown: &CancellationToken,
    ) -> Result<(), Failure> {
        let addresses =
            [format!("{}/", engine.public_url()), format!("{sandbox_url}/healthz"), format!("{ops_url}/readyz")];
        let transport = HttpTransport::new()?;
        tokio::select! {
            answered = ready::wait(&transport, &addresses, READY_MAX) => answered?,
            // The demo was stopped or has failed before every address answered. The caller reports which.
            () = shutdown.cancelled() => return Ok(()),
        }
        let ready = Ready {
            public_url: engine.public_url(),
            sandbox_url,
            ops_url: ops_url.to_owned(),
            database_url: &common.database_url,
            pay_link: &link.url,
            link_id: &link.id,
            merchant: &seeded.merchant,
            api_key: &seeded.api_key,
            provider_account: &seeded.account,
            webhook_url: &seeded.webhook_url,
            webhook_secret: &seeded.webhook_secret,
            sandbox_key: &seeded.sandbox_key,
            adyen_pay_link: adyen_link.map(|link| link.url.as_str()),
            adyen_merchant: seeded.adyen.as_ref().map(|shop| shop.merchant.as_str()),
            adyen_api_key: seeded.adyen.as_ref().map(|shop| shop.api_key.as_str()),
        };
        if let Some(file) = &self.ready_file {
            ready::write(file, &ready)?;
        }
        self.format.print(&ready, || welcome(&ready))
    }
}

fn welcome(ready: &Ready<'_>) -> String {
    let Ready { pay_link: link, sandbox_url: sandbox, ops_url: ops, api_key: key, .. } = ready;
    let other = ready.adyen_pay_link.unwrap_or("-");
    format!(
        "
  Till is running. Open this link and pay:

    {link}

  Test cards (any future date, any CVC):
    4242 4242 4242 4242   pays
    4000 0000 0000 0002   is declined
    4000 0000 0000 9995   has too little money
    4000 0027 6000 3184   asks for 3-D Secure

  A second shop is paid through Adyen's simulator, and captures later (`till payment capture`):

    {other}

  Its test card: 4111 1111 1111 1111, 03/30, 737; the holder's name DECLINED is declined.

  Provider sandbox   {sandbox}   simulated, with everything it has sent and received
  Operations         {ops}   /healthz /readyz /metrics
  API key            {key}

  Ctrl-C stops it.
"
    )
}
