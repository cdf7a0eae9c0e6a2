//! Trait methods with a body and impl methods: plain, async, and under `#[async_trait]`.

use async_trait::async_trait;

use super::{check, check_async, step, suspend};

trait Search {
    type Hit: std::fmt::Debug + PartialEq;

    #[staso::trace(kind = "retriever")]
    fn first(&self, query: &str) -> Option<Self::Hit> {
        step();
        self.search(query, 2).into_iter().next()
    }

    fn search(&self, query: &str, limit: usize) -> Vec<Self::Hit>;

    #[staso::tool]
    fn named() -> &'static str
    where
        Self: Sized,
    {
        std::any::type_name::<Self>().rsplit("::").next().unwrap_or_default()
    }
}

struct Words(Vec<String>);

impl Search for Words {
    type Hit = String;

    #[staso::tool(only(query))]
    fn search(&self, query: &str, limit: usize) -> Vec<Self::Hit> {
        self.0.iter().filter(|word| word.contains(query)).take(limit).cloned().collect()
    }
}

#[test]
fn trait_methods_with_a_body_and_impl_methods() {
    let words = Words(vec!["tea".to_owned(), "coffee".to_owned()]);
    let picture = "retriever first(query: \"ff\") = \"Some(\\\"coffee\\\")\"\n  chain step() = null\n  \
                   tool search(query: \"ff\") = [\"coffee\"]";
    check(|| words.first("ff"), Some("coffee".to_owned()), picture);
    let object: &dyn Search<Hit = String> = &words;
    check(|| object.first("ff"), Some("coffee".to_owned()), picture);
    check(Words::named, "Words", r#"tool named() = "Words""#);
}

#[test]
fn implementations_of_foreign_and_generic_traits() {
    struct Order(u8);
    impl From<u8> for Order {
        #[staso::tool]
        fn from(id: u8) -> Self {
            Self(id)
        }
    }
    impl std::fmt::Display for Order {
        #[staso::tool(capture_input = false)]
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            write!(f, "#{}", self.0)
        }
    }
    impl std::ops::AddAssign<&u8> for Order {
        #[staso::tool]
        fn add_assign(&mut self, rhs: &u8) {
            self.0 += rhs;
        }
    }
    impl Iterator for Order {
        type Item = u8;
        #[staso::tool]
        fn next(&mut self) -> Option<Self::Item> {
            self.0 = self.0.checked_sub(1)?;
            Some(self.0)
        }
    }
    let call = || {
        let mut order = Order::from(1);
        order += &1;
        (order.to_string(), order.next())
    };
    check(
        call,
        ("#2".to_owned(), Some(1)),
        "tool from(id: 1) = \"#1\"\ntool add_assign(rhs: 1) = null\ntool fmt = null\ntool next() = 1",
    );
}

trait Ask {
    fn model(&self) -> &str;

    #[staso::agent]
    async fn ask(&self, question: &str) -> String {
        suspend().await;
        format!("{}: {}", self.model(), self.think(question.to_owned()).await)
    }

    async fn think(&self, question: String) -> String;

    fn later(&self, n: u8) -> impl Future<Output = u8> + Send;

    #[staso::tool]
    fn later_by_default(&self, n: &u8) -> impl Future<Output = u8> + Send {
        std::future::ready(*n)
    }
}

struct Fake;

impl Ask for Fake {
    fn model(&self) -> &str {
        "fake"
    }

    #[staso::trace(kind = "llm")]
    async fn think(&self, mut question: String) -> String {
        suspend().await;
        step();
        question.push('!');
        question
    }

    #[staso::tool]
    fn later(&self, n: u8) -> impl Future<Output = u8> + Send {
        async move {
            suspend().await;
            n
        }
    }
}

#[test]
fn async_methods_in_traits() {
    check_async(
        async || Fake.ask("hi").await,
        "fake: hi!".to_owned(),
        "agent ask(agent_name: \"ask\", question: \"hi\") = \"fake: hi!\"\n  llm think(question: \"hi\") = \"hi!\"\n    \
         chain step() = null",
    );
    check_async(async || Fake.later(1).await, 1, "tool later(n: 1) = 1");
    check_async(async || Fake.later_by_default(&1).await, 1, "tool later_by_default(n: 1) = 1");
}

#[async_trait]
trait Tools: Sync + std::fmt::Debug {
    #[staso::tool(only(self, n, a))]
    async fn default_method(&self, n: u8, (a, _b): (u8, u8)) -> u8 {
        suspend().await;
        step();
        self.required(&n).await.unwrap_or(0) + a
    }

    async fn required(&self, n: &u8) -> Result<u8, String>;

    async fn mutates(&mut self, n: u8, text: String) -> Option<&u8>;

    #[staso::tool]
    async fn associated(n: u8)
    where
        Self: Sized,
    {
        let _ = n;
        suspend().await;
    }

    async fn generic<T: serde::Serialize + Send + 'static>(&self, value: T) -> T
    where
        Self: Sized;

    async fn consumes(self: Box<Self>) -> u8;
}

#[derive(Debug)]
struct Till {
    cash: u8,
}

#[async_trait]
impl Tools for Till {
    #[staso::tool]
    async fn required(&self, n: &u8) -> Result<u8, String> {
        suspend().await;
        if *n > 9 {
            return Err(format!("{n} is too much"));
        }
        Ok(self.cash + n)
    }

    #[staso::tool]
    async fn mutates(&mut self, n: u8, mut text: String) -> Option<&u8> {
        text.push('x');
        suspend().await;
        self.cash = self.cash.checked_add(n)?;
        Some(&self.cash)
    }

    #[staso::tool]
    async fn generic<T: serde::Serialize + Send + 'static>(&self, value: T) -> T {
        suspend().await;
        value
    }

    #[staso::tool]
    async fn consumes(self: Box<Self>) -> u8 {
        suspend().await;
        self.cash
    }
}

#[test]
fn methods_under_async_trait() {
    let till = Till { cash: 1 };
    check_async(
        async || till.default_method(2, (3, 4)).await,
        6,
        "tool default_method(a: 3, n: 2, self: \"Till { cash: 1 }\") = 6\n  chain step() = null\n  \
         tool required(n: 2) = 3",
    );
    check_async(
        async || till.default_method(10, (3, 4)).await,
        3,
        "tool default_method(a: 3, n: 10, self: \"Till { cash: 1 }\") = 3\n  chain step() = null\n  \
         tool required(n: 10) ! error String: 10 is too much",
    );
    check_async(
        async || Till { cash: 1 }.mutates(2, "t".to_owned()).await.copied(),
        Some(3),
        r#"tool mutates(n: 2, text: "t") = 3"#,
    );
    check_async(
        async || Till { cash: 255 }.mutates(2, "t".to_owned()).await.copied(),
        None,
        r#"tool mutates(n: 2, text: "t") = null"#,
    );
    check_async(async || Till::associated(1).await, (), "tool associated(n: 1) = null");
    check_async(async || till.generic("v").await, "v", r#"tool generic(value: "v") = "v""#);
    check_async(
        async || {
            let object: Box<dyn Tools> = Box::new(Till { cash: 7 });
            object.consumes().await
        },
        7,
        "tool consumes() = 7",
    );
}

#[test]
fn a_future_without_send_under_async_trait() {
    use std::rc::Rc;

    #[async_trait(?Send)]
    trait Local {
        #[staso::tool]
        async fn local(&self, n: Rc<u8>) -> u8 {
            suspend().await;
            *n
        }
    }
    impl Local for () {}
    check_async(async || ().local(Rc::new(1)).await, 1, "tool local(n: 1) = 1");
}

#[test]
fn generic_methods_of_generic_types() {
    struct Store<T, const N: usize>([T; N]);
    impl<T: Clone + serde::Serialize, const N: usize> Store<T, N> {
        #[staso::tool]
        fn get<I>(&self, index: I) -> Option<T>
        where
            I: Into<usize> + Copy + std::fmt::Debug,
        {
            self.0.get(index.into()).cloned()
        }
    }
    check(|| Store(["a", "b"]).get(1_u8), Some("b"), r#"tool get(index: "1") = "b""#);
}
