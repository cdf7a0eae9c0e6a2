use std::sync::Arc;

use super::short;

/// A name that is almost always known when the program is compiled.
#[derive(Clone, Debug)]
pub(crate) enum Name {
    Static(&'static str),
    Shared(Arc<str>),
}

impl Name {
    /// A name that is made up at run time, cut like every name.
    pub(crate) fn shared(name: &str) -> Self {
        Self::Shared(short(name).into())
    }

    /// The bytes that it keeps.
    #[inline]
    pub(crate) fn held(&self) -> usize {
        match self {
            Self::Static(_) => 0,
            Self::Shared(name) => name.len(),
        }
    }

    pub(crate) fn as_str(&self) -> &str {
        match self {
            Self::Static(name) => name,
            Self::Shared(name) => name,
        }
    }
}

impl From<&'static str> for Name {
    fn from(name: &'static str) -> Self {
        Self::Static(name)
    }
}
