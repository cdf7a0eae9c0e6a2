//! The bare function and the instrumented one drop their arguments in the same order: whatever the pattern,
//! however the call ends, while recording and while not.
#![allow(clippy::toplevel_ref_arg, clippy::boxed_local, reason = "patterns and types under test")]
#![allow(
    unused_variables,
    unused_assignments,
    unused_mut,
    reason = "an argument that is not used is dropped all the same"
)]

use std::{
    cell::RefCell,
    panic::{AssertUnwindSafe, catch_unwind},
};

use staso::testing::capture;

use super::{block_on, cancel_after, suspend};

thread_local! {
    static LOG: RefCell<Vec<&'static str>> = const { RefCell::new(Vec::new()) };
}

fn log(event: &'static str) {
    LOG.with_borrow_mut(|log| log.push(event));
}

fn log_of(call: &dyn Fn()) -> Vec<&'static str> {
    LOG.take();
    let ended = catch_unwind(AssertUnwindSafe(call));
    log(if ended.is_ok() { "end" } else { "panic" });
    LOG.take()
}

/// Says when it is dropped.
#[derive(Debug)]
struct Loud(&'static str);

impl Drop for Loud {
    fn drop(&mut self) {
        log(self.0);
    }
}

impl Loud {
    fn look(&self) -> usize {
        self.0.len()
    }
}

struct Pair {
    x: Loud,
    y: Loud,
}

fn pair(x: &'static str, y: &'static str) -> Pair {
    Pair { x: Loud(x), y: Loud(y) }
}

#[track_caller]
fn check_log(how: &str, bare: &dyn Fn(), instrumented: &dyn Fn()) {
    let expected = log_of(bare);
    assert!(expected.len() > 1, "{how}: nothing was dropped");
    assert_eq!(log_of(instrumented), expected, "{how}, without recording");
    let mut recorded = Vec::new();
    capture(|| recorded = log_of(instrumented));
    assert_eq!(recorded, expected, "{how}, while recording");
}

/// Defines each function bare and instrumented, sync (also for other languages, and with its caller) and
/// async. The async one suspends at `pause`, and is run to its end, dropped there, and dropped without being
/// polled.
macro_rules! check_drops {
    ($($name:ident: f($($arg:expr),*);
        ($($params:tt)*) $(-> $output:ty)? { $($before:tt)* } pause { $($after:tt)* })+) => {$(
        #[test]
        fn $name() {
            mod bare {
                use super::*;
                pub(super) fn f($($params)*) $(-> $output)? { $($before)* $($after)* }
                pub(super) async fn later($($params)*) $(-> $output)? { $($before)* suspend().await; $($after)* }
            }
            mod instrumented {
                use super::*;
                #[staso::tool]
                pub(super) fn f($($params)*) $(-> $output)? { $($before)* $($after)* }
                #[staso::tool]
                pub(super) async fn later($($params)*) $(-> $output)? { $($before)* suspend().await; $($after)* }
                #[staso::tool]
                #[expect(improper_ctypes_definitions, reason = "called from Rust")]
                pub(super) extern "C-unwind" fn foreign($($params)*) $(-> $output)? { $($before)* $($after)* }
                #[staso::tool]
                #[track_caller]
                pub(super) fn tracked($($params)*) $(-> $output)? { $($before)* $($after)* }
            }
            for (how, instrumented) in [
                ("plain", &(|| { let _returned = instrumented::f($($arg),*); }) as &dyn Fn()),
                ("foreign", &|| { let _returned = instrumented::foreign($($arg),*); }),
                ("with its caller", &|| { let _returned = instrumented::tracked($($arg),*); }),
            ] {
                check_log(how, &|| { let _returned = bare::f($($arg),*); }, instrumented);
            }
            check_log(
                "async",
                &|| { let _returned = block_on(bare::later($($arg),*)); },
                &|| { let _returned = block_on(instrumented::later($($arg),*)); },
            );
            check_log(
                "cancelled",
                &|| cancel_after(1, bare::later($($arg),*)),
                &|| cancel_after(1, instrumented::later($($arg),*)),
            );
            check_log(
                "never polled",
                &|| cancel_after(0, bare::later($($arg),*)),
                &|| cancel_after(0, instrumented::later($($arg),*)),
            );
        }
    )+};
}

check_drops! {
    plain: f(Loud("a"), Loud("b"), Loud("c"));
    (a: Loud, b: Loud, c: Loud) { log("body"); } pause { b.look(); }

    ignored_and_unused: f(Loud("a"), Loud("_"), Loud("_b"), Loud("c"));
    (a: Loud, _: Loud, _b: Loud, c: Loud) { let local = Loud("local"); } pause { log("body"); }

    only_ignored: f(Loud("first"), Loud("second"));
    (_: Loud, _: Loud) { log("body"); } pause {}

    mutable: f(Loud("a"), Loud("b"));
    (mut a: Loud, mut b: Loud) { a = Loud("new a"); } pause { b = Loud("new b"); }

    moved_in_the_other_order: f(Loud("a"), Loud("b"), Loud("c"));
    (a: Loud, b: Loud, c: Loud) { drop(b); } pause { drop(a); log("body"); }

    moved_into_a_local: f(Loud("a"), Loud("b"));
    (a: Loud, b: Loud) { let first = b; let second = a; } pause { log("body"); }

    tuple: f((Loud("a"), Loud("b")), Loud("c"));
    ((a, b): (Loud, Loud), c: Loud) { log("body"); } pause { a.look(); }

    part_of_a_tuple: f((Loud("a"), Loud("_"), Loud("b")), Loud("c"));
    ((a, _, b): (Loud, Loud, Loud), c: Loud) { log("body"); } pause {}

    rest_of_a_tuple: f(Loud("c"), (Loud("a"), Loud("rest"), Loud("b")));
    (c: Loud, (a, .., b): (Loud, Loud, Loud)) { drop(b); } pause { log("body"); }

    nothing_of_a_tuple: f((Loud("a"), Loud("b")), Loud("c"));
    ((_, _): (Loud, Loud), c: Loud) { log("body"); } pause {}

    struct_fields: f(pair("x", "y"), Loud("c"));
    (Pair { x, y }: Pair, c: Loud) { log("body"); } pause {}

    struct_fields_in_the_other_order: f(Loud("c"), pair("x", "y"));
    (c: Loud, Pair { y: second, x: first }: Pair) { log("body"); } pause {}

    part_of_a_struct: f(pair("x", "y"), pair("z", "w"));
    (Pair { x, .. }: Pair, Pair { y: _, x: z }: Pair) { drop(z); } pause { log("body"); }

    nested: f((pair("x", "y"), (Loud("a"), Loud("b"))), Loud("c"));
    ((Pair { y, .. }, (_, b)): (Pair, (Loud, Loud)), c: Loud) { log("body"); } pause { y.look(); }

    reference: f(Loud("a"), Loud("b"));
    (ref a: Loud, b: Loud) { a.look(); } pause { log("body"); }

    mutable_reference: f((Loud("a"), Loud("b")), Loud("c"));
    ((ref mut a, b): (Loud, Loud), c: Loud) { *a = Loud("new a"); } pause { log("body"); }

    reference_and_value: f((Loud("a"), Loud("b"), Loud("c")), Loud("d"));
    ((ref a, b, _): (Loud, Loud, Loud), d: Loud) { log("body"); } pause { a.look(); }

    array: f([Loud("a"), Loud("b"), Loud("c")], Loud("d"));
    ([a, .., c]: [Loud; 3], d: Loud) { log("body"); } pause { c.look(); }

    rest_of_an_array: f([Loud("a"), Loud("b"), Loud("c")], Loud("d"));
    ([a, rest @ ..]: [Loud; 3], d: Loud) { log("body"); } pause { drop(rest); }

    binding_at: f((Loud("a"), Loud("b")), Loud("c"));
    (ref whole @ (ref a, _): (Loud, Loud), c: Loud) { log("body"); } pause { whole.0.look(); a.look(); }

    alternatives: f(Err(Loud("a")), Loud("b"));
    ((Ok(a) | Err(a)): Result<Loud, Loud>, b: Loud) { log("body"); } pause { a.look(); }

    part_moved_out: f((Loud("a"), Loud("b")), pair("x", "y"));
    (both: (Loud, Loud), pair: Pair) { drop(both.1); } pause { drop(pair.x); log("body"); }

    whole_structs: f(pair("x", "y"), (Loud("a"), Loud("b")));
    (pair: Pair, both: (Loud, Loud)) { log("body"); } pause {}

    boxes_and_vectors: f(Box::new(Loud("boxed")), vec![Loud("a"), Loud("b")], Some(Loud("c")));
    (boxed: Box<Loud>, mut all: Vec<Loud>, some: Option<Loud>) { all.pop(); } pause { drop(*boxed); }

    early_return: f(Loud("a"), Loud("b"), true);
    (a: Loud, b: Loud, now: bool) {
        let local = Loud("local");
        if !now { return; }
    } pause {
        if now { return drop(a); }
        log("body");
    }

    panicking: f(Loud("a"), (Loud("b"), Loud("_")), Loud("c"));
    (a: Loud, (b, _): (Loud, Loud), c: Loud) { let local = Loud("local"); drop(a); } pause {
        if c.look() > 0 { panic!("with everything alive") }
    }

    returned: f(Loud("a"), Loud("b"), Loud("c"));
    (a: Loud, b: Loud, c: Loud) -> (Loud, Loud) { log("body"); } pause { (c, a) }

    temporaries_of_the_tail: f(Loud("a"), Loud("b"));
    (a: Loud, b: Loud) -> usize { let local = Loud("local"); } pause {
        Loud("temporary").look() + a.look()
    }

    temporaries_of_a_match: f(Loud("a"), (Loud("b"), Loud("c")));
    (a: Loud, (b, c): (Loud, Loud)) -> usize { log("body"); } pause {
        match Loud("scrutinee").look() { n if n > 0 => Loud("arm").look(), n => n }
    }

    captured_by_a_closure: f(Loud("a"), Loud("b"));
    (a: Loud, b: Loud) {
        let closure = move || a.look();
        closure();
    } pause { log("body"); }
}

/// As [`check_drops!`], for methods of [`Owner`].
macro_rules! check_method_drops {
    ($($name:ident: $receiver:expr => ($($params:tt)*) { $($before:tt)* } pause { $($after:tt)* })+) => {$(
        impl Owner<BARE, SYNC> {
            fn $name($($params)*) { $($before)* $($after)* }
        }
        impl Owner<INSTRUMENTED, SYNC> {
            #[staso::tool]
            fn $name($($params)*) { $($before)* $($after)* }
        }
        impl Owner<BARE, ASYNC> {
            async fn $name($($params)*) { $($before)* suspend().await; $($after)* }
        }
        impl Owner<INSTRUMENTED, ASYNC> {
            #[staso::tool]
            async fn $name($($params)*) { $($before)* suspend().await; $($after)* }
        }

        #[test]
        fn $name() {
            let b = || Loud("b");
            check_log(
                "sync",
                &|| Owner::<BARE, SYNC>::$name($receiver, b()),
                &|| Owner::<INSTRUMENTED, SYNC>::$name($receiver, b()),
            );
            check_log(
                "async",
                &|| block_on(Owner::<BARE, ASYNC>::$name($receiver, b())),
                &|| block_on(Owner::<INSTRUMENTED, ASYNC>::$name($receiver, b())),
            );
            check_log(
                "cancelled",
                &|| cancel_after(1, Owner::<BARE, ASYNC>::$name($receiver, b())),
                &|| cancel_after(1, Owner::<INSTRUMENTED, ASYNC>::$name($receiver, b())),
            );
        }
    )+};
}

const BARE: bool = false;
const INSTRUMENTED: bool = true;
const SYNC: bool = false;
const ASYNC: bool = true;

struct Owner<const IS_INSTRUMENTED: bool, const IS_ASYNC: bool> {
    first: Loud,
    second: Loud,
}

fn owner<const IS_INSTRUMENTED: bool, const IS_ASYNC: bool>() -> Owner<IS_INSTRUMENTED, IS_ASYNC> {
    Owner { first: Loud("first"), second: Loud("second") }
}

check_method_drops! {
    self_by_value: owner() => (self, b: Loud) { log("body"); } pause { b.look(); }
    self_unused: owner() => (self, _: Loud) { log("body"); } pause {}
    self_in_parts: owner() => (self, b: Loud) { drop(self.second); } pause { log("body"); }
    self_taken_apart: owner() => (self, b: Loud) { let Self { second, first } = self; } pause { log("body"); }
    self_mutable: owner() => (mut self, b: Loud) { self.first = Loud("new"); } pause { log("body"); }
    self_in_a_box: Box::new(owner()) => (self: Box<Self>, b: Loud) { log("body"); } pause { drop(self.first); }
    self_in_an_rc: std::rc::Rc::new(owner()) => (self: std::rc::Rc<Self>, b: Loud) { drop(b); } pause { log("body"); }
    self_moved: owner() => (self, b: Loud) { let me = self; } pause { drop(b); }
}

/// Functions that return a future: what the call drops, and what the future keeps.
macro_rules! check_future_drops {
    ($($name:ident: ($($params:tt)*) -> $output:ty { $($body:tt)* })+) => {$(
        #[test]
        fn $name() {
            fn bare($($params)*) -> $output { $($body)* }
            #[staso::tool]
            fn instrumented($($params)*) -> $output { $($body)* }
            fn called<F>(future: F) -> F {
                log("called");
                future
            }
            let arg = || (Loud("a"), (Loud("b"), Loud("_")), Loud("c"));
            macro_rules! call {
                ($f:ident) => {{
                    let (a, b, c) = arg();
                    called($f(a, b, c))
                }};
            }
            check_log("awaited", &|| block_on(call!(bare)), &|| block_on(call!(instrumented)));
            check_log("cancelled", &|| cancel_after(1, call!(bare)), &|| cancel_after(1, call!(instrumented)));
            check_log("never polled", &|| drop(call!(bare)), &|| drop(call!(instrumented)));
        }
    )+};
}

type Boxed = std::pin::Pin<Box<dyn Future<Output = ()>>>;

check_future_drops! {
    an_opaque_future: (a: Loud, (b, _): (Loud, Loud), _: Loud) -> impl Future<Output = ()> {
        log("body");
        async move { suspend().await; b.look(); }
    }
    a_boxed_block: (a: Loud, (b, _): (Loud, Loud), _: Loud) -> std::pin::Pin<Box<dyn Future<Output = ()>>> {
        Box::pin(async move { let b = b; suspend().await; a.look(); })
    }
    a_boxed_future: (a: Loud, (b, _): (Loud, Loud), c: Loud) -> std::pin::Pin<Box<dyn Future<Output = ()>>> {
        log("body");
        Box::pin(async move { let _ = &c; suspend().await; drop(a); })
    }
    a_future_behind_an_alias: (a: Loud, (b, _): (Loud, Loud), c: Loud) -> Boxed {
        Box::pin(async move { let _c = c; suspend().await; })
    }
}
