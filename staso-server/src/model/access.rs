use serde::Serialize;

use super::Timestamp;

/// A workspace that exists. Only a store makes one, from a slug; every row and every query has one, so what
/// belongs to another workspace cannot be reached by mistake.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct WorkspaceId(pub(crate) i64);

/// An isolated part of the organization.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Workspace {
    /// For queries.
    #[serde(skip)]
    pub id: WorkspaceId,
    /// Its name on the wire and in URLs.
    pub slug: String,
    /// When it was made.
    pub created_at: Timestamp,
}

/// What a key opens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(tag = "scope", content = "workspace", rename_all = "lowercase")]
pub enum KeyScope {
    /// Every workspace of the organization.
    Organization,
    /// One workspace, by its slug.
    Workspace(String),
}

/// Names a key in lists and when it is revoked. It opens nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, utoipa::ToSchema)]
#[serde(transparent)]
pub struct KeyId(pub i64);

/// A key as lists show it: never the key itself, which is stored hashed and shown once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct KeyRecord {
    /// For `staso key revoke`.
    pub id: KeyId,
    /// The key's first 12 characters.
    pub prefix: String,
    /// What it is for.
    pub name: String,
    /// What it opens.
    #[serde(flatten)]
    pub scope: KeyScope,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was revoked; absent while it opens something.
    pub revoked_at: Option<Timestamp>,
}

/// What a caller may reach.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Grant {
    /// Every workspace, and the organization's settings.
    Organization,
    /// One workspace.
    Workspace(Workspace),
}

/// Who calls: the outcome of authentication.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Access {
    /// What the caller may reach.
    pub grant: Grant,
    /// Whether a workspace that a trace names and that does not exist is made: on one's own machine.
    pub makes_workspaces: bool,
}
