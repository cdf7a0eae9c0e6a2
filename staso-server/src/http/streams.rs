use std::{sync::Arc, time::Duration};

use axum::{
    body::Body,
    http::{HeaderMap, HeaderValue, header},
    response::{IntoResponse as _, Response},
};
use tokio::{sync::OwnedSemaphorePermit, time::sleep};

use super::{
    ApiError,
    body::Until,
    credential::Credential,
    guard::Gate,
    share::{Share, Who},
};
use crate::model::Access;

/// How often it is looked whether who follows a stream still may: it ends within five seconds after that.
const LOOKED: Duration = Duration::from_secs(2);

/// Whether a response goes on for ever.
pub(super) fn is_stream(headers: &HeaderMap) -> bool {
    headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"))
}

/// Lets a stream through if there is room for one more, and ends it once its reader may no longer read it.
pub(super) fn admit(
    response: Response,
    gate: Arc<Gate>,
    who: Who,
    credential: Credential,
    access: Access,
) -> Response {
    let own = Share::take(&gate.shares.of(who).streams, 1);
    let Some(room) = own.zip(Share::take(&gate.shares.all().streams, 1)) else {
        let mut refused = ApiError::overloaded(Duration::from_secs(30)).into_response();
        // Who opens many would keep as many connections.
        refused.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        return refused;
    };
    let stop = while_allowed(gate, credential, access, room);
    response.map(|body| Body::new(Until { body, stop: Box::pin(stop) }))
}

/// Ends when the credential no longer opens what it did. A store that cannot tell just now is asked again.
async fn while_allowed(
    gate: Arc<Gate>,
    credential: Credential,
    access: Access,
    _room: (OwnedSemaphorePermit, OwnedSemaphorePermit),
) {
    loop {
        sleep(LOOKED).await;
        match credential.access(&gate).await {
            Ok(Some((now, _))) if now == access => {}
            Ok(_) => return,
            Err(error) => tracing::debug!(%error, "it could not be looked whether a stream may go on"),
        }
    }
}
