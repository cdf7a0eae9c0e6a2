use axum::Json;
use utoipa::{
    Modify, OpenApi,
    openapi::{
        ContentBuilder, Ref, ResponseBuilder,
        security::{ApiKey, ApiKeyValue, SecurityRequirement, SecurityScheme},
    },
};

use super::{conversations, live, metrics, traces, workspace};

/// Describes the read API.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Staso",
        description = "Reads traces, conversations and metrics of agents. Lists come in pages: pass `next_cursor` \
                       as `cursor` for the next one."
    ),
    paths(
        traces::list,
        traces::one,
        traces::spans,
        traces::span,
        conversations::list,
        conversations::one,
        metrics::agents,
        metrics::users,
        metrics::metrics,
        workspace::facets,
        workspace::list,
        live::stream,
        serve
    ),
    components(schemas(Failure)),
    modifiers(&Keys, &Failures)
)]
struct Description;

/// The description of the read API, in the format OpenAPI.
#[must_use]
pub fn document() -> utoipa::openapi::OpenApi {
    Description::openapi()
}

/// Describes this API.
#[utoipa::path(
    get,
    path = "/openapi.json",
    tag = "about",
    responses((status = OK, description = "This document", body = Object))
)]
pub(super) async fn serve() -> Json<utoipa::openapi::OpenApi> {
    Json(document())
}

/// An answer that is not a success.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes what `ApiError` writes")]
struct Failure {
    error: FailureDetail,
}

#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes what `ApiError` writes")]
struct FailureDetail {
    /// For programs.
    code: String,
    /// What is wrong and what to do, for people.
    message: String,
    /// The parameter or the place in the body that is wrong.
    path: Option<String>,
}

struct Keys;

impl Modify for Keys {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let key = SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::new("X-API-Key")));
        document.components.get_or_insert_default().add_security_scheme("key", key);
        document.security = Some(vec![SecurityRequirement::new("key", Vec::<String>::new())]);
    }
}

/// Every route can fail in these ways.
struct Failures;

impl Modify for Failures {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let failure = |description: &str| {
            let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("Failure"))).build();
            ResponseBuilder::new().description(description).content("application/json", content).build()
        };
        for item in document.paths.paths.values_mut() {
            let Some(operation) = item.get.as_mut() else { continue };
            let mut add = |status: &str, description: &str| {
                operation.responses.responses.insert(status.to_owned(), failure(description).into());
            };
            add("401", "No key, or one that opens nothing");
            if operation.parameters.as_ref().is_some_and(|parameters| !parameters.is_empty()) {
                add("400", "A parameter that cannot be read");
                add("404", "No such workspace, or nothing of that name in it");
            }
        }
    }
}
