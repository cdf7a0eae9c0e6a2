//! From the builder and the environment to settings that are known to be good.

mod base_url;
mod builder;
mod env;
mod error;
mod git;
mod git_env;
mod resolve;
mod settings;
mod variables;

pub use builder::Builder;
pub(crate) use env::Environment;
pub use error::InitError;
pub(crate) use settings::{GitSource, Settings};
