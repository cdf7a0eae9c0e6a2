/// Tokens that a language model reports for one request.
///
/// ```
/// use staso::Usage;
///
/// let usage = Usage::new(120, 345);
/// assert_eq!((usage.input_tokens, usage.output_tokens, usage.total_tokens), (120, 345, 465));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Usage {
    /// Tokens of the request (OpenTelemetry: `gen_ai.usage.input_tokens`).
    pub input_tokens: u64,
    /// Tokens of the answer (OpenTelemetry: `gen_ai.usage.output_tokens`).
    pub output_tokens: u64,
    /// Both together, or what the provider counts as the total.
    pub total_tokens: u64,
}

impl Usage {
    /// Usage whose total is the sum of both parts.
    #[must_use]
    pub const fn new(input_tokens: u64, output_tokens: u64) -> Self {
        Self { input_tokens, output_tokens, total_tokens: input_tokens.saturating_add(output_tokens) }
    }

    /// The same usage with the total that the provider reported.
    #[must_use]
    pub const fn with_total(mut self, total_tokens: u64) -> Self {
        self.total_tokens = total_tokens;
        self
    }
}
