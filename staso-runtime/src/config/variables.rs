use super::Environment;

/// Every variable that means something to Staso: to this SDK, to the one for Python, and to the backend.
const KNOWN: &[&str] = &[
    "STASO_API_KEY",
    "STASO_AGENT_NAME",
    "STASO_AGENT_VERSION",
    "STASO_BASE_URL",
    "STASO_ENVIRONMENT",
    "STASO_WORKSPACE_SLUG",
    "STASO_SESSION_ID",
    "STASO_EXPORTER",
    "STASO_ENABLED",
    "STASO_QUIET",
    "STASO_DEBUG",
    "STASO_MASK_CREDENTIALS",
    "STASO_CAPTURE_REQUEST",
    "STASO_CAPTURE_SYSTEM_PROMPT",
    "STASO_CAPTURE_TOOL_SCHEMA",
    "STASO_CAPTURE_TOOL_ARGUMENTS",
    "STASO_CAPTURE_OUTPUT",
    "STASO_CAPTURE_MESSAGES",
    "STASO_VCS_COMMIT_SHA",
    "STASO_VCS_BRANCH",
    "STASO_VCS_REPO_URL",
    "STASO_AUTO_PATCH",
    "STASO_AUTO_SYNC",
    "STASO_GUARD_ENABLED",
    "STASO_GUARD_FAIL_CLOSED",
    "STASO_GUARD_TIMEOUT",
    "STASO_GUARD_BATCH_TIMEOUT",
    "STASO_GUARD_MAX_CONCURRENCY",
    "STASO_PROFILE",
    "STASO_CREDENTIAL_ID",
    "STASO_DATA",
];

/// Edits beyond which two names are not taken for one another.
const MOST_EDITS: usize = 3;

impl Environment {
    /// What to tell the user of `STASO_` variables that no setting knows. Their values are not shown.
    pub(super) fn misspelt(&self) -> Option<String> {
        let mut unknown: Vec<String> =
            self.names().filter(|name| is_ours(name) && !KNOWN.contains(&name.as_str())).collect();
        unknown.sort();
        let told = unknown.iter().map(|name| match nearest(name) {
            Some(known) => format!("{name} is not a setting: did you mean {known}?"),
            None => format!("{name} is not a setting"),
        });
        let told = told.collect::<Vec<_>>().join("; ");
        (!told.is_empty()).then_some(told)
    }
}

/// Variables of tests and tools that are called after Staso have a part of their own.
fn is_ours(name: &str) -> bool {
    name.to_ascii_uppercase().starts_with("STASO_") && !name.starts_with("STASO_TEST_")
}

/// The variable that was meant: one whose end is missing, else the one that is spelt most alike.
fn nearest(name: &str) -> Option<&'static str> {
    let name = name.to_ascii_uppercase();
    let is_longer = |known: &&&str| known.strip_prefix(&name).is_some_and(|rest| rest.starts_with('_'));
    let longer = KNOWN.iter().find(is_longer).copied();
    longer.or_else(|| {
        let alike = KNOWN.iter().map(|known| (strsim::damerau_levenshtein(&name, known), *known));
        alike.filter(|(edits, _)| *edits <= MOST_EDITS).min().map(|(_, known)| known)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_that_no_setting_knows_is_told_with_the_nearest_that_one_does() {
        let env = |name| Environment::from_pairs([(name, "secret"), ("STASO_API_KEY", "ak"), ("HOME", "/")]);
        for (name, expected) in [
            ("STASO_BASE_ULR", Some("STASO_BASE_ULR is not a setting: did you mean STASO_BASE_URL?")),
            ("STASO_APIKEY", Some("STASO_APIKEY is not a setting: did you mean STASO_API_KEY?")),
            ("STASO_AGENT", Some("STASO_AGENT is not a setting: did you mean STASO_AGENT_NAME?")),
            ("staso_quiet", Some("staso_quiet is not a setting: did you mean STASO_QUIET?")),
            ("STASO_WORKSPACE", Some("STASO_WORKSPACE is not a setting: did you mean STASO_WORKSPACE_SLUG?")),
            ("STASO_FAVOURITE_COLOUR", Some("STASO_FAVOURITE_COLOUR is not a setting")),
            ("STASO_EXPORTER", None),
            ("STASO_TEST_CASE", None),
        ] {
            assert_eq!(env(name).misspelt().as_deref(), expected);
        }
    }
}
