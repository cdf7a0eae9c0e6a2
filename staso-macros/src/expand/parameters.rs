//! How parameters reach the user's patterns, and in which order they drop.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens as _, quote_spanned};
use syn::{Attribute, Ident, Pat};

use super::Instrumented;
use crate::{argument::Argument, block, capture, hygiene};

impl Instrumented {
    /// Binds every parameter to the user's pattern, in order and completely, whatever the body uses of it:
    /// they drop in the reverse order, after the temporaries of the body.
    pub(super) fn rebind(&self, arguments: &[Argument]) -> TokenStream {
        let in_async = self.function.sig.asyncness.is_some();
        let receiver = self.function.sig.receiver().filter(|_| !in_async).map(|receiver| {
            let this = &receiver.self_token;
            quote_spanned!(Span::mixed_site()=> let _ = &#this;)
        });
        let arguments = arguments.iter().map(|argument| {
            let Argument { slot, pattern, attrs, .. } = argument;
            let mutability = argument.is_changed_in_place().then(|| quote_spanned!(Span::mixed_site()=> mut));
            let cfgs = argument.cfgs();
            let moved = (!argument.is_plain())
                .then(|| quote_spanned!(Span::mixed_site()=> #(#cfgs)* let #mutability #slot = #slot;));
            let value = value(argument);
            quote_spanned! {Span::mixed_site()=>
                #moved
                #(#attrs)*
                let #pattern = #value;
            }
        });
        receiver.into_iter().chain(arguments).collect()
    }

    /// A parameter in a local of a smaller scope.
    pub(super) fn slot(argument: &Argument) -> TokenStream {
        let (slot, cfgs) = (&argument.slot, argument.cfgs());
        quote_spanned!(Span::mixed_site()=> #(#cfgs)* let #slot = #slot;)
    }

    /// Binds a parameter that is taken whole to the user's pattern, for the body's future to hold.
    ///
    /// To be held counts as a use. Names that do not occur in the body are therefore bound as variables of ours,
    /// and once more as the user's, to nothing: the compiler then says what it says of unused arguments.
    pub(super) fn bind_taken(&self, argument: &Argument) -> TokenStream {
        let Argument { pattern, attrs, names, .. } = argument;
        let unused: Vec<Ident> = names.iter().filter(|name| !self.uses(name)).cloned().collect();
        if unused.len() == names.len() && argument.is_plain() || matches!(pattern, Pat::Wild(_)) {
            return self.unused(argument, &unused);
        }
        let lint = self.unused(argument, &unused);
        let is_expectation = |attr: &&Attribute| lint.is_empty() || !attr.path().is_ident("expect");
        let attrs = attrs.iter().filter(is_expectation);
        let (pattern, value) = (hygiene::names(pattern.to_token_stream(), &unused), value(argument));
        quote_spanned!(Span::mixed_site()=> #lint #(#attrs)* let #pattern = #value;)
    }

    /// Lets the compiler say that arguments are unused.
    fn unused(&self, argument: &Argument, unused: &[Ident]) -> TokenStream {
        let is_unused = |name: &Ident| unused.contains(name) && !name.to_string().starts_with('_');
        if !unused.iter().any(is_unused) {
            return TokenStream::new();
        }
        let (runtime, slot, attrs) = (&self.runtime, &argument.slot, &argument.attrs);
        let pattern = capture::keep(&argument.pattern, &is_unused);
        quote_spanned! {Span::mixed_site()=>
            #(#attrs)*
            if let ::core::option::Option::Some(#pattern) = #runtime::nothing_like(&#slot) {}
        }
    }

    /// Makes the body's future hold every argument, used or not. It drops them in the order in which they are
    /// named here: the last one first, as a function does.
    pub(super) fn hold(&self, taken: &[Argument], rebound: &[Argument]) -> TokenStream {
        let hold = |argument: &Argument, name: &Ident| {
            let cfgs = argument.cfgs();
            quote_spanned!(Span::mixed_site()=> #(#cfgs)* let _ = &#name;)
        };
        let rebound = rebound.iter().rev().map(|argument| hold(argument, &argument.slot));
        let taken = taken.iter().rev().flat_map(|argument| match argument.names.as_slice() {
            [name] if argument.is_plain() && self.uses(name) => vec![hold(argument, name)],
            [_] if argument.is_plain() => vec![hold(argument, &argument.slot)],
            _ if matches!(argument.pattern, Pat::Wild(_)) => vec![hold(argument, &argument.slot)],
            names => {
                let bound = |name| if self.uses(name) { name.clone() } else { hygiene::ours(name) };
                names.iter().rev().map(|name| hold(argument, &bound(name))).collect()
            }
        });
        let receiver = self.function.sig.receiver().map(|receiver| {
            let this = &receiver.self_token;
            quote_spanned!(Span::mixed_site()=> let _ = &#this;)
        });
        rebound.chain(taken).chain(receiver).collect()
    }

    fn uses(&self, name: &Ident) -> bool {
        block::names(&self.function.body, name)
    }
}

/// What a parameter's pattern is bound to. A binding to `_name` counts as one without effect where the value is
/// a mere name.
fn value(argument: &Argument) -> TokenStream {
    let slot = &argument.slot;
    if argument.is_plain() && slot.to_string().starts_with('_') {
        quote_spanned!(Span::mixed_site()=> { #slot })
    } else {
        slot.to_token_stream()
    }
}
