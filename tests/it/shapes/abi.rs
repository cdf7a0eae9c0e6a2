//! Functions that other languages call, `unsafe` ones, and those that know their caller.
#![expect(unsafe_code, reason = "unsafe functions are the subject")]

use std::{
    ffi::{c_int, c_void},
    panic::Location,
};

use super::{check, check_async, panic_of, step, suspend};

#[test]
fn unsafe_functions_stay_unsafe() {
    /// # Safety
    ///
    /// There are at least two items.
    #[staso::tool(skip(first))]
    unsafe fn second(first: *const u8, n: u8) -> u8 {
        step();
        // SAFETY: the caller promises a second item.
        let second = unsafe { first.add(1) };
        // SAFETY: as above.
        n + unsafe { *second }
    }
    struct Items([u8; 2]);
    impl Items {
        #[staso::tool]
        unsafe fn get(&self, index: usize) -> &u8 {
            // SAFETY: the caller promises an index that is in range.
            unsafe { self.0.get_unchecked(index) }
        }
        #[staso::tool]
        async unsafe fn get_later(&self, index: usize) -> u8 {
            suspend().await;
            // SAFETY: the caller promises an index that is in range.
            unsafe { *self.get(index) }
        }
    }
    let items = Items([1, 2]);
    check(
        // SAFETY: there are two items.
        || unsafe { second(items.0.as_ptr(), 1) },
        3,
        "tool second(n: 1) = 3\n  chain step() = null",
    );
    // SAFETY: there are two items.
    check(|| unsafe { *items.get(1) }, 2, "tool get(index: 1) = 2");
    check_async(
        // SAFETY: there are two items.
        async || unsafe { items.get_later(1) }.await,
        2,
        "tool get_later(index: 1) = 2\n  tool get(index: 1) = 2",
    );
    let _: unsafe fn(*const u8, u8) -> u8 = second;
}

#[test]
fn a_c_library_calls_an_instrumented_function() {
    #[staso::tool(skip(a, b))]
    extern "C" fn compare(a: *const c_void, b: *const c_void) -> c_int {
        step();
        // SAFETY: qsort passes pointers to two of the items.
        let a = unsafe { *a.cast::<i32>() };
        // SAFETY: as above.
        let b = unsafe { *b.cast::<i32>() };
        a - b
    }
    let sort = || {
        let mut items = [2_i32, 1];
        // SAFETY: pointer, length and size are those of the array.
        unsafe { libc::qsort(items.as_mut_ptr().cast(), 2, 4, Some(compare)) };
        items
    };
    check(sort, [1, 2], "tool compare() = 1\n  chain step() = null");
}

#[test]
fn foreign_functions_have_arguments_results_and_early_returns() {
    #[staso::tool]
    extern "C" fn clamp(mut n: c_int, Range { low, high }: Range) -> c_int {
        if n < low {
            return low;
        }
        n = n.min(high);
        n
    }
    #[staso::tool]
    extern "C" fn nothing() {}
    #[expect(improper_ctypes_definitions, reason = "only called from Rust")]
    #[staso::tool]
    unsafe extern "system" fn tries(n: c_int) -> Result<c_int, c_int> {
        Err(n)?;
        Ok(1)
    }
    check(|| clamp(-1, Range { low: 0, high: 9 }), 0, "tool clamp(high: 9, low: 0, n: -1) = 0");
    check(|| clamp(10, Range { low: 0, high: 9 }), 9, "tool clamp(high: 9, low: 0, n: 10) = 9");
    check(|| nothing(), (), "tool nothing() = null");
    // SAFETY: it needs nothing.
    check(|| unsafe { tries(7) }, Err(7), "tool tries(n: 7) ! error i32: 7");
    let _: extern "C" fn(c_int, Range) -> c_int = clamp;
}

#[repr(C)]
struct Range {
    low: c_int,
    high: c_int,
}

#[test]
fn a_panic_unwinds_through_a_function_that_allows_it() {
    #[staso::tool]
    extern "C-unwind" fn fails(n: c_int) -> c_int {
        step();
        if n > 0 { panic!("too much") } else { n }
    }
    #[staso::tool]
    extern "C-unwind" fn never() -> ! {
        panic!("never")
    }
    check(|| fails(0), 0, "tool fails(n: 0) = 0\n  chain step() = null");
    check(
        || panic_of(|| fails(1)),
        "too much".to_owned(),
        "tool fails(n: 1) ! error panic: panicked\n  chain step() = null",
    );
    check(|| panic_of(|| never()), "never".to_owned(), "tool never() ! error panic: panicked");
}

#[test]
fn methods_and_generics_with_a_foreign_calling_convention() {
    #[repr(C)]
    struct Meter {
        total: u32,
    }
    impl Meter {
        #[staso::tool]
        extern "C" fn add(&mut self, n: u32) -> u32 {
            self.total += n;
            self.total
        }
        #[staso::tool]
        extern "C-unwind" fn of<T: Into<u32> + std::fmt::Debug>(n: T) -> Self {
            Self { total: n.into() }
        }
    }
    check(|| Meter::of(1_u8).add(2), 3, "tool of(n: \"1\") = \"<Meter>\"\ntool add(n: 2) = 3");
}

#[staso::tool]
#[track_caller]
fn caller_line(n: u32) -> u32 {
    step();
    n + Location::caller().line()
}

#[test]
fn the_caller_is_the_one_outside() {
    let here = Location::caller().line();
    check(
        || caller_line(0) - here,
        2,
        &format!("tool caller_line(n: 0) = {}\n  chain step() = null", here + 2),
    );
}

#[test]
fn a_panic_in_a_function_that_knows_its_caller_is_recorded() {
    #[track_caller]
    #[staso::tool]
    fn positive(n: i8) -> i8 {
        n.checked_abs().filter(|abs| *abs == n).expect("positive")
    }
    #[track_caller]
    #[staso::tool]
    fn never(why: &str) -> ! {
        panic!("{why} at {}", Location::caller().line())
    }
    let here = Location::caller().line();
    check(
        || panic_of(|| never("failed")),
        format!("failed at {}", here + 2),
        r#"tool never(why: "failed") ! error panic: panicked"#,
    );
    check(|| positive(1), 1, "tool positive(n: 1) = 1");
    check(
        || panic_of(|| positive(-1)),
        "positive".to_owned(),
        "tool positive(n: -1) ! error panic: panicked",
    );
}

#[test]
fn functions_that_know_their_caller_may_be_generic_unsafe_or_foreign() {
    #[staso::tool]
    #[track_caller]
    #[expect(clippy::needless_lifetimes, reason = "the shape")]
    fn generic<'a, T: std::fmt::Debug, const N: usize>(
        (first, _): (&'a T, u8),
        _: [u8; N],
    ) -> (&'a T, &'static Location<'static>) {
        (first, Location::caller())
    }
    #[staso::tool(capture_output = false)]
    #[track_caller]
    unsafe fn reads(n: *const u8) -> (u8, u32) {
        // SAFETY: the caller promises that it can be read.
        (unsafe { *n }, Location::caller().line())
    }
    #[staso::tool]
    #[track_caller]
    fn opaque(n: &mut u8) -> impl Fn(u32) -> u32 + use<> {
        *n += 1;
        let line = Location::caller().line();
        move |m| line + m
    }
    let spans = staso::testing::capture(|| {
        let (first, caller) = generic((&1, 2), [3; 1]);
        assert_eq!((*first, caller.line()), (1, line!() - 1));
        // SAFETY: it is a reference.
        assert_eq!(unsafe { reads(&7) }, (7, line!()));
        let mut n = 1;
        assert_eq!((opaque(&mut n)(1), n), (line!() + 1, 2));
    });
    assert_eq!(spans.tree(), "tool generic\ntool reads\ntool opaque\n");
    assert_eq!(spans[0].input, serde_json::json!({"first": "1"}));
    assert_eq!(spans[2].input, serde_json::json!({"n": 1}));
}
