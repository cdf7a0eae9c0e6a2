//! Methods and associated functions, by every kind of `self`.

use std::{pin::Pin, rc::Rc, sync::Arc};

use super::{check, check_async, step, suspend};

#[derive(Debug, Default)]
struct Counter {
    count: u8,
}

impl Counter {
    fn new(count: u8) -> Self {
        Self { count }
    }

    #[staso::tool]
    fn associated(count: u8) -> Self {
        step();
        Self { count }
    }

    #[staso::tool]
    fn by_value(self, n: u8) -> u8 {
        self.count + n
    }

    #[staso::tool]
    fn by_mutable_value(mut self, n: u8) -> u8 {
        self.count += n;
        self.count
    }

    #[staso::tool]
    fn by_ref(&self, n: u8) -> u8 {
        self.by_ref_inside(n)
    }

    #[staso::tool(only(self))]
    fn by_ref_inside(&self, n: u8) -> u8 {
        let Self { count } = self;
        count + n
    }

    #[staso::tool(only(self, n))]
    fn by_mut(&mut self, n: u8) -> &mut u8 {
        self.count += n;
        &mut self.count
    }

    #[staso::tool]
    fn by_arc(self: Arc<Self>, n: u8) -> u8 {
        self.count + n
    }

    #[staso::tool(only(self))]
    fn by_ref_to_arc(self: &Arc<Self>) -> usize {
        Arc::strong_count(self)
    }

    #[staso::tool]
    fn by_rc(self: Rc<Self>) -> Rc<Self> {
        self
    }

    #[staso::tool]
    fn by_box(self: Box<Self>, n: u8) -> u8 {
        self.count + n
    }

    #[staso::tool(only(self))]
    fn by_pin(mut self: Pin<&mut Self>, n: u8) -> u8 {
        self.count += n;
        self.count
    }

    #[expect(clippy::needless_arbitrary_self_type, reason = "the shape under test")]
    #[staso::tool]
    fn by_explicit_self(self: &Self) -> String {
        format!("{self:?} {}", self.count)
    }

    #[staso::tool]
    fn closures(&mut self, numbers: &[u8]) -> u8 {
        numbers.iter().for_each(|n| self.count += n);
        self.count
    }

    #[staso::tool]
    fn moves_a_part(self: Box<Self>) -> u8 {
        let inner = *self;
        inner.count
    }
}

#[test]
fn sync_methods() {
    check(
        || Counter::associated(1).count,
        1,
        "tool associated(count: 1) = \"Counter { count: 1 }\"\n  chain step() = null",
    );
    check(|| Counter::new(1).by_value(2), 3, "tool by_value(n: 2) = 3");
    check(|| Counter::new(1).by_mutable_value(2), 3, "tool by_mutable_value(n: 2) = 3");
    check(
        || Counter::new(1).by_ref(2),
        3,
        "tool by_ref(n: 2) = 3\n  tool by_ref_inside(self: \"Counter { count: 1 }\") = 3",
    );
    check(|| *Counter::new(1).by_mut(2), 3, r#"tool by_mut(n: 2, self: "Counter { count: 1 }") = 3"#);
    check(|| Arc::new(Counter::new(1)).by_arc(2), 3, "tool by_arc(n: 2) = 3");
    check(
        || Arc::new(Counter::new(1)).by_ref_to_arc(),
        1,
        r#"tool by_ref_to_arc(self: "Counter { count: 1 }") = 1"#,
    );
    check(|| Rc::new(Counter::new(1)).by_rc().count, 1, r#"tool by_rc() = "Counter { count: 1 }""#);
    check(|| Box::new(Counter::new(1)).by_box(2), 3, "tool by_box(n: 2) = 3");
    check(|| Pin::new(&mut Counter::new(1)).by_pin(2), 3, r#"tool by_pin(self: "Counter { count: 1 }") = 3"#);
    check(
        || Counter::new(1).by_explicit_self(),
        "Counter { count: 1 } 1".to_owned(),
        r#"tool by_explicit_self() = "Counter { count: 1 } 1""#,
    );
    check(|| Counter::new(1).closures(&[2, 3]), 6, "tool closures(numbers: [2,3]) = 6");
    check(|| Box::new(Counter::new(1)).moves_a_part(), 1, "tool moves_a_part() = 1");
}

struct Later {
    count: u8,
}

impl Later {
    const ONE: Self = Self { count: 1 };

    #[staso::tool]
    async fn associated(count: u8) -> Box<Self> {
        suspend().await;
        step();
        Box::new(Self { count })
    }

    #[staso::tool]
    async fn by_value(self, n: u8) -> u8 {
        suspend().await;
        self.count + n
    }

    #[staso::tool]
    async fn by_ref(&self, n: u8) -> u8 {
        suspend().await;
        step();
        self.count + n
    }

    #[staso::tool]
    async fn by_mut(&mut self, n: u8) -> &mut u8 {
        suspend().await;
        self.count += n;
        &mut self.count
    }

    #[staso::tool]
    async fn by_arc(self: Arc<Self>, n: u8) -> u8 {
        suspend().await;
        self.count + n
    }

    #[staso::tool]
    async fn by_box(mut self: Box<Self>, n: u8) -> u8 {
        self.count += n;
        suspend().await;
        self.count
    }

    #[staso::tool]
    async fn by_pin(mut self: Pin<&mut Self>, n: u8) -> u8 {
        self.count += n;
        suspend().await;
        self.count
    }

    #[staso::tool]
    fn returns_a_future(&self, n: u8) -> impl Future<Output = u8> + '_ {
        async move {
            suspend().await;
            self.count + n
        }
    }

    #[staso::tool]
    fn returns_a_boxed_future<'a>(&'a self, n: &'a u8) -> Pin<Box<dyn Future<Output = u8> + Send + 'a>> {
        Box::pin(async move {
            suspend().await;
            self.count + n
        })
    }
}

#[test]
fn async_methods() {
    let one = || Later::ONE;
    check_async(
        async || Later::associated(1).await.count,
        1,
        "tool associated(count: 1) = \"<Box<Later>>\"\n  chain step() = null",
    );
    check_async(async || one().by_value(2).await, 3, "tool by_value(n: 2) = 3");
    check_async(async || one().by_ref(2).await, 3, "tool by_ref(n: 2) = 3\n  chain step() = null");
    check_async(async || *one().by_mut(2).await, 3, "tool by_mut(n: 2) = 3");
    check_async(async || Arc::new(one()).by_arc(2).await, 3, "tool by_arc(n: 2) = 3");
    check_async(async || Box::new(one()).by_box(2).await, 3, "tool by_box(n: 2) = 3");
    check_async(async || Pin::new(&mut one()).by_pin(2).await, 3, "tool by_pin(n: 2) = 3");
    check_async(async || one().returns_a_future(2).await, 3, "tool returns_a_future(n: 2) = 3");
    check_async(async || one().returns_a_boxed_future(&2).await, 3, "tool returns_a_boxed_future(n: 2) = 3");
}
