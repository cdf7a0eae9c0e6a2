use crate::record::SpanKind;

/// How a picture of a trace may look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// Whether what matters is set apart by colour.
    pub color: bool,
    /// Columns of the terminal. Longer lines end in `…`.
    pub width: usize,
}

/// What a piece of text is, which decides its colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ink {
    /// As the terminal writes.
    Plain,
    /// Words around the values.
    Dim,
    /// What is looked for first.
    Bold,
    /// What went well.
    Success,
    /// What has not ended.
    Running,
    /// What went wrong.
    Failure,
    /// The sign of a kind.
    Symbol(SpanKind),
}

impl Style {
    const WIDTH: usize = 100;
    const WIDTHS: std::ops::RangeInclusive<usize> = 40..=1_000;

    /// Colour unless the output is no terminal, `NO_COLOR` has a value or `TERM` is `dumb`; as wide as
    /// `COLUMNS` says, else 100 columns. `variable` looks up environment variables.
    pub fn detect(terminal: bool, variable: impl Fn(&'static str) -> Option<String>) -> Self {
        let no_color = variable("NO_COLOR").is_some_and(|value| !value.is_empty());
        let dumb = variable("TERM").is_some_and(|value| value == "dumb");
        let width = variable("COLUMNS").and_then(|columns| columns.trim().parse().ok());
        Self {
            color: terminal && !no_color && !dumb,
            width: width.unwrap_or(Self::WIDTH).clamp(*Self::WIDTHS.start(), *Self::WIDTHS.end()),
        }
    }
}

impl Ink {
    /// The parameters of the terminal's "select graphic rendition"; `None` leaves the text as it is.
    pub(super) const fn sgr(self) -> Option<&'static str> {
        match self {
            Self::Plain => None,
            Self::Dim => Some("2"),
            Self::Bold => Some("1"),
            Self::Success => Some("32"),
            Self::Running => Some("33"),
            Self::Failure => Some("1;31"),
            Self::Symbol(kind) => match kind {
                SpanKind::Agent => Some("35"),
                SpanKind::Tool => Some("33"),
                SpanKind::Llm => Some("36"),
                SpanKind::Retriever => Some("34"),
                SpanKind::Chain | SpanKind::Custom => None,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(terminal: bool, variables: &[(&str, &str)], expected: Style) {
        let variable = |name: &str| {
            variables.iter().find_map(|(known, value)| (*known == name).then(|| (*value).to_owned()))
        };
        assert_eq!(Style::detect(terminal, variable), expected, "{variables:?}");
    }

    #[test]
    fn colour_needs_a_terminal_that_nobody_asked_to_be_plain() {
        check(true, &[], Style { color: true, width: 100 });
        check(false, &[], Style { color: false, width: 100 });
        check(true, &[("NO_COLOR", "1")], Style { color: false, width: 100 });
        check(true, &[("NO_COLOR", "")], Style { color: true, width: 100 });
        check(true, &[("TERM", "dumb")], Style { color: false, width: 100 });
    }

    #[test]
    fn the_width_is_that_of_the_terminal_within_reason() {
        check(true, &[("COLUMNS", "132")], Style { color: true, width: 132 });
        check(true, &[("COLUMNS", "0")], Style { color: true, width: 40 });
        check(true, &[("COLUMNS", "wide")], Style { color: true, width: 100 });
    }
}
