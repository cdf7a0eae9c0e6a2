use std::sync::Arc;

use crate::{pricing::Prices, store::Store};

/// What every handler reaches. Cheap to clone.
#[derive(Clone)]
pub struct AppState {
    /// Where traces are kept.
    pub store: Arc<dyn Store>,
    /// What model calls cost.
    pub prices: Arc<Prices>,
    /// Who is trusted.
    pub mode: Mode,
}

/// Who is trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// `staso dev`: whoever reaches the loopback address may read and write everything. Writes take any key.
    Local,
    /// `staso serve`: every call needs a key, or the session that a key opened.
    Keys,
}
