//! Whatever is in scope under whatever name, the macros find their own. A name in a pattern is no binding
//! where a constant, a static or a unit struct has it, so these are called like anything one could think of.
#![allow(non_upper_case_globals, non_camel_case_types, dead_code, unused_macros)]

/// As bindgen writes them.
mod bindings {
    macro_rules! constants {
        ($($name:ident)*) => { $(pub const $name: u32 = 1;)* };
    }
    constants! {
        arg0 args argument arguments body call callsite capture context cx done early enter err error future guard
        handle id input item kind left log name never next none now ok open out outcome output poll promise
        reached result returned self_ site slot some span state step stream this token tokens user value
        CALL_SITE CallSite
    }
    pub static entry: u32 = 1;
    pub struct observed;
    pub fn drop() {}
    pub fn pending() {}
}


mod plain {
    use std::future::Future;

    use crate::bindings::*;

    #[staso::tool]
    fn f(x: u32) -> u32 {
        x + value
    }

    #[staso::agent(name = name_of(), metadata(sum = x + value, shown = format!("{x}{y}{value}")))]
    fn options(x: u32, (y, _): (u32, u32), r#type: &str) -> Result<u32, String> {
        r#type.parse::<u32>().map(|parsed| parsed + x + y).map_err(|e| e.to_string())
    }

    const fn name_of() -> &'static str {
        "named"
    }

    #[staso::tool]
    async fn later(x: u32, (y, _): (u32, u32)) -> Result<u32, String> {
        let z = staso::span!("waits", kind = "tool", metadata(x = x), |handle_| {
            handle_.set_metadata("y", &y);
            std::future::ready(x).await + y
        });
        staso::conversation!(format!("c{z}"), user_id = z, {
            std::future::ready(()).await;
            Ok(staso::span!("tries", { z.checked_add(value).ok_or("too much")? }))
        })
    }

    #[staso::tool]
    fn promises(x: u32) -> std::pin::Pin<Box<dyn Future<Output = u32>>> {
        let y = x + promise;
        Box::pin(async move { y })
    }

    #[staso::tool]
    fn opaque(x: u32) -> impl Future<Output = u32> {
        async move { x + future }
    }

    #[staso::tool]
    #[track_caller]
    fn tracked(x: u32) -> u32 {
        x + guard
    }

    #[staso::tool]
    fn never() -> ! {
        panic!("{never}", never = value)
    }

    // The standard library's `assert_eq!` would stumble over `kind`.
    pub fn run() -> (u32, bool) {
        drop();
        pending();
        std::mem::drop((later(1, (1, 1)), promises(1), opaque(1)));
        let numbers = f(1) + tracked(1) + options(1, (1, 1), "1").unwrap();
        (numbers, std::panic::catch_unwind(|| never()).is_err())
    }
}

mod prelude {
    mod std {}
    mod core {}
    mod alloc {}
    mod staso {}
    enum Option {}
    enum Result {}
    struct Some;
    struct None;
    struct Ok;
    struct Err;
    struct Box;
    struct Vec;
    struct String;
    trait Future {}
    trait Fn {}
    trait FnOnce {}
    trait Drop {}
    type Infallible = u8;
    type u8_ = u8;
    type str_ = str;

    #[::staso::tool]
    async fn later(x: u8) -> ::core::result::Result<u8, u8> {
        let y = ::staso::span!("a", { ::core::future::ready(x).await });
        ::staso::conversation!({ ::staso::span!("b", { y.checked_add(1).ok_or(y)? }) }).pipe()
    }

    #[::staso::tool]
    fn boxed(x: u8) -> ::core::pin::Pin<::std::boxed::Box<dyn ::core::future::Future<Output = u8>>> {
        let y = x;
        ::std::boxed::Box::pin(async move { y })
    }

    trait Pipe {
        fn pipe(self) -> ::core::result::Result<u8, u8>;
    }
    impl Pipe for u8 {
        fn pipe(self) -> ::core::result::Result<u8, u8> {
            ::core::result::Result::Ok(self)
        }
    }

    pub fn run() {
        ::std::mem::drop((later(1), boxed(1)));
    }
}

/// Macros of the user's that are called like those that an expansion could use.
mod shadowed_macros {
    macro_rules! capture { ($($tokens:tt)*) => { compile_error!("the user's") }; }
    macro_rules! outcome { ($($tokens:tt)*) => { compile_error!("the user's") }; }
    macro_rules! errors_only { ($($tokens:tt)*) => { compile_error!("the user's") }; }
    macro_rules! observe { ($($tokens:tt)*) => { compile_error!("the user's") }; }
    macro_rules! file { ($($tokens:tt)*) => { compile_error!("the user's") }; }
    macro_rules! line { ($($tokens:tt)*) => { compile_error!("the user's") }; }
    macro_rules! matches { ($($tokens:tt)*) => { compile_error!("the user's") }; }
    macro_rules! panic { ($($tokens:tt)*) => { compile_error!("the user's") }; }
    macro_rules! unreachable { ($($tokens:tt)*) => { compile_error!("the user's") }; }
    macro_rules! vec { ($($tokens:tt)*) => { compile_error!("the user's") }; }

    #[staso::tool]
    pub fn f(x: u8) -> Result<u8, u8> {
        staso::span!("a", { x.checked_sub(1).ok_or(x)? });
        Ok(x)
    }
}

fn main() {
    assert_eq!(plain::run(), (7, true));
    prelude::run();
    assert_eq!(shadowed_macros::f(0), Err(0));
}
