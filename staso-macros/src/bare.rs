//! Trait objects without a `dyn`, as in `Box<Fn(u8) -> u8>`, which edition 2018 still takes and `syn` does
//! not read. They are packed into a macro, which is a type to `syn`, and unpacked when all is done.
//!
//! ```text
//! Box<Fn(u8) -> u8>  ──hide──▶  Box<__staso_bare!(Fn(u8) -> u8)>  ──show──▶  Box<Fn(u8) -> u8>
//! ```

use std::iter::Peekable;

use proc_macro2::{Delimiter, Group, Ident, Punct, Spacing, Span, TokenStream, TokenTree, token_stream};

const PACKED: &str = "__staso_bare";

/// The item with every such type in its signature packed; `None` if there is none.
pub(crate) fn hide(item: TokenStream) -> Option<TokenStream> {
    let mut found = false;
    let hidden = hide_in(item, &mut found);
    found.then_some(hidden)
}

/// The tokens with every packed type as it was.
pub(crate) fn show(tokens: TokenStream) -> TokenStream {
    let mut shown = TokenStream::new();
    let mut tokens = tokens.into_iter();
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Ident(ident) if ident == PACKED => {
                // The exclamation mark, and what was packed.
                if let (Some(_), Some(TokenTree::Group(packed))) = (tokens.next(), tokens.next()) {
                    shown.extend(packed.stream());
                }
            }
            TokenTree::Group(group) => shown.extend([with_stream(&group, show(group.stream()))]),
            token => shown.extend([token]),
        }
    }
    shown
}

fn hide_in(tokens: TokenStream, found: &mut bool) -> TokenStream {
    let mut hidden = TokenStream::new();
    let mut tokens = tokens.into_iter().peekable();
    let (mut is_type, mut after_dash) = (true, false);
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Ident(ident) if is_type && is_callable(&ident, &mut tokens) => {
                *found = true;
                let packed = one_type(ident, &mut tokens);
                hidden.extend([
                    TokenTree::from(Ident::new(PACKED, Span::mixed_site())),
                    Punct::new('!', Spacing::Alone).into(),
                    Group::new(Delimiter::Parenthesis, packed).into(),
                ]);
                is_type = false;
            }
            // The body, or what follows in it.
            TokenTree::Group(group) if group.delimiter() == Delimiter::Parenthesis => {
                hidden.extend([with_stream(&group, hide_in(group.stream(), found))]);
                is_type = false;
            }
            token => {
                is_type = begins_type(&token) || after_dash && is_punct(&token, '>');
                after_dash = is_punct(&token, '-');
                hidden.extend([token]);
            }
        }
    }
    hidden
}

/// Whether a type may follow, and not only the bound of one, as behind `dyn`, `impl`, `:` or `+`.
fn begins_type(before: &TokenTree) -> bool {
    match before {
        TokenTree::Punct(punct) => matches!(punct.as_char(), '<' | ',' | '&' | '='),
        TokenTree::Ident(ident) => ident == "mut" || ident == "const",
        _ => false,
    }
}

fn is_callable(name: &Ident, tokens: &mut Peekable<token_stream::IntoIter>) -> bool {
    ["Fn", "FnMut", "FnOnce"].iter().any(|known| name == known)
        && matches!(tokens.peek(), Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Parenthesis)
}

/// Takes the tokens up to the end of the type, which stands in angle brackets or behind a reference.
fn one_type(name: Ident, tokens: &mut Peekable<token_stream::IntoIter>) -> TokenStream {
    let mut taken = TokenStream::from(TokenTree::from(name));
    let (mut depth, mut after_dash) = (0_usize, false);
    while let Some(token) = tokens.peek() {
        match token {
            TokenTree::Punct(punct) => match punct.as_char() {
                ',' | ';' | '=' if depth == 0 => break,
                '>' if depth == 0 && !after_dash => break,
                '<' => depth += 1,
                '>' if !after_dash => depth -= 1,
                _ => {}
            },
            TokenTree::Group(group) if group.delimiter() == Delimiter::Brace && depth == 0 => break,
            TokenTree::Ident(ident) if ident == "where" => break,
            _ => {}
        }
        after_dash = is_punct(token, '-');
        taken.extend(tokens.next());
    }
    taken
}

fn is_punct(token: &TokenTree, known: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == known)
}

fn with_stream(group: &Group, stream: TokenStream) -> TokenTree {
    let mut same = Group::new(group.delimiter(), stream);
    same.set_span(group.span());
    same.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(item: &str, expected: Option<&str>) {
        let item: TokenStream = item.parse().expect("tokens");
        let hidden = hide(item.clone());
        let expected = expected.map(|text| text.parse::<TokenStream>().expect("tokens").to_string());
        assert_eq!(hidden.as_ref().map(ToString::to_string), expected);
        if let Some(hidden) = hidden {
            assert!(syn::parse2::<syn::Item>(hidden.clone()).is_ok(), "{hidden}");
            assert_eq!(show(hidden).to_string(), item.to_string());
        }
    }

    #[test]
    fn types_without_dyn_are_packed_and_unpacked() {
        check(
            "fn f(x: &'static str, g: &Fn(u8) -> Vec<u8>) -> Box<Fn(u8) -> u8 + Send> { call() }",
            Some(
                "fn f(x: &'static str, g: &__staso_bare!(Fn(u8) -> Vec<u8>)) \
                 -> Box<__staso_bare!(Fn(u8) -> u8 + Send)> { call() }",
            ),
        );
        check(
            "fn f(g: &mut FnMut()) -> Result<Box<FnOnce()>, E> where T: Fn() {}",
            Some(
                "fn f(g: &mut __staso_bare!(FnMut())) -> Result<Box<__staso_bare!(FnOnce())>, E> where T: Fn() {}",
            ),
        );
    }

    #[test]
    fn bounds_and_bodies_stay() {
        check("fn f<F>(f: F, x: u8) -> u8 where F: for<'a> Fn(&'a u8) -> u8 { f(x) }", None);
        check(
            "fn f<F: Fn(u8) + Send>(f: F, g: impl FnMut(), h: &dyn Fn()) -> impl Fn() { f(a, Fn (b)) }",
            None,
        );
    }
}
