use axum::{
    extract::{FromRequestParts, Query},
    http::{StatusCode, request::Parts},
};
use serde::Deserialize;

use super::{ApiError, AppState};
use crate::model::{Access, Grant, Workspace};

/// Who calls. The guard that authenticates every request puts it there; a route that it does not cover
/// answers 401.
#[derive(Clone, Debug)]
pub struct Caller(pub Access);

impl Caller {
    /// The workspace with this slug, when the caller may reach it and it exists.
    ///
    /// # Errors
    ///
    /// 404, whether it does not exist or belongs to others.
    pub async fn workspace(&self, state: &AppState, slug: &str) -> Result<Workspace, ApiError> {
        let missing = || ApiError::not_found("workspace").at("workspace");
        match &self.0.grant {
            Grant::Workspace(own) if own.slug == slug => Ok(own.clone()),
            Grant::Workspace(_) => Err(missing()),
            Grant::Organization => state.store.workspace(slug).await?.ok_or_else(missing),
        }
    }
}

impl FromRequestParts<AppState> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &AppState) -> Result<Self, ApiError> {
        parts.extensions.get::<Self>().cloned().ok_or_else(|| {
            ApiError::new(StatusCode::UNAUTHORIZED, "no_key", "send a key in the header `X-API-Key`")
        })
    }
}

/// The workspace that a reading request is about: its parameter `workspace`, else the caller's own, else
/// `default`.
#[derive(Clone, Debug)]
pub struct InWorkspace(pub Workspace);

#[derive(Deserialize)]
struct Parameter {
    workspace: Option<String>,
}

impl FromRequestParts<AppState> for InWorkspace {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        let caller = Caller::from_request_parts(parts, state).await?;
        let Query(Parameter { workspace }) = Query::try_from_uri(&parts.uri)
            .map_err(|error| ApiError::bad_parameter("workspace", error.body_text()))?;
        let slug = match (workspace.filter(|slug| !slug.is_empty()), &caller.0.grant) {
            (Some(slug), _) => slug,
            (None, Grant::Workspace(own)) => own.slug.clone(),
            (None, Grant::Organization) => "default".to_owned(),
        };
        Ok(Self(caller.workspace(state, &slug).await?))
    }
}
