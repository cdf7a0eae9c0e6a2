#![deny(warnings)]

use std::{fmt::Debug, panic::Location};

#[staso::tool]
#[track_caller]
fn line<T: Debug, const N: usize>((value, _): (T, u8), other: impl Debug) -> (u32, String)
where
    T: Clone,
{
    (Location::caller().line(), format!("{value:?}{other:?}{N}"))
}

/// # Safety
///
/// None is needed.
#[staso::tool]
#[track_caller]
unsafe fn unsafe_line() -> u32 {
    Location::caller().line()
}

fn main() {
    let spans = staso::testing::capture(|| {
        assert_eq!(line::<_, 3>((1, 2), "x"), (line!(), "1\"x\"3".to_owned()));
        // SAFETY: none is needed.
        assert_eq!(unsafe { unsafe_line() }, line!());
    });
    assert_eq!(spans[0].input["value"], "1");
    assert_eq!(spans[0].input["other"], "\"x\"");
}
