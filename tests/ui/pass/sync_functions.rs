#![deny(warnings)]

use std::{
    fmt::{Debug, Display},
    io,
};

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

#[staso::tool]
fn early(n: u8) -> Outcome<u8> {
    if n == 0 {
        return Err("zero".into());
    }
    let parsed: u8 = n.to_string().parse()?;
    Ok(parsed)
}

#[staso::tool]
fn aliased() -> io::Result<()> {
    Err(io::Error::other("disk"))
}

#[staso::tool]
fn optional(n: Option<u8>) -> Option<u8> {
    Some(n? + 1)
}

#[staso::tool]
fn generic<T: Debug, U, const N: usize>(value: T, rest: [U; N]) -> (T, usize)
where
    U: Clone,
{
    (value, rest.len())
}

#[staso::tool]
fn borrowed<'a>(list: &'a mut Vec<u8>, text: &str) -> &'a mut u8 {
    list.push(text.len() as u8);
    let last = list.len() - 1;
    &mut list[last]
}

#[staso::tool]
fn opaque(value: impl Debug, shown: &dyn Display, make: Box<dyn Fn() -> u8>) -> impl Display {
    format!("{value:?} {shown} {}", make())
}

#[staso::tool]
fn opaque_inside(n: u8) -> Outcome<impl Display> {
    let parsed: u8 = n.to_string().parse()?;
    Ok(parsed)
}

#[staso::tool]
fn coerced(n: u8) -> Box<dyn Debug> {
    if n == 0 {
        return Box::new(n);
    }
    Box::new("many")
}

#[staso::tool]
fn never(reason: &str) -> ! {
    panic!("{reason}")
}

#[staso::tool]
fn factorial(n: u64) -> u64 {
    if n == 0 { 1 } else { n * factorial(n - 1) }
}

/// # Safety
///
/// The pointer is valid.
#[staso::tool]
unsafe fn read(pointer: *const u8) -> u8 {
    // SAFETY: the caller vouches for it.
    unsafe { *pointer }
}

#[staso::tool]
extern "C" fn foreign(n: u8) -> u8 {
    n + 1
}

#[staso::tool]
extern "C-unwind" fn unwinding(n: u8) -> u8 {
    assert!(n < 5, "too much");
    n + 1
}

fn main() {
    let spans = staso::testing::capture(|| {
        assert_eq!(early(0).unwrap_err().to_string(), "zero");
        assert_eq!(early(1).unwrap(), 1);
        assert!(aliased().is_err());
        assert_eq!(optional(None), None);
        assert_eq!(generic("a", [1, 2]), ("a", 2));
        let mut list = vec![1];
        *borrowed(&mut list, "ab") += 1;
        assert_eq!(list, [1, 3]);
        assert_eq!(opaque(1, &2, Box::new(|| 3)).to_string(), "1 2 3");
        assert_eq!(opaque_inside(4).unwrap().to_string(), "4");
        assert_eq!(format!("{:?}", coerced(0)), "0");
        assert!(std::panic::catch_unwind(|| never("so it is")).is_err());
        assert_eq!(factorial(2), 2);
        // SAFETY: the reference is valid.
        assert_eq!(unsafe { read(&7) }, 7);
        assert_eq!(foreign(1), 2);
        assert!(std::panic::catch_unwind(|| unwinding(9)).is_err());
    });
    let expected = "tool early error\ntool early\ntool aliased error\ntool optional\ntool generic\n\
                    tool borrowed\ntool opaque\ntool opaque_inside\ntool coerced\ntool never error\n\
                    tool factorial\n  tool factorial\n    tool factorial\ntool read\ntool foreign\n\
                    tool unwinding error\n";
    assert_eq!(spans.tree(), expected);
}
