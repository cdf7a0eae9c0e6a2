//! A crate without `std` in its names.
#![no_std]

extern crate alloc;

use alloc::{boxed::Box, string::String};
use core::{future::Future, pin::Pin};

#[staso::tool]
pub fn boxed(x: u8) -> Pin<Box<dyn Future<Output = u8>>> {
    let y = x;
    Box::pin(async move { y })
}

#[staso::tool]
pub fn opaque(x: u8) -> impl Future<Output = u8> {
    async move { x }
}

#[staso::agent]
pub async fn asynchronous(x: u8) -> Result<Option<u8>, String> {
    Ok(Some(boxed(x).await))
}

#[staso::trace(metadata(twice = x * 2))]
pub fn value((x, _): (u8, u8)) -> Option<u8> {
    staso::conversation!("c", { staso::span!("s", { x.checked_add(1) }) })
}

fn main() {}
