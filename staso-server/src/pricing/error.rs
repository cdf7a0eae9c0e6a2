use std::{io, path::PathBuf};

/// Why a file of prices cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PriceError {
    /// It cannot be read.
    #[error("cannot read the prices in {}: {source}", file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// It is not a table of prices.
    #[error(
        "{} is not a table of prices: {reason}; it looks like \
         {{\"models\": {{\"my-model\": {{\"input\": 1.5, \"output\": 6}}}}}}, in US dollars per million tokens",
        file.display()
    )]
    Invalid {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
}
