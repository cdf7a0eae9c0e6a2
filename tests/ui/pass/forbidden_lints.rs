//! An `allow` that a `forbid` of the user's rejects would be an error, so the macros write none.
#![forbid(unused, warnings, unsafe_code, future_incompatible, nonstandard_style)]
#![forbid(unused_imports, unused_variables, unreachable_code, unused_qualifications, single_use_lifetimes)]

#[staso::tool]
fn plain(x: u8, _unused: u8, (first, _): (u8, u8)) -> u8 {
    x + first
}

#[staso::agent(metadata(double = x * 2), tags = ["a"])]
async fn asynchronous(x: u8) -> Result<u8, String> {
    let waited = staso::span!("waits", |span| {
        span.set_metadata("x", &x);
        std::future::ready(x).await
    });
    let tried = staso::conversation!("id", { staso::span!("fails", { waited.checked_sub(9).ok_or("less")? }) });
    Ok(tried)
}

#[staso::tool]
#[track_caller]
fn tracked(x: u8) -> u8 {
    x
}

#[staso::tool]
fn boxed(x: u8) -> std::pin::Pin<Box<dyn Future<Output = u8>>> {
    let y = x;
    Box::pin(async move { y })
}

#[staso::tool]
fn opaque(x: u8) -> impl Future<Output = u8> {
    async move { x }
}

#[staso::tool]
fn leaves(x: u8) -> u8 {
    staso::span!("leaves", {
        return x;
    });
}

#[staso::tool]
async fn leaves_later(x: u8) -> u8 {
    staso::span!("leaves", {
        std::future::ready(x).await;
        return x;
    });
}

#[staso::tool]
fn panics() -> ! {
    staso::span!("panics", { panic!("never") })
}

fn main() {
    assert_eq!(plain(1, 2, (3, 4)) + tracked(1) + leaves(1), 6);
    drop((asynchronous(1), boxed(1), opaque(1), leaves_later(1)));
    assert!(std::panic::catch_unwind(|| panics()).is_err());
}
