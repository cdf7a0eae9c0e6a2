//! Serves a day of sample data, to look at every page: `cargo run -p staso-server --example sample_data [PORT]`.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use staso_server::{
    http::{AppState, Guards, Limits, Mode, Server},
    model::Timestamp,
    pricing::Prices,
    store::{Store, memory::MemoryStore},
};

#[path = "../tests/support/sample.rs"]
mod sample;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let port = std::env::args().nth(1).map_or(Ok(6999), |port| port.parse())?;
    let store = Arc::new(MemoryStore::new());
    let workspace = store.workspace("default").await?.ok_or("there is no workspace `default`")?;
    store.create_workspace("empty".parse()?).await?;
    sample::fill(&*store, workspace.id, Timestamp::now()).await;

    let state = AppState { store: store.clone(), prices: Arc::new(Prices::embedded()), mode: Mode::Local };
    let server = Server::bind(SocketAddr::from(([127, 0, 0, 1], port)), Limits::default()).await?;
    println!("http://{}", server.local_addr()?);
    let router = staso_server::router(state, Guards::default());
    tokio::select! {
        () = server.serve(router, async { drop(tokio::signal::ctrl_c().await) }) => {}
        () = go_on(&*store, workspace.id) => {}
    }
    Ok(())
}

/// One more trace every few seconds, to see lists live.
async fn go_on(store: &dyn Store, workspace: staso_server::model::WorkspaceId) {
    for index in 0.. {
        tokio::time::sleep(Duration::from_secs(10)).await;
        sample::add_one(store, workspace, Timestamp::now(), index).await;
    }
}
