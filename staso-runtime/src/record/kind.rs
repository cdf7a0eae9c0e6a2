use std::{error::Error, fmt, str::FromStr};

/// What a span stands for.
///
/// The wire form is the lower-case name. [`SpanKind::Chain`] is the default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SpanKind {
    /// One run of an agent; names the agent for every span inside it.
    Agent,
    /// A call to a tool.
    Tool,
    /// A request to a language model.
    Llm,
    /// A look-up of documents or other context.
    Retriever,
    /// Any other step.
    #[default]
    Chain,
    /// A step of a kind of your own.
    Custom,
}

impl SpanKind {
    /// Every kind, in the order in which messages list them.
    pub const ALL: [Self; 6] =
        [Self::Agent, Self::Tool, Self::Llm, Self::Retriever, Self::Chain, Self::Custom];

    /// The wire form: the lower-case name.
    ///
    /// ```
    /// assert_eq!(staso::SpanKind::Llm.as_str(), "llm");
    /// ```
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Agent => "agent",
            Self::Tool => "tool",
            Self::Llm => "llm",
            Self::Retriever => "retriever",
            Self::Chain => "chain",
            Self::Custom => "custom",
        }
    }

    /// The name that a span of this kind is sent under when its own name is suppressed.
    pub(crate) const fn suppressed_name(self) -> &'static str {
        match self {
            Self::Agent => "agent span",
            Self::Tool => "tool span",
            Self::Llm => "llm span",
            Self::Retriever => "retriever span",
            Self::Chain => "chain span",
            Self::Custom => "custom span",
        }
    }
}

impl fmt::Display for SpanKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for SpanKind {
    type Err = ParseKindError;

    /// Reads a kind in any letter case.
    ///
    /// # Errors
    ///
    /// When the text is none of the six kinds; the error lists them.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.as_str().eq_ignore_ascii_case(text))
            .ok_or_else(|| ParseKindError { text: text.chars().take(40).collect() })
    }
}

/// A text that is not a [`SpanKind`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseKindError {
    text: String,
}

impl fmt::Display for ParseKindError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "unknown span kind {:?}: expected agent, tool, llm, retriever, chain or custom", self.text)
    }
}

impl Error for ParseKindError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_reads_back_from_its_wire_form_in_any_case() {
        for kind in SpanKind::ALL {
            assert_eq!(kind.as_str().parse(), Ok(kind));
            assert_eq!(kind.as_str().to_uppercase().parse(), Ok(kind));
            assert_eq!(kind.suppressed_name(), format!("{kind} span"));
        }
    }

    #[test]
    fn an_unknown_kind_is_refused_with_the_list_of_known_ones() {
        let error = "robot".parse::<SpanKind>().unwrap_err();
        assert_eq!(
            error.to_string(),
            "unknown span kind \"robot\": expected agent, tool, llm, retriever, chain or custom"
        );
    }
}
