#![deny(warnings)]

use std::{
    future::ready,
    task::{Context, Poll, Waker},
};

fn check(n: u8) -> Result<u8, String> {
    if n > 3 { Err(format!("{n} is too big")) } else { Ok(n) }
}

fn sync(n: u8) -> Result<u64, String> {
    for i in 0..9 {
        if i == 2 {
            continue;
        }
        staso::span!("step", kind = "tool", tags = ["loop"], metadata(i = i), |span| {
            span.add_tag("seen");
            if i > n {
                break;
            }
            check(i)?;
        });
    }
    let parsed: u64 = staso::span!("parse", { "12".parse().map_err(|_| "no number".to_owned())? });
    let list: Vec<_> = staso::span!(format!("list {n}"), { (0..n).collect() });
    let length = staso::conversation!("c", user_id = format!("user-{n}"), { list.len() as u64 });
    Ok(parsed + length)
}

async fn later(n: u8) -> Result<Box<dyn std::fmt::Debug>, String> {
    let moved = String::from("moved");
    let parsed: u64 = staso::span!("a", |span| {
        span.add_tag("seen");
        drop(moved);
        if ready(n).await == 1 {
            return Ok(Box::new("early"));
        }
        check(n)?;
        "12".parse().unwrap()
    });
    for i in 0..2 {
        staso::conversation!(i, {
            loop {
                if ready(true).await {
                    break;
                }
            }
            check(i)?
        });
    }
    Ok(Box::new(parsed))
}

#[staso::tool]
async fn nested(n: u8) -> Result<u8, String> {
    let sum = staso::conversation!("c", user_id = ready("u").await, {
        staso::span!("outer", {
            let inner = staso::span!("inner", { check(ready(n).await)? });
            inner + (0..2).map(|i| staso::span!("closure", { identity!(i) })).sum::<u8>()
        })
    });
    Ok(sum)
}

#[macro_export]
macro_rules! identity {
    ($value:expr) => {
        $value
    };
}

fn in_a_block() -> impl Future<Output = Result<u8, String>> + Send {
    async {
        let one = staso::span!("block", { check(ready(1).await)? });
        Ok(one)
    }
}

fn now<F: Future>(future: F) -> F::Output {
    match std::pin::pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("nothing here waits"),
    }
}

fn main() {
    let results = || {
        assert_eq!(sync(3), Ok(15));
        assert!(sync(9).is_err());
        assert_eq!(format!("{:?}", now(later(1)).unwrap()), "\"early\"");
        assert_eq!(now(later(9)).unwrap_err(), "9 is too big");
        assert_eq!(format!("{:?}", now(later(2)).unwrap()), "12");
        assert_eq!(now(nested(3)), Ok(4));
        assert_eq!(now(in_a_block()), Ok(1));
    };
    results();
    let spans = staso::testing::capture(results);
    assert_eq!(spans[0].name, "step");
}
