use std::sync::Arc;

use axum::{
    Router,
    body::Body,
    http::{Request, Response, StatusCode, header},
};
use http_body_util::BodyExt as _;
use serde_json::Value;
use staso_server::{
    http::{AppState, Guards, Mode},
    model::{Timestamp, WorkspaceId},
    pricing::Prices,
    router,
    store::{Store, memory::MemoryStore},
};
use tower::ServiceExt as _;

use crate::sample;

/// A server without a network, and what it stores.
pub(crate) struct Client {
    pub(crate) store: Arc<MemoryStore>,
    pub(crate) default: WorkspaceId,
    router: Router,
    key: Option<String>,
}

impl Client {
    /// With nothing stored.
    pub(crate) async fn empty(mode: Mode) -> Self {
        let store = Arc::new(MemoryStore::new());
        let state = AppState { store: store.clone(), prices: Arc::new(Prices::embedded()), mode };
        let default = store.workspace("default").await.unwrap().unwrap().id;
        Self { store, default, router: router(state, Guards::default()), key: None }
    }

    /// With a day of sample data.
    pub(crate) async fn with_sample() -> Self {
        let client = Self::empty(Mode::Local).await;
        sample::fill(&*client.store, client.default, Timestamp::now()).await;
        client
    }

    /// Calls with this key from now on.
    pub(crate) fn with_key(mut self, key: &str) -> Self {
        self.key = Some(key.to_owned());
        self
    }

    pub(crate) async fn open(&self, path: &str) -> Response<Body> {
        self.call(Request::get(path).body(Body::empty()).unwrap()).await
    }

    /// Opens a stream of events where an earlier one ended.
    pub(crate) async fn open_after(&self, path: &str, last_event: &str) -> Response<Body> {
        let request = Request::get(path).header("last-event-id", last_event);
        self.call(request.body(Body::empty()).unwrap()).await
    }

    async fn call(&self, mut request: Request<Body>) -> Response<Body> {
        let headers = request.headers_mut();
        headers.insert(header::HOST, "127.0.0.1:6999".parse().unwrap());
        if let Some(key) = &self.key {
            headers.insert("x-api-key", key.parse().unwrap());
        }
        self.router.clone().oneshot(request).await.unwrap()
    }

    pub(crate) async fn page(&self, path: &str) -> (StatusCode, String) {
        text(self.open(path).await).await
    }

    pub(crate) async fn post(&self, path: &str, form: &str) -> (StatusCode, String) {
        let request = Request::post(path).header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        text(self.call(request.body(Body::from(form.to_owned())).unwrap()).await).await
    }

    /// The JSON of an answer that must be a success.
    pub(crate) async fn json(&self, path: &str) -> Value {
        let (status, text) = self.page(path).await;
        assert_eq!(status, StatusCode::OK, "{path}: {text}");
        serde_json::from_str(&text).unwrap()
    }

    /// The items of all pages of a list.
    pub(crate) async fn all(&self, path: &str) -> Vec<Value> {
        let mut items = Vec::new();
        let mut cursor = String::new();
        loop {
            let between = if path.contains('?') { '&' } else { '?' };
            let page = self.json(&format!("{path}{between}limit=40&cursor={cursor}")).await;
            items.extend(page["items"].as_array().unwrap().iter().cloned());
            match page["next_cursor"].as_str() {
                Some(next) => cursor = next.to_owned(),
                None => return items,
            }
        }
    }
}

async fn text(response: Response<Body>) -> (StatusCode, String) {
    let status = response.status();
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8(bytes.to_vec()).unwrap())
}
