//! Names and tokens that are the user's to read, and ours to the compiler.
//!
//! A token with a span of ours is in a macro of another crate, where lints do not look. A variable with
//! such a span is not the variable that the user calls by the same name. Constants, statics and unit
//! structs are not told apart like that: `let value = …` is no binding where a constant `value` is in
//! scope, so every name that expansions choose themselves begins with `__staso_`.

use proc_macro2::{Group, Ident, Span, TokenStream, TokenTree};
use syn::ext::IdentExt as _;

/// A variable of ours that is called like one of the user's.
pub(crate) fn ours(name: &Ident) -> Ident {
    let mut name = name.clone();
    name.set_span(at(name.span()));
    name
}

/// A pattern of the user's, to look at a value without a word from the lints. Its `names` become [`ours`].
pub(crate) fn pattern(tokens: TokenStream, names: &[Ident]) -> TokenStream {
    tokens.into_iter().map(|token| of_pattern(token, names)).collect()
}

/// Tokens of the user's in which only some `names` become [`ours`].
pub(crate) fn names(tokens: TokenStream, names: &[Ident]) -> TokenStream {
    let of_ours = |token| match token {
        TokenTree::Group(group) => {
            let inside = self::names(group.stream(), names);
            with_stream(&group, inside, group.span()).into()
        }
        TokenTree::Ident(ident) if names.contains(&ident) => ours(&ident).into(),
        token => token,
    };
    tokens.into_iter().map(of_ours).collect()
}

/// An expression of the user's that finds [`ours`] where it says one of the `names`, also in the text of a
/// format string.
pub(crate) fn expression(tokens: TokenStream, names: &[Ident]) -> TokenStream {
    tokens.into_iter().map(|token| of_expression(token, names)).collect()
}

fn of_pattern(mut token: TokenTree, names: &[Ident]) -> TokenTree {
    match &mut token {
        TokenTree::Group(group) => {
            let inside = pattern(group.stream(), names);
            *group = with_stream(group, inside, at(group.span()));
        }
        TokenTree::Punct(punct) => punct.set_span(at(punct.span())),
        // Any other is a path, which may begin with a `$crate`: its span says which crate that is.
        TokenTree::Ident(ident) if names.contains(ident) => *ident = ours(ident),
        TokenTree::Ident(_) | TokenTree::Literal(_) => {}
    }
    token
}

fn of_expression(mut token: TokenTree, names: &[Ident]) -> TokenTree {
    match &mut token {
        TokenTree::Group(group) => {
            let inside = expression(group.stream(), names);
            *group = with_stream(group, inside, group.span());
        }
        TokenTree::Ident(ident) if names.contains(ident) => *ident = ours(ident),
        TokenTree::Literal(literal) if shows(&literal.to_string(), names) => {
            literal.set_span(at(literal.span()));
        }
        TokenTree::Ident(_) | TokenTree::Literal(_) | TokenTree::Punct(_) => {}
    }
    token
}

/// Whether the text has a `{name}` or `{name:…}` in it.
fn shows(text: &str, names: &[Ident]) -> bool {
    text.split('{').skip(1).any(|rest| {
        let shown = rest.split([':', '}']).next().unwrap_or_default();
        names.iter().any(|name| name.unraw() == shown.trim())
    })
}

fn with_stream(group: &Group, stream: TokenStream, span: Span) -> Group {
    let mut group = Group::new(group.delimiter(), stream);
    group.set_span(span);
    group
}

/// A span of ours that is shown where the user's is.
fn at(span: Span) -> Span {
    Span::mixed_site().located_at(span)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_format_string_shows_the_names_in_its_braces() {
        let names = [Ident::new("x", Span::call_site()), Ident::new_raw("type", Span::call_site())];
        for text in ["{x}", "a {x:?}", "{y} {x }", "{type}"] {
            assert!(shows(text, &names), "{text}");
        }
        for text in ["x", "{}", "{y}", "{xs}", "{x.y}"] {
            assert!(!shows(text, &names), "{text}");
        }
    }
}
