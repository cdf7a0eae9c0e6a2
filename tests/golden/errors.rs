//! Errors that functions return, errors that are recorded by hand, and futures that are dropped.

use std::{error::Error, fmt, pin::pin, task};

use serde_json::json;
use staso::{Span, SpanStatus};

use crate::{
    compare::Golden,
    harness::{block_on, check},
};

/// Errors named as the exceptions of the captured programs.
macro_rules! errors {
    ($($name:ident),+) => {
        $(#[derive(Debug)]
        pub struct $name(pub &'static str);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.0)
            }
        }

        impl Error for $name {})+
    };
}

errors! { ValueError, QuotaError, KeyError, OSError, RuntimeError }

#[test]
fn an_error_marks_every_span_that_it_passes_through() {
    #[staso::tool]
    fn boom(n: u32) -> Result<(), ValueError> {
        assert_eq!(n, 42);
        Err(ValueError("bad input: 42"))
    }

    #[staso::agent]
    fn boom_agent() -> Result<(), ValueError> {
        boom(42)?;
        Ok(())
    }

    check(Golden::load("exception_sync"), || assert!(boom_agent().is_err()));
}

#[test]
fn asynchronous_functions_fail_and_are_cancelled() {
    #[staso::tool]
    async fn boom() -> Result<(), QuotaError> {
        Err(QuotaError("quota"))
    }

    #[staso::agent]
    async fn a() -> Result<(), QuotaError> {
        boom().await
    }

    #[staso::tool]
    async fn slow() {
        std::future::pending::<()>().await;
    }

    let golden = Golden::load("exception_async")
        .differs(
            "slow",
            "attributes.exception.type",
            "cancelled".into(),
            "a future is dropped, not thrown into",
        )
        .differs("slow", "error_message", "dropped before it finished".into(), "no exception brings a text");
    check(golden, || {
        assert!(block_on(a()).is_err());
        let mut context = task::Context::from_waker(task::Waker::noop());
        assert!(pin!(slow()).poll(&mut context).is_pending());
    });
}

#[test]
fn an_error_that_is_handled_stays_with_the_span_that_failed() {
    #[staso::tool]
    fn boom() -> Result<(), KeyError> {
        Err(KeyError("'k'"))
    }

    #[staso::agent]
    fn a() -> &'static str {
        boom().map_or("recovered", |()| "never")
    }

    check(Golden::load("exception_caught_inside"), || {
        a();
        Span::builder("m").in_scope(|span| {
            span.record_error(&OSError("disk"));
            span.set_status(SpanStatus::Ok, "");
        });
        Span::builder("empty").in_scope(|span| span.record_error(&RuntimeError("")));
    });
}

#[test]
fn texts_of_every_script_arrive_unchanged() {
    const TEXT: &str = "h\u{e9}llo \u{65e5}\u{672c} \u{1f680} \u{2028} \0 \"q\" \\ / <&>\t\n";

    #[staso::tool(name = "поиск")]
    fn f(текст: &str) -> serde_json::Value {
        json!({ "ключ": текст })
    }

    #[staso::tool]
    fn g() -> Result<(), ValueError> {
        Err(ValueError("ошибка 🚀 \"x\"\n"))
    }

    check(Golden::load("unicode"), || {
        staso::conversation!("разговор-🚀", user_id = "ユーザー", {
            f(TEXT);
        });
        assert!(g().is_err());
    });
}
