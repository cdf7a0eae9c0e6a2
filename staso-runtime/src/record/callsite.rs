use super::SpanKind;

/// What is known of a span when the program is compiled: one `static` per instrumented function or block.
#[derive(Debug)]
pub struct CallSite {
    pub(crate) name: &'static str,
    pub(crate) kind: SpanKind,
    pub(crate) file: &'static str,
    pub(crate) line: u32,
    pub(crate) function: &'static str,
    pub(crate) tags: &'static [&'static str],
    pub(crate) origin: Origin,
}

/// How a span came to be, which decides a few fields of its wire form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// An attribute on a function.
    Function {
        /// Whether agents add their name to their input, and tools to their attributes.
        states_name: bool,
    },
    /// `span!` or `Span::builder`.
    Manual,
}

impl CallSite {
    /// A function under an attribute.
    #[must_use]
    pub const fn function(name: &'static str, kind: SpanKind, function: &'static str) -> Self {
        let origin = Origin::Function { states_name: true };
        Self { name, kind, file: "", line: 0, function, tags: &[], origin }
    }

    /// A block, or a span that is built by hand.
    #[must_use]
    pub const fn manual(name: &'static str, kind: SpanKind) -> Self {
        Self { name, kind, file: "", line: 0, function: "", tags: &[], origin: Origin::Manual }
    }

    /// Where it stands in the source.
    #[must_use]
    pub const fn at(mut self, file: &'static str, line: u32) -> Self {
        self.file = file;
        self.line = line;
        self
    }

    /// Labels for every span from here.
    #[must_use]
    pub const fn with_tags(mut self, tags: &'static [&'static str]) -> Self {
        self.tags = tags;
        self
    }

    /// Says that the name of the agent or tool is not added: a parameter called `agent_name` takes its
    /// place, or the function is neither, but traced as one.
    #[must_use]
    pub const fn without_stated_name(mut self) -> Self {
        self.origin = Origin::Function { states_name: false };
        self
    }

    pub(crate) const fn is_function(&self) -> bool {
        matches!(self.origin, Origin::Function { .. })
    }

    pub(crate) const fn states_name(&self) -> bool {
        matches!(self.origin, Origin::Function { states_name: true })
    }
}

/// The name in a constant of the user's.
///
/// # Panics
///
/// If it is blank: while compiling, as call sites are constants.
#[must_use]
pub const fn stated_name(name: &'static str) -> &'static str {
    assert!(!name.as_bytes().trim_ascii().is_empty(), "a span needs a name");
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[should_panic = "a span needs a name"]
    fn a_function_whose_name_is_blank_does_not_compile() {
        let _ = stated_name(" ");
    }
}
