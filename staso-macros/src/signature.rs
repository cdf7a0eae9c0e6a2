use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::{
    AttrStyle, Attribute, Block, Expr, FnArg, GenericArgument, Item, PathArguments, PathSegment, ReturnType,
    Signature, Stmt, Token, Type, TypeParamBound, Visibility, braced,
    parse::{Parse, ParseStream},
    punctuated::Punctuated,
};

use crate::argument::Argument;

/// A function with a body that could be read.
pub(crate) struct Function {
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) vis: Visibility,
    pub(crate) sig: Signature,
    pub(crate) body: Block,
}

/// Why an item is no [`Function`].
pub(crate) enum NotAFunction {
    /// The item is complete, and attributes do not belong on it.
    Misplaced(syn::Error),
    /// The item is broken, as while the user is typing, or newer than what we can read.
    Unread(syn::Error),
}

/// What a call gives back, which decides when its span ends.
pub(crate) enum Gives {
    /// A value: the span ends when the code returns.
    Value,
    /// `impl Fn(…)`: a value as well.
    Closure,
    /// A value of a type that says whether it is a boxed future or stream.
    Any,
    /// A future written in the return type; with its output where that is spelled out.
    Future { output: Option<Type>, boxed: bool },
    /// A stream written in the return type; with its item where that is spelled out.
    Stream { item: Option<Type>, boxed: bool },
    /// `Pin<Box<impl Stream>>` and the like.
    InPin(Box<Gives>),
    /// `Result<impl Stream, E>` and the like.
    InResult(Box<Gives>),
    /// `Option<impl Stream>` and the like.
    InOption(Box<Gives>),
    /// `(u8, impl Stream)` and the like, with the place and the number of fields.
    InTuple(usize, usize, Box<Gives>),
}

impl Gives {
    pub(crate) fn is_boxed_future(&self) -> bool {
        matches!(self, Self::Future { boxed: true, .. })
    }
}

impl Function {
    pub(crate) fn parse(item: TokenStream) -> Result<Self, NotAFunction> {
        let reason = match syn::parse2(item.clone()) {
            Ok(Header { attrs, vis, sig, body: Some(body) }) => {
                return body.into_function(attrs, vis, sig).map_err(NotAFunction::Unread);
            }
            Ok(Header { sig, body: None, .. }) => {
                return Err(NotAFunction::Misplaced(syn::Error::new_spanned(
                    &sig.ident,
                    "a method without a body makes no span: put the attribute on the methods that implement it",
                )));
            }
            Err(reason) => reason,
        };
        match syn::parse2(item) {
            Ok(item) => Err(NotAFunction::Misplaced(misplaced(&item))),
            Err(_) => Err(NotAFunction::Unread(reason)),
        }
    }

    /// What the body gives; for an `async fn`, what its future gives.
    pub(crate) fn gives(&self) -> Gives {
        match &self.sig.output {
            ReturnType::Default => Gives::Value,
            ReturnType::Type(_, ty) if self.sig.asyncness.is_some() => given_by_future(Some(ty)),
            ReturnType::Type(_, ty) => gives(ty),
        }
    }

    pub(crate) fn arguments(&self) -> Vec<Argument> {
        self.sig
            .inputs
            .iter()
            .filter_map(|input| match input {
                FnArg::Receiver(_) => None,
                FnArg::Typed(typed) => Some(typed),
            })
            .enumerate()
            .map(|(index, typed)| Argument::new(index, typed, &self.body))
            .collect()
    }

    /// The block of `Box::pin(async move { … })` when that is all there is, as `#[async_trait]` and people write it.
    pub(crate) fn pinned_block(&mut self) -> Option<&mut Expr> {
        match self.body.stmts.as_mut_slice() {
            [Stmt::Expr(Expr::Call(call), None)] => pinned_argument(call),
            _ => None,
        }
    }
}

/// An item up to its body, which is kept back: it may be broken, or newer than what we can read.
struct Header {
    attrs: Vec<Attribute>,
    vis: Visibility,
    sig: Signature,
    body: Option<RawBody>,
}

struct RawBody {
    brace: syn::token::Brace,
    tokens: TokenStream,
    /// Both, with the spans of either brace, which `brace` does not keep apart.
    whole: TokenTree,
}

impl Parse for Header {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let attrs = input.call(Attribute::parse_outer)?;
        let vis = input.parse()?;
        let sig = input.parse()?;
        let body = if input.parse::<Option<Token![;]>>()?.is_some() {
            None
        } else {
            let whole = input.fork().parse()?;
            let content;
            let brace = braced!(content in input);
            Some(RawBody { brace, tokens: content.parse()?, whole })
        };
        Ok(Self { attrs, vis, sig, body })
    }
}

impl RawBody {
    fn into_function(
        self,
        mut attrs: Vec<Attribute>,
        vis: Visibility,
        sig: Signature,
    ) -> syn::Result<Function> {
        let Self { brace: brace_token, tokens, whole } = self;
        let content = |input: ParseStream<'_>| {
            let inner = input.call(Attribute::parse_inner)?;
            let rest = input.fork();
            let stmts = match rest.call(Block::parse_within) {
                Ok(stmts) if rest.is_empty() => stmts,
                // The compiler explains what is wrong with it, or finds nothing wrong.
                _ if inner.is_empty() => vec![Stmt::Expr(Expr::Verbatim(whole.clone().into()), None)],
                _ => vec![Stmt::Expr(Expr::Verbatim(input.fork().parse()?), None)],
            };
            input.parse::<TokenStream>()?;
            Ok((inner, stmts))
        };
        let (inner, stmts) = syn::parse::Parser::parse2(content, tokens)?;
        // The body becomes a block inside a function, where `#![…]` is not allowed.
        attrs.extend(inner.into_iter().map(|attr| Attribute { style: AttrStyle::Outer, ..attr }));
        Ok(Function { attrs, vis, sig, body: Block { brace_token, stmts } })
    }
}

fn misplaced(item: &Item) -> syn::Error {
    const ADVICE: &str = "put the attribute on functions, methods and trait methods with a body";
    let on_methods = |what: &str, token: &dyn ToTokens, attrs: &[Attribute]| {
        let detail =
            if attrs.iter().any(is_async_trait) { " (`#[async_trait]` stays where it is)" } else { "" };
        let message = format!("{what} makes no span: move the attribute to its methods{detail}");
        syn::Error::new_spanned(token.to_token_stream(), message)
    };
    match item {
        Item::Impl(item) => on_methods("an impl block", &item.impl_token, &item.attrs),
        Item::Trait(item) => on_methods("a trait", &item.trait_token, &item.attrs),
        Item::Struct(item) => {
            syn::Error::new_spanned(item.struct_token, format!("a struct makes no span: {ADVICE}"))
        }
        Item::Enum(item) => {
            syn::Error::new_spanned(item.enum_token, format!("an enum makes no span: {ADVICE}"))
        }
        Item::Mod(item) => {
            syn::Error::new_spanned(item.mod_token, format!("a module makes no span: {ADVICE}"))
        }
        item => syn::Error::new_spanned(item, format!("this makes no span: {ADVICE}")),
    }
}

fn is_async_trait(attr: &Attribute) -> bool {
    attr.path().segments.last().is_some_and(|segment| segment.ident == "async_trait")
}

fn gives(ty: &Type) -> Gives {
    let (promise, boxed) = match ty {
        Type::Paren(ty) => return gives(&ty.elem),
        Type::Group(ty) => return gives(&ty.elem),
        Type::ImplTrait(ty) => (promised(&ty.bounds).filter(|_| is_nothing_else(&ty.bounds)), false),
        Type::Path(ty) => (ty.path.segments.last().and_then(boxed_promise), true),
        _ => (None, false),
    };
    match promise {
        Some(Promise { is_stream: true, of: item }) => Gives::Stream { item, boxed },
        Some(Promise { is_stream: false, of: output }) => Gives::Future { output, boxed },
        None if is_closure(ty) => Gives::Closure,
        None => inside(ty).unwrap_or_else(|| if is_plain(ty) { Gives::Value } else { Gives::Any }),
    }
}

/// What the output of a future gives. What is boxed there is found by its type.
pub(crate) fn given_by_future(output: Option<&Type>) -> Gives {
    match output.map_or(Gives::Any, gives) {
        Gives::Future { boxed: true, .. } | Gives::Stream { boxed: true, .. } => Gives::Any,
        given => given,
    }
}

/// The `impl Future` or `impl Stream` inside a `Result`, an `Option` or a tuple.
fn inside(ty: &Type) -> Option<Gives> {
    let opaque = |ty: &Type| match gives(ty) {
        Gives::Value | Gives::Closure | Gives::Any => None,
        Gives::Future { boxed: true, .. } | Gives::Stream { boxed: true, .. } => None,
        given => Some(Box::new(given)),
    };
    match ty {
        Type::Tuple(tuple) => {
            let mut fields = tuple.elems.iter().enumerate();
            let (place, given) = fields.find_map(|(place, ty)| Some((place, opaque(ty)?)))?;
            Some(Gives::InTuple(place, tuple.elems.len(), given))
        }
        Type::Path(ty) => {
            let segment = ty.path.segments.last()?;
            let first = generic_arguments(segment).find_map(as_type)?;
            match segment.ident.to_string().as_str() {
                "Pin" => Some(Gives::InPin(opaque(boxed(segment)?)?)),
                "Result" => Some(Gives::InResult(opaque(first)?)),
                "Option" => Some(Gives::InOption(opaque(first)?)),
                _ => None,
            }
        }
        _ => None,
    }
}

fn is_closure(ty: &Type) -> bool {
    let Type::ImplTrait(ty) = ty else { return false };
    ty.bounds.iter().any(|bound| match bound {
        TypeParamBound::Trait(bound) => bound
            .path
            .segments
            .last()
            .is_some_and(|segment| matches!(segment.arguments, PathArguments::Parenthesized(_))),
        _ => false,
    })
}

/// Whether a type is surely no boxed future or stream, and holds none: so much less for the compiler to look at.
fn is_plain(ty: &Type) -> bool {
    #[rustfmt::skip]
    const VALUES: [&str; 18] = [
        "bool", "char", "String", "Vec", "u8", "u16", "u32", "u64", "u128", "usize", "i8", "i16", "i32", "i64",
        "i128", "isize", "f32", "f64",
    ];
    match ty {
        Type::Tuple(tuple) => tuple.elems.iter().all(is_plain),
        Type::Paren(ty) => is_plain(&ty.elem),
        Type::Group(ty) => is_plain(&ty.elem),
        Type::Reference(_) | Type::Array(_) | Type::Slice(_) | Type::Ptr(_) | Type::Never(_) => true,
        Type::ImplTrait(_) => true,
        Type::Path(ty) => ty.path.segments.last().is_some_and(|segment| {
            let name = segment.ident.to_string();
            let holds = matches!(name.as_str(), "Result" | "Option");
            VALUES.contains(&name.as_str())
                || holds && generic_arguments(segment).find_map(as_type).is_some_and(is_plain)
        }),
        _ => false,
    }
}

struct Promise {
    is_stream: bool,
    of: Option<Type>,
}

/// `Pin<Box<dyn Future<Output = T>>>` and the like; `BoxFuture<'_, T>` and the like.
fn boxed_promise(segment: &PathSegment) -> Option<Promise> {
    let alias = |is_stream| Some(Promise { is_stream, of: last_type(segment).cloned() });
    match segment.ident.to_string().as_str() {
        "BoxFuture" | "LocalBoxFuture" => alias(false),
        "BoxStream" | "LocalBoxStream" => alias(true),
        "Pin" => match boxed(segment)? {
            Type::TraitObject(object) => promised(&object.bounds),
            Type::Paren(paren) => match &*paren.elem {
                Type::TraitObject(object) => promised(&object.bounds),
                _ => None,
            },
            _ => None,
        },
        _ => None,
    }
}

/// `T` of `Pin<Box<T>>`.
fn boxed(pin: &PathSegment) -> Option<&Type> {
    let Type::Path(inner) = last_type(pin)? else { return None };
    last_type(inner.path.segments.last().filter(|segment| segment.ident == "Box")?)
}

/// The `Future` or `Stream` among the bounds.
fn promised(bounds: &Punctuated<TypeParamBound, Token![+]>) -> Option<Promise> {
    bounds.iter().find_map(|bound| {
        let TypeParamBound::Trait(bound) = bound else { return None };
        let segment = bound.path.segments.last()?;
        let (is_stream, associated) = match segment.ident.to_string().as_str() {
            "Future" | "TryFuture" => (false, "Output"),
            "Stream" | "TryStream" => (true, "Item"),
            _ => return None,
        };
        Some(Promise { is_stream, of: associated_type(segment, associated).cloned() })
    })
}

/// Whether no trait is promised beside that of the future or stream which what we wrap it in lacks.
fn is_nothing_else(bounds: &Punctuated<TypeParamBound, Token![+]>) -> bool {
    const KEPT: [&str; 9] = [
        "Future",
        "TryFuture",
        "Stream",
        "TryStream",
        "Send",
        "Sync",
        "Unpin",
        "UnwindSafe",
        "RefUnwindSafe",
    ];
    bounds.iter().all(|bound| match bound {
        TypeParamBound::Trait(bound) => {
            bound.path.segments.last().is_some_and(|segment| KEPT.iter().any(|kept| segment.ident == kept))
        }
        _ => true,
    })
}

fn generic_arguments(segment: &PathSegment) -> impl DoubleEndedIterator<Item = &GenericArgument> {
    match &segment.arguments {
        PathArguments::AngleBracketed(arguments) => Some(&arguments.args),
        _ => None,
    }
    .into_iter()
    .flatten()
}

fn last_type(segment: &PathSegment) -> Option<&Type> {
    generic_arguments(segment).rev().find_map(as_type)
}

fn as_type(argument: &GenericArgument) -> Option<&Type> {
    match argument {
        GenericArgument::Type(ty) => Some(ty),
        _ => None,
    }
}

fn associated_type<'a>(segment: &'a PathSegment, name: &str) -> Option<&'a Type> {
    generic_arguments(segment).find_map(|argument| match argument {
        GenericArgument::AssocType(associated) if associated.ident == name => Some(&associated.ty),
        _ => None,
    })
}

fn pinned_argument(call: &mut syn::ExprCall) -> Option<&mut Expr> {
    let Expr::Path(func) = &*call.func else { return None };
    let mut names = func.path.segments.iter().rev().map(|segment| &segment.ident);
    let is_box_pin =
        names.next().is_some_and(|name| name == "pin") && names.next().is_some_and(|name| name == "Box");
    match call.args.first_mut() {
        Some(block @ Expr::Async(_)) if is_box_pin => Some(block),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use syn::parse_quote;

    use super::*;

    fn function(tokens: TokenStream) -> Function {
        Function::parse(tokens).ok().expect("a function")
    }

    fn picture(gives: &Gives) -> String {
        let text =
            |ty: &Option<Type>| ty.as_ref().map(|ty| ty.to_token_stream().to_string()).unwrap_or_default();
        match gives {
            Gives::Value => "value".to_owned(),
            Gives::Closure => "closure".to_owned(),
            Gives::Any => "any".to_owned(),
            Gives::Future { output, boxed } => format!("future boxed={boxed} of {}", text(output)),
            Gives::Stream { item, boxed } => format!("stream boxed={boxed} of {}", text(item)),
            Gives::InPin(given) => format!("pin of {}", picture(given)),
            Gives::InResult(given) => format!("result of {}", picture(given)),
            Gives::InOption(given) => format!("option of {}", picture(given)),
            Gives::InTuple(place, len, given) => format!("{place} of {len}: {}", picture(given)),
        }
    }

    fn check_gives(output: Type, expected: &str) {
        assert_eq!(picture(&gives(&output)), expected, "{}", output.to_token_stream());
    }

    #[test]
    fn the_return_type_says_what_a_call_gives() {
        check_gives(parse_quote!(u8), "value");
        check_gives(parse_quote!(Result<Option<String>, Error>), "value");
        check_gives(parse_quote!(impl Iterator<Item = u8>), "value");
        check_gives(parse_quote!(impl Fn(&str) -> usize + 'static), "closure");
        check_gives(parse_quote!(Self::Future), "any");
        check_gives(parse_quote!(Result<Answer, Error>), "any");
        check_gives(parse_quote!(Box<dyn Future<Output = u8>>), "any");
        check_gives(parse_quote!(impl Send + Future<Output = u8>), "future boxed=false of u8");
        check_gives(
            parse_quote!(std::pin::Pin<Box<dyn Future<Output = u8> + Send + 'a>>),
            "future boxed=true of u8",
        );
        check_gives(parse_quote!(impl Stream<Item = u8> + Clone), "value");
        check_gives(parse_quote!(BoxFuture<'static, u8>), "future boxed=true of u8");
        check_gives(parse_quote!(impl Stream<Item = u8>), "stream boxed=false of u8");
        check_gives(parse_quote!(Pin<Box<dyn Stream<Item = u8>>>), "stream boxed=true of u8");
    }

    #[test]
    fn what_goes_on_may_lie_inside_a_value() {
        check_gives(parse_quote!(Result<impl Stream<Item = u8>, E>), "result of stream boxed=false of u8");
        check_gives(
            parse_quote!(anyhow::Result<Option<impl Stream>>),
            "result of option of stream boxed=false of ",
        );
        check_gives(parse_quote!((u8, impl Future<Output = u8>)), "1 of 2: future boxed=false of u8");
        check_gives(parse_quote!(Pin<Box<impl Stream>>), "pin of stream boxed=false of ");
        check_gives(parse_quote!(Result<BoxStream<'static, u8>, E>), "any");
    }

    #[test]
    fn arguments_are_known_by_the_names_that_their_patterns_bind() {
        let function = function(quote::quote! {
            fn f(&self, mut a: u8, (b, ref c): (u8, u8), Point { x, y: z, .. }: Point, _: u8, d @ [e, ..]: [u8; 2]) {}
        });
        let names: Vec<Vec<String>> = function
            .arguments()
            .iter()
            .map(|argument| argument.names.iter().map(ToString::to_string).collect())
            .collect();
        assert_eq!(names, [vec!["a"], vec!["b", "c"], vec!["x", "z"], vec![], vec!["d", "e"]]);
    }

    #[test]
    fn patterns_that_async_trait_moved_are_found_again() {
        let mut function = function(quote::quote! {
            fn f<'a>(__arg0: (u8, u8)) -> Pin<Box<dyn Future<Output = ()> + 'a>> {
                Box::pin(async move { let (a, b) = { let __arg0 = __arg0; __arg0 }; })
            }
        });
        assert!(function.pinned_block().is_some());
        let names = function.arguments().remove(0).names;
        assert_eq!(names, ["a", "b"]);
    }

    #[test]
    fn a_body_that_cannot_be_read_stays_as_it_is() {
        let function = function(quote::quote! { fn f(x: u8) { #![allow(unused)] self. } });
        assert_eq!(function.body.to_token_stream().to_string(), "{ self . }");
        assert_eq!(function.attrs.len(), 1);
    }

    #[test]
    fn a_signature_that_cannot_be_read_is_said_to_be() {
        let broken = quote::quote! { fn f(x: ) {} };
        assert!(matches!(Function::parse(broken), Err(NotAFunction::Unread(_))));
    }
}
