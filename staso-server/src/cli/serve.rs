use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use clap::Args;

use super::{
    Failure,
    background::Background,
    data::Data,
    server::{PriceFile, Running},
    signals::Signals,
    store,
};
use crate::http::{Guards, Limits, Mode, Server};

/// Run the backend for a team: every call needs a key.
///
/// Logs are JSON lines on standard error; the first one has the address. Whoever reads them may be slow: the server
/// does not wait, and a line says where others were left out. SIGTERM and Ctrl-C let requests under
/// way finish, for up to five seconds; a second signal ends it at once.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  staso key create --data /var/lib/staso --name admin
  staso serve --listen 0.0.0.0:6999 --data /var/lib/staso --allow-host staso.example.com")]
pub(super) struct Serve {
    /// Address and port; port 0 takes a free one. Beyond this machine only once there is a key
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:6999")]
    listen: SocketAddr,
    /// A name under which browsers and programs call it, with a port or without; loopback names always work
    #[arg(long = "allow-host", value_name = "NAME")]
    hosts: Vec<String>,
    /// A proxy serves the dashboard over TLS: browsers send its cookie over TLS only
    #[arg(long)]
    secure_cookies: bool,
    #[command(flatten)]
    prices: PriceFile,
    #[command(flatten)]
    data: Data,
}

impl Serve {
    pub(super) async fn run(self) -> Result<(), Failure> {
        let signals = Signals::listen()?;
        let folder = self.data.folder()?;
        let prices = self.prices.read()?;
        let server = Server::bind(self.listen, Limits::default())
            .await
            .map_err(|error| Failure::Message(format!("cannot listen on {}: {error}", self.listen)))?;
        let address = server.local_addr()?;
        let (store, upgrade) = store::serve(&folder, &format!("http://{address}"), &prices)?;
        let has_key = store.keys().await?.iter().any(|key| key.revoked_at.is_none());
        if !has_key && !address.ip().is_loopback() {
            return Err(Failure::Message(format!(
                "{address} can be reached from other machines, and there is no key yet to keep strangers out; \
                 make one with `staso key create --data {} --name NAME`",
                folder.display()
            )));
        }
        let log = Arc::new(Background::start(LEFT_OUT, io::stderr)?);
        log_as_json(Arc::clone(&log));
        tracing::info!(address = %address, data = %folder.display(), "listening");
        tokio::spawn(store::tell_of_upgrade(upgrade));
        if !has_key {
            tracing::warn!("there is no key yet, so nobody can call; make one with `staso key create`");
        }
        let guards = Guards { hosts: self.hosts, secure_cookies: self.secure_cookies, ..Guards::default() };
        let running = Running::start(server, store, prices, Mode::Keys, guards);
        let serve = async {
            let _ = signals.first().await;
            tracing::info!("stopping");
            running.stop(Duration::from_secs(5)).await
        };
        let stopped = tokio::select! {
            stopped = serve => stopped,
            signal = signals.second() => Err(Failure::Signal(signal)),
        };
        tracing::info!("stopped");
        log.finish(Duration::from_secs(1));
        stopped
    }
}

const LEFT_OUT: &str = "{\"level\":\"WARN\",\"message\":\"lines were left out here, as the reader of the log did not keep up\"}\n";

fn log_as_json(out: Arc<Background>) {
    use tracing_subscriber::{EnvFilter, fmt};

    let filter = EnvFilter::builder().with_default_directive(tracing::Level::INFO.into()).from_env_lossy();
    // A second subscriber would be a mistake of this program, and logs are not worth ending for.
    let _ = fmt()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_span_list(false)
        // It would go to standard error, past the thread that may wait for it.
        .log_internal_errors(false)
        .with_writer(out)
        .with_env_filter(filter)
        .try_init();
}
