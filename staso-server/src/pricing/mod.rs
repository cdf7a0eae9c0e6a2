//! What model calls cost.

use crate::model::Tokens;

/// A table of prices.
#[derive(Debug)]
pub struct Prices {}

impl Prices {
    /// The table that comes with this version.
    #[must_use]
    pub fn embedded() -> Self {
        Self {}
    }

    /// Billionths of a US dollar for a call; `None` when the model is not in the table.
    #[must_use]
    pub fn nano_usd(&self, _provider: &str, _model: &str, _tokens: Tokens) -> Option<u64> {
        None
    }
}
