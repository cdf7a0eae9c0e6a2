//! From the values of a traced function to bytes: on the calling thread, capped, and safe from whatever
//! the user's `Serialize`, `Debug` and `Display` do.

mod dispatch;
mod failure;
mod guarded;
mod items;
mod json;
mod limits;
mod outcome;
mod policy;
mod redact;
mod slot;
mod text;

pub use dispatch::{
    CaptureDebug, CaptureDisplay, CaptureJson, CaptureLock, CaptureName, CaptureText, Probe, name_type,
};
pub use failure::{
    FailBoxed, FailDebug, FailDisplay, FailError, FailIo, FailName, FailShared, Failure, SplitAny,
    SplitResult, Splitter, observe_type,
};
pub(crate) use guarded::{guarded, panic_message};
pub(crate) use items::Items;
pub use items::{NoPiece, Piece, TextPiece};
pub(crate) use limits::Limits;
pub use outcome::Outcome;
pub(crate) use policy::Policy;
pub use policy::{Capture, Category};
pub(crate) use redact::{ClientsHook, RedactHook, redacted_text};
pub use redact::{Field, FieldKind, Redaction};
pub use slot::Slot;
pub(crate) use slot::{Set, push_set};
pub(crate) use text::{display_text, short_type_name};
