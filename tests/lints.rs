//! What clippy says of a function, it says with the attribute as well, and nothing else. The lints are
//! those that a rewritten function runs into. `cargo clippy --all-targets` is the test: an expectation that
//! is not fulfilled is an error there, and the functions run too.
#![deny(
    warnings,
    clippy::pedantic,
    clippy::shadow_same,
    clippy::pattern_type_mismatch,
    clippy::used_underscore_binding,
    clippy::no_effect_underscore_binding,
    clippy::redundant_locals,
    clippy::let_underscore_untyped,
    clippy::diverging_sub_expression,
    clippy::blocks_in_conditions,
    clippy::empty_loop,
    clippy::ref_patterns,
    clippy::multiple_inherent_impl,
    clippy::semicolon_inside_block
)]

mod clippy_on_arguments {
    #[staso::tool]
    pub(crate) fn plain(first: u8, _second: u8, _: u8) -> u8 {
        first
    }

    #[staso::tool]
    pub(crate) fn pattern((first, second): (u8, u8), [_third, ..]: [u8; 2]) -> u8 {
        first.max(second)
    }
}

mod silent {
    #[staso::agent(metadata(sum = first + second, shown = format!("{first}")))]
    pub(crate) fn described((first, second): (u8, u8), _limit: u8) -> u8 {
        first.max(second)
    }

    #[staso::tool]
    pub(crate) async fn asynchronous(first: u8, _second: u8, (third, _fourth): (u8, u8)) -> u8 {
        staso::span!("waits", { std::future::ready(first).await + third })
    }

    #[staso::tool]
    #[track_caller]
    pub(crate) fn tracked(first: u8, (second, _third): (u8, u8)) -> u8 {
        first + second
    }

    #[staso::tool]
    pub(crate) fn blocks(first: u8) -> Option<u8> {
        if staso::span!("asks", { first > 250 }) {
            staso::span!("leaves", { return None });
        }
        let second = staso::span!("adds", { first.checked_add(1)? });
        staso::conversation!({
            staso::span!("panics", {
                assert!(second > 0, "never");
            });
            Some(second)
        })
    }
}

mod told {
    #[expect(clippy::needless_return)]
    #[staso::tool]
    pub(crate) fn returns(x: u8) -> u8 {
        return x;
    }

    #[expect(clippy::needless_return)]
    #[staso::tool]
    pub(crate) async fn returns_later(x: u8) -> u8 {
        return x;
    }

    #[expect(clippy::let_and_return)]
    #[staso::tool]
    pub(crate) fn binds(x: u8) -> u8 {
        let y = x + 1;
        y
    }

    #[expect(clippy::too_many_arguments, clippy::many_single_char_names)]
    #[staso::tool]
    pub(crate) fn takes(a: u8, b: u8, c: u8, d: u8, e: u8, f: u8, g: u8, h: u8) -> u8 {
        a + b + c + d + e + f + g + h
    }

    #[expect(clippy::used_underscore_binding)]
    #[staso::tool]
    pub(crate) fn uses(_x: u8) -> u8 {
        _x
    }

    #[expect(clippy::shadow_same, clippy::redundant_locals)]
    #[staso::tool]
    pub(crate) fn shadows(x: u8) -> u8 {
        let x = x;
        x + 1
    }

    #[expect(clippy::double_must_use)]
    #[staso::tool]
    #[must_use]
    pub(crate) fn checks(x: u8) -> Result<u8, u8> {
        x.checked_sub(1).ok_or(x)
    }

    #[expect(clippy::trivially_copy_pass_by_ref)]
    #[staso::tool]
    pub(crate) fn borrows(x: &u8) -> u8 {
        *x
    }

    #[expect(clippy::needless_lifetimes)]
    #[staso::tool]
    pub(crate) fn names<'a>(x: &'a str) -> usize {
        x.len()
    }
}

#[test]
fn functions_run() {
    use clippy_on_arguments::{pattern, plain};
    use silent::{asynchronous, blocks, described, tracked};
    use told::{binds, borrows, checks, names, returns, returns_later, shadows, takes, uses};

    assert_eq!(plain(1, 2, 3) + pattern((1, 2), [3, 4]) + described((1, 2), 3) + tracked(1, (2, 3)), 8);
    assert_eq!((blocks(251), blocks(1)), (None, Some(2)));
    drop((asynchronous(1, 2, (3, 4)), returns_later(1)));
    assert_eq!(returns(1) + binds(1) + takes(1, 1, 1, 1, 1, 1, 1, 1) + uses(1) + shadows(1), 14);
    assert_eq!((checks(1), borrows(&1), names("a")), (Ok(0), 1, 1));
}
