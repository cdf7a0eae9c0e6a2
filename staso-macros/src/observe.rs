//! What makes a block a failed one that is left before its end: a `?`, and a `return` or `break` of an `Err`.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens as _, quote_spanned};
use syn::{
    Block, Expr, ExprAsync, ExprBreak, ExprClosure, ExprReturn, ExprTry, Ident, Item, Label, LitInt, Macro,
    Path, Token,
    parse::Parser as _,
    punctuated::Punctuated,
    visit_mut::{self, VisitMut},
};

use crate::block::is_scope;

/// Wraps every value with which the block is left early, so that an `Err` is seen by the `spans` that are
/// left with it: that of the block and those of the blocks around it. Whether a `return` is among them.
pub(crate) fn observe(block: &mut Block, krate: &Path, runtime: &TokenStream, spans: usize) -> bool {
    let mut observe = Observe { krate, runtime, spans, loops: 0, labels: Vec::new(), returns: false };
    observe.visit_block_mut(block);
    observe.returns
}

struct Observe<'a> {
    krate: &'a Path,
    runtime: &'a TokenStream,
    spans: usize,
    loops: usize,
    labels: Vec<Ident>,
    returns: bool,
}

impl Observe<'_> {
    fn observed(&self, value: &TokenStream, names_its_error: bool) -> Expr {
        let (runtime, spans) = (self.runtime, LitInt::new(&self.spans.to_string(), Span::mixed_site()));
        Expr::Verbatim(if names_its_error {
            quote_spanned!(Span::mixed_site()=> #runtime::observe!(#value, #spans))
        } else {
            quote_spanned!(Span::mixed_site()=> #runtime::observe_type(#value, #spans))
        })
    }

    fn stays_inside(&self, jump: &ExprBreak) -> bool {
        match &jump.label {
            None => self.loops > 0,
            Some(label) => self.labels.contains(&label.ident),
        }
    }

    fn inside(&mut self, is_loop: bool, label: Option<&Label>, visit: impl FnOnce(&mut Self)) {
        self.loops += usize::from(is_loop);
        self.labels.extend(label.map(|label| label.name.ident.clone()));
        visit(self);
        self.loops -= usize::from(is_loop);
        if label.is_some() {
            self.labels.pop();
        }
    }
}

impl VisitMut for Observe<'_> {
    fn visit_expr_try_mut(&mut self, step: &mut ExprTry) {
        visit_mut::visit_expr_try_mut(self, step);
        *step.expr = self.observed(&step.expr.to_token_stream(), names_its_error(&step.expr));
    }

    fn visit_expr_return_mut(&mut self, jump: &mut ExprReturn) {
        visit_mut::visit_expr_return_mut(self, jump);
        if let Some(value) = jump.expr.as_deref_mut().filter(|value| can_be_an_error(value)) {
            // The function's type, which the value may need to know its own.
            let typed = quote_spanned!(Span::mixed_site()=> __staso_early.returned(#value));
            *value = self.observed(&typed, true);
            self.returns = true;
        }
    }

    fn visit_expr_break_mut(&mut self, jump: &mut ExprBreak) {
        visit_mut::visit_expr_break_mut(self, jump);
        if self.stays_inside(jump) {
            return;
        }
        if let Some(value) = jump.expr.as_deref_mut()
            && let Some(error) = error_in(value)
        {
            let is_named = names_its_error(error);
            *value = self.observed(&value.to_token_stream(), is_named);
        }
    }

    fn visit_macro_mut(&mut self, mac: &mut Macro) {
        if is_scope(&mac.path, self.krate) {
            let (spans, tokens) = (LitInt::new(&self.spans.to_string(), Span::mixed_site()), &mac.tokens);
            mac.tokens = quote_spanned!(Span::mixed_site()=> @inside #spans #tokens);
        } else if evaluates_its_arguments(&mac.path) {
            let arguments = Punctuated::<Expr, Token![,]>::parse_terminated.parse2(mac.tokens.clone());
            if let Ok(mut arguments) = arguments {
                arguments.iter_mut().for_each(|argument| self.visit_expr_mut(argument));
                mac.tokens = arguments.into_token_stream();
            }
        }
    }

    fn visit_expr_loop_mut(&mut self, expr: &mut syn::ExprLoop) {
        let label = expr.label.clone();
        self.inside(true, label.as_ref(), |this| visit_mut::visit_expr_loop_mut(this, expr));
    }

    fn visit_expr_while_mut(&mut self, expr: &mut syn::ExprWhile) {
        let label = expr.label.clone();
        self.inside(true, label.as_ref(), |this| visit_mut::visit_expr_while_mut(this, expr));
    }

    fn visit_expr_for_loop_mut(&mut self, expr: &mut syn::ExprForLoop) {
        self.visit_expr_mut(&mut expr.expr);
        let label = expr.label.clone();
        self.inside(true, label.as_ref(), |this| this.visit_block_mut(&mut expr.body));
    }

    fn visit_expr_block_mut(&mut self, expr: &mut syn::ExprBlock) {
        let label = expr.label.clone();
        self.inside(false, label.as_ref(), |this| visit_mut::visit_expr_block_mut(this, expr));
    }

    fn visit_expr_closure_mut(&mut self, _: &mut ExprClosure) {}
    fn visit_expr_async_mut(&mut self, _: &mut ExprAsync) {}
    fn visit_expr_try_block_mut(&mut self, _: &mut syn::ExprTryBlock) {}
    fn visit_item_mut(&mut self, _: &mut Item) {}
}

/// Whether the type of an error is known from the expression: not for `text.parse()?`, whose value names it.
fn names_its_error(operand: &Expr) -> bool {
    const NAMED_BY_ITS_USE: [&str; 6] = ["parse", "try_into", "try_from", "from_str", "into", "from"];
    let by_use = |name: &Ident| NAMED_BY_ITS_USE.iter().any(|known| name == known);
    match operand {
        Expr::MethodCall(call) => call.turbofish.is_some() || !by_use(&call.method),
        Expr::Call(call) => match &*call.func {
            Expr::Path(func) => !func.path.segments.last().is_some_and(|segment| by_use(&segment.ident)),
            _ => true,
        },
        Expr::Paren(paren) => names_its_error(&paren.expr),
        _ => true,
    }
}

/// Whether a returned expression may be an `Err`.
fn can_be_an_error(value: &Expr) -> bool {
    match value {
        Expr::Call(call) => !is_path_to(&call.func, &["Ok", "Some"]),
        Expr::Path(_) => !is_path_to(value, &["None"]),
        Expr::Lit(_) | Expr::Closure(_) => false,
        Expr::Tuple(tuple) => !tuple.elems.is_empty(),
        Expr::Macro(mac) => !mac.mac.path.is_ident("format"),
        _ => true,
    }
}

/// What is inside `Err(…)`.
fn error_in(value: &Expr) -> Option<&Expr> {
    match value {
        Expr::Call(call) if is_path_to(&call.func, &["Err"]) => call.args.first(),
        _ => None,
    }
}

fn is_path_to(func: &Expr, names: &[&str]) -> bool {
    let Expr::Path(func) = func else { return false };
    func.path.segments.last().is_some_and(|segment| names.iter().any(|name| segment.ident == name))
}

/// Macros whose arguments are expressions, and evaluated where they stand.
fn evaluates_its_arguments(path: &Path) -> bool {
    #[rustfmt::skip]
    const KNOWN: [&str; 17] = [
        "assert", "assert_eq", "assert_ne", "dbg", "debug_assert", "debug_assert_eq", "debug_assert_ne", "eprint",
        "eprintln", "format", "panic", "print", "println", "vec", "write", "writeln", "format_args",
    ];
    path.segments.last().is_some_and(|segment| KNOWN.iter().any(|known| segment.ident == known))
}

#[cfg(test)]
mod tests {
    use syn::parse_quote;

    use super::*;

    #[track_caller]
    fn check(mut block: Block, texts: usize, types: usize, returns: bool) {
        let found = observe(&mut block, &parse_quote!(staso), &quote::quote!(rt), 1);
        let text = block.to_token_stream().to_string();
        assert_eq!(text.matches("observe !").count(), texts, "{text}");
        assert_eq!(text.matches("observe_type (").count(), types, "{text}");
        assert_eq!(found, returns, "{text}");
    }

    #[test]
    fn a_failing_step_is_observed_unless_it_belongs_to_something_inside() {
        check(
            parse_quote!({
                a()?;
                |x| b()?;
                async { c()? };
                d.parse()?;
                d.parse::<u8>()?;
                format!("{}", e()?);
                unknown!(f()?);
            }),
            3,
            1,
            false,
        );
    }

    #[test]
    fn what_may_be_returned_as_an_error_is_observed() {
        check(
            parse_quote!({
                return Err(a);
            }),
            1,
            0,
            true,
        );
        check(
            parse_quote!({
                return a;
            }),
            1,
            0,
            true,
        );
        check(
            parse_quote!({
                return Ok(a()?);
            }),
            1,
            0,
            false,
        );
        check(
            parse_quote!({
                return;
            }),
            0,
            0,
            false,
        );
        check(parse_quote!({ || return Err(a) }), 0, 0, false);
    }

    #[test]
    fn an_error_with_which_a_loop_or_block_around_is_left_is_observed() {
        check(
            parse_quote!({
                break Err(a);
            }),
            1,
            0,
            false,
        );
        check(
            parse_quote!({
                break 'outer Err(a.into());
            }),
            0,
            1,
            false,
        );
        check(
            parse_quote!({
                loop {
                    break Err(a);
                }
            }),
            0,
            0,
            false,
        );
        check(
            parse_quote!({
                'inner: {
                    loop {
                        break 'inner Err(a);
                    }
                }
            }),
            0,
            0,
            false,
        );
        check(
            parse_quote!({
                break a;
            }),
            0,
            0,
            false,
        );
    }

    #[test]
    fn a_block_inside_learns_how_many_are_around_it() {
        let mut block: Block = parse_quote!({
            staso::span!("a", { b()? });
            tracing::span!("c");
        });
        observe(&mut block, &parse_quote!(staso), &quote::quote!(rt), 2);
        let text = block.to_token_stream().to_string();
        assert_eq!(text.matches("(@ inside 2 \"a\"").count(), 1, "{text}");
        assert_eq!(text.matches("inside").count(), 1, "{text}");
    }
}
