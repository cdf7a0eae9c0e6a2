//! What clients see of faults of the machine.

use std::sync::Arc;

use serde_json::json;
use staso_server::http::{Guards, Limits, Mode};

use crate::backend::{Backend, one_span, open};

#[test]
fn a_full_disk_is_told_nothing_is_half_stored_and_it_passes() {
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(open(folder.path()));
    let backend = Backend::over(Arc::clone(&store) as _, Mode::Local, Limits::default(), Guards::default());
    let limit = |pages| backend.block_on(store.limit_pages(pages)).unwrap();
    let post = |body| backend.post("/v1/traces/ingest", "k", &body);
    assert_eq!(post(one_span("default", "before", "s")).status, 200);
    let mut large = one_span("default", "large", "s");
    // Digits of which no part repeats soon: they do not compress away.
    let noise: String = (0..400_000_u64).map(|n| n.wrapping_mul(0x9E37_79B9_7F4A_7C15).to_string()).collect();
    large["traces"][0]["spans"][0]["input"] = json!(noise);

    limit(Some(20));
    let refused = post(large.clone());
    assert_eq!((refused.status, refused.error().0.as_str()), (507, "disk_full"));
    assert_eq!(backend.get("/v1/traces", "k").json()["items"].as_array().map(Vec::len), Some(1));
    assert_eq!(backend.get("/traces", "k").status, 200);

    limit(None);
    assert_eq!(post(large).status, 200);
    assert_eq!(backend.traces("default").len(), 2);
}
