use std::{collections::HashMap, fs, path::Path};

use serde::Deserialize;

use super::PriceError;
use crate::model::{MAX_COUNT, Tokens};

/// A table of prices by model.
#[derive(Clone, Debug, Default)]
pub struct Prices {
    models: HashMap<String, Price>,
}

/// What a call used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// As the sender counted.
    pub tokens: Tokens,
    /// How many tokens of the input came from a cache.
    pub cache_read: u64,
    /// How many tokens of the input were written to a cache.
    pub cache_write: u64,
    /// How many of these are to stay there for an hour, which costs more.
    pub cache_write_1h: u64,
}

impl Prices {
    /// The table that comes with this version, `prices.json`.
    #[must_use]
    pub fn embedded() -> Self {
        // A test reads it, so that it is never the empty one.
        Self::parse(include_str!("prices.json")).unwrap_or_default()
    }

    /// The table that comes with this version, with the models of the file in place of its own.
    ///
    /// # Errors
    ///
    /// When the file cannot be read, or is not such a table.
    pub fn with_overrides(file: &Path) -> Result<Self, PriceError> {
        let json = fs::read_to_string(file)
            .map_err(|source| PriceError::Unreadable { file: file.to_owned(), source })?;
        let overrides =
            Self::parse(&json).map_err(|reason| PriceError::Invalid { file: file.to_owned(), reason })?;
        let mut prices = Self::embedded();
        prices.models.extend(overrides.models);
        Ok(prices)
    }

    /// Billionths of a US dollar for a call; `None` when the model is not in the table, or when the sender
    /// did not tell input from output.
    #[must_use]
    pub fn nano_usd(&self, model: &str, usage: Usage) -> Option<u64> {
        let Tokens { input, output, total } = usage.tokens;
        if input == 0 && output == 0 && total > 0 {
            return None;
        }
        self.find(model).map(|price| price.nano_usd(usage))
    }

    /// The price of the model: under its own name, or under what its name begins with when a version follows.
    fn find(&self, model: &str) -> Option<&Price> {
        let name = plain_name(model);
        if let Some(price) = self.models.get(&name) {
            return Some(price);
        }
        name.rmatch_indices(['-', '@', ':']).find_map(|(end, _)| {
            let (family, version) = name.split_at(end);
            is_version(version).then(|| self.models.get(family)).flatten()
        })
    }

    fn parse(json: &str) -> Result<Self, String> {
        let file: File = serde_json::from_str(json).map_err(|error| error.to_string())?;
        for (model, price) in &file.models {
            let prices = [
                Some(price.input),
                Some(price.output),
                price.cache_read,
                price.cache_write,
                price.cache_write_1h,
            ];
            if prices.into_iter().flatten().any(|usd| usd < 0.0) {
                return Err(format!("the model `{model}` has a price below 0"));
            }
        }
        Ok(Self { models: file.models.into_iter().map(|(name, price)| (plain_name(&name), price)).collect() })
    }
}

#[derive(Deserialize)]
struct File {
    models: HashMap<String, Price>,
}

/// US dollars per million tokens.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Price {
    input: f64,
    output: f64,
    /// As for other input where it is absent.
    cache_read: Option<f64>,
    /// As for other input where it is absent.
    cache_write: Option<f64>,
    /// As for other writes to the cache where it is absent.
    cache_write_1h: Option<f64>,
    /// Whether the provider counts tokens of the cache beside the input, not as part of it.
    #[serde(default)]
    cache_beside_input: bool,
}

impl Price {
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "an estimate, which saturates"
    )]
    fn nano_usd(&self, usage: Usage) -> u64 {
        let cached = usage.cache_read.saturating_add(usage.cache_write);
        let fresh = match self.cache_beside_input {
            true => usage.tokens.input,
            false => usage.tokens.input.saturating_sub(cached),
        };
        let write = self.cache_write.unwrap_or(self.input);
        let usd_per_million = [
            (fresh, self.input),
            (usage.cache_read, self.cache_read.unwrap_or(self.input)),
            (usage.cache_write.saturating_sub(usage.cache_write_1h), write),
            (usage.cache_write.min(usage.cache_write_1h), self.cache_write_1h.unwrap_or(write)),
            (usage.tokens.output, self.output),
        ];
        // Dollars per million tokens are thousands of billionths per token.
        let nano_usd: f64 = usd_per_million.iter().map(|(tokens, price)| *tokens as f64 * price * 1e3).sum();
        (nano_usd.round() as u64).min(MAX_COUNT)
    }
}

/// The model's name without what gateways put before it: `openai/`, `models/`, `us.anthropic.`.
fn plain_name(model: &str) -> String {
    let name = model.rsplit('/').next().unwrap_or(model).trim().to_ascii_lowercase();
    let vendors = ["anthropic.", "amazon."];
    match vendors.into_iter().find_map(|vendor| name.split_once(vendor)) {
        Some((_, name)) => name.to_owned(),
        None => name,
    }
}

/// Whether it says which version of a model, such as `-2024-08-06`, `-0613`, `@20240620`, `-latest`,
/// `-20241022-v2:0`. A variant, such as `-mini`, is another model, and so is `-4` behind `-4`.
fn is_version(suffix: &str) -> bool {
    let mut parts = suffix.split(['-', '@', ':']).skip(1);
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let is_word = |part: &str| {
        matches!(part, "latest" | "preview" | "exp") || part.strip_prefix('v').is_some_and(is_number)
    };
    parts.next().is_some_and(|first| is_word(first) || (first.len() >= 3 && is_number(first)))
        && parts.all(|part| is_word(part) || is_number(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usd(model: &str, input: u64, output: u64, cache_read: u64) -> Option<f64> {
        let tokens = Tokens { input, output, total: input + output };
        let nano = Prices::embedded().nano_usd(model, Usage { tokens, cache_read, ..Usage::default() });
        nano.map(|nano| nano as f64 / 1e9)
    }

    #[test]
    fn a_million_tokens_cost_what_the_table_says() {
        assert_eq!(usd("gpt-4o", 1_000_000, 0, 0), Some(2.5));
        assert_eq!(usd("gpt-4o", 0, 1_000_000, 0), Some(10.0));
        assert_eq!(usd("gpt-4o", 0, 0, 0), Some(0.0));
    }

    #[test]
    fn cached_tokens_are_part_of_the_input_or_beside_it_by_provider() {
        assert_eq!(usd("gpt-4o", 1_000_000, 0, 1_000_000), Some(1.25));
        assert_eq!(usd("claude-sonnet-4-5", 1_000_000, 0, 1_000_000), Some(3.3));
    }

    #[test]
    fn what_stays_in_the_cache_for_an_hour_costs_more() {
        let usd = |cache_write, cache_write_1h| {
            let usage = Usage { cache_write, cache_write_1h, ..Usage::default() };
            Prices::embedded().nano_usd("claude-sonnet-4-5", usage).map(|nano| nano as f64 / 1e9)
        };
        assert_eq!([usd(1_000_000, 0), usd(1_000_000, 1_000_000)], [Some(3.75), Some(6.0)]);
    }

    #[test]
    fn a_version_has_the_price_of_its_model() {
        for (model, plain) in [
            ("gpt-4o-2024-08-06", "gpt-4o"),
            ("openai/gpt-4o-mini-2024-07-18", "gpt-4o-mini"),
            ("us.anthropic.claude-3-5-sonnet-20241022-v2:0", "claude-3-5-sonnet"),
            ("claude-sonnet-4@20250514", "claude-sonnet-4"),
            ("models/gemini-2.5-flash-preview-05-20", "gemini-2.5-flash"),
            ("Mistral-Large-latest", "mistral-large"),
            ("us.amazon.nova-pro-v1:0", "nova-pro"),
        ] {
            let price = usd(plain, 1_000_000, 1_000_000, 0);
            assert!(price.is_some(), "{plain}");
            assert_eq!(usd(model, 1_000_000, 1_000_000, 0), price, "{model}");
        }
    }

    #[test]
    fn another_model_has_no_price() {
        for model in ["", "-", "gpt", "gpt-4o-audio", "gpt-4o-9", "claude-opus-4-99", "my-model", "gpt-4.9"] {
            assert_eq!(usd(model, 1, 1, 0), None, "{model}");
        }
    }

    #[test]
    fn tokens_that_are_only_known_in_total_have_no_price() {
        let tokens = Tokens { input: 0, output: 0, total: 10 };
        let usage = Usage { tokens, ..Usage::default() };
        assert_eq!(Prices::embedded().nano_usd("gpt-4o", usage), None);
    }

    #[test]
    fn a_file_adds_to_the_table_and_replaces_in_it() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("prices.json");
        fs::write(&file, r#"{"models":{"My-Model":{"input":1,"output":2},"gpt-4o":{"input":9,"output":9}}}"#)
            .unwrap();
        let prices = Prices::with_overrides(&file).unwrap();
        let usage = Usage { tokens: Tokens { input: 1, output: 1, total: 2 }, ..Usage::default() };
        let nano = |model| prices.nano_usd(model, usage);
        assert_eq!(
            [nano("my-model"), nano("gpt-4o"), nano("gpt-4o-mini")],
            [Some(3_000), Some(18_000), Some(750)]
        );
    }

    #[test]
    fn a_file_that_cannot_be_used_is_named_with_the_reason() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("prices.json");
        let failure = || Prices::with_overrides(&file).unwrap_err().to_string();
        assert!(failure().starts_with(&format!("cannot read the prices in {}", file.display())));
        for (json, reason) in [
            ("{}", "missing field `models`"),
            (r#"{"models":{"m":{"input":1}}}"#, "missing field `output`"),
            (r#"{"models":{"m":{"input":-1,"output":0}}}"#, "the model `m` has a price below 0"),
            (r#"{"models":{"m":{"input":1,"output":0,"typo":1}}}"#, "unknown field `typo`"),
        ] {
            fs::write(&file, json).unwrap();
            assert!(failure().contains(reason), "{}", failure());
        }
    }
}
