//! What was captured of a span, as a log of entries in one run of bytes.
//!
//! The traced thread only appends. Which entry wins is worked out on the sender's thread.
//!
//! ```text
//! ┌─────┬──────────┬─────────┐┌─────┬──────────┬─────────┐
//! │ tag │ u32 size │ payload ││ tag │ u32 size │ payload │ …
//! └─────┴──────────┴─────────┘└─────┴──────────┴─────────┘
//! ```

use super::{SpanStatus, Usage, short};

const TAG_SIZE: usize = 1;
const HEADER_SIZE: usize = TAG_SIZE + 4;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
enum Tag {
    Name,
    Arguments,
    Returned,
    Input,
    Output,
    Metadata,
    Label,
    Status,
    Error,
    Model,
    RequestedModel,
    Provider,
    ReasoningEffort,
    Usage,
}

impl Tag {
    const ALL: [Self; 14] = [
        Self::Name,
        Self::Arguments,
        Self::Returned,
        Self::Input,
        Self::Output,
        Self::Metadata,
        Self::Label,
        Self::Status,
        Self::Error,
        Self::Model,
        Self::RequestedModel,
        Self::Provider,
        Self::ReasoningEffort,
        Self::Usage,
    ];
}

/// One fact about a span.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Entry<'a> {
    /// A name given at run time; replaces the call site's.
    Name(&'a str),
    /// A JSON object of the arguments, taken by an attribute.
    Arguments(&'a str),
    /// JSON of the returned value, taken by an attribute.
    Returned(&'a str),
    /// JSON given by the user; replaces the arguments.
    Input(&'a str),
    /// JSON given by the user; replaces the returned value.
    Output(&'a str),
    Metadata {
        key: &'a str,
        json: &'a str,
    },
    Label(&'a str),
    /// An empty message leaves an earlier one as it is.
    Status(SpanStatus, &'a str),
    Error {
        type_name: &'a str,
        message: Option<&'a str>,
    },
    Model(&'a str),
    RequestedModel(&'a str),
    Provider(&'a str),
    ReasoningEffort(&'a str),
    Usage(Usage),
}

/// The growing log of one span.
#[derive(Debug, Default)]
pub(crate) struct EntryBuf {
    bytes: Vec<u8>,
}

/// Where an entry that is still being written began.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Begun {
    header: usize,
}

impl EntryBuf {
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The bytes, to write the payload of a begun entry behind its header.
    #[inline]
    pub(crate) fn payload(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    pub(crate) fn extend(&mut self, log: &[u8]) {
        self.bytes.extend_from_slice(log);
    }

    pub(crate) fn push(&mut self, entry: &Entry<'_>) {
        match *entry {
            Entry::Name(text) => self.short(Tag::Name, text),
            Entry::Arguments(json) => self.text(Tag::Arguments, json),
            Entry::Returned(json) => self.text(Tag::Returned, json),
            Entry::Input(json) => self.text(Tag::Input, json),
            Entry::Output(json) => self.text(Tag::Output, json),
            Entry::Metadata { key, json } => self.pair(Tag::Metadata, &short(key), json),
            Entry::Label(label) => self.short(Tag::Label, label),
            Entry::Status(status, message) => {
                let begun = self.begin(Tag::Status);
                self.bytes.push(status_code(status));
                self.bytes.extend_from_slice(message.as_bytes());
                self.end(begun);
            }
            Entry::Error { type_name, message: Some(message) } => {
                self.pair(Tag::Error, &short(type_name), message);
            }
            Entry::Error { type_name, message: None } => {
                let begun = self.begin(Tag::Error);
                self.bytes.extend_from_slice(&u32::MAX.to_le_bytes());
                self.bytes.extend_from_slice(short(type_name).as_bytes());
                self.end(begun);
            }
            Entry::Model(model) => self.short(Tag::Model, model),
            Entry::RequestedModel(model) => self.short(Tag::RequestedModel, model),
            Entry::Provider(provider) => self.short(Tag::Provider, provider),
            Entry::ReasoningEffort(effort) => self.short(Tag::ReasoningEffort, effort),
            Entry::Usage(usage) => {
                let begun = self.begin(Tag::Usage);
                for tokens in [usage.input_tokens, usage.output_tokens, usage.total_tokens] {
                    self.bytes.extend_from_slice(&tokens.to_le_bytes());
                }
                self.end(begun);
            }
        }
    }

    #[inline]
    pub(crate) fn begin_arguments(&mut self) -> Begun {
        self.begin(Tag::Arguments)
    }

    #[inline]
    pub(crate) fn begin_returned(&mut self) -> Begun {
        self.begin(Tag::Returned)
    }

    pub(crate) fn begin_input(&mut self) -> Begun {
        self.begin(Tag::Input)
    }

    pub(crate) fn begin_output(&mut self) -> Begun {
        self.begin(Tag::Output)
    }

    /// What is written next is the value, as JSON.
    pub(crate) fn begin_metadata(&mut self, key: &str) -> Begun {
        let key = short(key);
        let begun = self.begin(Tag::Metadata);
        self.bytes.extend_from_slice(&size(key.len()).to_le_bytes());
        self.bytes.extend_from_slice(key.as_bytes());
        begun
    }

    #[inline]
    pub(crate) fn end(&mut self, begun: Begun) {
        let payload = size(self.bytes.len() - begun.header - HEADER_SIZE);
        let at = begun.header + TAG_SIZE;
        if let Some(place) = self.bytes.get_mut(at..at + 4) {
            place.copy_from_slice(&payload.to_le_bytes());
        }
    }

    /// Takes back an entry that was begun.
    pub(crate) fn cancel(&mut self, begun: Begun) {
        self.bytes.truncate(begun.header);
    }

    #[inline]
    fn begin(&mut self, tag: Tag) -> Begun {
        let header = self.bytes.len();
        self.bytes.extend_from_slice(&[tag as u8, 0, 0, 0, 0]);
        Begun { header }
    }

    /// An identifier or name.
    fn short(&mut self, tag: Tag, text: &str) {
        self.text(tag, &short(text));
    }

    fn text(&mut self, tag: Tag, text: &str) {
        let begun = self.begin(tag);
        self.bytes.extend_from_slice(text.as_bytes());
        self.end(begun);
    }

    fn pair(&mut self, tag: Tag, first: &str, second: &str) {
        let begun = self.begin(tag);
        self.bytes.extend_from_slice(&size(first.len()).to_le_bytes());
        self.bytes.extend_from_slice(first.as_bytes());
        self.bytes.extend_from_slice(second.as_bytes());
        self.end(begun);
    }
}

/// Sizes stay far below 4 GiB: every field is capped before it gets here.
#[inline]
fn size(len: usize) -> u32 {
    u32::try_from(len).unwrap_or(u32::MAX - 1)
}

const fn status_code(status: SpanStatus) -> u8 {
    match status {
        SpanStatus::Ok => 0,
        SpanStatus::Error => 1,
        SpanStatus::Timeout => 2,
    }
}

/// Reads a log back, oldest entry first. Stops at the first byte that no [`EntryBuf`] wrote.
#[derive(Clone, Debug)]
pub(crate) struct Entries<'a> {
    rest: &'a [u8],
}

impl<'a> Entries<'a> {
    pub(crate) const fn new(log: &'a [u8]) -> Self {
        Self { rest: log }
    }

    fn read(&mut self) -> Option<Entry<'a>> {
        let (tag, rest) = self.rest.split_first()?;
        let (payload, rest) = split_sized(rest)?;
        self.rest = rest;
        let text = || std::str::from_utf8(payload).ok();
        let entry = match Tag::ALL.into_iter().find(|known| *known as u8 == *tag)? {
            Tag::Name => Entry::Name(text()?),
            Tag::Arguments => Entry::Arguments(text()?),
            Tag::Returned => Entry::Returned(text()?),
            Tag::Input => Entry::Input(text()?),
            Tag::Output => Entry::Output(text()?),
            Tag::Metadata => {
                let (key, json) = split_pair(payload)?;
                Entry::Metadata { key, json }
            }
            Tag::Label => Entry::Label(text()?),
            Tag::Status => {
                let (code, message) = payload.split_first()?;
                let status = [SpanStatus::Ok, SpanStatus::Error, SpanStatus::Timeout]
                    .into_iter()
                    .find(|status| status_code(*status) == *code)?;
                Entry::Status(status, std::str::from_utf8(message).ok()?)
            }
            Tag::Error => match payload.strip_prefix(&u32::MAX.to_le_bytes()) {
                Some(type_name) => {
                    Entry::Error { type_name: std::str::from_utf8(type_name).ok()?, message: None }
                }
                None => {
                    let (type_name, message) = split_pair(payload)?;
                    Entry::Error { type_name, message: Some(message) }
                }
            },
            Tag::Model => Entry::Model(text()?),
            Tag::RequestedModel => Entry::RequestedModel(text()?),
            Tag::Provider => Entry::Provider(text()?),
            Tag::ReasoningEffort => Entry::ReasoningEffort(text()?),
            Tag::Usage => {
                let mut tokens =
                    payload.chunks_exact(8).map(|chunk| chunk.try_into().map(u64::from_le_bytes));
                let mut next = || tokens.next()?.ok();
                Entry::Usage(Usage::new(next()?, next()?).with_total(next()?))
            }
        };
        Some(entry)
    }
}

impl<'a> Iterator for Entries<'a> {
    type Item = Entry<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        self.read()
    }
}

fn split_sized(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (size, rest) = bytes.split_first_chunk::<4>()?;
    rest.split_at_checked(usize::try_from(u32::from_le_bytes(*size)).ok()?)
}

fn split_pair(bytes: &[u8]) -> Option<(&str, &str)> {
    let (first, second) = split_sized(bytes)?;
    Some((std::str::from_utf8(first).ok()?, std::str::from_utf8(second).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_entry_reads_back_in_order() {
        let entries = [
            Entry::Name("n"),
            Entry::Arguments("{}"),
            Entry::Returned("1"),
            Entry::Input("[]"),
            Entry::Output("null"),
            Entry::Metadata { key: "k", json: "{\"a\":1}" },
            Entry::Label("t"),
            Entry::Status(SpanStatus::Timeout, "took too long"),
            Entry::Status(SpanStatus::Ok, ""),
            Entry::Error { type_name: "E", message: Some("") },
            Entry::Error { type_name: "E", message: None },
            Entry::Model("m"),
            Entry::RequestedModel("r"),
            Entry::Provider("p"),
            Entry::ReasoningEffort("low"),
            Entry::Usage(Usage::new(1, 2).with_total(4)),
        ];
        let mut log = EntryBuf::default();
        for entry in &entries {
            log.push(entry);
        }
        assert_eq!(Entries::new(log.as_bytes()).collect::<Vec<_>>(), entries);
    }

    #[test]
    fn an_entry_in_parts_can_be_ended_or_taken_back() {
        let mut log = EntryBuf::default();
        let begun = log.begin_metadata("k");
        log.payload().extend_from_slice(b"1");
        log.end(begun);
        let begun = log.begin_returned();
        log.payload().extend_from_slice(b"half");
        log.cancel(begun);
        assert_eq!(
            Entries::new(log.as_bytes()).collect::<Vec<_>>(),
            [Entry::Metadata { key: "k", json: "1" }]
        );
    }

    proptest::proptest! {
        #[test]
        fn reading_stops_at_bytes_that_are_no_log(bytes: Vec<u8>) {
            let read = Entries::new(&bytes).count();
            proptest::prop_assert!(read <= bytes.len());
        }
    }
}
