use proc_macro2::Span;
use quote::format_ident;
use syn::{
    Attribute, Block, Expr, Ident, Pat, PatType, PathSegment, Stmt,
    visit::{self, Visit},
};

use crate::hygiene;

/// A parameter other than `self`.
pub(crate) struct Argument {
    /// What the rewritten signature calls it: the user's name where there is one, which documentation shows,
    /// but not the user's variable, which is bound inside.
    pub(crate) slot: Ident,
    /// The user's pattern, to bind it again inside.
    pub(crate) pattern: Pat,
    /// The pattern to show it by: the user's, even if another macro moved that into the body.
    pub(crate) shown: Pat,
    /// The names that `shown` binds.
    pub(crate) names: Vec<Ident>,
    /// Whether the type names a lock, which capture must not touch.
    pub(crate) locks: bool,
    /// `#[cfg]` and the lint levels, which hold for the binding as well.
    pub(crate) attrs: Vec<Attribute>,
}

impl Argument {
    pub(crate) fn new(index: usize, typed: &PatType, body: &Block) -> Self {
        let (slot, pattern) = match &*typed.pat {
            Pat::Ident(pat) if pat.subpat.is_none() => (hygiene::ours(&pat.ident), Pat::Ident(pat.clone())),
            pat => (format_ident!("__staso_arg{index}", span = Span::mixed_site()), pat.clone()),
        };
        let shown = moved_pattern(&slot, body).unwrap_or_else(|| pattern.clone());
        let mut names = Names(Vec::new());
        names.visit_pat(&shown);
        let mut locks = Locks(false);
        locks.visit_type(&typed.ty);
        let is_for_binding = |attr: &&Attribute| {
            ["cfg", "allow", "expect", "warn", "deny", "forbid"].iter().any(|name| attr.path().is_ident(name))
        };
        let attrs = typed.attrs.iter().filter(is_for_binding).cloned().collect();
        Self { slot, pattern, shown, names: names.0, locks: locks.0, attrs }
    }

    /// Whether the parameter is the binding, so that moving it once moves all of it.
    pub(crate) fn is_plain(&self) -> bool {
        matches!(&self.pattern, Pat::Ident(pat) if pat.subpat.is_none() && pat.by_ref.is_none())
    }

    /// Whether the names that the pattern binds hold all of the parameter, so that they can stand for it.
    pub(crate) fn is_taken_whole(&self) -> bool {
        matches!(self.pattern, Pat::Wild(_)) || takes_all(&self.pattern)
    }

    /// Whether the pattern borrows from the parameter to change it: `ref mut`.
    pub(crate) fn is_changed_in_place(&self) -> bool {
        let mut borrows = MutableBorrows(false);
        borrows.visit_pat(&self.pattern);
        borrows.0
    }

    pub(crate) fn cfgs(&self) -> impl Iterator<Item = &Attribute> {
        self.attrs.iter().filter(|attr| attr.path().is_ident("cfg"))
    }
}

fn takes_all(pat: &Pat) -> bool {
    match pat {
        Pat::Ident(pat) => pat.subpat.is_none() && pat.by_ref.is_none(),
        Pat::Paren(pat) => takes_all(&pat.pat),
        Pat::Tuple(pat) => pat.elems.iter().all(takes_all),
        Pat::TupleStruct(pat) => pat.elems.iter().all(takes_all),
        Pat::Struct(pat) => pat.rest.is_none() && pat.fields.iter().all(|field| takes_all(&field.pat)),
        _ => false,
    }
}

/// The pattern that `#[async_trait]` replaced by `__arg0`, and bound again inside `Box::pin(async move { … })`
/// by `let (a, b) = { let __arg0 = __arg0; __arg0 };`.
fn moved_pattern(slot: &Ident, body: &Block) -> Option<Pat> {
    let [Stmt::Expr(Expr::Call(call), None)] = body.stmts.as_slice() else { return None };
    let Some(Expr::Async(block)) = call.args.first() else { return None };
    if !slot.to_string().starts_with("__arg") {
        return None;
    }
    block.block.stmts.iter().find_map(|stmt| {
        let Stmt::Local(local) = stmt else { return None };
        let Expr::Block(value) = &*local.init.as_ref()?.expr else { return None };
        let Stmt::Expr(Expr::Path(value), None) = value.block.stmts.last()? else { return None };
        value.path.is_ident(slot).then(|| local.pat.clone())
    })
}

struct Names(Vec<Ident>);

impl<'ast> Visit<'ast> for Names {
    fn visit_pat_ident(&mut self, pat: &'ast syn::PatIdent) {
        // Both sides of an or-pattern bind the same names.
        if !self.0.contains(&pat.ident) {
            self.0.push(pat.ident.clone());
        }
        visit::visit_pat_ident(self, pat);
    }

    fn visit_expr(&mut self, _: &'ast Expr) {}
}

struct MutableBorrows(bool);

impl<'ast> Visit<'ast> for MutableBorrows {
    fn visit_pat_ident(&mut self, pat: &'ast syn::PatIdent) {
        self.0 |= pat.by_ref.is_some() && pat.mutability.is_some();
        visit::visit_pat_ident(self, pat);
    }
}

struct Locks(bool);

impl<'ast> Visit<'ast> for Locks {
    fn visit_path_segment(&mut self, segment: &'ast PathSegment) {
        let locks = ["Mutex", "RwLock", "ReentrantMutex", "FairMutex"];
        self.0 |= locks.iter().any(|name| segment.ident == name);
        visit::visit_path_segment(self, segment);
    }
}

#[cfg(test)]
mod tests {
    use syn::{Type, parse_quote};

    use super::*;

    #[test]
    fn a_lock_is_seen_wherever_the_type_names_it() {
        let locks = |ty: Type| Argument::new(0, &parse_quote!(a: #ty), &parse_quote!({})).locks;
        assert!(locks(parse_quote!(Arc<std::sync::Mutex<u8>>)));
        assert!(locks(parse_quote!(&[Option<tokio::sync::RwLock<u8>>])));
        assert!(!locks(parse_quote!(MutexLike<u8>)));
    }
}
