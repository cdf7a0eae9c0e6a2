//! Finding the `staso dev` that runs already.

use std::{io, path::Path, time::Duration};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

use super::dev::API_KEY;
use crate::store::sqlite::SqliteStore;

/// How long the other server may take to answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// The URL of the server that has the folder, if it takes traces without a key of its own.
///
/// `port` is the one that was asked for: a server on another is not the one that is meant.
pub(super) async fn to_running(folder: &Path, port: Option<u16>) -> Option<String> {
    let url = SqliteStore::server_of(folder)?;
    let address = url.strip_prefix("http://")?;
    if port.is_some_and(|port| !address.ends_with(&format!(":{port}"))) {
        return None;
    }
    let status = timeout(PATIENCE, status_of_list(address)).await.ok()?.ok()?;
    (status == Some(200)).then_some(url)
}

/// What it answers to a program that has the key of `staso dev`: `staso serve` knows no such key.
async fn status_of_list(address: &str) -> io::Result<Option<u16>> {
    let mut stream = TcpStream::connect(address).await?;
    let request = format!(
        "GET /v1/workspaces HTTP/1.1\r\nhost: {address}\r\nx-api-key: {API_KEY}\r\nconnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await?;
    // "HTTP/1.1 200"
    let mut head = [0; 12];
    stream.read_exact(&mut head).await?;
    Ok(std::str::from_utf8(&head).ok().and_then(|head| head.get(9..)?.parse().ok()))
}
