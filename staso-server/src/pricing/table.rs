use std::{
    collections::{HashMap, HashSet},
    fs,
    path::Path,
    sync::Arc,
};

use serde::Deserialize;

use super::{
    PriceError,
    name::{ModelName, canonical, without_date},
    price::Price,
    seller::Seller,
    usage::{self, Counts, Usage},
};

/// A table of prices by model.
#[derive(Clone, Debug, Default)]
pub struct Prices {
    /// Under each name in the spelling of [`canonical`].
    models: HashMap<String, Row>,
    /// Models of which versions are listed that do not all cost the same.
    uneven: HashSet<String>,
}

#[derive(Clone, Debug)]
struct Row {
    price: Arc<Price>,
    /// From a file of the user's, which knows who sells.
    given: bool,
}

/// A call of a model.
#[derive(Clone, Copy, Debug, Default)]
pub struct Call<'a> {
    /// The model that answered.
    pub model: &'a str,
    /// The model that was asked for; may be empty.
    pub requested_model: &'a str,
    /// Who answered; may be empty.
    pub provider: &'a str,
    /// The service tier; empty for the standard one.
    pub tier: &'a str,
    /// What it used.
    pub usage: Usage,
}

impl Prices {
    /// The table that comes with this version, `prices.json`.
    #[must_use]
    pub fn embedded() -> Self {
        // A test reads it, so that it is never the empty one.
        Self::parse(include_str!("prices.json"), false).unwrap_or_default()
    }

    /// The table that comes with this version, with the models of the file in place of its own.
    ///
    /// # Errors
    ///
    /// When the file cannot be read, or is not such a table.
    pub fn with_overrides(file: &Path) -> Result<Self, PriceError> {
        let json = fs::read_to_string(file)
            .map_err(|source| PriceError::Unreadable { file: file.to_owned(), source })?;
        let overrides = Self::parse(&json, true)
            .map_err(|reason| PriceError::Invalid { file: file.to_owned(), reason })?;
        let mut prices = Self::embedded();
        prices.models.extend(overrides.models);
        prices.uneven = uneven(&prices.models);
        Ok(prices)
    }

    /// Billionths of a US dollar for a call; `None` when the table has no price for the model, its seller or its tier,
    /// or when the sender did not tell input from output.
    #[must_use]
    pub fn nano_usd(&self, call: &Call<'_>) -> Option<u64> {
        let name = ModelName::of(call.model);
        let (name, price) = match self.find(&name, call.provider) {
            Found::Price(price) => (name, price),
            Found::Free => return Some(0),
            Found::Nothing => {
                let requested = ModelName::of(call.requested_model);
                if self.is_another_model(&name, &requested) {
                    return None;
                }
                match self.find(&requested, call.provider) {
                    Found::Price(price) => (requested, price),
                    Found::Free => return Some(0),
                    Found::Nothing => return None,
                }
            }
        };
        let cache_is_beside = is_cache_beside(&name, call, price);
        let counts = Counts::of(&call.usage, cache_is_beside)?;
        // Gateways do not agree on whether what Claude has in its cache makes an input long; the lower price is taken.
        let length = match name.is_claude() && !cache_is_beside {
            true => counts.input,
            false => counts.whole_input(),
        };
        price.nano_usd(&counts, length, other_tier(call.tier).as_deref())
    }

    fn find(&self, name: &ModelName, provider: &str) -> Found<'_> {
        let seller = match Seller::of_provider(provider) {
            None | Some(Seller::Proxy) => name.seller,
            known => known,
        };
        if name.is_free {
            return Found::Free;
        }
        let mut listed = name.listed.clone();
        if let Some(Seller::Host(host)) = seller {
            listed.extend([&name.whole, &name.plain].map(|name| format!("{host}/{name}")));
        }
        if let Some(row) = listed.iter().find_map(|name| self.models.get(name)) {
            return Found::Price(&row.price);
        }
        if name.plain.is_empty() {
            return Found::Nothing;
        }
        let row = self.models.get(&name.plain).or_else(|| {
            let family = without_date(&name.plain)?;
            (!self.uneven.contains(family)).then(|| self.models.get(family)).flatten()
        });
        match row.filter(|row| row.is_sold_by(seller)) {
            Some(row) => Found::Price(&row.price),
            None => Found::Nothing,
        }
    }

    /// Whether a model that the table does not have is one of a maker that it has, so that what was asked for is no
    /// other name of it.
    fn is_another_model(&self, name: &ModelName, requested: &ModelName) -> bool {
        let first_word = name.plain.split('-').next().unwrap_or_default();
        let is_of_a_maker =
            ["gpt", "claude", "gemini", "grok", "command", "deepseek", "llama", "qwen", "o1", "o3", "o4"]
                .contains(&first_word);
        (is_of_a_maker && !name.plain.starts_with(&*requested.plain))
            || name.plain.is_empty() && !name.whole.is_empty()
    }

    fn parse(json: &str, given: bool) -> Result<Self, String> {
        let file: File = serde_json::from_str(json).map_err(|error| error.to_string())?;
        let mut models = HashMap::new();
        for (name, mut price) in file.models {
            if let Some(flaw) = price.flaw() {
                return Err(format!("the model `{name}` {flaw}"));
            }
            let names = std::iter::once(name).chain(std::mem::take(&mut price.also));
            let price = Arc::new(price);
            models.extend(names.map(|name| (key(&name), Row { price: Arc::clone(&price), given })));
        }
        let uneven = uneven(&models);
        Ok(Self { models, uneven })
    }
}

enum Found<'a> {
    Price(&'a Price),
    Free,
    Nothing,
}

impl Row {
    /// Whether the seller takes this price: those who run open weights have their own.
    fn is_sold_by(&self, seller: Option<Seller>) -> bool {
        self.given
            || match seller {
                Some(Seller::Host(_)) => false,
                Some(Seller::Cloud(_)) => self.price.at.is_empty(),
                _ => true,
            }
    }
}

#[derive(Deserialize)]
struct File {
    models: HashMap<String, Price>,
}

/// The key of a row: a maker in front of the name says nothing, a host does.
fn key(listed: &str) -> String {
    let name = ModelName::of(listed);
    match listed.split_once('/') {
        Some(("regional" | "bedrock", _)) => canonical(listed),
        _ if matches!(name.seller, Some(Seller::Host(_))) || name.plain.is_empty() => canonical(listed),
        _ => name.plain,
    }
}

/// The models of which versions are listed that do not all cost the same.
fn uneven(models: &HashMap<String, Row>) -> HashSet<String> {
    let versions = models.iter().filter_map(|(name, row)| {
        let (at, _) = name.match_indices('-').find(|(at, _)| {
            let rest = name.get(at + 1..).unwrap_or_default();
            rest.len() >= 3 && rest.bytes().take(3).all(|byte| byte.is_ascii_digit())
        })?;
        Some((name.get(..at)?, row))
    });
    versions
        .filter(|(family, row)| models.get(*family).is_some_and(|other| *other.price != *row.price))
        .map(|(family, _)| family.to_owned())
        .collect()
}

/// Whether tokens of the cache are beside the input. It is a matter of who counted, not of the model.
fn is_cache_beside(name: &ModelName, call: &Call<'_>, price: &Price) -> bool {
    let of_claude = name.is_claude();
    let told = call.usage.cache_in_input.map(|inside| !inside);
    told.or_else(|| {
        let provider = call.provider.trim();
        if provider.is_empty() {
            None
        } else {
            Some(usage::cache_is_beside(Seller::of_provider(provider), of_claude))
        }
    })
    .unwrap_or_else(|| match name.seller {
        // The name that Amazon gives, and not one that a gateway put something before.
        Some(Seller::Cloud("bedrock")) => !call.model.contains('/'),
        // Whatever writes a maker before the name translates what it counted.
        Some(_) => false,
        None => of_claude || price.cache_beside_input,
    })
}

/// The tier in the spelling of the table; `None` for the standard one.
fn other_tier(tier: &str) -> Option<String> {
    let tier = tier.trim().to_ascii_lowercase().replace(['-', ' '], "_");
    match &*tier {
        "" | "default" | "standard" | "standard_only" | "auto" | "on_demand" | "ondemand" | "none"
        | "null" | "regular" => None,
        "batch_api" | "batches" => Some("batch".to_owned()),
        _ => Some(tier),
    }
}

#[cfg(test)]
mod tests;
