use std::collections::HashMap;

use serde::Deserialize;

use super::usage::Counts;
use crate::model::MAX_COUNT;

/// What a model's tokens cost, in US dollars per million of them.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Price {
    pub(super) input: f64,
    pub(super) output: f64,
    /// As for other input where it is absent.
    cache_read: Option<f64>,
    /// As for other input where it is absent.
    cache_write: Option<f64>,
    /// As for other writes to the cache where it is absent.
    cache_write_1h: Option<f64>,
    /// As for other input where it is absent.
    audio_input: Option<f64>,
    /// As for other output where it is absent.
    audio_output: Option<f64>,
    /// What holds for the whole call when its input is longer than `tokens`.
    #[serde(default)]
    above: Vec<Price>,
    tokens: Option<u64>,
    /// What holds for a call of another service tier than the standard one.
    #[serde(default)]
    tiers: HashMap<String, Price>,
    /// Other names of the model.
    #[serde(default)]
    pub(super) also: Vec<String>,
    /// Who sells it at this price, where others sell it at theirs.
    #[serde(default)]
    pub(super) at: Vec<String>,
    /// Whether tokens of the cache are counted beside the input where nothing tells who counted them.
    #[serde(default)]
    pub(super) cache_beside_input: bool,
}

impl Price {
    /// Billionths of a US dollar for what a call used, with an input of so many tokens; `None` for a tier or a length
    /// without a price.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "an estimate, which saturates"
    )]
    pub(super) fn nano_usd(&self, used: &Counts, length: u64, tier: Option<&str>) -> Option<u64> {
        let standard = self.for_input(length);
        let rates = match tier {
            None => standard,
            Some(tier) => {
                let rates = self.tiers.get(tier)?;
                let long = rates.for_input(length);
                // A tier that names no price for long inputs does not take them.
                if standard.tokens.is_some() && long.tokens.is_none() {
                    return None;
                }
                long
            }
        };
        // A discount that is not said to hold for the cache does not.
        let cache_read = rates.cache_read.or(standard.cache_read).unwrap_or(rates.input);
        let write = rates.cache_write.or(standard.cache_write).unwrap_or(rates.input);
        let write_1h = rates.cache_write_1h.or(standard.cache_write_1h).unwrap_or(write);
        let audio = |own: Option<f64>, standard: Option<f64>, other: f64| match (own, standard) {
            (Some(own), _) => Some(own),
            (None, Some(_)) => None,
            (None, None) => Some(other),
        };
        let audio_input = audio(rates.audio_input, standard.audio_input, rates.input);
        let audio_output = audio(rates.audio_output, standard.audio_output, rates.output);
        let usd_per_million = [
            (used.input, Some(rates.input)),
            (used.cache_read, Some(cache_read)),
            (used.cache_write_5m, Some(write)),
            (used.cache_write_1h, Some(write_1h)),
            (used.audio_input, audio_input),
            (used.output, Some(rates.output)),
            (used.audio_output, audio_output),
        ];
        let mut nano_usd = 0.0;
        for (tokens, price) in usd_per_million.into_iter().filter(|(tokens, _)| *tokens > 0) {
            // Dollars per million tokens are thousands of billionths per token.
            nano_usd += tokens as f64 * price? * 1e3;
        }
        Some((nano_usd.round() as u64).min(MAX_COUNT))
    }

    /// Itself, or what holds for inputs of that length.
    fn for_input(&self, tokens: u64) -> &Self {
        let reached = self.above.iter().filter(|above| above.tokens.is_some_and(|start| tokens > start));
        reached.max_by_key(|above| above.tokens).unwrap_or(self)
    }

    /// Why it cannot be a price.
    pub(super) fn flaw(&self) -> Option<&'static str> {
        let prices = [
            Some(self.input),
            Some(self.output),
            self.cache_read,
            self.cache_write,
            self.cache_write_1h,
            self.audio_input,
            self.audio_output,
        ];
        if prices.into_iter().flatten().any(|usd| usd < 0.0) {
            return Some("has a price below 0");
        }
        if self.tokens.is_some() {
            return Some("has `tokens` outside of `above`");
        }
        let flaw_of_part = |part: &Self| {
            if !part.tiers.is_empty() || !part.also.is_empty() || !part.at.is_empty() {
                return Some("has `tiers`, `also` or `at` inside of `tiers` or `above`");
            }
            part.flaw()
        };
        let long = self.above.iter().find_map(|above| match above {
            Self { tokens: None, .. } => Some("has an entry of `above` without `tokens`"),
            Self { above, .. } if !above.is_empty() => Some("has `above` inside of `above`"),
            above => flaw_of_part(&Self { tokens: None, ..above.clone() }),
        });
        long.or_else(|| self.tiers.values().find_map(flaw_of_part))
    }
}
