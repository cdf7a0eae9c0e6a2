use super::seller::Seller;
use crate::model::Tokens;

/// What a call used, as its sender counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Tokens in and out.
    pub tokens: Tokens,
    /// How many tokens of the input came from a cache.
    pub cache_read: u64,
    /// How many tokens of the input were written to a cache.
    pub cache_write: u64,
    /// How many of these are to stay there for an hour, which costs more.
    pub cache_write_1h: u64,
    /// How many tokens of the output were thoughts.
    pub reasoning: u64,
    /// How many tokens of the input were sound.
    pub audio_input: u64,
    /// How many tokens of the output were sound.
    pub audio_output: u64,
    /// Whether the tokens of the cache are part of the input, where the names of the counts say so.
    pub cache_in_input: Option<bool>,
}

/// A [`Usage`] in parts that do not overlap, each with its own price.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) input: u64,
    pub(super) cache_read: u64,
    pub(super) cache_write_5m: u64,
    pub(super) cache_write_1h: u64,
    pub(super) audio_input: u64,
    pub(super) output: u64,
    pub(super) audio_output: u64,
}

impl Counts {
    /// The usage in parts. APIs differ in whether the cache, and thoughts, are part of the input and output that they
    /// report or beside them: `None` when the numbers fit neither.
    pub(super) fn of(usage: &Usage, cache_is_beside: bool) -> Option<Self> {
        let Tokens { input, output, total } = usage.tokens;
        if input == 0 && output == 0 && total > 0 {
            return None;
        }
        let cached = usage.cache_read.saturating_add(usage.cache_write);
        let sum = input.saturating_add(output);
        // Numbers can tell better than names: a part is not greater than the whole, and a total has all parts.
        let beside = cached > input
            || (cached > 0 && total > 0 && total == sum.saturating_add(cached))
            || (cached > 0 && total == sum.saturating_add(cached).saturating_add(usage.reasoning))
            || cache_is_beside;
        let thoughts_beside = usage.reasoning > output
            || (usage.reasoning > 0 && total > sum && (total - sum) == usage.reasoning)
            || (usage.reasoning > 0 && total == sum.saturating_add(cached).saturating_add(usage.reasoning));
        let thoughts = if thoughts_beside { usage.reasoning } else { 0 };
        let inside = if beside { 0 } else { cached };
        Some(Self {
            input: input.saturating_sub(inside).saturating_sub(usage.audio_input),
            cache_read: usage.cache_read,
            cache_write_5m: usage.cache_write.saturating_sub(usage.cache_write_1h),
            cache_write_1h: usage.cache_write_1h.min(usage.cache_write),
            audio_input: usage.audio_input,
            output: output.saturating_add(thoughts).saturating_sub(usage.audio_output),
            audio_output: usage.audio_output,
        })
    }

    /// How long the input was: prices may rise with it.
    pub(super) fn whole_input(&self) -> u64 {
        [self.input, self.cache_read, self.cache_write_5m, self.cache_write_1h, self.audio_input]
            .into_iter()
            .fold(0, u64::saturating_add)
    }
}

/// Whether a provider with a name reports tokens of the cache beside the input, as Anthropic's API does.
pub(super) fn cache_is_beside(seller: Option<Seller>, of_claude: bool) -> bool {
    match seller {
        // Amazon's endpoints count so for every model.
        Some(Seller::Maker("anthropic") | Seller::Cloud("bedrock")) => true,
        // Google passes on what Anthropic counted.
        Some(Seller::Cloud("vertex") | Seller::Maker("google")) => of_claude,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usage(input: u64, output: u64, total: u64, cache_read: u64, reasoning: u64) -> Usage {
        Usage { tokens: Tokens { input, output, total }, cache_read, reasoning, ..Usage::default() }
    }

    fn parts(usage: Usage, beside: bool) -> (u64, u64, u64) {
        let counts = Counts::of(&usage, beside).unwrap();
        (counts.input, counts.cache_read, counts.output)
    }

    #[test]
    fn numbers_tell_whether_the_cache_is_part_of_the_input() {
        assert_eq!(parts(usage(1_000, 10, 1_010, 900, 0), false), (100, 900, 10));
        assert_eq!(parts(usage(1_000, 10, 1_010, 900, 0), true), (1_000, 900, 10));
        assert_eq!(parts(usage(4, 10, 14, 900, 0), false), (4, 900, 10), "more than the input");
        assert_eq!(parts(usage(1_000, 10, 1_910, 900, 0), false), (1_000, 900, 10), "the total has it apart");
    }

    #[test]
    fn numbers_tell_whether_thoughts_are_part_of_the_output() {
        assert_eq!(parts(usage(10, 500, 510, 0, 400), false), (10, 0, 500));
        assert_eq!(parts(usage(10, 100, 510, 0, 400), false), (10, 0, 500), "the total has them apart");
        assert_eq!(parts(usage(10, 100, 0, 0, 400), false), (10, 0, 500), "more than the output");
        assert_eq!(parts(usage(10, 100, 1_410, 900, 400), false), (10, 900, 500), "both are apart");
    }
}
