//! The committed `openapi.json` is what the code says.

use std::{env, fs};

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi.json");
const COMMAND: &str = "STASO_WRITE=1 cargo test -p staso-server --test openapi";

#[test]
fn the_committed_description_is_that_of_the_code() {
    let document = staso_server::api::document().to_pretty_json().unwrap() + "\n";
    if env::var_os("STASO_WRITE").is_some() {
        fs::write(FILE, &document).unwrap();
    }
    let committed = fs::read_to_string(FILE).unwrap_or_default();
    assert!(committed == document, "openapi.json is not what the code says; write it anew with\n  {COMMAND}");
}
