//! Values as tables show them.

use crate::model::Timestamp;

/// `2026-01-02 03:04:05`, in UTC.
pub(super) fn moment(moment: Timestamp) -> String {
    let text = moment.to_string();
    text.get(..19).unwrap_or(&text).replacen('T', " ", 1)
}
