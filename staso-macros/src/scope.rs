use proc_macro2::{Delimiter, Span, TokenStream, TokenTree};
use quote::{quote, quote_spanned};
use syn::{
    Block, Expr, Ident, Lit, LitInt, LitStr, Token,
    ext::IdentExt as _,
    parse::{ParseStream, Parser as _},
    token::Brace,
};

use crate::{
    args::{Kind, Macro, Options, end_of_option},
    awaits, block,
    errors::Errors,
    expand::tags,
    jumps, observe,
};

/// Expands `span!`.
pub(crate) fn span(tokens: TokenStream) -> TokenStream {
    Scope::expand(Macro::Span, tokens, |scope, runtime| {
        let name = match &scope.subject {
            Some(Expr::Lit(syn::ExprLit { lit: Lit::Str(name), .. })) => Some(name),
            _ => None,
        };
        let dynamic = scope
            .subject
            .as_ref()
            .filter(|_| name.is_none())
            .map(|name| quote_spanned!(Span::mixed_site()=> __staso_call.set_name(&(#name));));
        let name = name.cloned().unwrap_or_else(|| LitStr::new("span", Span::mixed_site()));
        let Kind(variant) = scope.options.kind.unwrap_or(Kind::CHAIN);
        let kind = Ident::new(variant, Span::mixed_site());
        let tags = tags(&scope.options);
        let metadata = crate::capture::metadata(runtime, &scope.options, &[]);
        let described = (dynamic.is_some() || !metadata.is_empty())
            .then(|| quote_spanned!(Span::mixed_site()=> if __staso_call.is_on() { #dynamic #metadata }));
        let handle = scope
            .handle
            .as_ref()
            .map(|handle| quote_spanned!(Span::mixed_site()=> let #handle = __staso_call.handle();));
        let mutability =
            (described.is_some() || handle.is_some()).then(|| quote_spanned!(Span::mixed_site()=> mut));
        quote_spanned! {Span::mixed_site()=>
            let #mutability __staso_call = #runtime::Call::new(const {
                &#runtime::CallSite::manual(#name, #runtime::SpanKind::#kind)
                    .at(::core::file!(), ::core::line!()) #tags
            });
            #described
            #handle
        }
    })
}

/// Expands `conversation!`.
pub(crate) fn conversation(tokens: TokenStream) -> TokenStream {
    Scope::expand(Macro::Conversation, tokens, |scope, runtime| {
        let (before_id, id) = deferred(scope.subject.as_ref(), "__staso_id");
        let (before_user, user) = deferred(scope.options.user_id.as_ref(), "__staso_user");
        quote_spanned! {Span::mixed_site()=>
            #before_id
            #before_user
            let __staso_call = #runtime::conversation_scope(#id, #user);
        }
    })
}

/// A block macro as it was written: `subject, option = …, …, |handle| { … }`.
struct Scope {
    of: Macro,
    /// The enclosing attribute has seen that the macro stands in async code.
    in_async: bool,
    /// How many blocks of `span!` in the same function it stands in.
    spans_around: usize,
    /// The span's name, or the conversation's id.
    subject: Option<Expr>,
    options: Options,
    handle: Option<Ident>,
    body: Block,
}

impl Scope {
    /// Expands to the statements of `open`, which bind `__staso_call`, and the block inside that.
    fn expand(
        of: Macro,
        tokens: TokenStream,
        open: impl FnOnce(&Self, &TokenStream) -> TokenStream,
    ) -> TokenStream {
        let mut errors = Errors::default();
        let parser = |input: ParseStream<'_>| Self::parse(of, input, &mut errors);
        let mut scope = match parser.parse2(uncovered(tokens)) {
            Ok(scope) => scope,
            Err(error) => {
                errors.push(error);
                return quote_spanned!(Span::mixed_site()=> { #errors });
            }
        };
        let runtime = scope.options.runtime();
        let awaits = awaits::awaits(&scope.body, scope.in_async);
        // In a future the compiler would report a jump again, in other words.
        let in_future = awaits && !jumps::refuse(&scope.body, &mut errors);
        let krate = scope.options.krate();
        block::mark_scopes(&mut scope.body, &krate, scope.in_async || awaits);
        let spans = scope.spans_around + usize::from(of == Macro::Span);
        let returns = spans > 0 && observe::observe(&mut scope.body, &krate, &runtime, spans);
        block::justify_braces(&mut scope.body);
        let mut open = open(&scope, &runtime);
        if returns && !in_future {
            let early = early(&runtime);
            open = quote_spanned!(Span::mixed_site()=> #early #open);
        }
        let inside = if in_future { scope.in_future(&runtime) } else { scope.in_guard(&runtime) };
        quote_spanned!(Span::mixed_site()=> { #errors #open #inside })
    }

    fn parse(of: Macro, input: ParseStream<'_>, errors: &mut Errors) -> syn::Result<Self> {
        let (mut in_async, mut spans_around) = (false, 0);
        while input.peek(Token![@]) {
            input.parse::<Token![@]>()?;
            if input.parse::<Option<Token![async]>>()?.is_some() {
                in_async = true;
            } else {
                input.parse::<Ident>()?;
                spans_around = input.parse::<LitInt>()?.base10_parse()?;
            }
        }
        let mut options = Options::default();
        let mut subject = None;
        let mut first = true;
        while !at_body(of, input) {
            let is_option = input.peek(Ident::peek_any)
                && (input.peek2(Token![=]) && !input.peek2(Token![==])
                    || !first && input.peek2(syn::token::Paren));
            if first && !is_option {
                subject = Some(input.parse()?);
            } else {
                options.read(of, input, errors);
            }
            first = false;
            end_of_option(input, errors);
            if input.is_empty() {
                return Err(input.error(format_args!("{of} ends with the block that it wraps: {}", form(of))));
            }
        }
        check_subject(of, subject.as_ref(), input, errors);
        let handle = handle(of, input)?;
        let body = input.parse()?;
        input.parse::<Option<Token![,]>>()?;
        Ok(Self { of, in_async, spans_around, subject, options, handle, body })
    }

    /// Without an `.await`, `?`, `return` and `break` drop a guard on their way out.
    fn in_guard(&self, runtime: &TokenStream) -> TokenStream {
        let body = &self.body;
        if self.of == Macro::Conversation {
            return quote_spanned! {Span::mixed_site()=>
                let __staso_guard = __staso_call.attach();
                #body
            };
        }
        if !block::has_value(body) {
            return quote_spanned! {Span::mixed_site()=>
                let __staso_guard = __staso_call.enter();
                #body
            };
        }
        // Neither of the two arms for a value runs. The first lets the surroundings decide the type before the
        // block is looked at; with the second, what follows is reachable for the compiler, also where the block
        // always leaves the function.
        quote_spanned! {Span::mixed_site()=>
            let __staso_early_value = #runtime::Early::new();
            match __staso_early_value.left() {
                ::core::option::Option::Some(__staso_value) => __staso_value,
                ::core::option::Option::None => {
                    let __staso_guard = __staso_call.enter();
                    let __staso_value = __staso_early_value.returned(match __staso_early_value.left() {
                        ::core::option::Option::Some(__staso_value) => __staso_value,
                        ::core::option::Option::None => #body
                    });
                    __staso_guard.close(
                        &__staso_value,
                        |__staso_value, __staso_outcome| {
                            #runtime::errors_only!(__staso_value, __staso_outcome)
                        },
                    );
                    __staso_value
                }
            }
        }
    }

    /// With an `.await`, the block becomes a future, so that its context is left whenever it is not polled.
    ///
    /// That future's output is what `return` and `?` leave the enclosing function with; the value of a block
    /// that runs to its end goes through a slot, and the future stays pending.
    fn in_future(&self, runtime: &TokenStream) -> TokenStream {
        if !block::can_reach_its_end(&self.body) {
            return self.in_future_without_end(runtime);
        }
        let value = reached(&self.body);
        let step = (self.of == Macro::Span && block::has_value(&self.body)).then(|| {
            quote_spanned! {Span::mixed_site()=>
                if let ::core::option::Option::Some(__staso_value) = &__staso_slot {
                    #runtime::errors_only!(__staso_value, #runtime::Outcome::of_innermost(1));
                }
            }
        });
        let early = early(runtime);
        // The first look at the slot never leaves either: it tells the compiler the type of the block's value.
        quote_spanned! {Span::mixed_site()=>
            'value: {
                let mut __staso_slot = ::core::option::Option::None;
                if false {
                    if let ::core::option::Option::Some(__staso_value) = __staso_slot {
                        break 'value __staso_value;
                    }
                }
                #early
                let __staso_done = #runtime::Done::new();
                let __staso_left = __staso_call.follow_block(
                    async {
                        if let ::core::option::Option::Some(__staso_left) = __staso_early.left() {
                            return __staso_left;
                        }
                        let __staso_value = #value;
                        __staso_slot = ::core::option::Option::Some(__staso_value);
                        #step
                        __staso_done.finish().await
                    },
                    &__staso_done,
                );
                if let ::core::option::Option::Some(__staso_left) = __staso_left.await {
                    return __staso_left;
                }
                match __staso_slot {
                    ::core::option::Option::Some(__staso_value) => __staso_value,
                    ::core::option::Option::None => ::core::future::pending().await,
                }
            }
        }
    }

    /// As [`in_future`](Self::in_future), for a block that always leaves the function. So does what it becomes:
    /// the compiler asks for no value after it.
    fn in_future_without_end(&self, runtime: &TokenStream) -> TokenStream {
        let (body, early) = (&self.body, early(runtime));
        quote_spanned! {Span::mixed_site()=>
            {
                #early
                let __staso_done = #runtime::Done::new();
                let __staso_left = __staso_call.follow_block(
                    async {
                        if let ::core::option::Option::Some(__staso_left) = __staso_early.left() {
                            return __staso_left;
                        }
                        #body
                    },
                    &__staso_done,
                );
                match __staso_left.await {
                    ::core::option::Option::Some(__staso_left) => return __staso_left,
                    ::core::option::Option::None => {
                        match ::core::future::pending::<::core::convert::Infallible>().await {}
                    }
                }
            }
        }
    }
}

/// What tells the compiler the type that the function returns, and never leaves it.
fn early(runtime: &TokenStream) -> TokenStream {
    quote_spanned! {Span::mixed_site()=>
        let __staso_early = #runtime::Early::new();
        if let ::core::option::Option::Some(__staso_left) = __staso_early.left() {
            return __staso_left;
        }
    }
}

/// The block's value, or one from an arm that is never taken: what follows is reachable for the compiler,
/// also where the block always leaves the function.
fn reached(body: &Block) -> TokenStream {
    quote_spanned! {Span::mixed_site()=>
        match ::core::option::Option::None {
            ::core::option::Option::Some(__staso_value) => __staso_value,
            ::core::option::Option::None => #body
        }
    }
}

/// The tokens without the invisible group around a block that a `macro_rules!` passes on as `$body:block`.
fn uncovered(tokens: TokenStream) -> TokenStream {
    let uncover = |token: TokenTree| match &token {
        TokenTree::Group(group) if group.delimiter() == Delimiter::None => {
            let mut inside = group.stream().into_iter();
            match (inside.next(), inside.next()) {
                (Some(TokenTree::Group(block)), None) if block.delimiter() == Delimiter::Brace => {
                    block.into()
                }
                _ => token,
            }
        }
        _ => token,
    };
    tokens.into_iter().map(uncover).collect()
}

/// Whether what follows is `{ … }` or, for a span, `|handle| { … }`, and nothing else.
fn at_body(of: Macro, input: ParseStream<'_>) -> bool {
    if input.peek(Token![|]) || input.peek(Token![||]) {
        return of == Macro::Span;
    }
    let ahead = input.fork();
    ahead.peek(Brace)
        && ahead.parse::<proc_macro2::Group>().is_ok()
        && ahead.parse::<Option<Token![,]>>().is_ok()
        && ahead.is_empty()
}

fn check_subject(of: Macro, subject: Option<&Expr>, input: ParseStream<'_>, errors: &mut Errors) {
    match subject {
        None if of == Macro::Span => {
            errors.push(input.error(format_args!("a span needs a name first: {}", form(of))));
        }
        Some(Expr::Lit(syn::ExprLit { lit: Lit::Str(text), .. })) if text.value().trim().is_empty() => {
            let what = if of == Macro::Span { "span needs a name" } else { "conversation needs an id" };
            errors.at(text, format_args!("a {what}: the text is empty"));
        }
        Some(Expr::Lit(lit)) if of == Macro::Span && !matches!(lit.lit, Lit::Str(_)) => {
            errors.at(lit, format_args!("the name of a span is text: {}", form(of)));
        }
        _ => {}
    }
}

/// Reads `|span|` or `|_|`, if the block has it.
fn handle(of: Macro, input: ParseStream<'_>) -> syn::Result<Option<Ident>> {
    if of == Macro::Conversation || input.peek(Brace) {
        return Ok(None);
    }
    let expected = "expected `|span| { … }`, `|_| { … }` or `{ … }`";
    let wrong = |error: syn::Error| syn::Error::new(error.span(), expected);
    input.parse::<Token![|]>().map_err(wrong)?;
    let handle = if input.parse::<Option<Token![_]>>()?.is_some() {
        None
    } else {
        Some(input.parse::<Ident>().map_err(wrong)?)
    };
    input.parse::<Token![|]>().map_err(wrong)?;
    if input.peek(Brace) { Ok(handle) } else { Err(input.error(expected)) }
}

fn form(of: Macro) -> &'static str {
    match of {
        Macro::Conversation => "conversation!(\"id\", user_id = \"…\", { … })",
        _ => "span!(\"name\", |span| { … })",
    }
}

/// An expression as the runtime takes it: a closure, so that it is evaluated only while recording.
///
/// An expression that can leave the function, or await, is evaluated where it stands.
fn deferred(expr: Option<&Expr>, name: &str) -> (Option<TokenStream>, TokenStream) {
    let Some(expr) = expr else {
        let none = quote_spanned!(Span::mixed_site()=> ::core::option::Option::None::<fn() -> &'static str>);
        return (None, none);
    };
    let some =
        |value: &TokenStream| quote_spanned!(Span::mixed_site()=> ::core::option::Option::Some(#value));
    if awaits::leaves(expr) {
        let name = Ident::new(name, Span::mixed_site());
        let before = quote_spanned!(Span::mixed_site()=> let #name = #expr;);
        (Some(before), some(&quote_spanned!(Span::mixed_site()=> move || #name)))
    } else {
        (None, some(&quote!(|| #expr)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(of: Macro, tokens: TokenStream, awaits: bool) {
        let expanded = if of == Macro::Span { span(tokens.clone()) } else { conversation(tokens.clone()) };
        let text = expanded.to_string();
        assert!(!text.contains("compile_error"), "{tokens} gave {text}");
        assert_eq!(text.contains("follow_block"), awaits, "{tokens} gave {text}");
        syn::parse2::<Expr>(expanded).expect("an expression");
    }

    #[test]
    fn a_block_that_awaits_is_followed_and_any_other_is_guarded() {
        check(Macro::Span, quote!("a", { f() }), false);
        check(Macro::Span, quote!("a", |span| { f(span)? }), false);
        check(Macro::Span, quote!("a", kind = "llm", tags = ["x"], metadata(k = 1), |_| { f().await }), true);
        check(Macro::Span, quote!(format!("a{x}"), { f() },), false);
        check(Macro::Span, quote!(@async "a", { my_macro!(x) }), true);
        check(Macro::Conversation, quote!({ f() }), false);
        check(Macro::Conversation, quote!(id, { f().await }), true);
        check(Macro::Conversation, quote!(make(id), user_id = name?, crate = other::staso, { f() }), false);
        check(Macro::Conversation, quote!({ id }, { f() }), false);
        check(Macro::Conversation, quote!(a == b, { f() }), false);
    }

    #[test]
    fn every_mistake_is_reported_and_the_block_is_kept() {
        let text = span(quote!("", kind = "robot", colour = 1, { keep_me() })).to_string();
        assert_eq!(text.matches("compile_error").count(), 3, "{text}");
        assert!(text.contains("keep_me"), "{text}");
    }
}
