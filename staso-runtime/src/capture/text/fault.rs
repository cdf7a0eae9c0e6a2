use super::short_type_name;

/// Longest type name in a mark.
const TYPE_NAME_BYTES: usize = 256;

/// Why the user's code gave no value.
#[derive(Debug)]
pub(in crate::capture) enum Fault {
    /// It returned an error, with a message if it had one.
    Failed(String),
    Panicked(String),
}

impl Fault {
    /// What stands in the place of the value: `<Order: serialize failed: no such id>`.
    pub(in crate::capture) fn mark(&self, type_name: &str, what: &str) -> String {
        let type_name = short_type_name(type_name);
        let type_name = type_name.split_at(type_name.floor_char_boundary(TYPE_NAME_BYTES)).0;
        match self {
            Self::Failed(message) if message.is_empty() => format!("<{type_name}: {what} failed>"),
            Self::Failed(message) => format!("<{type_name}: {what} failed: {message}>"),
            Self::Panicked(message) => format!("<{type_name}: {what} panicked: {message}>"),
        }
    }
}
