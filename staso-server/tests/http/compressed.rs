use crate::backend::Backend;

#[test]
fn answers_are_compressed_for_those_who_ask_for_it() {
    let backend = Backend::local();
    let ask = |path: &str, encoding: &str| {
        let request = ureq::get(format!("http://{}{path}", backend.address));
        let response = request.header("accept-encoding", encoding).call().unwrap();
        response.headers().get("content-encoding").and_then(|value| value.to_str().ok()).map(str::to_owned)
    };
    assert_eq!(ask("/openapi.json", "gzip").as_deref(), Some("gzip"));
    assert_eq!(ask("/traces", "gzip").as_deref(), Some("gzip"));
    assert_eq!(ask("/traces", "identity"), None);
    assert_eq!(ask("/v1/workspaces", "gzip"), None, "too small to be worth it");
}
