//! What model calls cost: an estimate from tokens and a table of prices.

mod error;
mod name;
mod price;
mod seller;
mod table;
mod usage;

pub use error::PriceError;
pub use table::{Call, Prices};
pub use usage::Usage;
