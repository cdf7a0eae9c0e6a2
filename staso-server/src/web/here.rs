use axum::{
    extract::{FromRequestParts, Query},
    http::request::Parts,
};

use super::{Link, PageError};
use crate::http::ApiError;

/// The address of the page that is shown, to link to variations of it.
#[derive(Clone, Debug)]
pub(super) struct Here {
    path: String,
    pairs: Vec<(String, String)>,
}

impl Here {
    /// This page with another value of a parameter, from the start of its list.
    pub(super) fn with(&self, name: &str, value: &str) -> Link {
        self.without(&[name]).with(name, value)
    }

    /// This page without some parameters, from the start of its list.
    pub(super) fn without(&self, names: &[&str]) -> Link {
        let kept = self
            .pairs
            .iter()
            .filter(|(name, value)| !names.contains(&name.as_str()) && name != "cursor" && !value.is_empty());
        Link::here(&self.path).with_all(kept.map(|(name, value)| (name.as_str(), value.as_str())))
    }

    /// This page without any condition.
    pub(super) fn unfiltered(&self) -> Link {
        let workspace = self.value("workspace");
        Link::here(&self.path).with_all(workspace.map(|slug| ("workspace", slug)))
    }

    /// These conditions and the time range, for a link to another page. `default_since` is the range that this page has
    /// when none is chosen, for links to pages that have another one.
    pub(super) fn kept<'a>(
        &'a self,
        names: &'a [&'static str],
        default_since: Option<&'a str>,
    ) -> impl Iterator<Item = (&'a str, &'a str)> {
        let conditions = names.iter().chain(&["until"]).filter_map(|name| Some((*name, self.value(name)?)));
        let since = self.value("since").or(default_since).map(|since| ("since", since));
        since.into_iter().chain(conditions)
    }

    /// What a parameter is set to.
    pub(super) fn value(&self, name: &str) -> Option<&str> {
        self.pairs
            .iter()
            .find_map(|(known, value)| (known == name && !value.trim().is_empty()).then_some(value.as_str()))
    }

    /// Whether any condition is set; the order and the workspace are none.
    pub(super) fn is_filtered(&self) -> bool {
        const OTHERS: [&str; 4] = ["workspace", "sort", "limit", "cursor"];
        self.pairs
            .iter()
            .any(|(name, value)| !OTHERS.contains(&name.as_str()) && !value.is_empty() && value != "all")
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Here {
    type Rejection = PageError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, PageError> {
        let Query(pairs) = Query::try_from_uri(&parts.uri)
            .map_err(|error| ApiError::bad_parameter("", error.body_text()))?;
        Ok(Self { path: parts.uri.path().to_owned(), pairs })
    }
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    #[tokio::test]
    async fn a_variation_keeps_the_other_parameters_and_starts_anew() {
        let uri = "/traces?workspace=w&user=a%26b&status=&cursor=x";
        let (mut parts, ()) = Request::get(uri).body(()).unwrap().into_parts();
        let here = Here::from_request_parts(&mut parts, &()).await.unwrap();
        assert_eq!(here.with("sort", "slowest").as_str(), "/traces?workspace=w&user=a%26b&sort=slowest");
        assert_eq!(here.with("user", "c").as_str(), "/traces?workspace=w&user=c");
        assert_eq!(here.without(&["user"]).as_str(), "/traces?workspace=w");
        assert_eq!(here.unfiltered().as_str(), "/traces?workspace=w");
        assert!(here.is_filtered());
        let link = Link::to("/").with_all(here.kept(&["user", "model"], Some("24h")));
        assert_eq!(link.as_str(), "/?since=24h&user=a%26b");
    }
}
