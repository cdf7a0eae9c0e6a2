//! What `staso dev` and `staso serve` have in common.

use std::{path::PathBuf, sync::Arc, time::Duration};

use clap::Args;
use tokio::{sync::oneshot, task::JoinHandle};

use super::Failure;
use crate::{
    http::{AppState, Guards, Mode, Server},
    pricing::Prices,
    store::Store,
};

/// What model calls cost.
#[derive(Clone, Debug, Args)]
pub(super) struct PriceFile {
    /// A file with prices of models, in place of or beside those that come with staso
    #[arg(long, value_name = "FILE")]
    prices: Option<PathBuf>,
}

impl PriceFile {
    pub(super) fn read(&self) -> Result<Prices, Failure> {
        Ok(self.prices.as_deref().map_or_else(|| Ok(Prices::embedded()), Prices::with_overrides)?)
    }
}

/// A server that runs beside the command, with its store.
pub(super) struct Running {
    pub(super) store: Arc<dyn Store>,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Running {
    pub(super) fn start(
        server: Server,
        store: Arc<dyn Store>,
        prices: Prices,
        mode: Mode,
        guards: Guards,
    ) -> Self {
        let state = AppState { store: Arc::clone(&store), prices: Arc::new(prices), mode };
        let (stop, stopped) = oneshot::channel();
        let router = crate::router(state, guards);
        let task = tokio::spawn(server.serve(router, async move {
            // A sender that is gone means the same.
            let _ = stopped.await;
        }));
        Self { store, stop, task }
    }

    /// Lets requests under way end within the server's grace, then the store.
    pub(super) async fn stop(self, store_within: Duration) -> Result<(), Failure> {
        let _ = self.stop.send(());
        let served = self.task.await;
        self.store.close(store_within).await;
        served.map_err(|error| Failure::Message(format!("the server failed: {error}")))
    }
}
