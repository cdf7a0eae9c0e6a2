use proc_macro2::{Span, TokenStream};
use quote::{ToTokens as _, quote, quote_spanned};
use syn::{
    Expr, FnArg, GenericParam, Ident, Pat, PatIdent, ReturnType, Signature, Type, spanned::Spanned as _,
};

use crate::{
    args::{Macro, Options},
    argument::Argument,
    bare, block, capture,
    errors::Errors,
    signature::{Function, NotAFunction, Shape},
    validate::validate,
};

/// Expands an attribute: the instrumented function, or the user's item and what is wrong with it.
pub(crate) fn attribute(of: Macro, options: TokenStream, item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let options = Options::of_attribute(of, options, &mut errors);
    let readable = bare::hide(item.clone());
    let function = match Function::parse(readable.clone().unwrap_or_else(|| item.clone())) {
        Ok(function) => function,
        Err(NotAFunction::Misplaced(error)) => {
            errors.push(error);
            return quote!(#errors #item);
        }
        Err(NotAFunction::Unread(reason)) => {
            errors.push(syn::Error::new(
                reason.span(),
                format_args!("{of} cannot read this function, and would record nothing: {reason}"),
            ));
            // Behind the item, so that what the compiler finds wrong with that comes first.
            return quote!(#item #errors);
        }
    };
    let arguments = function.arguments();
    validate(of, &function, &arguments, &options, &mut errors);
    if !errors.is_empty() {
        return quote!(#errors #item);
    }
    let expanded = Instrumented::new(of, function, arguments, options).expand();
    if readable.is_some() { bare::show(expanded) } else { expanded }
}

/// A function on its way to
///
/// ```text
/// fn name(arguments) -> R {
///     let mut call = Call::new(const { &CallSite::function(…) });
///     if call.is_on() { … }                   // metadata and arguments
///     call.run(                               // how depends on the shape
///         move || -> R {
///             let argument = argument; …      // in order, so that they drop as they did
///             { the user's body }
///         },
///         |returned, outcome| outcome!(returned, outcome),
///     )
/// }
/// ```
struct Instrumented {
    of: Macro,
    function: Function,
    arguments: Vec<Argument>,
    options: Options,
    runtime: TokenStream,
}

impl Instrumented {
    fn new(of: Macro, mut function: Function, arguments: Vec<Argument>, options: Options) -> Self {
        let runtime = options.runtime();
        let in_async = function.sig.asyncness.is_some();
        block::mark_scopes(&mut function.body, &options.krate(), in_async);
        if function.pinned_block().is_none() && !tracks_caller(&function) {
            block::justify_braces(&mut function.body);
        }
        Self { of, function, arguments, options, runtime }
    }

    fn expand(mut self) -> TokenStream {
        let body = match self.function.shape() {
            Shape::Sync if self.stays_on_the_stack() => self.guarded(),
            Shape::Sync => self.sync(),
            Shape::Async => self.asynchronous(),
            Shape::Future { output, boxed } => self.future(output.as_ref(), boxed),
            Shape::Stream { item, boxed } => self.stream(item.as_ref(), boxed),
        };
        let Function { attrs, vis, sig, .. } = &self.function;
        let sig = self.renamed(sig);
        // Between the user's braces: an item that ends in a token of ours would be one that lints leave alone.
        let mut item = quote_spanned!(Span::mixed_site()=> #(#attrs)* #vis #sig);
        self.function.body.brace_token.surround(&mut item, |inside| body.to_tokens(inside));
        item
    }

    fn sync(&self) -> TokenStream {
        let (runtime, site, input) = (&self.runtime, self.call_site(), self.input());
        let (body, outcome) = (self.body_closure(), self.outcome(None));
        let mutability = input.is_some().then(|| quote_spanned!(Span::mixed_site()=> mut));
        // The one closure is called from two places: where nothing is recorded, the compiler sees that and
        // leaves only the body.
        quote_spanned! {Span::mixed_site()=>
            #runtime::enter(
                const { &#site },
                move |#mutability __staso_call| {
                    #input
                    __staso_call.run(#body, #outcome)
                },
            )
        }
    }

    /// No panic is caught on the way: another language's frames, or the caller's location, are in it.
    fn guarded(&self) -> TokenStream {
        let (open, body) = (self.open("new"), self.run_body());
        if self.never_returns() {
            return quote_spanned! {Span::mixed_site()=>
                #open
                let __staso_guard = __staso_call.enter();
                #body
            };
        }
        let outcome = self.outcome(None);
        quote_spanned! {Span::mixed_site()=>
            #open
            let __staso_guard = __staso_call.enter();
            let __staso_returned = #body;
            __staso_guard.close(&__staso_returned, #outcome);
            __staso_returned
        }
    }

    fn asynchronous(&self) -> TokenStream {
        let (open, expected, rebind) = (self.open("new"), self.expected_output(), self.rebind());
        let (body, outcome) = (&self.function.body, self.outcome(None));
        let mut block = quote_spanned!(body.brace_token.span.open()=> async move);
        body.brace_token.surround(&mut block, |inside| inside.extend(quote!(#expected #rebind #body)));
        let result = quote_spanned!(Span::mixed_site()=> __staso_call.follow(#block, #outcome).await);
        if self.never_returns() {
            quote_spanned!(Span::mixed_site()=> #open match #result {})
        } else {
            quote_spanned!(Span::mixed_site()=> #open #result)
        }
    }

    fn future(&mut self, output: Option<&Type>, boxed: bool) -> TokenStream {
        let outcome = self.outcome(output);
        if boxed && let Some(block) = self.function.pinned_block() {
            // Inside the one box that is there: every call would pay for a second one.
            *block =
                Expr::Verbatim(quote_spanned!(Span::mixed_site()=> __staso_call.follow(#block, #outcome)));
            let (open, rebind) = (self.open("deferred"), self.rebind());
            let stmts = &self.function.body.stmts;
            return quote_spanned!(Span::mixed_site()=> #open #rebind #(#stmts)*);
        }
        self.promise(
            boxed,
            &quote_spanned!(Span::mixed_site()=> __staso_call.follow(__staso_promise, #outcome)),
        )
    }

    fn stream(&self, item: Option<&Type>, boxed: bool) -> TokenStream {
        let item = capture::item(&self.runtime, &self.options, item);
        self.promise(
            boxed,
            &quote_spanned!(Span::mixed_site()=> __staso_call.follow_stream(__staso_promise, #item)),
        )
    }

    fn promise(&self, boxed: bool, followed: &TokenStream) -> TokenStream {
        let (open, body) = (self.open("deferred"), self.run_body());
        if boxed {
            quote_spanned! {Span::mixed_site()=>
                #open
                let __staso_promise = #body;
                if !__staso_call.is_on() {
                    return __staso_promise;
                }
                ::std::boxed::Box::pin(#followed)
            }
        } else {
            quote_spanned! {Span::mixed_site()=>
                #open
                let __staso_promise = #body;
                #followed
            }
        }
    }

    /// Opens the span and writes what is known before the body runs.
    fn open(&self, constructor: &str) -> TokenStream {
        let runtime = &self.runtime;
        let constructor = Ident::new(constructor, Span::mixed_site());
        let (site, input) = (self.call_site(), self.input());
        let mutability = input.is_some().then(|| quote_spanned!(Span::mixed_site()=> mut));
        quote_spanned! {Span::mixed_site()=>
            let #mutability __staso_call = #runtime::Call::#constructor(const { &#site });
            #input
        }
    }

    /// Writes metadata and arguments to `call`, if there are any.
    fn input(&self) -> Option<TokenStream> {
        let receiver = self.function.sig.receiver();
        let input = capture::input(&self.runtime, &self.options, receiver, &self.arguments);
        (!input.is_empty()).then(|| {
            quote_spanned! {Span::mixed_site()=>
                if __staso_call.is_on() {
                    #input
                }
            }
        })
    }

    fn call_site(&self) -> TokenStream {
        let runtime = &self.runtime;
        let function = syn::ext::IdentExt::unraw(&self.function.sig.ident).to_string();
        let name = match &self.options.name {
            Some(Expr::Lit(name)) => name.to_token_stream(),
            Some(name) => quote_spanned!(name.span()=> #runtime::stated_name(#name)),
            None => function.to_token_stream(),
        };
        let kind = self.options.kind.unwrap_or_else(|| self.of.kind());
        let variant = Ident::new(kind.0, Span::mixed_site());
        let tags = tags(&self.options);
        let takes_agent_name = kind == Macro::Agent.kind()
            && self.arguments.iter().flat_map(|argument| &argument.names).any(|name| name == "agent_name");
        let is_unnamed = takes_agent_name || self.of == Macro::Trace;
        let unnamed = is_unnamed.then(|| quote_spanned!(Span::mixed_site()=> .without_stated_name()));
        quote_spanned! {Span::mixed_site()=>
            #runtime::CallSite::function(#name, #runtime::SpanKind::#variant, #function)
                .at(::core::file!(), ::core::line!()) #tags #unnamed
        }
    }

    /// An expression that runs the user's body in place.
    fn run_body(&self) -> TokenStream {
        if tracks_caller(&self.function) {
            return self.inner_function();
        }
        let (runtime, body) = (&self.runtime, self.body_closure());
        quote_spanned!(Span::mixed_site()=> #runtime::body(#body))
    }

    fn body_closure(&self) -> TokenStream {
        let (rebind, body) = (self.rebind(), &self.function.body);
        let output = match &self.function.sig.output {
            ReturnType::Default => quote_spanned!(Span::mixed_site()=> -> ()),
            ReturnType::Type(arrow, ty) => {
                let ty = capture::without_impl_trait(ty);
                quote!(#arrow #ty)
            }
        };
        // With the user's spans, like a function: lints about how a body ends look at nothing else.
        let mut closure = quote_spanned!(body.brace_token.span.open()=> move || #output);
        body.brace_token.surround(&mut closure, |inside| inside.extend(quote!(#rebind #body)));
        closure
    }

    /// Closures cannot be `#[track_caller]`, so the body becomes a function of the same signature.
    fn inner_function(&self) -> TokenStream {
        let sig = &self.function.sig;
        let Signature { safety, generics, inputs, output, .. } = sig;
        let bounds = &generics.where_clause;
        let body = &self.function.body;
        let types = generics.params.iter().filter_map(|param| match param {
            GenericParam::Lifetime(_) => None,
            GenericParam::Type(param) => Some(&param.ident),
            GenericParam::Const(param) => Some(&param.ident),
        });
        let types: Vec<_> = types.collect();
        let types = (!types.is_empty()).then(|| quote_spanned!(Span::mixed_site()=> ::<#(#types),*>));
        let values = self.arguments.iter().map(|argument| {
            let (slot, cfgs) = (&argument.slot, argument.cfgs());
            quote!(#(#cfgs)* #slot)
        });
        let call = quote_spanned!(Span::mixed_site()=> __staso_body #types (#(#values),*));
        let call = match safety {
            syn::Safety::Unsafe(_) => quote_spanned! {Span::mixed_site()=>
                unsafe { #call }
            },
            _ => call,
        };
        quote_spanned! {Span::mixed_site()=>
            {
                #[track_caller]
                #safety fn __staso_body #generics (#inputs) #output #bounds #body
                #call
            }
        }
    }

    /// Binds every parameter to the user's pattern, in order and completely, whatever the body uses of it:
    /// they drop in the reverse order, after the temporaries of the body.
    fn rebind(&self) -> TokenStream {
        let receiver = self.function.sig.receiver().map(|receiver| {
            let this = &receiver.self_token;
            quote_spanned!(Span::mixed_site()=> let _ = &#this;)
        });
        let arguments = self.arguments.iter().map(|argument| {
            let Argument { slot, pattern, attrs, .. } = argument;
            let cfgs = argument.cfgs();
            let mutability = argument.is_changed_in_place().then(|| quote_spanned!(Span::mixed_site()=> mut));
            let moved = (!argument.is_plain())
                .then(|| quote_spanned!(Span::mixed_site()=> #(#cfgs)* let #mutability #slot = #slot;));
            // A binding to `_name` counts as one without effect where the value is a mere name.
            let value = match argument.is_plain() && slot.to_string().starts_with('_') {
                true => quote_spanned!(Span::mixed_site()=> { #slot }),
                false => slot.to_token_stream(),
            };
            quote_spanned! {Span::mixed_site()=>
                #moved
                #(#attrs)*
                let #pattern = #value;
            }
        });
        receiver.into_iter().chain(arguments).collect()
    }

    /// The signature with a name for every parameter.
    fn renamed(&self, sig: &Signature) -> Signature {
        let mut sig = sig.clone();
        let typed = sig.inputs.iter_mut().filter_map(|input| match input {
            FnArg::Receiver(_) => None,
            FnArg::Typed(typed) => Some(typed),
        });
        for (typed, argument) in typed.zip(&self.arguments) {
            // An expectation moves to the binding: here it would be left unfulfilled.
            typed.attrs.retain(|attr| !attr.path().is_ident("expect"));
            *typed.pat = Pat::Ident(PatIdent {
                attrs: Vec::new(),
                by_ref: None,
                mutability: None,
                ident: argument.slot.clone(),
                subpat: None,
            });
        }
        sig
    }

    /// A `return` that never runs, from which the compiler learns what the async block must give.
    fn expected_output(&self) -> Option<TokenStream> {
        let site = Span::mixed_site();
        let (site, ty) = match &self.function.sig.output {
            ReturnType::Default => (site, quote_spanned!(site=> ())),
            // `!` is no type of a value yet; what has no value coerces to this, and can be matched.
            _ if self.never_returns() => (site, quote_spanned!(site=> ::core::convert::Infallible)),
            ReturnType::Type(_, ty) if matches!(**ty, Type::ImplTrait(_)) => return None,
            // Located there, because that is where the compiler says a type was expected.
            ReturnType::Type(_, ty) => {
                (site.located_at(ty.span()), capture::without_impl_trait(ty).into_token_stream())
            }
        };
        Some(quote_spanned! {site=>
            if let ::core::option::Option::Some(__staso_never) = ::core::option::Option::None::<#ty> {
                return __staso_never;
            }
        })
    }

    fn outcome(&self, returned: Option<&Type>) -> TokenStream {
        if self.never_returns() {
            return quote_spanned!(Span::mixed_site()=> |_, _| {});
        }
        capture::output(&self.runtime, &self.options, returned)
    }

    fn never_returns(&self) -> bool {
        matches!(&self.function.sig.output, ReturnType::Type(_, ty) if matches!(**ty, Type::Never(_)))
    }

    fn stays_on_the_stack(&self) -> bool {
        let foreign = |abi: &syn::Abi| abi.name.as_ref().is_none_or(|name| name.value() != "Rust");
        tracks_caller(&self.function) || self.function.sig.abi.as_ref().is_some_and(foreign)
    }
}

fn tracks_caller(function: &Function) -> bool {
    function.attrs.iter().any(|attr| attr.path().is_ident("track_caller"))
}

/// The call that adds the tags to a call site.
pub(crate) fn tags(options: &Options) -> Option<TokenStream> {
    let tags = &options.tags;
    (!tags.is_empty()).then(|| quote_spanned!(Span::mixed_site()=> .with_tags(const { &[#(#tags),*] })))
}
