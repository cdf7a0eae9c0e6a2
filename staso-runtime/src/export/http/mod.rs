//! Delivery to Staso's ingest API, or to a backend that speaks it. Wire contract, sections 2, 11 and 12.

mod agent;
mod annotation;
mod classify;
mod connection;
mod settings;

use std::{fmt, sync::Arc};

use ureq::{
    Agent,
    http::{HeaderValue, header},
};

use super::{Batch, Export, ExportError, FailureKind, Interrupt, Retry, ack};
use crate::{annotation::Annotation, diagnostics, encode};

use connection::CutShort;
pub(crate) use settings::{ApiKey, HttpSettings, ProxyChoice, TlsRoots};

/// An acknowledgement has some hundred bytes; whatever is longer is none.
const ANSWER_LIMIT: u64 = 64 * 1024;

/// What several spans may come to in one request, on the wire.
const MOST_BYTES: usize = 4 * 1024 * 1024;

/// However little a backend takes, several spans may come to this much.
const LEAST_BYTES: usize = 64 * 1024;

/// Room for a request that is kept from one batch to the next.
const KEPT_BODY: usize = 1024 * 1024;

/// Sends every batch as one request.
pub(crate) struct HttpExporter {
    agent: Agent,
    base_url: String,
    /// Marked as sensitive: neither its `Debug` nor the client's log shows it.
    api_key: HeaderValue,
    request: Request,
    /// What several spans may come to in one request: less once the backend has refused one as too large.
    most_bytes: usize,
    cut_short: CutShort,
}

/// The request of the batch that is under way: each attempt sends the same bytes.
#[derive(Default)]
struct Request {
    key: String,
    traces: usize,
    body: Vec<u8>,
}

struct Answer {
    status: u16,
    retry_after: Option<String>,
    /// It came before the request was sent whole: it can say no, but not yes.
    is_early: bool,
    body: ureq::Body,
}

impl HttpExporter {
    /// Connects to nothing yet.
    ///
    /// # Errors
    ///
    /// A setting cannot be used. The text says which one and what to do, and holds no secret.
    pub(crate) fn new(settings: HttpSettings) -> Result<Self, String> {
        let cut_short = CutShort::default();
        Ok(Self {
            agent: agent::new(&settings, cut_short.clone())?,
            api_key: settings.api_key.header()?,
            base_url: settings.base_url,
            request: Request::default(),
            most_bytes: MOST_BYTES,
            cut_short,
        })
    }

    fn post(&self, path: &str, key: Option<&str>, body: &[u8]) -> Result<Answer, ExportError> {
        let mut request = self
            .agent
            .post(format!("{}{path}", self.base_url))
            .header("X-API-Key", self.api_key.clone())
            .header(header::CONTENT_TYPE, "application/json");
        if let Some(key) = key {
            request = request.header("Idempotency-Key", key);
        }
        self.cut_short.reset();
        let (head, body) = request.send(body).map_err(|error| self.transport(&error))?.into_parts();
        let retry_after = head.headers.get(header::RETRY_AFTER).and_then(|value| value.to_str().ok());
        let is_early = self.cut_short.get();
        Ok(Answer {
            status: head.status.as_u16(),
            retry_after: retry_after.map(str::to_owned),
            is_early,
            body,
        })
    }

    /// The backend's answer to a batch that is too large for it: smaller ones from now on.
    fn too_large(&mut self, batch: &Batch, error: &ExportError) -> ExportError {
        let bytes = self.request.body.len();
        if batch.spans().len() == 1 {
            return classify::span_too_large(bytes);
        }
        self.most_bytes = self.most_bytes.min((bytes / 2).max(LEAST_BYTES));
        diagnostics::batch_split(error, batch.spans().len(), bytes);
        error.clone()
    }

    fn transport(&self, error: &ureq::Error) -> ExportError {
        classify::transport(error, &self.base_url)
    }

    fn send(&self) -> Result<(), ExportError> {
        let Request { key, traces, body } = &self.request;
        let mut answer = self.post("/v1/traces/ingest", Some(key), body)?;
        if let Some(refusal) = classify::refusal(answer.status, answer.retry_after.as_deref()) {
            return Err(refusal);
        }
        if answer.is_early {
            return Err(classify::cut_short(&self.base_url));
        }
        let ack = answer.read().map_err(|error| self.transport(&error))?;
        ack::check(&ack, *traces, key).map_err(|what| classify::incomplete(&what))
    }
}

impl Answer {
    fn read(&mut self) -> Result<Vec<u8>, ureq::Error> {
        self.body.with_config().limit(ANSWER_LIMIT).read_to_vec()
    }
}

impl Export for HttpExporter {
    fn export(&mut self, batch: &Batch) -> Result<(), ExportError> {
        if self.request.key != batch.idempotency_key() && !self.request.write(batch, self.most_bytes) {
            let what = format!("the request would be larger than {} bytes", self.most_bytes);
            return Err(ExportError::new(FailureKind::MalformedResponse, what).retry(Retry::Split));
        }
        let mut outcome = self.send();
        if let Err(error) = &outcome
            && error.retry_advice() == Retry::Split
        {
            outcome = Err(self.too_large(batch, error));
        }
        let is_over = |error: &ExportError| matches!(error.retry_advice(), Retry::Never | Retry::Split);
        if outcome.as_ref().err().is_none_or(is_over) {
            self.request.forget();
        }
        outcome
    }

    fn annotate(&mut self, annotation: &Annotation) -> Result<(), ExportError> {
        let Some((path, body)) = annotation::request(annotation) else {
            let what = "the annotation has no trace, no name, or a number that is not finite";
            return Err(ExportError::new(FailureKind::MalformedResponse, what));
        };
        let mut answer = self.post(&path, None, &body)?;
        if answer.status < 400 && answer.is_early {
            return Err(classify::cut_short(&self.base_url));
        }
        if answer.status < 400 {
            // What it says does not matter, but an answer that was read leaves its connection usable.
            let _ = answer.read();
            return Ok(());
        }
        classify::refusal(answer.status, answer.retry_after.as_deref()).map_or(Ok(()), Err)
    }

    fn interrupt(&self) -> Option<Interrupt> {
        let agent = self.agent.clone();
        Some(Arc::new(move || agent.clone().shutdown()))
    }
}

impl Request {
    /// `false` when several spans come to more than `most` bytes.
    fn write(&mut self, batch: &Batch, most: usize) -> bool {
        self.forget();
        let Some(traces) = encode::write_body(batch, most, &mut self.body) else { return false };
        self.traces = traces;
        batch.idempotency_key().clone_into(&mut self.key);
        true
    }

    fn forget(&mut self) {
        self.key.clear();
        self.body.clear();
        self.body.shrink_to(KEPT_BODY);
    }
}

impl fmt::Debug for HttpExporter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpExporter").field("base_url", &self.base_url).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
