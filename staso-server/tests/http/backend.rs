//! A backend on a free port of this machine, and connections to it without a client's manners.

use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    path::Path,
    sync::Arc,
    thread,
    time::Duration,
};

use serde_json::{Value, json};
use staso_server::{
    http::{AppState, Guards, Limits, Mode, Server},
    keys,
    model::{KeyScope, PageRequest, TraceDetail, TraceFilter, TraceId, TraceSort, TraceSummary},
    pricing::Prices,
    store::{
        Store,
        memory::MemoryStore,
        sqlite::{OpenOptions, SqliteStore},
    },
};
use tokio::{runtime::Runtime, sync::oneshot, task::JoinHandle, time::timeout};

/// Longer than anything takes here: who waits so long waits in vain.
pub(crate) const WATCHDOG: Duration = Duration::from_secs(60);

pub(crate) struct Backend {
    pub(crate) address: SocketAddr,
    pub(crate) store: Arc<dyn Store>,
    stop: Option<oneshot::Sender<()>>,
    task: Option<JoinHandle<()>>,
    runtime: Runtime,
}

impl Backend {
    pub(crate) fn local() -> Self {
        Self::start(Mode::Local, Limits::default(), Guards::default())
    }

    pub(crate) fn with_keys() -> Self {
        Self::start(Mode::Keys, Limits::default(), Guards::default())
    }

    pub(crate) fn with_limits(limits: Limits) -> Self {
        Self::start(Mode::Local, limits, Guards::default())
    }

    pub(crate) fn start(mode: Mode, limits: Limits, guards: Guards) -> Self {
        Self::over(Arc::new(MemoryStore::new()), mode, limits, guards)
    }

    /// One that keeps its traces in the folder.
    pub(crate) fn in_folder(folder: &Path) -> Self {
        Self::over(Arc::new(open(folder)), Mode::Local, Limits::default(), Guards::default())
    }

    pub(crate) fn over(store: Arc<dyn Store>, mode: Mode, limits: Limits, guards: Guards) -> Self {
        let runtime = Runtime::new().unwrap();
        let state = AppState { store: Arc::clone(&store), prices: Arc::new(Prices::embedded()), mode };
        let server = runtime.block_on(Server::bind("127.0.0.1:0".parse().unwrap(), limits)).unwrap();
        let address = server.local_addr().unwrap();
        let (stop, stopping) = oneshot::channel::<()>();
        let task = runtime.spawn(async move {
            let shutdown = async move { drop(stopping.await) };
            server.serve(staso_server::router(state, guards), shutdown).await;
        });
        Self { address, store, stop: Some(stop), task: Some(task), runtime }
    }

    pub(crate) fn block_on<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }

    /// Asks the server to stop.
    pub(crate) fn stop(&mut self) {
        drop(self.stop.take());
    }

    /// Waits until the server has stopped and everything is on disk.
    pub(crate) fn wait(&mut self) {
        if let Some(task) = self.task.take() {
            let stopped = async { timeout(WATCHDOG, task).await };
            self.runtime.block_on(stopped).expect("the server stops").unwrap();
            self.runtime.block_on(self.store.close(WATCHDOG));
        }
    }

    /// A key for a workspace, which is made, or for all of them.
    pub(crate) fn key(&self, workspace: Option<&str>) -> String {
        self.runtime.block_on(async {
            let scope = match workspace {
                None => KeyScope::Organization,
                Some(slug) => {
                    if self.store.workspace(slug).await.unwrap().is_none() {
                        self.store.create_workspace(slug.parse().unwrap()).await.unwrap();
                    }
                    KeyScope::Workspace(slug.to_owned())
                }
            };
            let (key, kept) = keys::generate("test", scope).unwrap();
            self.store.create_key(kept).await.unwrap();
            key.expose().to_owned()
        })
    }

    pub(crate) fn revoke_all_keys(&self) {
        self.runtime.block_on(async {
            for key in self.store.keys().await.unwrap() {
                assert!(self.store.revoke_key(key.id).await.unwrap());
            }
        });
    }

    pub(crate) fn revoke_key(&self, key: &str) {
        self.runtime.block_on(async {
            let (record, _) = self.store.keys_with_prefix(&key[..12]).await.unwrap().remove(0);
            assert!(self.store.revoke_key(record.id).await.unwrap());
        });
    }

    /// The cookie of a browser that signed in with the key.
    pub(crate) fn sign_in(&self, key: &str) -> String {
        let headers = [("Content-Type", "application/x-www-form-urlencoded")];
        let reply = self.send("POST", "/login", &headers, format!("key={key}").as_bytes());
        let cookie = reply.header("set-cookie").unwrap_or_else(|| panic!("no cookie in {reply:?}"));
        cookie.split(';').next().unwrap().to_owned()
    }

    pub(crate) fn traces(&self, workspace: &str) -> Vec<TraceSummary> {
        self.runtime.block_on(async {
            let Some(workspace) = self.store.workspace(workspace).await.unwrap() else { return Vec::new() };
            let page = PageRequest::first(10_000);
            let filter = TraceFilter::default();
            self.store.traces(workspace.id, filter, TraceSort::Newest, page).await.unwrap().items
        })
    }

    pub(crate) fn trace(&self, workspace: &str, id: &str) -> Option<TraceDetail> {
        self.runtime.block_on(async {
            let workspace = self.store.workspace(workspace).await.unwrap().unwrap();
            self.store.trace(workspace.id, TraceId::new(id)).await.unwrap()
        })
    }

    pub(crate) fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(WATCHDOG)).unwrap();
        stream.set_write_timeout(Some(WATCHDOG)).unwrap();
        stream
    }

    /// Sends these bytes and reads all that comes back until the server closes.
    pub(crate) fn exchange(&self, request: &[u8]) -> Reply {
        let mut stream = self.connect();
        // The server may answer and close before it has read everything.
        drop(stream.write_all(request));
        Reply::read(&mut stream)
    }

    /// A request with these headers besides `Host` and `Content-Length`.
    pub(crate) fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Reply {
        self.exchange(&request(method, path, headers, body))
    }

    pub(crate) fn get(&self, path: &str, key: &str) -> Reply {
        self.send("GET", path, &[("X-API-Key", key)], b"")
    }

    /// A JSON body with a key.
    pub(crate) fn post(&self, path: &str, key: &str, body: &Value) -> Reply {
        let headers = [("X-API-Key", key), ("Content-Type", "application/json")];
        self.send("POST", path, &headers, body.to_string().as_bytes())
    }
}

pub(crate) fn open(folder: &Path) -> SqliteStore {
    SqliteStore::open(folder, OpenOptions::server("http://localhost")).unwrap()
}

impl Drop for Backend {
    fn drop(&mut self) {
        self.stop();
        if !thread::panicking() {
            self.wait();
        }
    }
}

pub(crate) fn request(method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let mut head = format!("{method} {path} HTTP/1.1\r\nConnection: close\r\n");
    let length = body.len().to_string();
    let own = [("Host", "localhost"), ("Content-Length", &*length)];
    let missing = own.iter().filter(|(name, _)| headers.iter().all(|(given, _)| given != name));
    for (name, value) in headers.iter().chain(missing) {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    [head.as_bytes(), b"\r\n", body].concat()
}

/// What a server answered.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Reply {
    /// Reads until the server closes. Status 0 stands for no answer at all.
    pub(crate) fn read(stream: &mut TcpStream) -> Self {
        let mut bytes = Vec::new();
        match stream.read_to_end(&mut bytes) {
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => panic!("the server hangs"),
            _ => {}
        }
        let text = String::from_utf8_lossy(&bytes);
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
        Self { status, head: head.to_owned(), body: body.to_owned() }
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The value of a header, named in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (found, value) = line.split_once(": ")?;
            found.eq_ignore_ascii_case(name).then_some(value)
        })
    }

    /// Code and path of an error.
    pub(crate) fn error(&self) -> (String, String) {
        let error = self.json()["error"].take();
        let text = |key: &str| error[key].as_str().unwrap_or_default().to_owned();
        (text("code"), text("path"))
    }
}

/// An ingest request with one trace of one span.
pub(crate) fn one_span(workspace: &str, trace: &str, span: &str) -> Value {
    let at = "2026-01-02T03:04:05.000006+00:00";
    json!({ "traces": [{
        "trace_id": trace,
        "timestamp": at,
        "environment": "default",
        "workspace_slug": workspace,
        "spans": [{
            "span_id": span, "parent_span_id": null, "name": "step", "kind": "agent", "timestamp": at,
            "duration_ms": 1.5, "status": "ok", "agent_name": "planner", "session_id": "talk", "user_id": "ann",
            "input": "{\"q\": 1}", "output": "", "attributes": "{}",
        }],
    }]})
}
