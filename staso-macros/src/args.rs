use proc_macro2::{Span, TokenStream};
use quote::quote_spanned;
use syn::{
    Expr, Ident, Lit, LitBool, LitStr, Path, Token, bracketed,
    ext::IdentExt as _,
    parenthesized,
    parse::{Parse as _, ParseStream, Parser as _},
};

use crate::errors::Errors;

/// What the user wrote between the parentheses of a macro, apart from a block and what it is called by.
#[derive(Default)]
pub(crate) struct Options {
    /// A constant expression.
    pub(crate) name: Option<Expr>,
    pub(crate) kind: Option<Kind>,
    /// Constant expressions.
    pub(crate) tags: Vec<Expr>,
    pub(crate) metadata: Vec<(LitStr, Expr)>,
    pub(crate) user_id: Option<Expr>,
    pub(crate) arguments: Selection,
    capture_input: Option<bool>,
    capture_output: Option<bool>,
    krate: Option<Path>,
    seen: Vec<String>,
}

/// Which arguments of the function are captured.
#[derive(Default)]
pub(crate) enum Selection {
    /// All but `self`.
    #[default]
    All,
    Skip(Vec<Ident>),
    Only(Vec<Ident>),
}

/// The variant of the runtime's `SpanKind`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Kind(pub(crate) &'static str);

/// The macro that the options belong to.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Macro {
    Agent,
    Tool,
    Trace,
    Span,
    Conversation,
}

impl Options {
    /// Reads the options of an attribute. What is wrong is left out and reported.
    pub(crate) fn of_attribute(of: Macro, tokens: TokenStream, errors: &mut Errors) -> Self {
        let mut options = Self::default();
        let parser = |input: ParseStream<'_>| {
            while !input.is_empty() {
                options.read(of, input, errors);
                end_of_option(input, errors);
            }
            Ok(())
        };
        if let Err(error) = parser.parse2(tokens) {
            errors.push(error);
        }
        options
    }

    /// Reads one `key = value` or `key(…)`, up to the comma.
    pub(crate) fn read(&mut self, of: Macro, input: ParseStream<'_>, errors: &mut Errors) {
        let Ok(key) = input.call(Ident::parse_any) else {
            errors.push(input.error(format_args!("expected an option of {of}: {}", of.listed())));
            return skip_to_comma(input);
        };
        let word = key.to_string();
        if !of.options().contains(&word.as_str()) {
            errors.at(&key, of.refusal(&word));
            return skip_to_comma(input);
        }
        if self.seen.contains(&word) {
            errors.at(&key, format_args!("`{word}` is set twice"));
            return skip_to_comma(input);
        }
        if let Err(error) = self.value(of, &key, &word, input, errors) {
            errors.push(error);
            skip_to_comma(input);
        }
        self.seen.push(word);
    }

    fn value(
        &mut self,
        of: Macro,
        key: &Ident,
        word: &str,
        input: ParseStream<'_>,
        errors: &mut Errors,
    ) -> syn::Result<()> {
        match word {
            "name" => {
                let form = "name = \"…\"";
                equals(input, form)?;
                match ungrouped(input.parse()?) {
                    Expr::Lit(syn::ExprLit { lit: Lit::Str(name), .. }) if name.value().trim().is_empty() => {
                        errors.at(&name, "a span needs a name: leave `name` out to use the function's");
                    }
                    Expr::Lit(other) if !matches!(other.lit, Lit::Str(_)) => {
                        let message = format!("expected a string literal or a constant, as in {form}");
                        errors.at(other, message);
                    }
                    name => self.name = Some(name),
                }
            }
            "kind" => {
                let kind = string(input, "kind = \"…\"")?;
                match Kind::from_word(&kind.value()) {
                    Some(known) => self.kind = Some(known),
                    None => errors.at(
                        &kind,
                        format_args!("unknown span kind {:?}: expected {}", kind.value(), Kind::listed()),
                    ),
                }
            }
            "tags" => {
                equals(input, "tags = [\"…\", \"…\"]")?;
                self.tags = list_of_strings(input)?;
            }
            "metadata" => {
                let entries;
                parenthesized!(entries in input);
                self.metadata = list_of_entries(&entries, errors)?;
            }
            "skip" | "only" => {
                let names;
                parenthesized!(names in input);
                let names = names.parse_terminated(Ident::parse_any, Token![,])?.into_iter().collect();
                match (&self.arguments, word) {
                    (Selection::All, "skip") => self.arguments = Selection::Skip(names),
                    (Selection::All, _) => self.arguments = Selection::Only(names),
                    _ => errors.at(key, "`skip` and `only` exclude each other: keep one of them"),
                }
            }
            "capture_input" => self.capture_input = Some(boolean(input, word)?),
            "capture_output" => self.capture_output = Some(boolean(input, word)?),
            "user_id" => {
                equals(input, "user_id = …")?;
                self.user_id = Some(input.parse()?);
            }
            "crate" => {
                equals(input, "crate = path::to::staso")?;
                self.krate = Some(input.call(Path::parse_mod_style)?);
            }
            // Whoever adds a word to the lists of options and forgets it here is told so.
            other => errors.at(key, of.refusal(other)),
        }
        Ok(())
    }

    pub(crate) fn captures_input(&self) -> bool {
        self.capture_input.unwrap_or(true)
    }

    pub(crate) fn captures_output(&self) -> bool {
        self.capture_output.unwrap_or(true)
    }

    /// The crate that is called `staso` here.
    pub(crate) fn krate(&self) -> Path {
        self.krate.clone().unwrap_or_else(|| {
            let mut path = Path::from(Ident::new("staso", Span::mixed_site()));
            path.leading_colon = Some(Token![::](Span::mixed_site()));
            path
        })
    }

    /// The module that expansions call.
    pub(crate) fn runtime(&self) -> TokenStream {
        let krate = self.krate();
        quote_spanned!(Span::mixed_site()=> #krate::__private)
    }
}

impl Kind {
    const ALL: [(&'static str, Self); 6] = [
        ("agent", Self("Agent")),
        ("tool", Self("Tool")),
        ("llm", Self("Llm")),
        ("retriever", Self("Retriever")),
        ("chain", Self::CHAIN),
        ("custom", Self("Custom")),
    ];
    pub(crate) const CHAIN: Self = Self("Chain");

    fn from_word(word: &str) -> Option<Self> {
        Self::ALL.iter().find(|(known, _)| *known == word).map(|(_, kind)| *kind)
    }

    fn listed() -> String {
        listed(&Self::ALL.map(|(word, _)| word))
    }
}

impl Macro {
    fn options(self) -> &'static [&'static str] {
        match self {
            Self::Agent | Self::Tool => {
                &["name", "tags", "metadata", "capture_input", "capture_output", "skip", "only", "crate"]
            }
            Self::Trace => &[
                "name",
                "kind",
                "tags",
                "metadata",
                "capture_input",
                "capture_output",
                "skip",
                "only",
                "crate",
            ],
            Self::Span => &["kind", "tags", "metadata", "crate"],
            Self::Conversation => &["user_id", "crate"],
        }
    }

    /// The kind that the macro itself stands for.
    pub(crate) fn kind(self) -> Kind {
        match self {
            Self::Agent => Kind("Agent"),
            Self::Tool => Kind("Tool"),
            _ => Kind::CHAIN,
        }
    }

    /// The options, as error messages show them.
    pub(crate) fn listed(self) -> String {
        listed(self.options())
    }

    fn refusal(self, word: &str) -> String {
        match (self, word) {
            (Self::Agent | Self::Tool, "kind") => {
                format!("{self} decides the kind itself: use #[trace(kind = \"…\")] for another one")
            }
            (Self::Span, "name") => "the name comes first, without a key: span!(\"name\", …)".to_owned(),
            (Self::Conversation, "id" | "session_id" | "conversation_id") => {
                "the id comes first, without a key: conversation!(\"id\", …)".to_owned()
            }
            _ => match self.instead_of(word) {
                Some(advice) => format!("{self} has no option `{word}`: {advice}"),
                None => format!("unknown option `{word}` of {self}: expected {}", self.listed()),
            },
        }
    }

    /// What does here what `tracing` and its like call by another word.
    fn instead_of(self, word: &str) -> Option<&'static str> {
        let on_function = matches!(self, Self::Agent | Self::Tool | Self::Trace);
        Some(match word {
            "fields" | "properties" | "attributes" if self != Self::Conversation => {
                "`metadata(key = expression, …)` adds values to the span"
            }
            "skip_all" if on_function => {
                "`capture_input = false` leaves out all arguments, `only(…)` all but some"
            }
            "ignore" | "exclude" if on_function => "`skip(…)` leaves out arguments",
            "include" if on_function => "`only(…)` captures some arguments and leaves out the others",
            "err" => "an `Err` is recorded as the span's error anyway",
            "ret" if on_function => {
                "the returned value is captured anyway; `capture_output = false` leaves it out"
            }
            "ret" => "`span.set_output(&value)` in the block captures a value",
            "level" => "spans have no level, and are all recorded",
            "target" => "`tags = [\"…\"]` and `metadata(…)` tell spans apart",
            "parent" | "follows_from" => {
                "the parent is the span around the call; `staso::Context` takes it to other threads and tasks"
            }
            "type" | "span_type" | "span_kind" if matches!(self, Self::Trace | Self::Span) => {
                "`kind = \"…\"` says what it stands for"
            }
            "tag" | "labels" if self != Self::Conversation => "`tags = [\"…\"]` adds labels",
            "agent" | "agent_name" if self == Self::Agent => "`name = \"…\"` names the agent",
            "user" if self == Self::Conversation => "`user_id = …` says who the end user is",
            "conversation" | "conversation_id" | "session_id" | "user_id" if self != Self::Conversation => {
                "`staso::conversation!(id, user_id = …, { … })` around the call says so"
            }
            "model" | "usage" | "input" | "output" if self != Self::Conversation => {
                "`staso::current_span()` gives a handle to set it by"
            }
            "krate" | "path" => "`crate = path::to::staso` says where the crate is",
            _ => return None,
        })
    }
}

impl std::fmt::Display for Macro {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Agent => "#[agent]",
            Self::Tool => "#[tool]",
            Self::Trace => "#[trace]",
            Self::Span => "span!",
            Self::Conversation => "conversation!",
        })
    }
}

/// Expects the comma after an option, or the end.
pub(crate) fn end_of_option(input: ParseStream<'_>, errors: &mut Errors) {
    if !input.is_empty() && !input.peek(Token![,]) {
        errors.push(input.error("expected `,`"));
        skip_to_comma(input);
    }
    // The comma, if there is one: the check above left nothing else.
    let _: syn::Result<Token![,]> = input.parse();
}

fn skip_to_comma(input: ParseStream<'_>) {
    while !input.is_empty() && !input.peek(Token![,]) {
        // A token tree always parses while there is input.
        let _: syn::Result<proc_macro2::TokenTree> = input.parse();
    }
}

fn equals(input: ParseStream<'_>, form: &str) -> syn::Result<()> {
    if input.peek(Token![=]) {
        input.parse::<Token![=]>().map(drop)
    } else {
        Err(input.error(format_args!("expected {form}")))
    }
}

/// Reads `= "text"`; `form` is what the option looks like.
fn string(input: ParseStream<'_>, form: &str) -> syn::Result<LitStr> {
    equals(input, form)?;
    match ungrouped(input.parse()?) {
        Expr::Lit(syn::ExprLit { lit: Lit::Str(text), .. }) => Ok(text),
        other => Err(syn::Error::new_spanned(other, format_args!("expected a string literal, as in {form}"))),
    }
}

/// Reads `= true` or `= false`.
fn boolean(input: ParseStream<'_>, word: &str) -> syn::Result<bool> {
    let form = format!("{word} = true or {word} = false");
    equals(input, &form)?;
    match ungrouped(input.parse()?) {
        Expr::Lit(syn::ExprLit { lit: Lit::Bool(LitBool { value, .. }), .. }) => Ok(value),
        other => Err(syn::Error::new_spanned(other, format_args!("expected {form}"))),
    }
}

/// The expression itself, where a `macro_rules!` fragment such as `$name:literal` put it into an invisible
/// group.
fn ungrouped(mut expr: Expr) -> Expr {
    while let Expr::Group(group) = expr {
        expr = *group.expr;
    }
    expr
}

fn list_of_strings(input: ParseStream<'_>) -> syn::Result<Vec<Expr>> {
    if !input.peek(syn::token::Bracket) {
        let other: Expr = input.parse()?;
        return Err(syn::Error::new_spanned(
            other,
            "expected a list of string literals, as in [\"…\", \"…\"]",
        ));
    }
    let items;
    bracketed!(items in input);
    let mut tags = Vec::new();
    for item in items.parse_terminated(Expr::parse, Token![,])? {
        match ungrouped(item) {
            Expr::Lit(other) if !matches!(other.lit, Lit::Str(_)) => {
                return Err(syn::Error::new_spanned(other, "a tag is a string literal or a constant"));
            }
            tag => tags.push(tag),
        }
    }
    Ok(tags)
}

/// Reads `key = expression, …`, where a key is an identifier or a string literal.
fn list_of_entries(input: ParseStream<'_>, errors: &mut Errors) -> syn::Result<Vec<(LitStr, Expr)>> {
    let mut entries: Vec<(LitStr, Expr)> = Vec::new();
    while !input.is_empty() {
        let key: LitStr = if input.peek(LitStr) {
            input.parse()?
        } else {
            let ident = input.call(Ident::parse_any).map_err(|error| {
                syn::Error::new(error.span(), "a metadata key is an identifier or a string literal")
            })?;
            LitStr::new(&ident.unraw().to_string(), ident.span())
        };
        equals(input, "key = expression")?;
        let value = input.parse()?;
        if entries.iter().any(|(earlier, _)| earlier.value() == key.value()) {
            errors.at(&key, format_args!("metadata key {:?} is set twice", key.value()));
        } else {
            entries.push((key, value));
        }
        if !input.is_empty() {
            input.parse::<Token![,]>()?;
        }
    }
    Ok(entries)
}

/// `a, b or c`.
fn listed(words: &[&str]) -> String {
    match words {
        [first @ .., before, last] => {
            let mut text: String = first.iter().map(|word| format!("{word}, ")).collect();
            text.push_str(&format!("{before} or {last}"));
            text
        }
        _ => words.concat(),
    }
}
