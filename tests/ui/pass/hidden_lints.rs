//! What the compiler says of a function, it says with the attribute as well: each expectation is one that
//! the function without it fulfils.
#![deny(warnings)]
#![warn(unreachable_pub, unused_results, missing_docs)]

#[expect(dead_code)]
#[staso::tool]
fn never_called(x: u8) -> u8 {
    x
}

#[expect(dead_code)]
#[staso::agent]
async fn never_awaited(x: u8) -> u8 {
    x
}

mod private {
    #[expect(unreachable_pub)]
    #[staso::tool]
    pub fn reached_from_nowhere(x: u8) -> u8 {
        x
    }

    pub(super) struct Methods;

    impl Methods {
        #[expect(dead_code)]
        #[staso::tool]
        fn never_called(&self) {}

        #[staso::tool]
        pub(super) fn called(&self, #[expect(unused_variables)] unused: u8) {}
    }
}

#[expect(unused_variables)]
#[staso::tool]
fn unused_argument(unused: u8, (first, second): (u8, u8)) -> u8 {
    first
}

#[expect(unused_mut)]
#[staso::tool]
async fn unused_mut(mut x: u8) -> u8 {
    let mut y = x;
    y + 1
}

#[expect(unused_assignments)]
#[staso::tool]
fn overwritten(mut x: u8) -> u8 {
    x = 1;
    x = 2;
    x
}

#[staso::tool]
#[must_use]
fn kept(x: u8) -> u8 {
    #[expect(unreachable_code)]
    {
        return x;
        0
    }
}

#[deprecated]
#[staso::tool]
fn old(x: u8) -> u8 {
    x
}

#[expect(non_snake_case)]
#[staso::tool]
fn NotSnakeCase(Argument: u8) -> u8 {
    Argument
}

#[staso::tool]
#[expect(unused_must_use)]
fn forgets() {
    kept(1);
    #[expect(deprecated, unused_results)]
    old(1);
}

#[staso::tool]
fn blocks(x: Option<u8>) -> Option<u8> {
    #[expect(unused_variables)]
    let unused = staso::span!("a", { 1 });
    #[expect(unused_mut)]
    let mut never_changed = staso::span!("b", { x? });
    Some(staso::conversation!("c", { never_changed }))
}

fn main() {
    private::Methods.called(1);
    let _ = (private::reached_from_nowhere(1), unused_argument(1, (2, 3)), overwritten(1), NotSnakeCase(1));
    drop(unused_mut(1));
    let _ = blocks(Some(1));
    forgets();
}
