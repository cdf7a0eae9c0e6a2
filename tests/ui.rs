//! What the macros refuse, with the messages, and what they must accept without a warning.
//!
//! The messages are those of the toolchain in `rust-version`. After a change, read every new `.stderr`:
//! `TRYBUILD=overwrite cargo test --test ui`.

#[test]
fn mistakes_are_explained_where_they_are() {
    trybuild::TestCases::new().compile_fail("tests/ui/fail/**/*.rs");
}

#[test]
fn every_shape_of_function_is_accepted() {
    trybuild::TestCases::new().pass("tests/ui/pass/*.rs");
}
