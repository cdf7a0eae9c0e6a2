use std::fmt::Write as _;

/// Deeper places are told by their beginning.
const DEEPEST: usize = 32;
const LONGEST_KEY: usize = 64;

/// The path to the place of an error in a JSON text: `traces[0].spans[2].name`. `$` is the whole text.
pub(super) fn locate(json: &str, error: &serde_json::Error) -> String {
    let lines_before = error.line().saturating_sub(1);
    let before = json.split_inclusive('\n').take(lines_before).map(str::len).sum::<usize>();
    // A syntax error is at the byte that does not belong there, an error of type behind what is of that type.
    let column = if error.is_data() { error.column() } else { error.column().saturating_sub(1) };
    path_to(json, before.saturating_add(column))
}

/// The path to a place in a text that is JSON up to there.
fn path_to(json: &str, end: usize) -> String {
    let mut frames: Vec<Frame<'_>> = Vec::new();
    let mut bytes = json.bytes().enumerate().take(end);
    while let Some((at, byte)) = bytes.next() {
        match byte {
            b'[' => frames.push(Frame::Array(0)),
            b'{' => frames.push(Frame::Object(None)),
            b']' | b'}' => {
                frames.pop();
            }
            b',' => match frames.last_mut() {
                Some(Frame::Array(index)) => *index += 1,
                Some(frame) => *frame = Frame::Object(None),
                None => {}
            },
            b'"' => {
                let mut escaped = false;
                let close = bytes.find(|&(_, byte)| {
                    let closes = byte == b'"' && !escaped;
                    escaped = byte == b'\\' && !escaped;
                    closes
                });
                if let (Some((close, _)), Some(Frame::Object(key @ None))) = (close, frames.last_mut()) {
                    *key = json.get(at + 1..close);
                }
            }
            _ => {}
        }
    }
    write(&frames)
}

enum Frame<'a> {
    Array(usize),
    /// With the key of the value that comes, once it is known.
    Object(Option<&'a str>),
}

fn write(frames: &[Frame<'_>]) -> String {
    let mut path = String::new();
    for frame in frames.iter().take(DEEPEST) {
        // Writing to a string cannot fail.
        let _ = match frame {
            Frame::Array(index) => write!(path, "[{index}]"),
            Frame::Object(None) => Ok(()),
            Frame::Object(Some(key)) => {
                let dot = if path.is_empty() { "" } else { "." };
                let short: String = key.chars().take(LONGEST_KEY).collect();
                let dots = if short.len() < key.len() { "…" } else { "" };
                write!(path, "{dot}{short}{dots}")
            }
        };
    }
    if frames.len() > DEEPEST {
        path.push('…');
    }
    if path.is_empty() { "$".to_owned() } else { path }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(json: &str, expected: &str) {
        let error = serde_json::from_str::<serde_json::Value>(json).unwrap_err();
        assert_eq!(locate(json, &error), expected, "{json}: {error}");
    }

    #[test]
    fn a_fault_is_found_where_it_is() {
        check("", "$");
        check("nothing", "$");
        check("{", "$");
        check(r#"{"a" 1}"#, "a");
        check(r#"{"a":}"#, "a");
        check(r#"{"a":[1,2,{"b":tru}]}"#, "a[2].b");
        check(r#"{"a":[[1],[2,"x]"#, "a[1][1]");
        check("{\"a\":1,\n \"b\": [\n0,\n\"\\\"]}\", x]}", "b[2]");
        check(r#"{"a":{"b":1},"c":+}"#, "c");
        check(r#"[1,2"#, "[1]");
    }

    #[test]
    fn a_deep_place_is_told_by_its_beginning() {
        let path = path_to(&"[".repeat(100_000), 100_000);
        assert_eq!(path, format!("{}…", "[0]".repeat(DEEPEST)));
    }
}
