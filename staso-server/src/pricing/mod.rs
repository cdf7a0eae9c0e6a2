//! What model calls cost: an estimate from tokens and a table of prices.

mod error;
mod table;

pub use error::PriceError;
pub use table::{Prices, Usage};
