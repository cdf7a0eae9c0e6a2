use std::path::PathBuf;

use clap::Args;

use super::Failure;

/// Where traces are kept.
#[derive(Clone, Debug, Args)]
pub(super) struct Data {
    /// The folder of the store [default: the one of `staso dev`]
    #[arg(long, value_name = "DIR", env = "STASO_DATA", hide_env_values = true)]
    data: Option<PathBuf>,
}

impl Data {
    /// The folder that was named, else `staso/dev` where programs of this user keep their data.
    ///
    /// # Errors
    ///
    /// When none was named and the user has no home folder.
    pub(super) fn folder(&self) -> Result<PathBuf, Failure> {
        let absolute = |name| variable(name).map(PathBuf::from).filter(|path| path.is_absolute());
        if let Some(folder) = &self.data {
            return Ok(folder.clone());
        }
        let data = absolute("XDG_DATA_HOME").or_else(|| Some(absolute("HOME")?.join(".local/share")));
        match data {
            Some(data) => Ok(data.join("staso/dev")),
            None => Err(Failure::Usage(
                "there is no home folder to keep traces in; name one with --data".to_owned(),
            )),
        }
    }
}

/// An environment variable, as the process was started with.
#[expect(clippy::disallowed_methods, reason = "the one place where the command reads its environment")]
pub(super) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}
