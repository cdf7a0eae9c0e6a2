use super::{Environment, git::without_credentials};
use crate::record::GitFacts;

/// A CI platform: what tells that it is this one, and where it puts its facts. Wire contract, section 7.
struct Platform {
    guard: &'static str,
    commit: &'static str,
    branch: Option<&'static str>,
    repository: Option<&'static str>,
}

const fn platform(
    guard: &'static str,
    commit: &'static str,
    branch: Option<&'static str>,
    repository: Option<&'static str>,
) -> Platform {
    Platform { guard, commit, branch, repository }
}

const PLATFORMS: [Platform; 10] = [
    platform("GITHUB_ACTIONS", "GITHUB_SHA", Some("GITHUB_REF_NAME"), Some("GITHUB_REPOSITORY")),
    platform("VERCEL", "VERCEL_GIT_COMMIT_SHA", Some("VERCEL_GIT_COMMIT_REF"), Some("VERCEL_GIT_REPO_SLUG")),
    platform("RAILWAY_ENVIRONMENT", "RAILWAY_GIT_COMMIT_SHA", Some("RAILWAY_GIT_BRANCH"), None),
    platform("HEROKU_SLUG_COMMIT", "HEROKU_SLUG_COMMIT", None, None),
    platform("GITLAB_CI", "CI_COMMIT_SHA", Some("CI_COMMIT_BRANCH"), Some("CI_PROJECT_URL")),
    platform("CIRCLECI", "CIRCLE_SHA1", Some("CIRCLE_BRANCH"), Some("CIRCLE_REPOSITORY_URL")),
    platform(
        "BITBUCKET_COMMIT",
        "BITBUCKET_COMMIT",
        Some("BITBUCKET_BRANCH"),
        Some("BITBUCKET_GIT_HTTP_ORIGIN"),
    ),
    platform(
        "CODEBUILD_BUILD_ID",
        "CODEBUILD_RESOLVED_SOURCE_VERSION",
        None,
        Some("CODEBUILD_SOURCE_REPO_URL"),
    ),
    platform("NETLIFY", "COMMIT_REF", Some("BRANCH"), Some("REPOSITORY_URL")),
    platform("TF_BUILD", "BUILD_SOURCEVERSION", Some("BUILD_SOURCEBRANCH"), Some("BUILD_REPOSITORY_URI")),
];

/// The facts that the environment states: the program's own variables, else those of a CI platform.
pub(super) fn known_facts(env: &Environment) -> Option<GitFacts> {
    if let Some(commit_sha) = env.non_empty("STASO_VCS_COMMIT_SHA") {
        return Some(GitFacts {
            commit_sha,
            branch: env.get("STASO_VCS_BRANCH").unwrap_or_default(),
            // Given on purpose, but a password in it is nobody's purpose.
            repo_url: without_credentials(&env.get("STASO_VCS_REPO_URL").unwrap_or_default()),
            is_dirty: false,
        });
    }
    PLATFORMS.iter().find_map(|platform| {
        env.non_empty(platform.guard)?;
        let optional = |name: Option<&'static str>| name.and_then(|name| env.get(name)).unwrap_or_default();
        Some(GitFacts {
            commit_sha: env.non_empty(platform.commit)?,
            branch: optional(platform.branch),
            repo_url: without_credentials(&optional(platform.repository)),
            is_dirty: false,
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_variables_win_over_a_platform() {
        let env = Environment::from_pairs([
            ("STASO_VCS_COMMIT_SHA", "abc"),
            ("STASO_VCS_BRANCH", "release"),
            ("GITHUB_ACTIONS", "true"),
            ("GITHUB_SHA", "def"),
        ]);
        let facts = known_facts(&env).unwrap();
        assert_eq!((facts.commit_sha.as_str(), facts.branch.as_str()), ("abc", "release"));
    }

    #[test]
    fn every_platform_needs_its_guard_and_its_commit() {
        for platform in &PLATFORMS {
            let env = Environment::from_pairs([(platform.guard, "1"), (platform.commit, "c0ffee")]);
            assert_eq!(known_facts(&env).map(|facts| facts.commit_sha).as_deref(), Some("c0ffee"));
            if platform.guard != platform.commit {
                assert_eq!(known_facts(&Environment::from_pairs([(platform.commit, "c0ffee")])), None);
            }
        }
    }
}
