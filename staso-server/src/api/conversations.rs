use axum::{
    Json,
    extract::{Path, State},
};

use crate::{
    http::{ApiError, AppState, InWorkspace},
    model::{Conversation, ConversationSummary, Page, Timestamp, name_in_index},
    query::{ConversationParameters, Parameters, TurnParameters},
};

/// Lists conversations.
#[utoipa::path(
    get,
    path = "/v1/conversations",
    tag = "conversations",
    params(ConversationParameters),
    responses((
        status = OK,
        description = "The conversations that match, the last active first",
        body = Page<ConversationSummary>
    ))
)]
pub(super) async fn list(
    State(state): State<AppState>,
    InWorkspace(workspace): InWorkspace,
    Parameters(parameters): Parameters<ConversationParameters>,
) -> Result<Json<Page<ConversationSummary>>, ApiError> {
    let filter = parameters.filter(Timestamp::now())?;
    Ok(Json(state.store.conversations(workspace.id, filter, parameters.page()?).await?))
}

/// Shows a conversation with a page of its turns.
#[utoipa::path(
    get,
    path = "/v1/conversations/{conversation_id}",
    tag = "conversations",
    params(
        ("conversation_id" = String, Path, description = "As its sender wrote it (`session_id` on the wire)"),
        TurnParameters
    ),
    responses((status = OK, description = "The conversation, its turns from the earliest", body = Conversation))
)]
pub(super) async fn one(
    State(state): State<AppState>,
    InWorkspace(workspace): InWorkspace,
    Parameters(parameters): Parameters<TurnParameters>,
    Path(conversation_id): Path<String>,
) -> Result<Json<Conversation>, ApiError> {
    let id = name_in_index(&conversation_id).to_owned();
    let conversation = state.store.conversation(workspace.id, id, parameters.page()?).await?;
    conversation.map(Json).ok_or_else(|| ApiError::not_found("conversation"))
}
