//! The files that pages load. They are part of the program and looked up by exact name.

use axum::{
    extract::Path,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use sha2::{Digest as _, Sha256};

use crate::http::ApiError;

/// A file that is part of the program.
struct Asset {
    name: &'static str,
    content_type: &'static str,
    content: &'static [u8],
}

const CSS: &str = "text/css; charset=utf-8";
const JS: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";

macro_rules! asset {
    ($name:literal, $content_type:expr) => {
        Asset {
            name: $name,
            content_type: $content_type,
            content: include_bytes!(concat!("../../assets/", $name)),
        }
    };
}

static ASSETS: &[Asset] = &[
    asset!("base.css", CSS),
    asset!("app.css", CSS),
    asset!("parts.css", CSS),
    asset!("theme.js", JS),
    asset!("app.js", JS),
    asset!("time.js", JS),
    asset!("live.js", JS),
    asset!("chart.js", JS),
    asset!("favicon.svg", SVG),
    asset!("span.css", CSS),
    asset!("trace.css", CSS),
    asset!("conversation.css", CSS),
    asset!("copy.js", JS),
    asset!("paced.js", JS),
    asset!("stream.js", JS),
    asset!("json-parse.js", JS),
    asset!("json-view.js", JS),
    asset!("whole-text.js", JS),
    asset!("span-panel.js", JS),
    asset!("span-tree.js", JS),
    asset!("time-axis.js", JS),
    asset!("waterfall.js", JS),
    asset!("splitter.js", JS),
    asset!("trace.js", JS),
    asset!("conversation.js", JS),
];

/// `GET /assets/{file}`. A browser keeps a file and asks each time whether it is still this one, so that a new
/// version of the program shows at once.
pub async fn serve(Path(name): Path<String>, request: HeaderMap) -> Result<Response, ApiError> {
    let asset = ASSETS.iter().find(|asset| asset.name == name).ok_or_else(|| ApiError::not_found("file"))?;
    let tag = entity_tag(asset.content);
    let known = request.get(header::IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == tag.as_bytes());
    let mut response = if known {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        ([(header::CONTENT_TYPE, asset.content_type)], asset.content).into_response()
    };
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    if let Ok(tag) = HeaderValue::try_from(tag) {
        headers.insert(header::ETAG, tag);
    }
    Ok(response)
}

fn entity_tag(content: &[u8]) -> String {
    let mut tag = String::from("\"");
    for byte in Sha256::digest(content).iter().take(8) {
        tag.push_str(&format!("{byte:02x}"));
    }
    tag.push('"');
    tag
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_file_is_found_by_its_exact_name_alone() {
        for name in ["../Cargo.toml", "..%2fCargo.toml", "APP.CSS", "app.css/", "", "app.css\0"] {
            let answer = serve(Path(name.to_owned()), HeaderMap::new()).await;
            assert_eq!(answer.unwrap_err().status(), StatusCode::NOT_FOUND, "{name:?}");
        }
    }

    #[tokio::test]
    async fn a_file_that_the_browser_has_is_not_sent_again() {
        let first = serve(Path("app.css".to_owned()), HeaderMap::new()).await.unwrap();
        assert_eq!(first.status(), StatusCode::OK);
        let mut request = HeaderMap::new();
        request.insert(header::IF_NONE_MATCH, first.headers()[header::ETAG].clone());
        let second = serve(Path("app.css".to_owned()), request).await.unwrap();
        assert_eq!(second.status(), StatusCode::NOT_MODIFIED);
    }
}
