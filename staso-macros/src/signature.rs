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
pub(crate) enum Shape {
    /// A value: the span ends when the function returns.
    Sync,
    /// `async fn`: the span ends when the future does.
    Async,
    /// A future written in the return type; with its output where that is spelled out.
    Future { output: Option<Type>, boxed: bool },
    /// A stream written in the return type; with its item where that is spelled out.
    Stream { item: Option<Type>, boxed: bool },
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

    pub(crate) fn shape(&self) -> Shape {
        if self.sig.asyncness.is_some() {
            return Shape::Async;
        }
        match &self.sig.output {
            ReturnType::Default => Shape::Sync,
            ReturnType::Type(_, ty) => shape_of(ty),
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

fn shape_of(ty: &Type) -> Shape {
    let (promise, boxed) = match ty {
        Type::Paren(ty) => return shape_of(&ty.elem),
        Type::Group(ty) => return shape_of(&ty.elem),
        Type::ImplTrait(ty) => (promised(&ty.bounds), false),
        Type::Path(ty) => (ty.path.segments.last().and_then(boxed_promise), true),
        _ => (None, false),
    };
    match promise {
        Some(Promise { is_stream: true, of: item }) => Shape::Stream { item, boxed },
        Some(Promise { is_stream: false, of: output }) => Shape::Future { output, boxed },
        None => Shape::Sync,
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
        "Pin" => {
            let Type::Path(inner) = last_type(segment)? else { return None };
            let boxed = inner.path.segments.last().filter(|segment| segment.ident == "Box")?;
            match last_type(boxed)? {
                Type::TraitObject(object) => promised(&object.bounds),
                Type::Paren(paren) => match &*paren.elem {
                    Type::TraitObject(object) => promised(&object.bounds),
                    _ => None,
                },
                _ => None,
            }
        }
        _ => None,
    }
}

/// The `Future` or `Stream` among the bounds.
fn promised(bounds: &Punctuated<TypeParamBound, Token![+]>) -> Option<Promise> {
    bounds.iter().find_map(|bound| {
        let TypeParamBound::Trait(bound) = bound else { return None };
        let segment = bound.path.segments.last()?;
        let (is_stream, associated) = match segment.ident.to_string().as_str() {
            "Future" => (false, "Output"),
            "Stream" => (true, "Item"),
            _ => return None,
        };
        Some(Promise { is_stream, of: associated_type(segment, associated).cloned() })
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
    generic_arguments(segment).rev().find_map(|argument| match argument {
        GenericArgument::Type(ty) => Some(ty),
        _ => None,
    })
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

    fn check_shape(output: Type, expected: &str) {
        let text =
            |ty: &Option<Type>| ty.as_ref().map(|ty| ty.to_token_stream().to_string()).unwrap_or_default();
        let found = match shape_of(&output) {
            Shape::Sync => "sync".to_owned(),
            Shape::Async => "async".to_owned(),
            Shape::Future { output, boxed } => format!("future boxed={boxed} of {}", text(&output)),
            Shape::Stream { item, boxed } => format!("stream boxed={boxed} of {}", text(&item)),
        };
        assert_eq!(found, expected, "{}", output.to_token_stream());
    }

    #[test]
    fn the_return_type_decides_the_shape() {
        check_shape(parse_quote!(u8), "sync");
        check_shape(parse_quote!(impl Iterator<Item = u8>), "sync");
        check_shape(parse_quote!(Box<dyn Future<Output = u8>>), "sync");
        check_shape(parse_quote!(impl Send + Future<Output = u8>), "future boxed=false of u8");
        check_shape(
            parse_quote!(std::pin::Pin<Box<dyn Future<Output = u8> + Send + 'a>>),
            "future boxed=true of u8",
        );
        check_shape(parse_quote!(BoxFuture<'static, u8>), "future boxed=true of u8");
        check_shape(parse_quote!(impl Stream<Item = u8>), "stream boxed=false of u8");
        check_shape(parse_quote!(Pin<Box<dyn Stream<Item = u8>>>), "stream boxed=true of u8");
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
