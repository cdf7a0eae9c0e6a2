//! Braces of a function's own body are not reported.
#![deny(warnings)]

type Fut<T> = std::pin::Pin<Box<dyn Future<Output = T> + Send>>;

#[staso::tool]
fn ask(n: u8) -> Fut<u8> { Box::pin(async move { n }) }

#[staso::tool]
fn spelled_out(n: u8) -> std::pin::Pin<Box<dyn Future<Output = u8> + Send>> { Box::pin(async move { n }) }

#[staso::tool]
fn opaque(n: u8) -> impl Future<Output = u8> { async move { n } }

#[staso::tool]
async fn asynchronous(n: u8) -> u8 { n }

#[staso::tool]
fn value(n: u8) -> u8 { n }

fn main() {
    drop((ask(1), spelled_out(1), opaque(1), asynchronous(1), value(1)));
}
