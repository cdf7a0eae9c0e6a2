use std::ops::Range;

use super::{
    MASKED,
    name::{Credential, credential, is_header},
    text::{find_assigned, find_in_structure, is_keyword, is_structured, replace},
    url::find_in_urls,
};

/// [`MASKED`] as a JSON string.
const QUOTED: &str = "\"[masked]\"";

/// JSON text with its credentials masked. `None` when there are none.
///
/// `name` is what the whole value stands under, such as a key of the metadata.
pub(crate) fn mask_json(name: Option<&str>, json: &str) -> Option<String> {
    let mut walk = Walk { json, found: Vec::new(), numbers: Vec::new(), open: Vec::new() };
    walk.all(name.and_then(credential));
    let mut found = std::mem::take(&mut walk.found);
    found.extend_from_slice(&walk.numbers);
    // What is known only at the end of a container comes late.
    found.sort_by_key(|range| (range.start, std::cmp::Reverse(range.end)));
    found.dedup_by(|later, earlier| later.start < earlier.end);
    replace(json, &found, |range| {
        // A number has no quotes, and a mask needs them.
        let is_number = walk.numbers.binary_search_by_key(&range.start, |number| number.start).is_ok();
        if is_number { QUOTED } else { MASKED }
    })
}

struct Walk<'a> {
    json: &'a str,
    /// What to mask within the quotes of strings.
    found: Vec<Range<usize>>,
    /// In the order of the text.
    numbers: Vec<Range<usize>>,
    open: Vec<Container>,
}

/// An object or array whose end was not seen yet.
struct Container {
    is_object: bool,
    start: usize,
    /// Of everything in it, when it stands under the name of a credential.
    within: Option<Credential>,
    /// The key whose value comes next.
    key: Option<Range<usize>>,
    elements: usize,
    /// A name given as a value, and the value beside it: `["cookie", "…"]`, `{"name": "…", "value": "…"}`.
    named: Option<Range<usize>>,
    value: Option<Range<usize>>,
    /// Whether it has a key `logprob`, once that was asked.
    has_logprob: Option<bool>,
}

impl Walk<'_> {
    fn all(&mut self, whole: Option<Credential>) {
        let bytes = self.json.as_bytes();
        let mut at = 0;
        while let Some(byte) = bytes.get(at) {
            match byte {
                b'{' | b'[' => self.begin(at, *byte == b'{', whole),
                b'}' | b']' => self.end(),
                b'"' => {
                    let end = string_end(self.json, at + 1);
                    self.string(at + 1..end, whole);
                    at = end;
                }
                b'0'..=b'9' | b'-' => {
                    let end = (at..bytes.len()).find(|at| !is_numeric(bytes, *at)).unwrap_or(bytes.len());
                    self.number(at..end, whole);
                    at = end - 1;
                }
                b',' => {
                    if let Some(container) = self.open.last_mut() {
                        container.key = None;
                    }
                }
                _ => {}
            }
            at += 1;
        }
    }

    fn begin(&mut self, start: usize, is_object: bool, whole: Option<Credential>) {
        // Inside a credential nothing is looked at again, so that no key is read twice.
        let is_inside = self.open.last().is_some_and(|container| container.within.is_some());
        let within = self.known(whole).filter(|_| is_inside || !(is_object && self.is_schema(start)));
        if let Some(container) = self.open.last_mut() {
            container.elements += 1;
        }
        let container = Container {
            is_object,
            start,
            within,
            key: None,
            elements: 0,
            named: None,
            value: None,
            has_logprob: None,
        };
        self.open.push(container);
    }

    fn end(&mut self) {
        let Some(Container { is_object, elements, named: Some(named), value: Some(value), .. }) =
            self.open.pop()
        else {
            return;
        };
        let name = self.json.get(named).unwrap_or_default();
        let is_credential =
            if is_object { credential(name).is_some() } else { elements == 2 && is_header(name) };
        if is_credential {
            self.found.push(value);
        }
    }

    fn string(&mut self, inside: Range<usize>, whole: Option<Credential>) {
        if let Some(container) = self.open.last_mut()
            && container.is_object
            && container.key.is_none()
        {
            container.key = Some(inside);
            return;
        }
        let known = self.known(whole);
        if known.is_some()
            && !inside.is_empty()
            && !self.is_log_probability()
            && !self.is_working_directory(&inside)
        {
            self.found.push(inside);
            return;
        }
        self.remember(&inside);
        let Some(text) = self.json.get(inside.clone()) else { return };
        if is_structured(text) || self.key().is_some_and(is_connection_string) {
            find_in_structure(self.json, inside, &mut self.found);
        } else {
            find_assigned(self.json, inside.clone(), &mut self.found);
            find_in_urls(self.json, inside, &mut self.found);
        }
    }

    fn number(&mut self, digits: Range<usize>, whole: Option<Credential>) {
        if self.known(whole) == Some(Credential::Secret) {
            self.numbers.push(digits);
        }
    }

    /// Whether the value that comes next is a credential.
    fn known(&self, whole: Option<Credential>) -> Option<Credential> {
        match self.open.last() {
            Some(container) => container.within.or_else(|| self.key().and_then(credential)),
            None => whole,
        }
    }

    fn key(&self) -> Option<&str> {
        self.json.get(self.open.last()?.key.clone()?)
    }

    /// Keeps a string that may be the name, or the value, of a pair.
    fn remember(&mut self, inside: &Range<usize>) {
        let key = self.open.last().and_then(|container| self.json.get(container.key.clone()?));
        let is = |key: &str, words: &[&str]| words.iter().any(|word| key.eq_ignore_ascii_case(word));
        let is_name = key.map(|key| (is(key, &["name", "key", "header"]), is(key, &["value", "val"])));
        let Some(container) = self.open.last_mut() else { return };
        container.elements += 1;
        let is_name = match is_name {
            Some((true, _)) => true,
            Some((_, true)) => false,
            Some(_) => return,
            None => container.elements == 1,
        };
        let place = if is_name { &mut container.named } else { &mut container.value };
        *place = Some(inside.clone());
    }

    /// Whether an object describes a field, and does not hold it.
    fn is_schema(&self, start: usize) -> bool {
        keys(self.json, start).any(|(key, behind)| is_keyword(key, behind))
    }

    /// Whether the string is the other thing that is called so: `PWD=/home/me`.
    fn is_working_directory(&self, inside: &Range<usize>) -> bool {
        let text = self.json.get(inside.clone()).unwrap_or_default();
        text.starts_with('/') && self.key().is_some_and(|key| key.to_ascii_lowercase().ends_with("pwd"))
    }

    /// Whether the string is a word that a model chose: `{"token": "Hel", "logprob": -0.1}`.
    fn is_log_probability(&mut self) -> bool {
        if self.key() != Some("token") {
            return false;
        }
        let json = self.json;
        let Some(container) = self.open.last_mut() else { return false };
        let start = container.start;
        *container.has_logprob.get_or_insert_with(|| keys(json, start).any(|(key, _)| key == "logprob"))
    }
}

/// Keys whose text is a list of settings.
fn is_connection_string(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    ["dsn", "connection_string", "connectionstring", "connection", "conn_str", "connstr"]
        .iter()
        .any(|end| key.ends_with(end))
}

/// The keys of the object that begins at `start`, not those of objects in it, each with the text behind it.
fn keys(json: &str, start: usize) -> impl Iterator<Item = (&str, &str)> {
    let bytes = json.as_bytes();
    let (mut at, mut depth, mut expects_key) = (start, 0_usize, false);
    std::iter::from_fn(move || {
        loop {
            let byte = *bytes.get(at)?;
            at += 1;
            match byte {
                b'{' | b'[' => {
                    depth += 1;
                    expects_key = depth == 1;
                }
                b'}' | b']' => {
                    depth = depth.checked_sub(1)?;
                    if depth == 0 {
                        return None;
                    }
                }
                b',' => expects_key = depth == 1,
                b'"' => {
                    let inside = at..string_end(json, at);
                    at = inside.end + 1;
                    if std::mem::take(&mut expects_key) {
                        return json.get(inside).zip(json.get(at..));
                    }
                }
                _ => {}
            }
        }
    })
}

/// Where the string ends that begins at `from`, at its closing quote.
///
/// The standard library's search is fast in debug builds too, where a loop over bytes is not.
fn string_end(json: &str, from: usize) -> usize {
    let mut at = from;
    while let Some(quote) = json.get(at..).and_then(|rest| rest.find('"')) {
        let text = json.as_bytes().get(at..at + quote).unwrap_or_default();
        let backslashes = text.iter().rev().take_while(|byte| **byte == b'\\').count();
        if backslashes % 2 == 0 {
            return at + quote;
        }
        at += quote + 1;
    }
    json.len()
}

fn is_numeric(bytes: &[u8], at: usize) -> bool {
    bytes.get(at).is_some_and(|b| matches!(b, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masked(json: &str) -> String {
        mask_json(None, json).unwrap_or_else(|| json.to_owned())
    }

    #[test]
    fn values_under_names_of_credentials_are_masked_wherever_they_are() {
        for (json, expected) in [
            (r#"{"api_key":"sk","model":"m"}"#, r#"{"api_key":"[masked]","model":"m"}"#),
            (
                r#"{"a":[{"headers":{"Authorization":"Bearer x"}}]}"#,
                r#"{"a":[{"headers":{"Authorization":"[masked]"}}]}"#,
            ),
            (
                r#"{"authorization":{"type":"bearer","value":"x"}}"#,
                r#"{"authorization":{"type":"[masked]","value":"[masked]"}}"#,
            ),
            (
                r#"{"password":1234,"secret":[1,"a",{"b":"c"}]}"#,
                r#"{"password":"[masked]","secret":["[masked]","[masked]",{"b":"[masked]"}]}"#,
            ),
            (
                r#"[["authorization","Bearer x"],["accept","*/*"]]"#,
                r#"[["authorization","[masked]"],["accept","*/*"]]"#,
            ),
            (
                r#"[{"name":"x-api-key","value":"k"},{"value":"k","name":"cookie"}]"#,
                r#"[{"name":"x-api-key","value":"[masked]"},{"value":"[masked]","name":"cookie"}]"#,
            ),
            (
                r#"{"arguments":"{\"token\": \"abc\", \"n\": 1}"}"#,
                r#"{"arguments":"{\"token\": \"[masked]\", \"n\": 1}"}"#,
            ),
            (
                r#"{"client":"Client { headers: {\"authorization\": \"Bearer x\"} }"}"#,
                r#"{"client":"Client { headers: {\"authorization\": \"[masked]\"} }"}"#,
            ),
            (
                r#"{"url":"postgres://me:pw@db/x?sslpassword=p"}"#,
                r#"{"url":"postgres://me:[masked]@db/x?sslpassword=[masked]"}"#,
            ),
            (
                r#"{"headers":["Authorization: Bearer x"],"env":["API_KEY=k","HOME=/x"]}"#,
                r#"{"headers":["Authorization: [masked]"],"env":["API_KEY=[masked]","HOME=/x"]}"#,
            ),
            (
                r#"{"file":"PORT=80\nAPI_KEY=k\nexport DB_URL=postgres://me:pw@db/x\nA_TOKEN=\"t\""}"#,
                r#"{"file":"PORT=80\nAPI_KEY=[masked]\nexport DB_URL=postgres://me:[masked]@db/x\nA_TOKEN=[masked]"}"#,
            ),
            (
                r#"{"connection_string":"Server=db;Password=pw"}"#,
                r#"{"connection_string":"Server=db;Password=[masked]"}"#,
            ),
        ] {
            assert_eq!(masked(json), expected);
        }
        assert_eq!(mask_json(Some("api_key"), r#""sk""#).as_deref(), Some(r#""[masked]""#));
        assert_eq!(mask_json(Some("password"), "12").as_deref(), Some(r#""[masked]""#));
    }

    #[test]
    fn what_is_no_credential_stays_byte_for_byte() {
        for json in [
            r#"{"max_tokens":5,"token":7,"cookies":3,"password":null,"secret":true,"api_key":""}"#,
            r#"{"messages":[{"role":"user","content":"my password: hunter2, token=abc"}]}"#,
            r#"{"properties":{"password":{"type":"string","description":"of the user"}}}"#,
            r#"{"api_key":{"description":"of the user","type":["STRING","null"]}}"#,
            r#"{"content":[{"token":"Hel","logprob":-0.1,"bytes":[72]}]}"#,
            r#"{"name":"password","age":3}"#,
            r#"["token","secret"]"#,
            r#"{"usage":"{\"input_tokens\": 5}","link":"https://example.com/?page_token=2"}"#,
            "",
            "\"",
            "{",
        ] {
            assert_eq!(mask_json(None, json), None, "{json}");
        }
    }

    proptest::proptest! {
        #[test]
        fn masked_json_is_still_json_with_the_same_keys(json in arbitrary_json()) {
            let text = json.to_string();
            let masked: serde_json::Value = serde_json::from_str(&masked(&text)).unwrap();
            proptest::prop_assert_eq!(shape(&masked), shape(&json));
        }

        #[test]
        fn any_bytes_are_survived(text in r#"(?s)([{}\[\]:,"\\a1 é]|"token"|"api_key":){0,30}"#) {
            let _ = mask_json(None, &text);
        }
    }

    fn arbitrary_json() -> impl proptest::strategy::Strategy<Value = serde_json::Value> {
        use proptest::prelude::*;

        let text = r#"(token|api_key|cookie|name|value|x|https://a:b@c/?token=d|\{"secret": "é\\n"\}|X \{ password: 1 \})?[a-z"\\é]{0,3}"#;
        let leaf = prop_oneof![
            Just(serde_json::Value::Null),
            any::<i32>().prop_map(Into::into),
            text.prop_map(Into::into)
        ];
        leaf.prop_recursive(4, 32, 4, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Into::into),
                prop::collection::vec((text, inner), 0..4)
                    .prop_map(|fields| serde_json::Value::Object(fields.into_iter().collect())),
            ]
        })
    }

    /// Keys and nesting, without values.
    fn shape(json: &serde_json::Value) -> String {
        match json {
            serde_json::Value::Array(elements) => {
                format!("{:?}", elements.iter().map(shape).collect::<Vec<_>>())
            }
            serde_json::Value::Object(fields) => {
                format!("{:?}", fields.iter().map(|(key, value)| (key, shape(value))).collect::<Vec<_>>())
            }
            _ => String::new(),
        }
    }
}
