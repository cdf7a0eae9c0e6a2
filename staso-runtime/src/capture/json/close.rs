/// Closes what is open in `json`: complete values of the containers they are in, but for the brackets.
pub(super) fn close_brackets(json: &mut Vec<u8>, start: usize) {
    let mut open = Vec::new();
    let mut bytes = json.iter().skip(start);
    while let Some(byte) = bytes.next() {
        match byte {
            b'[' => open.push(b']'),
            b'{' => open.push(b'}'),
            b']' | b'}' => _ = open.pop(),
            b'"' => skip_string(&mut bytes),
            _ => {}
        }
    }
    json.extend(open.iter().rev());
}

fn skip_string<'a>(bytes: &mut impl Iterator<Item = &'a u8>) {
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => return,
            b'\\' => _ = bytes.next(),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brackets_are_closed_from_the_inside_out_and_not_in_strings() {
        fn check(json: &str, expected: &str) {
            let mut bytes = format!("[{json}").into_bytes();
            close_brackets(&mut bytes, 1);
            assert_eq!(String::from_utf8(bytes).unwrap(), format!("[{expected}"));
        }
        check(r#"{"a":[1,[],{"b":2"#, r#"{"a":[1,[],{"b":2}]}"#);
        check(r#"["[\"[\\""#, r#"["[\"[\\"]"#);
        check("1", "1");
    }
}
