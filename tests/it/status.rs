//! Of what is said about how a span ended, the latest counts, whoever said it.

use std::{io, panic::AssertUnwindSafe, sync::mpsc};

use staso::{
    Span, SpanStatus, current_span,
    testing::{CapturedSpan, capture, capture_with, capture_with_async},
};

/// Status, error message and exception type of the only span.
fn ending(spans: &[CapturedSpan]) -> (SpanStatus, Option<&str>, Option<&str>) {
    let [span] = spans else { panic!("{} spans", spans.len()) };
    (span.status, span.error_message.as_deref(), span.exception_type.as_deref())
}

#[test]
fn an_error_after_a_status_counts() {
    #[staso::tool]
    fn fails() -> Result<(), String> {
        current_span().set_status(SpanStatus::Ok, "all is well");
        Err("no order".to_owned())
    }
    let spans = capture(|| drop(fails()));
    assert_eq!(ending(&spans), (SpanStatus::Error, Some("no order"), Some("String")));
}

#[tokio::test]
async fn an_error_of_a_future_after_a_status_counts() {
    #[staso::tool]
    async fn fails() -> Result<(), String> {
        current_span().set_status(SpanStatus::Timeout, "took too long");
        Err("no order".to_owned())
    }
    let (_, spans) = capture_with_async(fails()).await;
    assert_eq!(ending(&spans), (SpanStatus::Error, Some("no order"), Some("String")));
}

#[test]
fn a_panic_after_a_status_counts() {
    #[staso::tool]
    fn panics() {
        current_span().set_status(SpanStatus::Ok, "");
        panic!("out of paper");
    }
    #[staso::tool]
    extern "C-unwind" fn panics_on_the_stack() {
        current_span().set_status(SpanStatus::Ok, "");
        panic!("out of paper");
    }
    let spans = capture(|| drop(std::panic::catch_unwind(panics)));
    assert_eq!(ending(&spans), (SpanStatus::Error, Some("out of paper"), Some("panic")));
    let spans = capture(|| drop(std::panic::catch_unwind(|| panics_on_the_stack())));
    assert_eq!(ending(&spans), (SpanStatus::Error, Some("panicked"), Some("panic")));
}

#[test]
fn a_cancellation_after_a_status_counts() {
    #[staso::tool]
    async fn waits() {
        current_span().set_status(SpanStatus::Ok, "");
        std::future::pending().await
    }
    let spans = capture(|| {
        let mut future = Box::pin(waits());
        let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
        assert!(future.as_mut().poll(&mut cx).is_pending());
    });
    assert_eq!(ending(&spans), (SpanStatus::Error, Some("dropped before it finished"), Some("cancelled")));
}

#[test]
fn a_failing_block_after_a_status_counts() {
    fn fails() -> Result<(), String> {
        staso::span!("block", |span| {
            span.set_status(SpanStatus::Ok, "");
            Err::<(), _>("no order".to_owned())?;
        });
        Ok(())
    }
    let spans = capture(|| drop(fails()));
    assert_eq!(ending(&spans), (SpanStatus::Error, Some("no order"), Some("String")));
}

#[test]
fn a_return_without_an_error_leaves_a_status_as_it_is() {
    #[staso::tool]
    fn says(status: SpanStatus) -> Result<(), String> {
        current_span().set_status(status, "said so");
        Ok(())
    }
    for status in [SpanStatus::Timeout, SpanStatus::Error, SpanStatus::Ok] {
        let (result, spans) = capture_with(|| says(status));
        assert_eq!(result, Ok(()));
        assert_eq!(ending(&spans), (status, Some("said so"), None));
    }
}

#[test]
fn a_status_after_an_error_counts_and_the_error_stays() {
    let spans = capture(|| {
        Span::builder("retries").in_scope(|span| {
            span.record_error("refused");
            span.set_status(SpanStatus::Ok, "");
        });
    });
    assert_eq!(ending(&spans), (SpanStatus::Ok, Some("refused"), Some("str")));
}

#[test]
fn the_later_of_two_errors_counts() {
    let spans = capture(|| {
        Span::builder("retries").in_scope(|span| {
            span.record_error(&io::Error::from(io::ErrorKind::NotFound));
            span.set_status(SpanStatus::Timeout, "took too long");
            span.record_error("refused");
        });
    });
    assert_eq!(ending(&spans), (SpanStatus::Error, Some("refused"), Some("str")));
}

#[test]
fn an_error_that_is_a_timeout_stays_one() {
    #[staso::tool]
    fn waits() -> io::Result<()> {
        current_span().set_status(SpanStatus::Ok, "");
        Err(io::ErrorKind::TimedOut.into())
    }
    let spans = capture(|| drop(waits()));
    assert_eq!(ending(&spans), (SpanStatus::Timeout, Some("timed out"), Some("Error")));
}

#[test]
fn another_thread_may_have_the_last_word_before_an_error_or_after() {
    let (to_thread, from_span) = mpsc::channel::<Span>();
    let (done, is_done) = mpsc::channel();
    let other = std::thread::spawn(move || {
        for span in from_span {
            span.set_status(SpanStatus::Ok, "another thread says so");
            done.send(()).unwrap();
        }
    });
    let spans = capture(|| {
        Span::builder("work").in_scope(|span| {
            span.record_error("refused");
            to_thread.send(span.clone()).unwrap();
            is_done.recv().unwrap();
        });
    });
    assert_eq!(ending(&spans), (SpanStatus::Ok, Some("another thread says so"), Some("str")));

    let fails = || -> Result<(), String> {
        let span = current_span();
        to_thread.send(span).unwrap();
        is_done.recv().unwrap();
        Err("refused".to_owned())
    };
    let spans = capture(|| {
        #[staso::tool]
        fn runs(f: impl Fn() -> Result<(), String>) -> Result<(), String> {
            f()
        }
        drop(runs(fails));
    });
    assert_eq!(ending(&spans), (SpanStatus::Error, Some("refused"), Some("String")));
    drop(to_thread);
    other.join().unwrap();
}

#[test]
fn nothing_is_set_once_the_span_has_ended() {
    let mut kept = None;
    let spans = capture(|| {
        Span::builder("work").in_scope(|span| kept = Some(span.clone()));
        kept.as_ref().unwrap().set_status(SpanStatus::Error, "too late");
    });
    assert_eq!(ending(&spans), (SpanStatus::Ok, None, None));
}

#[test]
fn a_discarded_span_is_gone_whatever_else_is_said_of_it() {
    #[staso::tool]
    fn fails() -> Result<(), String> {
        let span = current_span();
        span.record_error("first");
        span.discard();
        span.set_status(SpanStatus::Timeout, "");
        Err("last".to_owned())
    }
    assert!(capture(|| drop(fails())).is_empty());
    let spans = capture(|| {
        drop(std::panic::catch_unwind(AssertUnwindSafe(|| {
            staso::span!("panics", |span| {
                span.discard();
                panic!("gone");
            })
        })));
    });
    assert!(spans.is_empty());
}

#[test]
fn of_everything_else_the_latest_counts_too_and_a_set_output_wins_over_the_returned_value() {
    #[staso::tool(tags = ["tier-1"], metadata(attempt = 1))]
    fn answers() -> u8 {
        let span = current_span();
        span.set_output(&1);
        span.set_output(&2);
        span.set_input(&"in");
        span.set_metadata("attempt", &2);
        span.add_tag("tier-1");
        span.add_tag("new");
        span.add_tag("new");
        span.set_model("requested");
        span.set_model("answered");
        span.set_usage(staso::Usage::new(1, 2));
        span.set_usage(staso::Usage::new(3, 4));
        9
    }
    let spans = capture(|| _ = answers());
    let span = &spans[0];
    assert_eq!(span.output, 2);
    assert_eq!(span.input, "in");
    assert_eq!(span.metadata["attempt"], 2);
    assert_eq!(span.tags, ["tier-1", "new"]);
    assert_eq!(span.model.as_deref(), Some("answered"));
    assert_eq!(span.usage, Some(staso::Usage::new(3, 4)));
}
