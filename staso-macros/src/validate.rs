use quote::ToTokens as _;
use syn::Ident;

use crate::{
    args::{Macro, Options, Selection},
    argument::Argument,
    errors::Errors,
    signature::Function,
};

/// Reports what cannot be instrumented and options that do not fit the function.
pub(crate) fn validate(
    of: Macro,
    function: &Function,
    arguments: &[Argument],
    options: &Options,
    errors: &mut Errors,
) {
    let sig = &function.sig;
    if let Some(token) = sig.constness {
        errors.at(token, format_args!("{of} cannot go on a const fn: recording a span is not const"));
    }
    if let Some(variadic) = &sig.variadic {
        errors.at(variadic, format_args!("{of} cannot go on a variadic function"));
    }
    if sig.ident == "main" && sig.inputs.is_empty() {
        errors.at(
            &sig.ident,
            format_args!(
                "{of} cannot go on `main`: it starts before `staso::init` has run; put it on a function that `main` calls"
            ),
        );
    }
    check_track_caller(function, errors);
    if let Selection::Skip(names) | Selection::Only(names) = &options.arguments {
        check_names(names, function, arguments, errors);
    }
}

fn check_names(names: &[Ident], function: &Function, arguments: &[Argument], errors: &mut Errors) {
    let receiver = function.sig.receiver().map(|_| "self".to_owned());
    let known: Vec<String> = receiver
        .into_iter()
        .chain(arguments.iter().flat_map(|argument| &argument.names).map(Ident::to_string))
        .collect();
    for name in names {
        if !known.iter().any(|known| name == known) {
            let message = match known.as_slice() {
                [] => format!("no argument is called `{name}`: the function has none"),
                known => format!("no argument is called `{name}`: there are `{}`", known.join("`, `")),
            };
            errors.at(name, message);
        }
    }
}

/// A `#[track_caller]` body becomes an inner function, which sees neither `self` nor `Self`.
fn check_track_caller(function: &Function, errors: &mut Errors) {
    let Some(attr) = function.attrs.iter().find(|attr| attr.path().is_ident("track_caller")) else { return };
    let sig = &function.sig;
    if sig.asyncness.is_some() {
        return;
    }
    let names_self = |tokens: proc_macro2::TokenStream| crate::block::mentions(&tokens, &["self", "Self"]);
    if sig.receiver().is_some()
        || names_self(sig.to_token_stream())
        || names_self(function.body.to_token_stream())
    {
        errors.at(
            attr,
            "a span around a `#[track_caller]` method would hide the caller's location: \
             move the body to a free function with both attributes, or remove one of the two here",
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(of: Macro, options: proc_macro2::TokenStream, item: proc_macro2::TokenStream) -> String {
        let mut errors = Errors::default();
        let options = Options::of_attribute(of, options, &mut errors);
        let function = Function::parse(item).ok().expect("a function");
        validate(of, &function, &function.arguments(), &options, &mut errors);
        errors.to_token_stream().to_string()
    }

    #[test]
    fn a_variadic_function_is_refused() {
        let text = messages(
            Macro::Tool,
            quote::quote!(),
            quote::quote!(
                unsafe extern "C" fn f(n: u8, rest: ...) {}
            ),
        );
        assert!(text.contains("#[tool] cannot go on a variadic function"), "{text}");
    }

    #[test]
    fn a_method_may_say_that_self_is_left_out() {
        let item = quote::quote!(
            fn f(&self, (a, _): (u8, u8)) {}
        );
        assert_eq!(messages(Macro::Agent, quote::quote!(skip(self, a)), item), "");
    }

    #[test]
    fn a_method_called_main_with_arguments_is_not_where_a_program_starts() {
        let item = quote::quote!(
            fn main(&self) {}
        );
        assert_eq!(messages(Macro::Agent, quote::quote!(), item), "");
    }
}
