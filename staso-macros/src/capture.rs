use proc_macro2::{Span, TokenStream};
use quote::{ToTokens as _, quote_spanned};
use syn::{Ident, Pat, Receiver, Type, visit_mut, visit_mut::VisitMut};

use crate::{
    args::{Options, Selection},
    argument::Argument,
    hygiene,
};

/// Statements that write the metadata and the arguments of a recorded call.
///
/// They only look at the arguments: every one of them is a reference here, even in a pattern.
pub(crate) fn input(
    runtime: &TokenStream,
    options: &Options,
    receiver: Option<&Receiver>,
    arguments: &[Argument],
) -> TokenStream {
    let names: Vec<Ident> = arguments.iter().flat_map(|argument| argument.names.clone()).collect();
    let metadata = metadata(runtime, options, &names);
    if metadata.is_empty() && !options.captures_input() {
        return TokenStream::new();
    }
    let destructured = arguments.iter().filter(|argument| !is_binding(argument)).map(|argument| {
        let mut shown = argument.shown.clone();
        let keep = |name: &Ident| !metadata.is_empty() || options.arguments.includes(name);
        ByReference { keep: &keep }.visit_pat_mut(&mut shown);
        let shown = hygiene::pattern(shown.into_token_stream(), &argument.names);
        let (slot, cfgs) = (&argument.slot, argument.cfgs());
        quote_spanned!(Span::mixed_site()=> #(#cfgs)* let #shown = &#slot;)
    });
    let destructured: TokenStream = destructured.collect();
    let input = options.captures_input().then(|| {
        let receiver =
            receiver.filter(|_| options.arguments.names_self()).map(|receiver| &receiver.self_token);
        let receiver = receiver.map(
            |this| quote_spanned!(Span::mixed_site()=> #runtime::capture!(&#this, __staso_arguments.slot("self"));),
        );
        let arguments = arguments.iter().map(|argument| captured(runtime, options, argument));
        let entries: TokenStream = receiver.into_iter().chain(arguments).collect();
        if entries.is_empty() {
            quote_spanned!(Span::mixed_site()=> __staso_call.write_arguments(|_| ());)
        } else {
            // A closure, so that the function itself holds a call and not what captures its arguments.
            quote_spanned!(Span::mixed_site()=> __staso_call.write_arguments(|__staso_arguments| { #entries });)
        }
    });
    quote_spanned!(Span::mixed_site()=> #destructured #metadata #input)
}

/// Statements that write the `metadata(…)` of a recorded call, whose arguments bind `names`.
pub(crate) fn metadata(runtime: &TokenStream, options: &Options, names: &[Ident]) -> TokenStream {
    let entries = options.metadata.iter().map(|(key, value)| {
        let value = hygiene::expression(value.to_token_stream(), names);
        quote_spanned!(Span::mixed_site()=> #runtime::capture!(&(#value), __staso_call.metadata(#key));)
    });
    entries.collect()
}

/// The closure that writes what a call returned.
pub(crate) fn output(runtime: &TokenStream, options: &Options) -> TokenStream {
    let write = Ident::new(writer(options), Span::mixed_site());
    quote_spanned!(Span::mixed_site()=> |__staso_returned, __staso_outcome| #runtime::#write!(__staso_returned, __staso_outcome))
}

/// The macro that writes what a call returned.
pub(crate) fn writer(options: &Options) -> &'static str {
    if options.captures_output() { "outcome" } else { "errors_only" }
}

/// The pattern with only some of the names that it binds.
pub(crate) fn keep(pattern: &Pat, keep: &dyn Fn(&Ident) -> bool) -> Pat {
    let mut pattern = pattern.clone();
    ByReference { keep }.visit_pat_mut(&mut pattern);
    pattern
}

/// The type with `_` for every `impl Trait`, which cannot be named inside a function.
pub(crate) fn without_impl_trait(ty: &Type) -> Type {
    struct Erase;
    impl VisitMut for Erase {
        fn visit_type_mut(&mut self, ty: &mut Type) {
            if let Type::ImplTrait(_) = ty {
                *ty = Type::Verbatim(quote_spanned!(Span::mixed_site()=> _));
            } else {
                visit_mut::visit_type_mut(self, ty);
            }
        }
    }
    let mut ty = ty.clone();
    Erase.visit_type_mut(&mut ty);
    ty
}

/// Whether the argument is in scope under the only name that it has.
fn is_binding(argument: &Argument) -> bool {
    matches!(&argument.shown, Pat::Ident(pat) if pat.subpat.is_none() && pat.ident == argument.slot)
}

fn captured(runtime: &TokenStream, options: &Options, argument: &Argument) -> TokenStream {
    let capture = Ident::new(if argument.locks { "type_name" } else { "capture" }, Span::mixed_site());
    let borrow = is_binding(argument).then(|| quote_spanned!(Span::mixed_site()=> &));
    let cfgs: TokenStream = argument.cfgs().map(|attr| attr.to_token_stream()).collect();
    let names = argument.names.iter().filter(|name| options.arguments.includes(name));
    names
        .map(|name| {
            let key = syn::ext::IdentExt::unraw(name).to_string();
            let name = hygiene::ours(name);
            quote_spanned! {Span::mixed_site()=>
                #cfgs
                #runtime::#capture!(#borrow #name, __staso_arguments.slot(#key));
            }
        })
        .collect()
}

/// Rewrites a pattern so that it matches a reference to what it matched, and binds references.
struct ByReference<'a> {
    /// The names to bind.
    keep: &'a dyn Fn(&Ident) -> bool,
}

impl VisitMut for ByReference<'_> {
    fn visit_pat_mut(&mut self, pat: &mut Pat) {
        match pat {
            Pat::Ident(ident) => {
                ident.by_ref = None;
                ident.mutability = None;
                if !(self.keep)(&ident.ident) {
                    *pat = match ident.subpat.take() {
                        Some((_, inner)) => *inner,
                        None => Pat::Verbatim(quote_spanned!(Span::mixed_site()=> _)),
                    };
                    if !matches!(pat, Pat::Verbatim(_)) {
                        self.visit_pat_mut(pat);
                    }
                    return;
                }
            }
            // The default binding mode dereferences by itself.
            Pat::Reference(reference) => {
                *pat = (*reference.pat).clone();
                return self.visit_pat_mut(pat);
            }
            Pat::Macro(_) | Pat::Verbatim(_) => {
                *pat = Pat::Verbatim(quote_spanned!(Span::mixed_site()=> _));
                return;
            }
            _ => {}
        }
        visit_mut::visit_pat_mut(self, pat);
    }

    fn visit_field_pat_mut(&mut self, field: &mut syn::FieldPat) {
        visit_mut::visit_field_pat_mut(self, field);
        if !matches!(&*field.pat, Pat::Ident(pat) if pat.subpat.is_none()) {
            field.colon_token.get_or_insert(syn::Token![:](Span::mixed_site()));
        }
    }
}

impl Selection {
    fn includes(&self, name: &Ident) -> bool {
        match self {
            Self::All => true,
            Self::Skip(names) => !names.contains(name),
            Self::Only(names) => names.contains(name),
        }
    }

    fn names_self(&self) -> bool {
        matches!(self, Self::Only(names) if names.iter().any(|name| name == "self"))
    }
}

#[cfg(test)]
mod tests {
    use quote::ToTokens as _;
    use syn::{parse::Parser as _, parse_quote};

    use super::*;

    #[test]
    fn a_pattern_is_rewritten_to_look_only() {
        let check = |pattern: &str, expected: &str| {
            let mut pattern = Pat::parse_single.parse_str(pattern).expect("a pattern");
            ByReference { keep: &|name| name != "no" }.visit_pat_mut(&mut pattern);
            let expected = Pat::parse_single.parse_str(expected).expect("a pattern");
            assert_eq!(pattern.to_token_stream().to_string(), expected.to_token_stream().to_string());
        };
        check("(mut a, ref b)", "(a, b)");
        check("(no, mut no, _)", "(_, _, _)");
        check("&(a, &b)", "(a, b)");
        check("Point { x, ref y, z: mut w, no, .. }", "Point { x, y, z: w, no: _, .. }");
        check("no @ [a, no @ ..]", "[a, ..]");
        check("a @ Point { x: no, .. }", "a @ Point { x: _, .. }");
    }

    #[test]
    fn impl_trait_is_left_to_inference() {
        let erased = without_impl_trait(&parse_quote!(Result<(impl Fn() -> u8, u8), Box<dyn Error>>));
        let expected: Type = parse_quote!(Result<(_, u8), Box<dyn Error>>);
        assert_eq!(erased.to_token_stream().to_string(), expected.to_token_stream().to_string());
    }
}
