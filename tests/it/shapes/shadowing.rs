//! Names that the expansion must not stumble over: the user's are anything.

use super::{check, check_async};

/// Types, traits and modules that are called like those of the standard library.
mod shadowed_types {
    #![allow(dead_code, reason = "they only have to be in the way")]

    pub(super) mod std {}
    pub(super) mod core {}
    pub(super) mod alloc {}
    pub(super) mod staso {}
    pub(super) mod serde {}

    pub(super) struct Result;
    pub(super) struct Option;
    pub(super) struct Box;
    pub(super) struct String;
    pub(super) struct Vec;
    pub(super) struct Pin;
    pub(super) struct Some;
    pub(super) struct None;
    pub(super) struct Ok;
    pub(super) struct Err;
    pub(super) struct CallSite;
    pub(super) struct Call;
    pub(super) struct Outcome;
    pub(super) struct SpanKind;
    pub(super) struct Infallible;
    pub(super) trait Debug {}
    pub(super) trait Serialize {}
    pub(super) trait Future {}
    pub(super) trait FnOnce {}
    pub(super) trait Send {}
    pub(super) trait Drop {}
    pub(super) fn drop() {}

    #[::staso::tool]
    pub(super) fn sync(n: u8, (a, _): (u8, u8)) -> ::core::result::Result<u8, &'static str> {
        if n > 1 { Err.refuse() } else { ::core::result::Result::Ok(n + a) }
    }

    impl Err {
        fn refuse(&self) -> ::core::result::Result<u8, &'static str> {
            ::core::result::Result::Err("refused")
        }
    }

    #[::staso::tool]
    pub(super) async fn asynchronous(n: u8) -> ::core::option::Option<u8> {
        ::core::option::Option::Some(n)
    }

    #[::staso::tool]
    pub(super) fn boxed(
        n: u8,
    ) -> ::core::pin::Pin<::std::boxed::Box<dyn ::core::future::Future<Output = u8>>> {
        let n = n + 1;
        ::std::boxed::Box::pin(async move { n })
    }

    #[::staso::tool]
    pub(super) fn opaque(n: u8) -> impl ::core::future::Future<Output = u8> {
        async move { n }
    }

    #[::staso::tool]
    #[track_caller]
    pub(super) fn tracked<T: ::core::fmt::Debug>(n: T) -> T {
        n
    }

    #[::staso::tool]
    pub(super) extern "C" fn foreign(n: u8) -> u8 {
        n
    }

    #[::staso::tool]
    pub(super) fn never() -> ! {
        ::std::panic!("never")
    }
}

#[test]
fn shadowed_modules_types_and_traits() {
    use shadowed_types::{asynchronous, boxed, foreign, never, opaque, sync, tracked};

    check(|| sync(1, (2, 3)), Ok(3), "tool sync(a: 2, n: 1) = 3");
    check(|| sync(2, (2, 3)), Err("refused"), "tool sync(a: 2, n: 2) ! error &str: refused");
    check_async(async || asynchronous(1).await, Some(1), "tool asynchronous(n: 1) = 1");
    check_async(async || boxed(1).await, 2, "tool boxed(n: 1) = 2");
    check_async(async || opaque(1).await, 1, "tool opaque(n: 1) = 1");
    check(|| tracked(1), 1, r#"tool tracked(n: "1") = "1""#);
    check(|| foreign(1), 1, "tool foreign(n: 1) = 1");
    check(|| super::panic_of(|| never()), "never".to_owned(), "tool never() ! error panic: never");
}

/// Macros that are called like those that an expansion could use.
mod shadowed_macros {
    #[allow(unused_macros, reason = "only has to be in the way")]
    macro_rules! file {
        ($($tokens:tt)*) => {
            compile_error!("file! is the user's")
        };
    }
    #[allow(unused_macros, reason = "only has to be in the way")]
    macro_rules! line {
        ($($tokens:tt)*) => {
            compile_error!("line! is the user's")
        };
    }
    #[allow(unused_macros, reason = "only has to be in the way")]
    macro_rules! capture {
        ($($tokens:tt)*) => {
            compile_error!("capture! is the user's")
        };
    }
    #[allow(unused_macros, reason = "only has to be in the way")]
    macro_rules! outcome {
        ($($tokens:tt)*) => {
            compile_error!("outcome! is the user's")
        };
    }

    #[staso::tool]
    pub(super) fn f(n: u8) -> u8 {
        n
    }
}

#[test]
fn shadowed_macros_are_not_used() {
    check(|| shadowed_macros::f(1), 1, "tool f(n: 1) = 1");
}

#[test]
fn arguments_and_locals_called_like_those_of_the_expansion() {
    #[staso::tool]
    #[expect(clippy::too_many_arguments, reason = "every name that the expansion uses")]
    fn sync(
        call: u8,
        guard: u8,
        returned: u8,
        outcome: u8,
        arguments: u8,
        span: u8,
        arg0: u8,
        (slot, value): (u8, u8),
    ) -> u8 {
        let never = call + guard + returned + outcome;
        let promise = arguments + span + arg0;
        never + promise + slot + value
    }
    #[staso::tool]
    async fn asynchronous(call: u8, never: u8, outcome: u8, (returned, error): (u8, u8)) -> u8 {
        let span = call + never;
        let context = outcome + returned + error;
        span + context
    }
    #[staso::tool]
    fn future(promise: u8, item: u8) -> impl Future<Output = u8> {
        let call = promise + item;
        async move { call }
    }
    #[staso::tool]
    extern "C" fn foreign(guard: u8, _guards: u8, returned: u8) -> u8 {
        let call = guard + returned;
        call + _guards
    }
    check(
        || sync(1, 1, 1, 1, 1, 1, 1, (1, 1)),
        9,
        "tool sync(arg0: 1, arguments: 1, call: 1, guard: 1, outcome: 1, returned: 1, slot: 1, span: 1, \
         value: 1) = 9",
    );
    check_async(
        async || asynchronous(1, 1, 1, (1, 1)).await,
        5,
        "tool asynchronous(call: 1, error: 1, never: 1, outcome: 1, returned: 1) = 5",
    );
    check_async(async || future(1, 1).await, 2, "tool future(item: 1, promise: 1) = 2");
    check(|| foreign(1, 1, 1), 3, "tool foreign(_guards: 1, guard: 1, returned: 1) = 3");
}

#[test]
fn items_of_the_body_called_like_those_of_the_expansion() {
    #[staso::tool]
    fn items(n: u8) -> u8 {
        static CALL_SITE: u8 = 1;
        fn call() -> u8 {
            CALL_SITE
        }
        fn guard(n: u8) -> u8 {
            n
        }
        fn __staso_body() -> u8 {
            1
        }
        guard(n) + call() + __staso_body()
    }
    #[staso::tool]
    #[track_caller]
    fn tracked(n: u8) -> u8 {
        fn __staso_body(n: u8) -> u8 {
            n + 1
        }
        __staso_body(n)
    }
    check(|| items(1), 3, "tool items(n: 1) = 3");
    check(|| tracked(1), 2, "tool tracked(n: 1) = 2");
}

#[test]
fn methods_that_every_type_has_are_not_called_by_accident() {
    #[expect(dead_code, reason = "only has to be in the way")]
    trait Nosy {
        fn capture(&self) -> u8 {
            panic!("the user's method was called")
        }
        fn split(&self) -> u8 {
            panic!("the user's method was called")
        }
        fn record(&self) -> u8 {
            panic!("the user's method was called")
        }
        fn is_on(&self) -> u8 {
            panic!("the user's method was called")
        }
    }
    impl<T: ?Sized> Nosy for T {}

    #[staso::tool]
    fn f(n: u8) -> Result<u8, String> {
        n.checked_sub(1).ok_or_else(|| "none".to_owned())
    }
    check(|| f(1), Ok(0), "tool f(n: 1) = 0");
    check(|| f(0), Err("none".to_owned()), "tool f(n: 0) ! error String: none");
}

/// A macro may write the whole function, with names that are the user's or its own.
#[test]
fn functions_written_by_a_macro() {
    macro_rules! tool {
        ($name:ident, $argument:ident: $ty:ty, $body:expr) => {
            #[staso::tool]
            fn $name($argument: $ty, hidden: u8) -> $ty {
                let result = $body;
                let _ = hidden;
                result
            }
        };
    }
    macro_rules! hidden {
        ($value:expr) => {{
            #[staso::tool]
            fn inside(hidden: u8, (left, right): (u8, u8)) -> u8 {
                hidden + left + right
            }
            inside($value, (1, 2))
        }};
    }
    tool!(made, shown: u8, shown + 1);
    check(|| made(1, 2), 2, "tool made(hidden: 2, shown: 1) = 2");
    check(|| hidden!(1), 4, "tool inside(hidden: 1, left: 1, right: 2) = 4");
}
