//! The parameters of reading requests: read in one place, for the API and for pages.

mod extract;
mod lists;
mod metrics;
mod units;

pub use extract::Parameters;
pub use lists::{
    ConversationParameters, PageParameters, TraceParameters, TurnParameters, UserParameters,
    WorkspaceParameter,
};
pub use metrics::{AgentParameters, MetricsParameters};
pub use units::{duration, moment, range};

use crate::{http::ApiError, model::name_in_index};

/// A parameter's text. A form sends what is left open as an empty text, which is the same as none.
pub(crate) fn given(value: &Option<String>) -> Option<&str> {
    value.as_deref().map(str::trim).filter(|text| !text.is_empty())
}

fn owned(value: &Option<String>) -> Option<String> {
    given(value).map(str::to_owned)
}

/// A name or identifier, as it is in the index.
fn name(value: &Option<String>) -> Option<String> {
    given(value).map(|text| name_in_index(text).to_owned())
}

/// One of the names that are allowed, in any letter case.
fn one_of<T: Copy>(
    parameter: &str,
    value: &Option<String>,
    allowed: impl IntoIterator<Item = (&'static str, T)>,
) -> Result<Option<T>, ApiError> {
    let Some(text) = given(value) else { return Ok(None) };
    let allowed: Vec<_> = allowed.into_iter().collect();
    match allowed.iter().find(|(name, _)| name.eq_ignore_ascii_case(text)) {
        Some((_, value)) => Ok(Some(*value)),
        None => {
            let names: Vec<_> = allowed.iter().map(|(name, _)| *name).collect();
            let names = names.join(", ");
            Err(ApiError::bad_parameter(parameter, format!("`{parameter}` must be one of {names}")))
        }
    }
}

/// How many, from 1 to `most`.
fn limit(value: &Option<String>, default: usize, most: usize) -> Result<usize, ApiError> {
    let Some(text) = given(value) else { return Ok(default) };
    text.parse()
        .ok()
        .filter(|limit| (1..=most).contains(limit))
        .ok_or_else(|| ApiError::bad_parameter("limit", format!("`limit` must be a number from 1 to {most}")))
}
