#![deny(warnings)]

use std::{
    future::ready,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Waker},
};

#[derive(Debug, Default)]
struct Counter {
    n: u8,
    name: String,
}

impl Counter {
    #[staso::tool]
    fn new(n: u8) -> Self {
        Self { n, name: "c".into() }
    }

    #[staso::tool(only(self))]
    fn name(&self) -> &str {
        &self.name
    }

    #[staso::tool]
    fn slot(&mut self, add: u8) -> &mut u8 {
        self.n += add;
        &mut self.n
    }

    #[staso::tool]
    fn bumped(mut self) -> Self {
        self.n += 1;
        self
    }

    #[staso::tool]
    fn into_name(self) -> String {
        self.name
    }

    #[staso::tool]
    fn shared(self: Arc<Self>, add: u8) -> u8 {
        self.n + add
    }

    #[staso::tool]
    fn pinned(self: Pin<&mut Self>) -> u8 {
        self.n
    }

    #[staso::tool]
    async fn later(&mut self, add: u8) -> &mut u8 {
        self.n += ready(add).await;
        &mut self.n
    }

    #[staso::tool]
    fn promised<'a>(&'a mut self, (add, _): (u8, u8)) -> impl Future<Output = u8> + 'a {
        let slot = &mut self.n;
        async move {
            *slot += ready(add).await;
            *slot
        }
    }
}

trait Count {
    fn one(&self) -> u8;

    #[staso::tool]
    fn two(&self) -> u8 {
        self.one() * 2
    }

    #[staso::tool]
    fn boxed<'a>(&'a self, __arg1: (u8, u8)) -> Pin<Box<dyn Future<Output = u8> + Send + 'a>>
    where
        Self: Sync,
    {
        Box::pin(async move {
            let __self = self;
            let (first, _) = {
                let __arg1 = __arg1;
                __arg1
            };
            __self.one() + ready(first).await
        })
    }
}

impl Count for Counter {
    #[staso::tool]
    fn one(&self) -> u8 {
        self.n
    }
}

fn now<F: Future>(future: F) -> F::Output {
    match std::pin::pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("nothing here waits"),
    }
}

fn main() {
    let spans = staso::testing::capture(|| {
        let mut counter = Counter::new(1);
        assert_eq!(counter.name(), "c");
        *counter.slot(2) += 1;
        assert_eq!(Pin::new(&mut counter).pinned(), 4);
        *now(counter.later(1)) += 1;
        assert_eq!(now(counter.promised((1, 0))), 7);
        assert_eq!(counter.two(), 14);
        assert_eq!(now(counter.boxed((1, 2))), 8);
        let counter = counter.bumped();
        assert_eq!(Arc::new(counter).shared(1), 9);
        assert_eq!(Counter::new(1).into_name(), "c");
    });
    let named = |name| spans.iter().find(|span| span.name == name).expect("a span");
    assert_eq!(named("name").input["self"], "Counter { n: 1, name: \"c\" }");
    assert_eq!(named("promised").input["add"], 1);
    assert_eq!(named("boxed").input["first"], 1);
}
