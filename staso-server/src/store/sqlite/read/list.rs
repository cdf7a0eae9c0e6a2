/// A list to bind, for `json_each`: SQLite takes no lists of its own.
pub(super) fn json_array<'a>(numbers: impl IntoIterator<Item = &'a i64>) -> String {
    let numbers: Vec<String> = numbers.into_iter().map(i64::to_string).collect();
    format!("[{}]", numbers.join(","))
}
