//! Where a block or an expression of the user's can suspend, or leave the function.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use syn::{
    Block, Expr, ExprAsync, ExprClosure, Item, Macro,
    visit::{self, Visit},
};

/// Whether the block awaits.
///
/// `in_async` says that the block is known to stand in async code. There, a macro that nobody here knows is
/// taken to await: a plain guard held across a hidden await would leak its context to another task.
pub(crate) fn awaits(block: &Block, in_async: bool) -> bool {
    let mut search = Awaits { in_async, found: false };
    search.visit_block(block);
    search.found
}

/// Whether evaluating the expression can await, or leave the function.
pub(crate) fn leaves(expr: &Expr) -> bool {
    let mut search = Leaves(false);
    search.visit_expr(expr);
    search.0
}

struct Awaits {
    in_async: bool,
    found: bool,
}

impl<'ast> Visit<'ast> for Awaits {
    fn visit_expr_await(&mut self, _: &'ast syn::ExprAwait) {
        self.found = true;
    }

    fn visit_macro(&mut self, mac: &'ast Macro) {
        let name = mac.path.segments.last().map(|segment| segment.ident.to_string()).unwrap_or_default();
        self.found |= awaits_by_name(&name, self.in_async) || tokens_await(&mac.tokens, self.in_async);
    }

    fn visit_expr_async(&mut self, _: &'ast ExprAsync) {}
    fn visit_expr_closure(&mut self, _: &'ast ExprClosure) {}
    fn visit_item(&mut self, _: &'ast Item) {}
}

fn awaits_by_name(name: &str, in_async: bool) -> bool {
    /// Macros that await their arguments.
    const AWAITING: &[&str] = &["join", "try_join", "select", "select_biased", "race"];
    /// Macros that run their arguments where they stand, or not at all. Blocks of ours are looked into.
    #[rustfmt::skip]
    const PLAIN: &[&str] = &[
        "addr_of", "anyhow", "assert", "assert_eq", "assert_matches", "assert_ne", "bail", "cfg", "column",
        "concat", "conversation", "dbg", "debug", "debug_assert", "debug_assert_eq", "debug_assert_ne", "ensure",
        "env", "eprint", "eprintln", "error", "file", "format", "format_args", "include_bytes", "include_str",
        "info", "json", "line", "log", "matches", "module_path", "option_env", "panic", "print", "println", "span",
        "stringify", "todo", "trace", "unimplemented", "unreachable", "vec", "warn", "write", "writeln",
    ];
    AWAITING.contains(&name) || in_async && !PLAIN.contains(&name)
}

/// What [`Awaits`] does, for the tokens of a macro, whose grammar is unknown.
fn tokens_await(tokens: &TokenStream, in_async: bool) -> bool {
    let mut tokens = tokens.clone().into_iter().peekable();
    let mut after_async = false;
    let mut after_dot = false;
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Group(group) => {
                let is_async_block = after_async && group.delimiter() == Delimiter::Brace;
                if !is_async_block && tokens_await(&group.stream(), in_async) {
                    return true;
                }
                (after_async, after_dot) = (false, false);
            }
            TokenTree::Ident(ident) => {
                let is_macro =
                    matches!(tokens.peek(), Some(TokenTree::Punct(punct)) if punct.as_char() == '!');
                if after_dot && ident == "await" || is_macro && awaits_by_name(&ident.to_string(), in_async) {
                    return true;
                }
                after_async = ident == "async" || after_async && ident == "move";
                after_dot = false;
            }
            TokenTree::Punct(punct) => (after_async, after_dot) = (false, punct.as_char() == '.'),
            TokenTree::Literal(_) => (after_async, after_dot) = (false, false),
        }
    }
    false
}

struct Leaves(bool);

impl<'ast> Visit<'ast> for Leaves {
    fn visit_expr(&mut self, expr: &'ast Expr) {
        self.0 |= matches!(
            expr,
            Expr::Await(_) | Expr::Try(_) | Expr::Return(_) | Expr::Break(_) | Expr::Continue(_)
        );
        visit::visit_expr(self, expr);
    }

    fn visit_macro(&mut self, mac: &'ast Macro) {
        self.0 |= tokens_await(&mac.tokens, false);
    }

    fn visit_expr_async(&mut self, _: &'ast ExprAsync) {}
    fn visit_expr_closure(&mut self, _: &'ast ExprClosure) {}
    fn visit_item(&mut self, _: &'ast Item) {}
}

#[cfg(test)]
mod tests {
    use quote::ToTokens as _;
    use syn::parse_quote;

    use super::*;

    #[test]
    fn an_await_counts_where_it_suspends_the_block_itself() {
        let check = |block: Block, in_async, expected| {
            assert_eq!(awaits(&block, in_async), expected, "{}", block.to_token_stream());
        };
        check(parse_quote!({ f().await }), false, true);
        check(
            parse_quote!({
                if x {
                    y(f().await?)
                }
            }),
            false,
            true,
        );
        check(parse_quote!({ spawn(async { f().await }) }), false, false);
        check(parse_quote!({ || async move { f().await } }), false, false);
        check(
            parse_quote!({
                async fn g() {
                    f().await
                }
                g()
            }),
            false,
            false,
        );
        check(parse_quote!({ println!("{}", f().await) }), false, true);
        check(parse_quote!({ block_on!(async move { f().await }) }), false, false);
        check(parse_quote!({ tokio::join!(a, b) }), false, true);
        check(parse_quote!({ unknown!(a) }), false, false);
        check(parse_quote!({ unknown!(a) }), true, true);
        check(parse_quote!({ println!("{}", unknown!(a)) }), true, true);
        check(
            parse_quote!({
                log::info!("a");
                assert_eq!(vec![1], b)
            }),
            true,
            false,
        );
    }
}
