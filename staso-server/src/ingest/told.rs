use super::{attributes::Attributes, field::Field};
use crate::{model::add_counts, pricing::Usage};

/// What attributes tell of a call's usage, whatever their sender calls it.
#[derive(Default)]
pub(super) struct Told {
    usage: Usage,
    cache_write_5m: u64,
    tier: Option<(Source, String)>,
    provider: String,
}

/// Where a tier was told, the most trusted last.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Source {
    /// What was asked for; the API may have done otherwise.
    Request,
    Unknown,
    Response,
}

impl Told {
    pub(super) fn take(&mut self, key: &str, value: &Field<'_>) {
        let usage = &mut self.usage;
        // Providers and conventions name the same count differently; those that give several names give one number.
        let (count, cache_in_input) = match key {
            "cache_read_input_tokens"
            | "cached_input_tokens"
            | "cached_tokens"
            | "cache_read_tokens"
            | "prompt_cache_hit_tokens"
            | "cached_content_token_count"
            | "input_tokens_details.cached_tokens"
            | "prompt_tokens_details.cached_tokens"
            | "gen_ai.usage.cache_read_input_tokens"
            | "gen_ai.usage.details.cache_read_tokens"
            | "gen_ai.usage.input_tokens.cached"
            | "llm.token_count.prompt_details.cache_read"
            | "ai.usage.cachedInputTokens"
            | "cachedInputTokens" => (&mut usage.cache_read, None),
            "cache_creation_input_tokens"
            | "cache_write_input_tokens"
            | "cache_write_tokens"
            | "gen_ai.usage.cache_creation_input_tokens"
            | "gen_ai.usage.details.cache_write_tokens"
            | "llm.token_count.prompt_details.cache_write" => (&mut usage.cache_write, None),
            // OpenTelemetry says that the input has them; Amazon, whose names these are, that it has not.
            "gen_ai.usage.cache_read.input_tokens" => (&mut usage.cache_read, Some(true)),
            "gen_ai.usage.cache_creation.input_tokens" => (&mut usage.cache_write, Some(true)),
            "cacheReadInputTokens" => (&mut usage.cache_read, Some(false)),
            "cacheWriteInputTokens" => (&mut usage.cache_write, Some(false)),
            "cache_write_1h_input_tokens"
            | "cache_creation.ephemeral_1h_input_tokens"
            | "ephemeral_1h_input_tokens" => (&mut usage.cache_write_1h, None),
            "cache_write_5m_input_tokens"
            | "cache_creation.ephemeral_5m_input_tokens"
            | "ephemeral_5m_input_tokens" => (&mut self.cache_write_5m, None),
            "reasoning_tokens"
            | "reasoning_output_tokens"
            | "thoughts_token_count"
            | "output_tokens_details.reasoning_tokens"
            | "completion_tokens_details.reasoning_tokens"
            | "gen_ai.usage.reasoning_tokens"
            | "gen_ai.usage.reasoning.output_tokens"
            | "gen_ai.usage.details.reasoning_tokens"
            | "llm.token_count.completion_details.reasoning"
            | "ai.usage.reasoningTokens" => (&mut usage.reasoning, None),
            "audio_input_tokens"
            | "input_audio_tokens"
            | "prompt_tokens_details.audio_tokens"
            | "gen_ai.usage.details.input_audio_tokens"
            | "llm.token_count.prompt_details.audio" => (&mut usage.audio_input, None),
            "audio_output_tokens"
            | "output_audio_tokens"
            | "completion_tokens_details.audio_tokens"
            | "gen_ai.usage.details.output_audio_tokens"
            | "llm.token_count.completion_details.audio" => (&mut usage.audio_output, None),
            _ => return self.take_text(key, value),
        };
        *count = (*count).max(number(value));
        usage.cache_in_input = usage.cache_in_input.or(cache_in_input);
    }

    fn take_text(&mut self, key: &str, value: &Field<'_>) {
        let Field::Text(text) = value else { return };
        let source = match key {
            "service_tier" | "processing" | "tier" => Source::Unknown,
            "gen_ai.openai.response.service_tier"
            | "openai.response.service_tier"
            | "gen_ai.response.service_tier"
            | "response.service_tier"
            | "usage.service_tier" => Source::Response,
            "gen_ai.openai.request.service_tier"
            | "openai.request.service_tier"
            | "gen_ai.request.service_tier"
            | "request.service_tier" => Source::Request,
            // Anthropic's name for a quicker and dearer way to the same model.
            "speed" | "usage.speed" if text.eq_ignore_ascii_case("fast") => Source::Response,
            "gen_ai.provider.name" | "gen_ai.system" => {
                self.provider = text.clone().into_owned();
                return;
            }
            _ => return,
        };
        // Who leaves the choice to the API says nothing.
        let says = !text.is_empty() && !text.eq_ignore_ascii_case("auto");
        if says && self.tier.as_ref().is_none_or(|(known, _)| *known <= source) {
            self.tier = Some((source, text.clone().into_owned()));
        }
    }

    pub(super) fn put_into(self, attributes: &mut Attributes) {
        let mut usage = self.usage;
        // Some tell the parts and not the sum.
        usage.cache_write = usage.cache_write.max(add_counts(self.cache_write_5m, usage.cache_write_1h));
        attributes.usage = usage;
        attributes.tier = self.tier.map(|(_, tier)| tier).unwrap_or_default();
        attributes.provider = self.provider;
    }
}

/// A count, also where its sender wrote it as a text.
fn number(value: &Field<'_>) -> u64 {
    match value {
        Field::Text(text) => {
            let number = text.trim().parse::<f64>().ok().filter(|number| number.is_finite());
            number.and_then(|number| Field::Number(number).count("").ok().flatten()).unwrap_or(0)
        }
        value => value.count("").ok().flatten().unwrap_or(0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usage(json: &str) -> Usage {
        Attributes::of(json).usage
    }

    #[test]
    fn cached_tokens_are_counted_whether_their_parts_or_their_sum_is_told() {
        for json in [
            r#"{"cache_write_5m_input_tokens": 3, "cache_write_1h_input_tokens": 4}"#,
            r#"{"cache_creation_input_tokens": 7, "cache_write_1h_input_tokens": 4}"#,
            r#"{"cache_write_1h_input_tokens": 4, "cache_write_input_tokens": 7, "cache_write_5m_input_tokens": 3}"#,
        ] {
            let Usage { cache_write, cache_write_1h, .. } = usage(json);
            assert_eq!((cache_write, cache_write_1h), (7, 4), "{json}");
        }
    }

    #[test]
    fn counts_may_be_texts_and_have_the_names_of_conventions() {
        for json in [
            r#"{"cache_read_input_tokens": "400000"}"#,
            r#"{"cache_read_input_tokens": 400000.0}"#,
            r#"{"cached_input_tokens": " 400000 "}"#,
            r#"{"gen_ai.usage.cache_read.input_tokens": 400000}"#,
            r#"{"gen_ai.usage.cache_read_input_tokens": "400000"}"#,
            r#"{"prompt_tokens_details.cached_tokens": 400000, "cached_tokens": 400000}"#,
        ] {
            assert_eq!(usage(json).cache_read, 400_000, "{json}");
        }
        for text in ["", "many", "-5", "NaN", "1e999"] {
            assert_eq!(usage(&format!(r#"{{"cache_read_input_tokens": "{text}"}}"#)).cache_read, 0, "{text}");
        }
    }

    #[test]
    fn the_tier_of_the_answer_counts() {
        for (json, tier) in [
            (r#"{"service_tier": "batch"}"#, "batch"),
            (r#"{"service_tier": "auto", "gen_ai.openai.response.service_tier": "flex"}"#, "flex"),
            (r#"{"gen_ai.openai.response.service_tier": "default", "service_tier": "flex"}"#, "default"),
            (r#"{"gen_ai.openai.request.service_tier": "priority"}"#, "priority"),
            (r#"{"speed": "fast"}"#, "fast"),
            (r#"{"speed": "standard", "service_tier": 1}"#, ""),
        ] {
            assert_eq!(Attributes::of(json).tier, tier, "{json}");
        }
    }
}
