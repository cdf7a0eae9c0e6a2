//! User code inside ours: whatever a `Serialize`, `Debug` or `Display` does, the function's result stays
//! what it was and the span is kept.

use std::{
    cell::RefCell,
    fmt,
    process::Command,
    rc::Rc,
    sync::{Arc, Mutex, RwLock, mpsc},
    thread,
    time::Duration,
};

use serde::{Serialize, Serializer, ser::SerializeSeq as _};
use staso::{SpanStatus, testing::capture_with};

const WATCHDOG: Duration = Duration::from_secs(20);

/// Runs the closure on a thread of its own; a deadlock fails the test instead of hanging it.
fn must_return<R: Send + 'static>(f: impl FnOnce() -> R + Send + 'static) -> R {
    let (done, result) = mpsc::channel();
    thread::spawn(move || done.send(f()));
    result.recv_timeout(WATCHDOG).expect("the traced call returns")
}

struct Panics;

impl Serialize for Panics {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        panic!("in Serialize")
    }
}

struct DebugPanics;

impl fmt::Debug for DebugPanics {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        panic!("in Debug")
    }
}

struct DisplayPanics;

impl fmt::Display for DisplayPanics {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        panic!("in Display")
    }
}

/// A payload that panics again when it is dropped.
struct PanicsTwice;

impl Serialize for PanicsTwice {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        struct Bomb;
        impl Drop for Bomb {
            fn drop(&mut self) {
                panic!("in the payload's drop")
            }
        }
        std::panic::panic_any(Bomb)
    }
}

struct Errs;

impl Serialize for Errs {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(serde::ser::Error::custom("not today"))
    }
}

#[test]
fn a_panic_in_user_code_marks_the_value_and_changes_nothing_else() {
    #[staso::tool]
    fn takes(serialize: &Panics, debug: &DebugPanics, twice: &PanicsTwice, errs: &Errs, fine: u8) -> u8 {
        let _ = (serialize, debug, twice, errs);
        fine
    }
    let (value, spans) = capture_with(|| takes(&Panics, &DebugPanics, &PanicsTwice, &Errs, 7));
    assert_eq!(value, 7);
    let input = &spans[0].input;
    assert_eq!(input["fine"], 7);
    for (argument, mark) in
        [("serialize", "in Serialize"), ("debug", "in Debug"), ("twice", "panicked"), ("errs", "not today")]
    {
        let text = input[argument].as_str().unwrap_or_default();
        assert!(text.contains(mark), "{argument}: {text}");
    }
    assert_eq!(spans[0].status, SpanStatus::Ok);
}

#[test]
fn a_panic_in_the_display_of_an_error_keeps_the_error() {
    #[staso::tool]
    fn fails() -> Result<(), DisplayPanics> {
        Err(DisplayPanics)
    }
    let (result, spans) = capture_with(fails);
    assert!(result.is_err());
    assert_eq!(spans[0].status, SpanStatus::Error);
    assert_eq!(spans[0].exception_type.as_deref(), Some("DisplayPanics"));
}

#[test]
fn a_span_opened_inside_serialize_is_not_recorded() {
    struct Traced;
    impl Serialize for Traced {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.serialize_u8(look_up())
        }
    }
    #[staso::tool]
    fn look_up() -> u8 {
        5
    }
    #[staso::tool]
    fn takes(value: Traced) -> Traced {
        value
    }
    let (_, spans) = capture_with(|| takes(Traced));
    assert_eq!(spans.tree(), "tool takes\n");
    assert_eq!(spans[0].input["value"], 5);
}

#[test]
fn a_flush_inside_serialize_does_not_deadlock() {
    struct Flushes;
    impl Serialize for Flushes {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.serialize_bool(staso::flush(WATCHDOG).timed_out())
        }
    }
    #[staso::tool]
    fn takes(_value: Flushes) -> u8 {
        1
    }
    assert_eq!(must_return(|| capture_with(|| takes(Flushes)).0), 1);
}

#[test]
fn a_lock_is_named_and_never_touched() {
    #[staso::tool]
    fn takes(shared: &Arc<Mutex<u8>>, other: Option<Rc<RwLock<u8>>>, behind_an_alias: Alias) -> u8 {
        let _ = (shared, other, behind_an_alias);
        1
    }
    type Alias = Arc<Mutex<String>>;
    let (value, input) = must_return(|| {
        let shared = Arc::new(Mutex::new(3));
        let other = Rc::new(RwLock::new(4));
        let alias = Arc::new(Mutex::new("locked".to_owned()));
        let _held = (shared.lock(), other.write(), alias.lock());
        let (value, spans) = capture_with(|| takes(&shared, Some(Rc::clone(&other)), Arc::clone(&alias)));
        (value, spans[0].input.clone())
    });
    assert_eq!(value, 1);
    assert_eq!(input["shared"], "<&Arc<Mutex<u8>>>");
    assert_eq!(input["other"], "<Option<Rc<RwLock<u8>>>>");
    assert_eq!(input["behind_an_alias"], "<Arc<Mutex<String>>>");
}

#[test]
fn an_endless_value_is_cut() {
    struct Endless;
    impl Serialize for Endless {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            let mut items = serializer.serialize_seq(None)?;
            loop {
                items.serialize_element("again")?;
            }
        }
    }
    #[staso::tool]
    fn takes(value: Endless) {
        let _ = value;
    }
    let ((), spans) = must_return(|| {
        let ((), spans) = capture_with(|| takes(Endless));
        ((), spans[0].input.clone())
    });
    let items = spans["value"].as_array().expect("an array");
    assert!(items.len() > 1_000);
    assert_eq!(items[0], "again");
    assert_ne!(items[items.len() - 1], "again", "the end is marked");
}

#[test]
fn ten_megabytes_are_cut_at_a_character_and_returned_whole() {
    #[staso::tool]
    fn echo(text: String) -> String {
        text
    }
    let (text, spans) = capture_with(|| echo("日本".repeat(2_000_000)));
    assert_eq!(text.len(), 12_000_000);
    for captured in [&spans[0].input["text"], &spans[0].output["result"]] {
        let captured = captured.as_str().expect("a text");
        assert!(captured.len() <= 65 * 1024 + 200, "{}", captured.len());
        assert!(captured.starts_with("日本日本") && captured.contains('…'));
    }
}

/// A cycle overflows the stack long before an output limit, so it runs in a child process.
#[test]
fn a_cycle_and_a_very_deep_value_are_cut_before_the_stack_ends() {
    const CHILD: &str = "STASO_TEST_CYCLE";
    #[derive(Default, Serialize)]
    struct Node {
        next: RefCell<Option<Rc<Node>>>,
    }
    #[derive(Debug, Default)]
    struct DebugNode {
        next: RefCell<Option<Rc<DebugNode>>>,
    }
    #[staso::tool]
    fn takes(node: &Node, debug: &DebugNode) -> u8 {
        let _ = (node, debug);
        9
    }
    if std::env::var_os(CHILD).is_some() {
        let thread = thread::Builder::new().stack_size(2 << 20).spawn(|| {
            let node = Rc::new(Node::default());
            *node.next.borrow_mut() = Some(Rc::clone(&node));
            let debug = Rc::new(DebugNode::default());
            *debug.next.borrow_mut() = Some(Rc::clone(&debug));
            let (value, spans) = capture_with(|| takes(&node, &debug));
            assert!(spans[0].input["node"].is_object() && spans[0].input["debug"].is_string());
            value
        });
        assert_eq!(thread.expect("a thread").join().expect("no overflow"), 9);
        return;
    }
    let name = "hostile::a_cycle_and_a_very_deep_value_are_cut_before_the_stack_ends";
    let output = Command::new(std::env::current_exe().expect("this binary"))
        .args([name, "--exact", "--test-threads=1"])
        .env(CHILD, "1")
        .output()
        .expect("the child runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(String::from_utf8_lossy(&output.stdout).contains("1 passed"));
}

#[test]
fn a_panic_in_the_source_of_an_error_keeps_the_error() {
    #[derive(Debug)]
    struct SourcePanics;
    impl fmt::Display for SourcePanics {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("no paper")
        }
    }
    impl std::error::Error for SourcePanics {
        fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
            panic!("in source")
        }
    }
    #[staso::tool]
    fn bare() -> Result<(), SourcePanics> {
        Err(SourcePanics)
    }
    #[staso::tool]
    fn boxed() -> anyhow::Result<()> {
        Err(SourcePanics.into())
    }
    let (_, spans) = capture_with(|| {
        assert!(bare().is_err());
        assert!(boxed().is_err());
    });
    for span in spans.iter() {
        assert_eq!(span.status, SpanStatus::Error, "{}", span.name);
        assert!(span.error_message.as_deref().is_some_and(|text| !text.is_empty()), "{}", span.name);
    }
    assert_eq!(spans[0].error_message.as_deref(), Some("no paper"));
}
