use super::limits::Limits;
use std::{borrow::Cow, fmt};
pub(crate) fn write_debug<T: fmt::Debug + ?Sized>(value: &T, l: &Limits, out: &mut Vec<u8>) {
    super::json::write_json(&format!("{value:?}"), l, out)
}
pub(crate) fn write_display<T: fmt::Display + ?Sized>(value: &T, l: &Limits, out: &mut Vec<u8>) {
    super::json::write_json(&format!("{value}"), l, out)
}
pub(crate) fn display_text<T: fmt::Display + ?Sized>(value: &T, _l: &Limits) -> String {
    format!("{value}")
}
pub(crate) fn debug_text<T: fmt::Debug + ?Sized>(value: &T, _l: &Limits) -> String {
    format!("{value:?}")
}
pub(crate) fn write_type_name<T: ?Sized>(l: &Limits, out: &mut Vec<u8>) {
    super::json::write_json(&format!("<{}>", std::any::type_name::<T>()), l, out)
}
pub(crate) fn short_type_name(full: &str) -> Cow<'_, str> {
    Cow::Borrowed(full.rsplit("::").next().unwrap_or(full))
}
