//! The macros of the `staso` crate, which re-exports them. Do not depend on this
//! crate: its expansions call into `staso`.
//!
//! ```text
//! #[tool(…)] fn f(…) { … } ──▶ args, signature ──▶ validate ──▶ expand (with capture) ──▶ a function
//! span!("name", …, { … })  ──▶ scope ──▶ awaits? ── no ──▶ a guard around the block
//!                                          └─ yes ─▶ the block as a future, unless it jumps out
//! ```

mod args;
mod argument;
mod awaits;
mod bare;
mod block;
mod capture;
mod errors;
mod expand;
mod hygiene;
mod jumps;
mod observe;
mod scope;
mod signature;
mod validate;

use args::Macro;
use proc_macro::TokenStream;

/// Makes every call of a function a span of kind `agent`, and names the agent for every span inside it.
///
/// ```ignore
/// #[staso::agent]
/// async fn support_bot(question: &str) -> anyhow::Result<String> {
///     let order = find_order(question).await?; // a #[staso::tool]: its span lies inside
///     Ok(format!("Your order {} is on its way", order.id))
/// }
///
/// #[staso::agent(name = "refund-worker", tags = ["tier-1"], metadata(team = "billing", attempt = retry_no))]
/// fn refund(order: &Order, retry_no: u32) -> Refund {
///     order.refund(Attempt(retry_no))
/// }
/// ```
///
/// # Options
///
/// | option | default | effect |
/// |---|---|---|
/// | `name = "…"` | the function's name | the name of the span, and of the agent; any constant `&str`, such as `NAME`, `Self::NAME` or `concat!(…)` |
/// | `tags = ["…", …]` | none | labels; constants, too |
/// | `metadata(key = expression, …)` | none | values beside input and output. A key is an identifier or a string literal. The expression may use the arguments, of which the names in a pattern are references; it is evaluated before the body, and only while recording |
/// | `capture_input = false` | `true` | leaves out the arguments |
/// | `capture_output = false` | `true` | leaves out the returned value; an error is still recorded |
/// | `skip(a, b)` | none | leaves out these arguments |
/// | `only(a, self)` | all but `self` | captures these arguments and nothing else |
/// | `crate = path` | `::staso` | where the `staso` crate is, if it was renamed or re-exported |
///
/// # What is captured
///
/// Arguments are captured before the body runs, by the names that their patterns bind: `(a, b): (u8, u8)`
/// gives `a` and `b`. A value is written as JSON if it is `Serialize`, else as its `Debug` text, else
/// as what `Display` or `AsRef<str>` gives, else as its type's name. Locks named in the type of an argument (`Mutex`, `RwLock`) are never touched. An `Err` makes
/// the span one of status `error`; so does a panic, which continues unchanged.
///
/// # Where it can go
///
/// On every function with a body: free functions, methods, trait methods, `async fn`, functions that return
/// futures or streams, generic, `unsafe` and `extern` ones, and methods under `#[async_trait]`. The value that it
/// returns, what it drops and when, and whether its future is `Send` stay as they were.
///
/// | the function | its span |
/// |---|---|
/// | returns a value | lasts as long as the call |
/// | `async fn` | lasts from the first poll to the end; arguments are captured at the first poll |
/// | returns a future | lasts from the call, in which the future is made, to the end of the future |
/// | returns a stream | lasts from the call to the end of the stream, whose items are the output |
///
/// Futures and streams are followed as `impl Future` and `impl Stream`; as a `Pin<Box<dyn …>>` under any name,
/// such as `BoxFuture`, an alias or `Self::Future`; and where either lies inside a `Result`, an `Option` or a
/// tuple (boxed ones among its first three fields), also as what an `async fn` or another future gives. What has
/// a type of its own, as in `type Future = MyFuture`, cannot be wrapped: the span covers the call.
///
/// A stream's items that are texts are joined. `items` in the metadata is their number, and
/// `time_to_first_item` (`time_to_first_token` for kind `llm`) how many milliseconds the first one took. An item
/// that is an `Err` makes the span one of status `error`. To stop early is no error: the metadata then say
/// `cancelled`, or `never_polled`. A future that is dropped before its end is an error.
///
/// It cannot go on a `const fn`, a variadic function, `main` (which starts before `staso::init` has run), an
/// impl block or a trait, or a `#[track_caller]` method: these are compile errors.
#[proc_macro_attribute]
pub fn agent(options: TokenStream, item: TokenStream) -> TokenStream {
    expand::attribute(Macro::Agent, options.into(), item.into()).into()
}

/// Makes every call of a function a span of kind `tool`.
///
/// ```ignore
/// #[staso::tool(name = "stripe.refund", skip(card_number))]
/// fn refund(order_id: u64, card_number: &str) -> Result<Receipt, StripeError> {
///     stripe().refund(order_id, card_number)
/// }
/// ```
///
/// The options and the functions that it can go on are those of [`macro@agent`].
#[proc_macro_attribute]
pub fn tool(options: TokenStream, item: TokenStream) -> TokenStream {
    expand::attribute(Macro::Tool, options.into(), item.into()).into()
}

/// Makes every call of a function a span of any kind.
///
/// ```ignore
/// #[staso::trace(kind = "retriever", metadata(index = self.name))]
/// async fn search(&self, query: &str) -> Vec<Passage> {
///     self.nearest(embed(query).await)
/// }
/// ```
///
/// | option | default | effect |
/// |---|---|---|
/// | `kind = "…"` | `"chain"` | `agent`, `tool`, `llm`, `retriever`, `chain` or `custom` |
///
/// The other options and the functions that it can go on are those of [`macro@agent`].
#[proc_macro_attribute]
pub fn trace(options: TokenStream, item: TokenStream) -> TokenStream {
    expand::attribute(Macro::Trace, options.into(), item.into()).into()
}

/// Runs a block inside a span, and gives the block's value.
///
/// ```ignore
/// let hits = staso::span!("embed-query", kind = "retriever", metadata(query = query), |span| {
///     let vector = embed(query).await?;
///     span.set_model("text-embedding-3-small");
///     index.nearest(&vector).await?
/// });
/// ```
///
/// The name comes first: a string literal, or any expression that is `Display`. The block comes last, as
/// `{ … }`, or as `|span| { … }` with a handle to the span.
///
/// | option | default | effect |
/// |---|---|---|
/// | `kind = "…"` | `"chain"` | `agent`, `tool`, `llm`, `retriever`, `chain` or `custom` |
/// | `tags = ["…", …]` | none | labels |
/// | `metadata(key = expression, …)` | none | values, evaluated before the block and only while recording |
/// | `crate = path` | `::staso` | where the `staso` crate is, if it was renamed or re-exported |
///
/// The value of the block is not captured: use `span.set_output`. If it is an `Err`, or the block is left by
/// a `?` that fails or by a `return` or `break` of an `Err`, the span has the status `error`, and so have the
/// blocks around it that are left with it. A `?` inside a macro that is not one of the standard library's is
/// not seen.
///
/// # Leaving the block
///
/// `.await`, `?` and `return` mean what they mean without the macro. `break` and `continue` do too, unless
/// the block awaits: then leaving it by either is a compile error, and its value must be `Send` if the
/// surrounding future is to be.
///
/// A block awaits if it says `.await`, or if it calls a macro that is likely to (`join!`, `try_join!`,
/// `select!`, `race!`). In an async function under one of the attributes, where the macro is written with its
/// path (`staso::span!`), so does any macro that is not one of the standard library's or the log's.
#[proc_macro]
pub fn span(tokens: TokenStream) -> TokenStream {
    scope::span(tokens.into()).into()
}

/// Puts every trace that starts inside a block into a conversation, and gives the block's value.
///
/// ```ignore
/// let reply = staso::conversation!("conv-42", user_id = "user-alice", { answer(question).await? });
/// let reply = staso::conversation!({ answer(question).await? }); // a new identifier
/// ```
///
/// The identifier is any expression that is `Display`; without one, the conversation gets a new UUID.
///
/// | option | default | effect |
/// |---|---|---|
/// | `user_id = expression` | that of the conversation around it | the end user; any `Display` |
/// | `crate = path` | `::staso` | where the `staso` crate is, if it was renamed or re-exported |
///
/// Both expressions are evaluated only while recording, unless they contain `?`, `.await` or a jump. The
/// block may be left as that of [`span!`].
#[proc_macro]
pub fn conversation(tokens: TokenStream) -> TokenStream {
    scope::conversation(tokens.into()).into()
}
