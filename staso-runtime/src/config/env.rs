use std::{collections::HashMap, ffi::OsString, path::PathBuf};

use super::InitError;

/// The variables that settings are read from: those of the process, or those that a test gives.
#[derive(Clone, Debug)]
pub(crate) enum Environment {
    Process,
    #[cfg_attr(not(test), expect(dead_code, reason = "tests bring their own variables"))]
    Given(HashMap<&'static str, OsString>),
}

impl Environment {
    #[cfg(test)]
    pub(crate) fn from_pairs<const N: usize>(pairs: [(&'static str, &str); N]) -> Self {
        Self::Given(pairs.map(|(name, value)| (name, value.into())).into_iter().collect())
    }

    /// A variable, also an empty one. One that is not Unicode counts as not set: for optional facts.
    pub(crate) fn get(&self, name: &'static str) -> Option<String> {
        self.raw(name)?.into_string().ok()
    }

    /// A variable that is set and not empty.
    pub(crate) fn non_empty(&self, name: &'static str) -> Option<String> {
        self.get(name).filter(|value| !value.is_empty())
    }

    /// A variable that decides a setting.
    ///
    /// # Errors
    ///
    /// When its value is not Unicode.
    pub(crate) fn setting(
        &self,
        setting: &'static str,
        name: &'static str,
    ) -> Result<Option<String>, InitError> {
        self.raw(name)
            .map(|value| {
                value
                    .into_string()
                    .map_err(|_| InitError::new(setting, Some(name), format!("{name} must be valid Unicode")))
            })
            .transpose()
    }

    /// A variable that is a switch.
    ///
    /// # Errors
    ///
    /// When it is set to anything but the eight words, also when it is empty.
    pub(crate) fn switch(
        &self,
        setting: &'static str,
        name: &'static str,
    ) -> Result<Option<bool>, InitError> {
        let Some(value) = self.setting(setting, name)? else { return Ok(None) };
        match value.trim().to_ascii_lowercase().as_str() {
            "1" | "true" | "yes" | "on" => Ok(Some(true)),
            "0" | "false" | "no" | "off" => Ok(Some(false)),
            _ => Err(InitError::new(
                setting,
                Some(name),
                format!("{name} must be one of: 1/0, true/false, yes/no, on/off; it is {value:?}"),
            )),
        }
    }

    /// The folder that `git` is asked about.
    pub(crate) fn folder(&self) -> Option<PathBuf> {
        std::env::current_dir().ok()
    }

    /// The names of all variables.
    pub(super) fn names(&self) -> Box<dyn Iterator<Item = String> + '_> {
        match self {
            Self::Process => Box::new(std::env::vars_os().filter_map(|(name, _)| name.into_string().ok())),
            Self::Given(variables) => Box::new(variables.keys().map(|name| (*name).to_owned())),
        }
    }

    #[expect(clippy::disallowed_methods, reason = "the one place that reads the process's variables")]
    fn raw(&self, name: &'static str) -> Option<OsString> {
        match self {
            Self::Process => std::env::var_os(name),
            Self::Given(variables) => variables.get(name).cloned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn switches_are_eight_words_in_any_case() {
        for (value, expected) in
            [("1", true), ("TRUE", true), (" yes ", true), ("on", true), ("0", false), ("False", false)]
        {
            let env = Environment::from_pairs([("STASO_ENABLED", value)]);
            assert_eq!(env.switch("enabled", "STASO_ENABLED"), Ok(Some(expected)), "{value:?}");
        }
        for value in ["", "maybe", "2"] {
            let env = Environment::from_pairs([("STASO_ENABLED", value)]);
            let error = env.switch("enabled", "STASO_ENABLED").unwrap_err();
            assert!(error.to_string().contains("must be one of: 1/0, true/false, yes/no, on/off"));
        }
    }
}
