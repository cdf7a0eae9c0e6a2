use std::sync::{Arc, OnceLock};

use super::short;

/// What every span of a client shares: who produces it and where it lands.
#[derive(Debug)]
pub(crate) struct Resource {
    pub(crate) agent_name: String,
    pub(crate) agent_version: String,
    pub(crate) environment: String,
    pub(crate) workspace: String,
    /// The conversation of spans that are in none.
    pub(crate) session_id: String,
    /// Found by a thread of its own, so that `init` does not wait for `git`.
    pub(crate) git: OnceLock<GitFacts>,
}

/// The commit that the program was built or runs from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct GitFacts {
    /// 40 hex digits, or whatever the CI platform calls the commit.
    pub commit_sha: String,
    /// Empty for a detached HEAD.
    pub branch: String,
    /// Without credentials; empty when there is no remote.
    pub repo_url: String,
    /// Whether the work tree had changes, untracked files included.
    pub is_dirty: bool,
}

/// The conversation and the end user that spans belong to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Conversation {
    pub(crate) id: Arc<str>,
    pub(crate) user_id: Option<Arc<str>>,
}

impl Conversation {
    /// The bytes that it keeps.
    #[inline]
    pub(crate) fn held(&self) -> usize {
        self.id.len() + self.user_id.as_ref().map_or(0, |user_id| user_id.len())
    }
}

impl GitFacts {
    pub(crate) fn cut(self) -> Self {
        Self {
            commit_sha: short(&self.commit_sha).into_owned(),
            branch: short(&self.branch).into_owned(),
            repo_url: short(&self.repo_url).into_owned(),
            is_dirty: self.is_dirty,
        }
    }
}
