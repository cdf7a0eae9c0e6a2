mod parameters;

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens as _, format_ident, quote, quote_spanned};
use syn::{
    Expr, FnArg, GenericParam, Ident, Pat, PatIdent, ReturnType, Signature, Type, spanned::Spanned as _,
};

use crate::{
    args::{Macro, Options},
    argument::Argument,
    bare, block, capture,
    errors::Errors,
    signature::{Function, Gives, NotAFunction, given_by_future},
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
///     call.run(                               // how depends on what the function gives
///         move || -> R {
///             let argument = argument; …      // in order, so that they drop as they did
///             { the user's body }
///         },
///         |returned, outcome| outcome!(returned, outcome),
///     )
/// }
/// ```
///
/// or, where what is returned may go on:
///
/// ```text
///     call.run_on(body, |returned, ending| end!(outcome: returned, ending, then, then))
///     call.run_into(body, |returned, ending| ending.follow(returned, |returned, ending| …))
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
        let is_pinned = function.pinned_block().is_some() && function.gives().is_boxed_future();
        if !is_pinned && !tracks_caller(&function) {
            block::justify_braces(&mut function.body);
        }
        Self { of, function, arguments, options, runtime }
    }

    fn expand(mut self) -> TokenStream {
        let gives = self.function.gives();
        let body = match &gives {
            _ if self.function.sig.asyncness.is_some() => self.asynchronous(&gives),
            _ if self.stays_on_the_stack() => self.guarded(&gives),
            Gives::Future { output, boxed: true } => {
                self.pinned(output.as_ref()).unwrap_or_else(|| self.sync(&gives))
            }
            Gives::Closure => self.in_place(),
            _ => self.sync(&gives),
        };
        let Function { attrs, vis, sig, .. } = &self.function;
        let sig = self.renamed(sig);
        // Between the user's braces: an item that ends in a token of ours would be one that lints leave alone.
        let mut item = quote_spanned!(Span::mixed_site()=> #(#attrs)* #vis #sig);
        self.function.body.brace_token.surround(&mut item, |inside| body.to_tokens(inside));
        item
    }

    fn sync(&self, gives: &Gives) -> TokenStream {
        let (runtime, site, input) = (&self.runtime, self.call_site(), self.input());
        let body = self.body_closure();
        let run = match gives {
            Gives::Value => {
                let outcome = self.outcome();
                quote_spanned!(Span::mixed_site()=> __staso_call.run(#body, #outcome))
            }
            Gives::Any | Gives::Future { boxed: true, .. } | Gives::Stream { boxed: true, .. } => {
                let end = self.end(gives);
                quote_spanned!(Span::mixed_site()=> __staso_call.run_on(#body, |__staso_returned, __staso_ending| #end))
            }
            _ => {
                let (body, end) = (self.promising(gives, &body), self.end(gives));
                quote_spanned!(Span::mixed_site()=> __staso_call.run_into(#body, |__staso_returned, __staso_ending| #end))
            }
        };
        let mutability = input.is_some().then(|| quote_spanned!(Span::mixed_site()=> mut));
        // The one closure is called from two places: where nothing is recorded, the compiler sees that and
        // leaves only the body.
        quote_spanned! {Span::mixed_site()=>
            #runtime::enter(
                const { &#site },
                move |#mutability __staso_call| {
                    #input
                    #run
                },
            )
        }
    }

    /// The body stays where the compiler looks for the closure that was promised: it takes the types of the
    /// closure's parameters from there.
    fn in_place(&self) -> TokenStream {
        let (open, rebind, body) = (self.open(), self.rebind(&self.arguments), &self.function.body);
        let enter = Ident::new(
            if self.options.captures_output() { "enter_for_closure" } else { "enter" },
            Span::mixed_site(),
        );
        quote_spanned! {Span::mixed_site()=>
            #open
            let __staso_guard = __staso_call.#enter();
            #rebind
            #body
        }
    }

    /// No panic is caught on the way: another language's frames, or the caller's location, are in it.
    fn guarded(&self, gives: &Gives) -> TokenStream {
        let (open, body) = (self.open(), self.run_body());
        if self.never_returns() {
            return quote_spanned! {Span::mixed_site()=>
                #open
                let __staso_guard = __staso_call.enter();
                #body
            };
        }
        let end = self.end(gives);
        quote_spanned! {Span::mixed_site()=>
            #open
            let __staso_guard = __staso_call.enter();
            let __staso_returned = #body;
            let __staso_ending = __staso_guard.leave();
            #end
        }
    }

    /// The future holds what the function was given, and the body's future holds it again: `async` blocks do
    /// not share. A local that was borrowed would be a third copy, unless it is gone before the `await`.
    fn asynchronous(&self, gives: &Gives) -> TokenStream {
        let arguments = &self.arguments;
        let taken = arguments.iter().take_while(|argument| argument.is_taken_whole()).count();
        let (taken, rebound) = arguments.split_at(taken);
        let slots: TokenStream = arguments.iter().map(Self::slot).collect();
        let bound: TokenStream = taken.iter().map(|argument| self.bind_taken(argument)).collect();
        let (open, hold, rebind) = (self.open(), self.hold(taken, rebound), self.rebind(rebound));
        let (expected, body, end) = (self.expected_output(), &self.function.body, self.end(gives));
        let mut block = quote_spanned!(body.brace_token.span.open()=> async move);
        let body = quote!(#hold #expected #rebind #body);
        self.function.body.brace_token.surround(&mut block, |inside| inside.extend(body));
        let result = quote_spanned! {Span::mixed_site()=>
            {
                #slots
                #open
                #bound
                __staso_call.follow(#block, |__staso_returned, __staso_ending| #end)
            }.await
        };
        if self.never_returns() { quote_spanned!(Span::mixed_site()=> match #result {}) } else { result }
    }

    /// `Box::pin(async move { … })`, inside the one box that is there: every call would pay for a second one.
    fn pinned(&mut self, output: Option<&Type>) -> Option<TokenStream> {
        let (open, rebind) = (self.open(), self.rebind(&self.arguments));
        let (ty, end) = (annotation(output), self.end(&given_by_future(output)));
        let block = self.function.pinned_block()?;
        *block = Expr::Verbatim(quote_spanned! {Span::mixed_site()=>
            __staso_call.promise(#block, |__staso_returned #ty, __staso_ending| #end)
        });
        let stmts = &self.function.body.stmts;
        Some(quote_spanned!(Span::mixed_site()=> #open #rebind #(#stmts)*))
    }

    /// What becomes of `returned` and the `ending` of its span.
    fn end(&self, gives: &Gives) -> TokenStream {
        if self.never_returns() {
            return quote_spanned!(Span::mixed_site()=> __staso_ending.with(__staso_returned, |_, _| {}));
        }
        self.end_by(capture::writer(&self.options), gives)
    }

    fn end_by(&self, write: &str, gives: &Gives) -> TokenStream {
        let (runtime, name) = (&self.runtime, Ident::new(write, Span::mixed_site()));
        let inner = |gives: &Gives| self.end_by(write, gives);
        let pinned = |boxed: bool, followed: TokenStream| {
            if boxed { quote_spanned!(Span::mixed_site()=> #runtime::pin(#followed)) } else { followed }
        };
        match gives {
            Gives::Value | Gives::Closure => {
                quote_spanned!(Span::mixed_site()=> #runtime::end!(#name: __staso_returned, __staso_ending))
            }
            Gives::Any => {
                quote_spanned!(Span::mixed_site()=> #runtime::end!(#name: __staso_returned, __staso_ending, then, then))
            }
            Gives::Future { output, boxed } => {
                let (ty, end) = (annotation(output.as_ref()), inner(&given_by_future(output.as_ref())));
                let followed = quote_spanned! {Span::mixed_site()=>
                    __staso_ending.follow(__staso_returned, |__staso_returned #ty, __staso_ending| #end)
                };
                pinned(*boxed, followed)
            }
            Gives::Stream { item, boxed } => {
                let write = if write == "outcome" { "given" } else { write };
                let (ty, end) = (annotation(item.as_ref()), self.end_by(write, &Gives::Value));
                let followed = quote_spanned! {Span::mixed_site()=>
                    __staso_ending.follow_stream(__staso_returned, |__staso_returned #ty, __staso_ending| #end)
                };
                pinned(*boxed, followed)
            }
            Gives::InPin(gives) => pinned(true, inner(gives)),
            Gives::InResult(gives) => {
                let end = inner(gives);
                quote_spanned! {Span::mixed_site()=>
                    match __staso_returned {
                        ::core::result::Result::Ok(__staso_returned) => ::core::result::Result::Ok(#end),
                        ::core::result::Result::Err(__staso_error) => ::core::result::Result::Err(
                            __staso_ending.with(__staso_error, |__staso_error, __staso_outcome| #runtime::fail!(__staso_error, __staso_outcome)),
                        ),
                    }
                }
            }
            Gives::InOption(gives) => {
                let end = inner(gives);
                quote_spanned! {Span::mixed_site()=>
                    match __staso_returned {
                        ::core::option::Option::Some(__staso_returned) => ::core::option::Option::Some(#end),
                        ::core::option::Option::None => {
                            #runtime::end!(#name: (), __staso_ending);
                            ::core::option::Option::None
                        }
                    }
                }
            }
            Gives::InTuple(place, len, gives) => {
                let end = inner(gives);
                let fields = |at_place: TokenStream| -> Vec<TokenStream> {
                    let field = |index: usize| {
                        let name = format_ident!("__staso_field{index}", span = Span::mixed_site());
                        if index == *place { at_place.clone() } else { name.to_token_stream() }
                    };
                    (0..*len).map(field).collect()
                };
                let taken = fields(quote_spanned!(Span::mixed_site()=> __staso_returned));
                let given = fields(end);
                quote_spanned!(Span::mixed_site()=> match __staso_returned { (#(#taken,)*) => (#(#given,)*) })
            }
        }
    }

    /// Opens the span and writes what is known before the body runs.
    fn open(&self) -> TokenStream {
        let runtime = &self.runtime;
        let (site, input) = (self.call_site(), self.input());
        let mutability = input.is_some().then(|| quote_spanned!(Span::mixed_site()=> mut));
        quote_spanned! {Span::mixed_site()=>
            let #mutability __staso_call = #runtime::Call::new(const { &#site });
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
        let (rebind, body) = (self.rebind(&self.arguments), &self.function.body);
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

    /// The body, of which the compiler now knows what its future or stream gives. Located at the return type,
    /// because that is where it says what was expected.
    fn promising(&self, gives: &Gives, body: &TokenStream) -> TokenStream {
        let (ty, name) = match gives {
            Gives::Future { output: Some(ty), boxed: false } => (ty, "promising"),
            Gives::Stream { item: Some(ty), boxed: false } => (ty, "promising_items"),
            _ => return body.clone(),
        };
        let site = Span::mixed_site().located_at(ty.span());
        let (runtime, ty, name) = (&self.runtime, capture::without_impl_trait(ty), Ident::new(name, site));
        quote_spanned!(site=> #runtime::#name::<#ty, _, _>(#body))
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

    fn outcome(&self) -> TokenStream {
        if self.never_returns() {
            return quote_spanned!(Span::mixed_site()=> |_, _| {});
        }
        capture::output(&self.runtime, &self.options)
    }

    fn never_returns(&self) -> bool {
        matches!(&self.function.sig.output, ReturnType::Type(_, ty) if matches!(**ty, Type::Never(_)))
    }

    fn stays_on_the_stack(&self) -> bool {
        let foreign = |abi: &syn::Abi| abi.name.as_ref().is_none_or(|name| name.value() != "Rust");
        tracks_caller(&self.function) || self.function.sig.abi.as_ref().is_some_and(foreign)
    }
}

/// The type of a closure's parameter, where that is spelled out.
fn annotation(ty: Option<&Type>) -> Option<TokenStream> {
    ty.map(|ty| {
        let ty = capture::without_impl_trait(ty);
        quote_spanned!(Span::mixed_site()=> : #ty)
    })
}

fn tracks_caller(function: &Function) -> bool {
    function.attrs.iter().any(|attr| attr.path().is_ident("track_caller"))
}

/// The call that adds the tags to a call site.
pub(crate) fn tags(options: &Options) -> Option<TokenStream> {
    let tags = &options.tags;
    (!tags.is_empty()).then(|| quote_spanned!(Span::mixed_site()=> .with_tags(const { &[#(#tags),*] })))
}
