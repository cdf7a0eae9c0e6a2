use std::ops::AddAssign;

use serde::Serialize;

use super::add_counts;

/// Tokens that senders reported.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Tokens {
    /// Tokens that went to models.
    pub input: u64,
    /// Tokens that came from models.
    pub output: u64,
    /// As reported; where a sender reports none, input and output together.
    pub total: u64,
}

impl AddAssign for Tokens {
    fn add_assign(&mut self, other: Self) {
        self.input = add_counts(self.input, other.input);
        self.output = add_counts(self.output, other.output);
        self.total = add_counts(self.total, other.total);
    }
}

/// What model calls cost, estimated from tokens and a table of prices.
///
/// A call whose model is not in the table, or whose tokens are not known, has an unknown price. It is
/// counted as such and never taken for free.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// Billionths of a US dollar, over the calls whose price is known.
    pub nano_usd: u64,
    /// Model calls with a known price.
    pub priced: u64,
    /// Model calls whose price is unknown.
    pub unpriced: u64,
}

impl Cost {
    /// One model call.
    #[must_use]
    pub fn of_call(nano_usd: Option<u64>) -> Self {
        match nano_usd {
            Some(nano_usd) => Self { nano_usd, priced: 1, unpriced: 0 },
            None => Self { nano_usd: 0, priced: 0, unpriced: 1 },
        }
    }

    /// US dollars over the calls whose price is known; `None` when there are calls and none has one.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "an estimate that people read")]
    pub fn usd(&self) -> Option<f64> {
        (self.priced > 0 || self.unpriced == 0).then_some(self.nano_usd as f64 / 1e9)
    }

    /// Whether the price of every call is known.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.unpriced == 0
    }
}

impl AddAssign for Cost {
    fn add_assign(&mut self, other: Self) {
        self.nano_usd = add_counts(self.nano_usd, other.nano_usd);
        self.priced = add_counts(self.priced, other.priced);
        self.unpriced = add_counts(self.unpriced, other.unpriced);
    }
}

/// `{"usd": 0.0123, "complete": true}`; `usd` is null when nothing of it is known.
impl Serialize for Cost {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        CostDocument { usd: self.usd(), complete: self.is_complete() }.serialize(serializer)
    }
}

/// An estimate in US dollars.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Cost)]
struct CostDocument {
    /// Over the model calls whose price is known; null when there are calls and none has a known price.
    usd: Option<f64>,
    /// Whether the price of every model call is known.
    complete: bool,
}

impl utoipa::PartialSchema for Cost {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        CostDocument::schema()
    }
}

impl utoipa::ToSchema for Cost {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_price_is_not_zero() {
        let mut cost = Cost::of_call(None);
        assert_eq!((cost.usd(), cost.is_complete()), (None, false));
        cost += Cost::of_call(Some(2_000_000_000));
        assert_eq!((cost.usd(), cost.is_complete()), (Some(2.0), false));
    }

    #[test]
    fn what_called_no_model_costs_nothing() {
        assert_eq!((Cost::default().usd(), Cost::default().is_complete()), (Some(0.0), true));
    }
}
