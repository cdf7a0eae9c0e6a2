use proc_macro2::Span;
use syn::{
    Block, ExprAsync, ExprBreak, ExprClosure, ExprContinue, Ident, Item, Label,
    spanned::Spanned as _,
    visit::{self, Visit},
};

use crate::errors::Errors;

/// Reports every `break` and `continue` that leaves a block which is to become a future. Whether there is one.
pub(crate) fn refuse(block: &Block, errors: &mut Errors) -> bool {
    let mut jumps = Jumps { loops: 0, labels: Vec::new(), found: false, errors };
    jumps.visit_block(block);
    jumps.found
}

struct Jumps<'a> {
    loops: usize,
    labels: Vec<Ident>,
    found: bool,
    errors: &'a mut Errors,
}

impl Jumps<'_> {
    fn check(&mut self, label: Option<&syn::Lifetime>, jump: Span) {
        let stays = match label {
            None => self.loops > 0,
            Some(label) => self.labels.contains(&label.ident),
        };
        if !stays {
            self.found = true;
            self.errors.push(syn::Error::new(
                jump,
                "this leaves a block that awaits, which is not supported: \
                 give the block a value and jump after it (`return` and `?` may leave it)",
            ));
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

impl<'ast> Visit<'ast> for Jumps<'_> {
    fn visit_expr_break(&mut self, jump: &'ast ExprBreak) {
        self.check(jump.label.as_ref(), jump.break_token.span());
        visit::visit_expr_break(self, jump);
    }

    fn visit_expr_continue(&mut self, jump: &'ast ExprContinue) {
        self.check(jump.label.as_ref(), jump.continue_token.span());
    }

    fn visit_expr_loop(&mut self, expr: &'ast syn::ExprLoop) {
        self.inside(true, expr.label.as_ref(), |this| visit::visit_expr_loop(this, expr));
    }

    fn visit_expr_while(&mut self, expr: &'ast syn::ExprWhile) {
        self.inside(true, expr.label.as_ref(), |this| visit::visit_expr_while(this, expr));
    }

    fn visit_expr_for_loop(&mut self, expr: &'ast syn::ExprForLoop) {
        self.visit_expr(&expr.expr);
        self.inside(true, expr.label.as_ref(), |this| this.visit_block(&expr.body));
    }

    fn visit_expr_block(&mut self, expr: &'ast syn::ExprBlock) {
        self.inside(false, expr.label.as_ref(), |this| visit::visit_expr_block(this, expr));
    }

    fn visit_expr_closure(&mut self, _: &'ast ExprClosure) {}
    fn visit_expr_async(&mut self, _: &'ast ExprAsync) {}
    fn visit_item(&mut self, _: &'ast Item) {}
}

#[cfg(test)]
mod tests {
    use quote::ToTokens as _;
    use syn::parse_quote;

    use super::*;

    #[test]
    fn only_jumps_out_of_the_block_are_refused() {
        let count = |block: Block| {
            let mut errors = Errors::default();
            refuse(&block, &mut errors);
            errors.to_token_stream().to_string().matches("compile_error").count()
        };
        assert_eq!(
            count(parse_quote!({
                break;
            })),
            1
        );
        assert_eq!(
            count(parse_quote!({
                loop {
                    break;
                }
                for _ in 0..1 {
                    continue;
                }
            })),
            0
        );
        assert_eq!(
            count(parse_quote!({
                'a: loop {
                    loop {
                        continue 'a;
                    }
                }
            })),
            0
        );
        assert_eq!(
            count(parse_quote!({
                loop {
                    break 'outer;
                }
            })),
            1
        );
        assert_eq!(
            count(parse_quote!({
                'a: {
                    break 'a;
                }
            })),
            0
        );
        assert_eq!(
            count(parse_quote!({
                'a: {
                    break;
                }
            })),
            1
        );
        assert_eq!(
            count(parse_quote!({
                || loop {
                    break;
                }
            })),
            0
        );
    }
}
