//! How much larger the future of an instrumented function is than the bare one.

use super::suspend;

type Large = [u8; 1024];

/// Defines functions with and without the attribute, and measures the future of the last one.
macro_rules! sizes {
    ($call:expr; $($function:item)+) => {{
        let bare = {
            $($function)+
            size_of_val(&$call)
        };
        let instrumented = {
            $(#[staso::tool] $function)+
            size_of_val(&$call)
        };
        (bare, instrumented)
    }};
}

fn large() -> Large {
    [1; 1024]
}

#[test]
fn a_kibibyte_nested_four_deep() {
    let (bare, instrumented) = sizes! {
        outermost(large());
        async fn innermost(x: Large) -> u8 { suspend().await; x[0] }
        async fn inner(x: Large) -> u8 { innermost(x).await + 1 }
        async fn outer(x: Large) -> u8 { inner(x).await + 1 }
        async fn outermost(x: Large) -> u8 { outer(x).await + 1 }
    };
    println!("bare {bare}, instrumented {instrumented}: {:.2} times", instrumented as f64 / bare as f64);
    // Two copies at each level, as async functions have no way to share, and little else.
    assert!(instrumented < 8 * 1024 + 4 * 64, "{instrumented} bytes");
    assert!(instrumented < 2 * bare, "{instrumented} of {bare} bytes");
}

#[test]
fn an_argument_is_never_held_three_times() {
    struct Wrapped(Large);
    let cases = [
        ("used", sizes!(f(large()); async fn f(x: Large) -> u8 { suspend().await; x[0] })),
        ("unused", sizes!(f(large()); #[allow(unused_variables)] async fn f(x: Large) { suspend().await; })),
        ("ignored", sizes!(f(large()); async fn f(_: Large) { suspend().await; })),
        ("changed", sizes!(f(large()); async fn f(mut x: Large) -> u8 { suspend().await; x[0] += 1; x[0] })),
        ("moved", sizes!(f(large()); async fn f(x: Large) -> Large { suspend().await; x })),
        (
            "taken apart",
            sizes!(f((large(), 1)); async fn f((x, n): (Large, u8)) -> u8 { suspend().await; x[0] + n }),
        ),
        (
            "unwrapped",
            sizes!(f(Wrapped(large())); async fn f(Wrapped(x): Wrapped) -> u8 { suspend().await; x[0] }),
        ),
    ];
    for (name, (bare, instrumented)) in cases {
        println!("{name}: bare {bare}, instrumented {instrumented}");
        assert!(instrumented < 2 * 1024 + 128, "{name}: {instrumented} bytes, bare {bare}");
    }
}

#[test]
fn without_arguments_a_future_grows_by_little() {
    let (bare, instrumented) = sizes!(f(); async fn f() { suspend().await; });
    assert!(instrumented <= bare + 24, "{instrumented} bytes, bare {bare}");
}
