//! Text of any `Debug` or `Display`, plain or as a JSON string.

mod escape;
mod fault;
mod sink;
mod type_name;

use std::{any::type_name, fmt};

pub(super) use escape::{needs_escape, write_escaped};
pub(super) use fault::Fault;
pub(super) use sink::{Sink, TOO_DEEP};
pub(crate) use type_name::{short_type_name, write_type_name};

use super::limits::{Limits, StackGuard};
use sink::Buffer;

/// Writes the `{:?}` text of a value as a JSON string.
pub(crate) fn write_debug<T: fmt::Debug + ?Sized>(value: &T, limits: &Limits, out: &mut Vec<u8>) {
    out.push(b'"');
    fill(format_args!("{value:?}"), "debug", type_name::<T>(), limits, out);
    out.push(b'"');
}

/// Writes the `{}` text of a value as a JSON string.
pub(crate) fn write_display<T: fmt::Display + ?Sized>(value: &T, limits: &Limits, out: &mut Vec<u8>) {
    out.push(b'"');
    fill(format_args!("{value}"), "display", type_name::<T>(), limits, out);
    out.push(b'"');
}

/// The `{:?}` text of a value.
pub(crate) fn debug_text<T: fmt::Debug + ?Sized>(value: &T, limits: &Limits) -> String {
    let mut text = String::new();
    fill(format_args!("{value:?}"), "debug", type_name::<T>(), limits, &mut text);
    text
}

/// The `{}` text of a value.
pub(crate) fn display_text<T: fmt::Display + ?Sized>(value: &T, limits: &Limits) -> String {
    let mut text = String::new();
    fill(format_args!("{value}"), "display", type_name::<T>(), limits, &mut text);
    text
}

fn fill(text: fmt::Arguments<'_>, what: &str, type_name: &str, limits: &Limits, buffer: &mut impl Buffer) {
    let stack = StackGuard::new(limits.stack);
    if let Err(fault) = Sink::new(buffer, limits.bytes, stack).fill(text) {
        buffer.append(&fault.mark(type_name, what), usize::MAX);
    }
}

#[cfg(test)]
mod tests {
    use std::{cell::RefCell, rc::Rc};

    use proptest::prelude::*;

    use super::*;

    fn limited(bytes: usize) -> Limits {
        Limits { bytes, ..Limits::default() }
    }

    fn debug_json<T: fmt::Debug>(value: &T, limits: &Limits) -> String {
        let mut out = Vec::new();
        write_debug(value, limits, &mut out);
        serde_json::from_slice(&out).unwrap()
    }

    enum Misbehaves {
        Fails,
        Panics,
        NeverEnds,
        IgnoresErrors,
    }

    impl fmt::Debug for Misbehaves {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("begun")?;
            match self {
                Self::Fails => Err(fmt::Error),
                Self::Panics => panic!("in \"Debug\""),
                Self::NeverEnds => loop {
                    f.write_str("é")?;
                },
                Self::IgnoresErrors => {
                    for _ in 0..100 {
                        let _ = f.write_str("again");
                    }
                    panic!("after the text was cut");
                }
            }
        }
    }

    #[test]
    fn a_text_is_what_the_formatter_writes() {
        assert_eq!(debug_json(&("a\n", 1), &Limits::default()), "(\"a\\n\", 1)");
        assert_eq!(display_text("a\n", &Limits::default()), "a\n");
        assert_eq!(debug_text("a\n", &Limits::default()), "\"a\\n\"");
        let mut out = Vec::new();
        write_display("a\n\"", &Limits::default(), &mut out);
        assert_eq!(out, br#""a\n\"""#);
    }

    #[test]
    fn a_text_that_fails_or_panics_becomes_a_mark() {
        let limits = Limits::default();
        assert_eq!(debug_json(&Misbehaves::Fails, &limits), "<Misbehaves: debug failed>");
        assert_eq!(debug_json(&Misbehaves::Panics, &limits), "<Misbehaves: debug panicked: in \"Debug\">");
        assert_eq!(debug_text(&Misbehaves::Fails, &limits), "<Misbehaves: debug failed>");
    }

    #[test]
    fn an_endless_text_is_cut_at_a_character() {
        assert_eq!(debug_json(&Misbehaves::NeverEnds, &limited(8)), "beguné… [cut]");
        assert_eq!(debug_text(&Misbehaves::NeverEnds, &limited(9)), "begunéé… [cut]");
    }

    #[test]
    fn nothing_is_written_behind_the_cut() {
        assert_eq!(debug_json(&Misbehaves::IgnoresErrors, &limited(7)), "begunag… [cut]");
    }

    #[test]
    fn a_cycle_ends_before_the_stack_does() {
        #[derive(Debug, Default)]
        struct Node {
            next: RefCell<Option<Rc<Self>>>,
        }

        let node = Rc::new(Node::default());
        *node.next.borrow_mut() = Some(Rc::clone(&node));
        let text = debug_text(&node, &Limits { bytes: usize::MAX, ..Limits::default() });
        assert!(text.starts_with("Node { next: RefCell { value: Some(Node {"), "{text}");
        assert!(text.ends_with("… [too deep]"), "{text}");
        node.next.take();
    }

    proptest! {
        #[test]
        fn a_cut_text_is_a_prefix_and_a_mark(text in "(?s).{0,40}", bytes in 0_usize..50) {
            let kept = display_text(&text, &limited(bytes));
            if text.len() <= bytes {
                prop_assert_eq!(kept, text);
            } else {
                let kept = kept.strip_suffix("… [cut]").unwrap();
                prop_assert!(text.starts_with(kept) && (bytes - kept.len()) < 4);
            }
        }
    }
}
