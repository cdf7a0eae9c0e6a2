//! What the macros change inside a block of the user's.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::quote_spanned;
use syn::{
    Block, Expr, ExprAsync, ExprClosure, Ident, Item, Macro, Path, Stmt,
    ext::IdentExt as _,
    visit::{self, Visit},
    visit_mut::{self, VisitMut},
};

/// Tells every `staso::span!` and `staso::conversation!` that stands in async code that it does.
pub(crate) fn mark_scopes(block: &mut Block, krate: &Path, in_async: bool) {
    MarkScopes { krate, in_async }.visit_block_mut(block);
}

/// Keeps `{ value }` from being reported as `unused_braces` where it becomes part of a larger block.
///
/// The braces must stay, with their span: the user's edition says when the temporaries of the value drop.
pub(crate) fn justify_braces(block: &mut Block) {
    if let [Stmt::Expr(_, None) | Stmt::Macro(_)] = block.stmts.as_slice() {
        let nothing = Expr::Verbatim(quote_spanned!(Span::mixed_site()=> {}));
        block.stmts.insert(0, Stmt::Expr(nothing, None));
    }
}

/// Whether the block has a value that is not `()`, as far as can be seen.
pub(crate) fn has_value(block: &Block) -> bool {
    can_reach_its_end(block)
        && match block.stmts.last() {
            Some(Stmt::Expr(_, semicolon)) => semicolon.is_none(),
            Some(Stmt::Macro(stmt)) => stmt.semi_token.is_none(),
            _ => false,
        }
}

/// Whether the block does not always leave its function or loop, as far as can be seen.
pub(crate) fn can_reach_its_end(block: &Block) -> bool {
    block.stmts.iter().all(|stmt| match stmt {
        Stmt::Expr(expr, _) => can_end(expr),
        Stmt::Macro(stmt) => macro_can_end(&stmt.mac),
        Stmt::Local(_) | Stmt::Item(_) => true,
    })
}

fn can_end(expr: &Expr) -> bool {
    match expr {
        Expr::Return(_) | Expr::Break(_) | Expr::Continue(_) => false,
        Expr::Macro(expr) => macro_can_end(&expr.mac),
        Expr::Block(expr) => expr.label.is_some() || can_reach_its_end(&expr.block),
        Expr::Unsafe(expr) => can_reach_its_end(&expr.block),
        Expr::Paren(expr) => can_end(&expr.expr),
        Expr::If(expr) => {
            let otherwise = expr.else_branch.as_ref();
            can_reach_its_end(&expr.then_branch) || otherwise.is_none_or(|(_, otherwise)| can_end(otherwise))
        }
        Expr::Match(expr) => expr.arms.is_empty() || expr.arms.iter().any(|arm| can_end(&arm.body)),
        _ => true,
    }
}

fn macro_can_end(mac: &Macro) -> bool {
    const LEAVING: [&str; 5] = ["panic", "todo", "unimplemented", "unreachable", "bail"];
    !mac.path.segments.last().is_some_and(|name| LEAVING.iter().any(|leaving| name.ident == leaving))
}

/// Whether the block names a variable, as far as can be seen: also in the text of a format string.
pub(crate) fn names(block: &Block, name: &Ident) -> bool {
    let mut search = Mentions { name, found: false };
    search.visit_block(block);
    search.found
}

struct Mentions<'a> {
    name: &'a Ident,
    found: bool,
}

impl Mentions<'_> {
    fn in_tokens(&self, tokens: &TokenStream) -> bool {
        tokens.clone().into_iter().any(|token| match token {
            TokenTree::Group(group) => self.in_tokens(&group.stream()),
            TokenTree::Ident(ident) => ident == *self.name,
            TokenTree::Literal(literal) => literal.to_string().contains(&self.name.unraw().to_string()),
            TokenTree::Punct(_) => false,
        })
    }
}

impl<'ast> Visit<'ast> for Mentions<'_> {
    fn visit_path(&mut self, path: &'ast Path) {
        self.found |= path.is_ident(self.name);
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, mac: &'ast Macro) {
        self.found |= self.in_tokens(&mac.tokens);
    }

    fn visit_expr(&mut self, expr: &'ast Expr) {
        if let Expr::Verbatim(tokens) = expr {
            self.found |= self.in_tokens(tokens);
        }
        visit::visit_expr(self, expr);
    }
}

/// Whether one of the words occurs as an identifier, at any depth.
pub(crate) fn mentions(tokens: &TokenStream, words: &[&str]) -> bool {
    tokens.clone().into_iter().any(|token| match token {
        TokenTree::Group(group) => mentions(&group.stream(), words),
        TokenTree::Ident(ident) => words.iter().any(|word| ident == word),
        _ => false,
    })
}

struct MarkScopes<'a> {
    krate: &'a Path,
    in_async: bool,
}

/// Whether the path is that of `span!` or `conversation!`.
pub(crate) fn is_scope(path: &Path, krate: &Path) -> bool {
    let segments = |path: &Path| path.segments.iter().map(|s| s.ident.clone()).collect::<Vec<_>>();
    let mut path = segments(path);
    path.pop().is_some_and(|name| name == "span" || name == "conversation") && path == segments(krate)
}

impl MarkScopes<'_> {
    fn within(&mut self, in_async: bool, visit: impl FnOnce(&mut Self)) {
        visit(&mut Self { in_async, ..*self });
    }
}

impl VisitMut for MarkScopes<'_> {
    fn visit_macro_mut(&mut self, mac: &mut Macro) {
        if self.in_async && is_scope(&mac.path, self.krate) {
            let tokens = &mac.tokens;
            mac.tokens = quote_spanned!(Span::mixed_site()=> @async #tokens);
        }
    }

    fn visit_expr_async_mut(&mut self, block: &mut ExprAsync) {
        self.within(true, |this| visit_mut::visit_expr_async_mut(this, block));
    }

    fn visit_expr_closure_mut(&mut self, closure: &mut ExprClosure) {
        let in_async = closure.asyncness.is_some();
        self.within(in_async, |this| visit_mut::visit_expr_closure_mut(this, closure));
    }

    // A function inside has an attribute of its own, or none.
    fn visit_item_mut(&mut self, _: &mut Item) {}
}

#[cfg(test)]
mod tests {
    use quote::ToTokens as _;
    use syn::parse_quote;

    use super::*;

    #[test]
    fn scopes_are_marked_in_async_code_only() {
        let mut block: Block = parse_quote!({
            staso::span!("a", {});
            tracing::span!("b");
            iter.map(|_| staso::span!("c", {}));
            ::staso::conversation!({});
        });
        mark_scopes(&mut block, &parse_quote!(staso), true);
        let text = block.to_token_stream().to_string();
        assert_eq!(text.matches("@ async").count(), 2, "{text}");
        assert!(text.contains("(@ async \"a\"") && text.contains("(@ async {"), "{text}");

        let mut block: Block = parse_quote!({ async { staso::span!("a", {}) } });
        mark_scopes(&mut block, &parse_quote!(staso), false);
        assert!(block.to_token_stream().to_string().contains("@ async"));
    }

    #[test]
    fn a_block_may_leave_or_have_no_value() {
        let check = |block: Block, reaches_end, value| {
            let found = (can_reach_its_end(&block), has_value(&block));
            assert_eq!(found, (reaches_end, value), "{}", block.to_token_stream());
        };
        check(parse_quote!({}), true, false);
        check(
            parse_quote!({
                f();
            }),
            true,
            false,
        );
        check(parse_quote!({ f() }), true, true);
        check(parse_quote!({ format!("a") }), true, true);
        check(
            parse_quote!({
                return 1;
            }),
            false,
            false,
        );
        check(parse_quote!({ anyhow::bail!("no") }), false, false);
        check(parse_quote!({ if a { return 1 } else { panic!() } }), false, false);
        check(
            parse_quote!({
                if a {
                    return 1;
                }
            }),
            true,
            true,
        );
        check(parse_quote!({ if a { 1 } else { panic!() } }), true, true);
        check(
            parse_quote!({
                match a {
                    1 => return 1,
                    _ => continue,
                }
            }),
            false,
            false,
        );
        check(parse_quote!({ 'a: { break 'a } }), true, true);
    }
}
