use crate::record::SpanKind;

/// A kind of content that a span can carry, and that can be left out everywhere at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Category {
    /// Inputs and names of every span but tools, tags and metadata.
    Request,
    /// System prompts; only integrations with providers tell them apart.
    SystemPrompt,
    /// Schemas of tools; only integrations with providers tell them apart.
    ToolSchema,
    /// Inputs of tools.
    ToolArguments,
    /// Outputs of every span.
    Output,
}

impl Category {
    /// Every category, in the order of the wire.
    pub const ALL: [Self; 5] =
        [Self::Request, Self::SystemPrompt, Self::ToolSchema, Self::ToolArguments, Self::Output];

    /// The wire form, such as `tool_arguments`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::SystemPrompt => "system_prompt",
            Self::ToolSchema => "tool_schema",
            Self::ToolArguments => "tool_arguments",
            Self::Output => "output",
        }
    }

    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// Which categories of content are captured. All are, unless said otherwise.
///
/// ```
/// use staso::{Capture, Category};
///
/// let capture = Capture::all().without(Category::Output);
/// assert!(!capture.contains(Category::Output));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capture(u8);

impl Capture {
    /// Every category.
    #[must_use]
    pub const fn all() -> Self {
        Self(0b1_1111)
    }

    /// No category: spans carry names of tools, timing, status and tokens.
    #[must_use]
    pub const fn none() -> Self {
        Self(0)
    }

    /// The same, with a category.
    #[must_use]
    pub const fn with(self, category: Category) -> Self {
        Self(self.0 | category.bit())
    }

    /// The same, without a category.
    #[must_use]
    pub const fn without(self, category: Category) -> Self {
        Self(self.0 & !category.bit())
    }

    /// Whether a category is captured.
    #[must_use]
    pub const fn contains(self, category: Category) -> bool {
        self.0 & category.bit() != 0
    }
}

impl Default for Capture {
    fn default() -> Self {
        Self::all()
    }
}

/// What follows from the categories for one span. Wire contract, section 9.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Policy {
    capture: Capture,
    masks_credentials: bool,
}

impl Default for Policy {
    fn default() -> Self {
        Self::new(Capture::all())
    }
}

impl Policy {
    /// Credentials are masked.
    pub(crate) const fn new(capture: Capture) -> Self {
        Self { capture, masks_credentials: true }
    }

    pub(crate) const fn mask_credentials(self, masks_credentials: bool) -> Self {
        Self { masks_credentials, ..self }
    }

    pub(crate) const fn capture(self) -> Capture {
        self.capture
    }

    pub(crate) const fn masks_credentials(self) -> bool {
        self.masks_credentials
    }

    #[inline]
    pub(crate) const fn takes_input(self, kind: SpanKind) -> bool {
        self.capture.contains(if matches!(kind, SpanKind::Tool) {
            Category::ToolArguments
        } else {
            Category::Request
        })
    }

    /// Input that was set by hand: a model's request mixes all categories, so it needs them all.
    pub(crate) const fn takes_set_input(self, kind: SpanKind) -> bool {
        self.takes_input(kind) && (!matches!(kind, SpanKind::Llm) || self.takes_errors())
    }

    #[inline]
    pub(crate) const fn takes_output(self) -> bool {
        self.capture.contains(Category::Output)
    }

    /// Error texts quote anything: they need every category.
    pub(crate) const fn takes_errors(self) -> bool {
        self.capture.0 == Capture::all().0
    }

    pub(crate) const fn hides_name(self, kind: SpanKind) -> bool {
        !self.capture.contains(Category::Request) && !matches!(kind, SpanKind::Tool)
    }

    /// Whether tags and all metadata but the allow-list stay out.
    pub(crate) const fn hides_metadata(self) -> bool {
        !self.capture.contains(Category::Request)
    }

    pub(crate) fn takes_metadata(self, key: &str) -> bool {
        let of_arguments = matches!(key, "guard.modified_input" | "guard.input");
        let of_output = matches!(key, "synthetic_content" | "guard.reason" | "guard_reason");
        (!of_arguments || self.capture.contains(Category::ToolArguments))
            && (!of_output || self.takes_output())
            && (!self.hides_metadata() || HARMLESS.contains(&key))
    }
}

/// Metadata that stays when requests are suppressed. Wire contract, section 9.
const HARMLESS: [&str; 54] = [
    "exception.type",
    "agent_name",
    "code.filepath",
    "code.function",
    "code.lineno",
    "provider",
    "response_id",
    "stop_reason",
    "tool_name",
    "cache_creation_input_tokens",
    "cache_write_input_tokens",
    "cache_write_5m_input_tokens",
    "cache_write_1h_input_tokens",
    "cache_read_input_tokens",
    "service_tier",
    "reasoning_tokens",
    "audio_input_tokens",
    "audio_output_tokens",
    "time_to_first_token",
    "gen_ai.operation.name",
    "gen_ai.provider.name",
    "guard.action",
    "guard.latency_ms",
    "guard.rule_ids",
    "guard.rule_names",
    "guard_action",
    "guard_blocked_count",
    "guard_blocked_tools",
    "guard_decision_available",
    "guard_decision_id",
    "guard_decision_source",
    "guard_evaluations",
    "guard_evaluation_status",
    "guard_failure_kind",
    "guard_failure_mode",
    "guard_latency_ms",
    "guard_reason",
    "guard_retryable",
    "auto_captured",
    "has_thinking",
    "staso.agent_run",
    "staso.agent_run.synthetic",
    "staso.synthetic_tool",
    "staso.provisional_root",
    "staso.timing_source",
    "codex.turn_id",
    "codex.response_id",
    "codex.timing_source",
    "cached_input_tokens",
    "reasoning_output_tokens",
    "vcs.branch",
    "vcs.commit.sha",
    "vcs.is_dirty",
    "vcs.repo_url",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tools_and_other_spans_have_their_own_switch_for_input() {
        let policy = Policy::new(Capture::all().without(Category::Request));
        assert!(policy.takes_input(SpanKind::Tool));
        assert!(!policy.takes_input(SpanKind::Agent));
        assert!(policy.hides_name(SpanKind::Chain));
        assert!(!policy.hides_name(SpanKind::Tool));
    }

    #[test]
    fn any_suppressed_category_keeps_error_texts_and_model_requests_out() {
        for category in Category::ALL {
            let policy = Policy::new(Capture::all().without(category));
            assert!(!policy.takes_errors(), "{category:?}");
            assert!(!policy.takes_set_input(SpanKind::Llm), "{category:?}");
        }
    }

    #[test]
    fn without_requests_only_harmless_metadata_stays() {
        let policy = Policy::new(Capture::all().without(Category::Request));
        assert!(policy.takes_metadata("stop_reason"));
        assert!(!policy.takes_metadata("customer"));
        let policy = Policy::new(Capture::all().without(Category::Output));
        assert!(policy.takes_metadata("customer"));
        assert!(!policy.takes_metadata("guard_reason"));
    }
}
