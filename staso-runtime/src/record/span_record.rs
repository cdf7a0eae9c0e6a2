use std::{borrow::Cow, fmt, ops::Range, sync::Arc, time::Duration, time::SystemTime};

use super::{
    CallSite, Entries, Entry, EntryBuf, Finished, GitFacts, Name, Resource, SpanId, SpanKind, SpanStatus,
    TraceId, Usage, clock::WallTime, short, short::SHORT,
};
use crate::{
    capture::Policy,
    credentials::{mask_json, mask_text},
    queue::Item as _,
};

/// A span as an exporter sees it: one that ended, or the announcement of a root that still runs.
///
/// Texts that a span carries are the user's, and hostile when shown: escape them for where they go.
#[derive(Clone)]
pub struct SpanRecord {
    site: &'static CallSite,
    trace_id: TraceId,
    span_id: SpanId,
    parent: Option<SpanId>,
    remote_parent: bool,
    started: WallTime,
    duration: Duration,
    agent: Option<Name>,
    conversation: Option<Arc<super::Conversation>>,
    log: Box<[u8]>,
    provisional: bool,
    announced: bool,
    resource: Arc<Resource>,
    policy: Policy,
    facts: Facts,
    queue_cost: u64,
}

/// Which entries of the log won, as ranges of its bytes.
#[derive(Clone, Default)]
struct Facts {
    name: Option<Range<usize>>,
    arguments: Option<Range<usize>>,
    returned: Option<Range<usize>>,
    input: Option<Range<usize>>,
    output: Option<Range<usize>>,
    metadata: Vec<(Range<usize>, Range<usize>)>,
    tags: Vec<Range<usize>>,
    status: SpanStatus,
    message: Option<Range<usize>>,
    exception: Option<Range<usize>>,
    model: Option<Range<usize>>,
    requested_model: Option<Range<usize>>,
    first_model: Option<Range<usize>>,
    provider: Option<Range<usize>>,
    reasoning_effort: Option<Range<usize>>,
    usage: Option<Usage>,
}

impl SpanRecord {
    pub(crate) fn new(finished: Finished, resource: Arc<Resource>, policy: Policy) -> Self {
        let queue_cost = finished.size();
        let finished = finished.cut();
        let finished = if policy.masks_credentials() { without_credentials(finished) } else { finished };
        let facts = Facts::of(&finished.log);
        let Finished {
            site,
            trace_id,
            span_id,
            parent,
            remote_parent,
            started,
            duration,
            agent,
            conversation,
            log,
            provisional,
            announced,
        } = finished;
        Self {
            site,
            trace_id,
            span_id,
            parent,
            remote_parent,
            started,
            duration: duration.into(),
            agent,
            conversation,
            log,
            provisional,
            announced,
            resource,
            policy,
            facts,
            queue_cost,
        }
    }

    /// The trace it belongs to.
    #[must_use]
    pub fn trace_id(&self) -> TraceId {
        self.trace_id
    }

    /// Its own identifier, unique in the trace.
    #[must_use]
    pub fn span_id(&self) -> SpanId {
        self.span_id
    }

    /// The span it was opened in; `None` for the root of a trace.
    #[must_use]
    pub fn parent_span_id(&self) -> Option<SpanId> {
        self.parent
    }

    /// Whether it is the outermost span of this process: the root of its trace, or one whose parent is a
    /// span of another process.
    #[must_use]
    pub fn is_local_root(&self) -> bool {
        self.parent.is_none() || self.remote_parent
    }

    /// The function's or the given name, or `"<kind> span"` where the capture policy suppresses names.
    #[must_use]
    pub fn name(&self) -> &str {
        if self.policy.hides_name(self.kind()) {
            self.kind().suppressed_name()
        } else {
            self.text(&self.facts.name).unwrap_or(self.site.name)
        }
    }

    /// What it stands for.
    #[must_use]
    pub fn kind(&self) -> SpanKind {
        self.site.kind
    }

    /// When it began, by the wall clock as its root read it.
    #[must_use]
    pub fn started_at(&self) -> SystemTime {
        self.started.to_system_time()
    }

    pub(crate) fn started(&self) -> WallTime {
        self.started
    }

    /// How long it ran, by the monotonic clock. Zero while [`provisional`](Self::is_provisional).
    #[must_use]
    pub fn duration(&self) -> Duration {
        self.duration
    }

    /// Whether this announces a root that still runs; a record with the same ids follows when it ends.
    #[must_use]
    pub fn is_provisional(&self) -> bool {
        self.provisional
    }

    /// How it ended.
    #[must_use]
    pub fn status(&self) -> SpanStatus {
        self.facts.status
    }

    /// The error's text, or the description given with a status.
    #[must_use]
    pub fn error_message(&self) -> Option<&str> {
        self.text(&self.facts.message)
    }

    /// The type of the error without its module; `panic` and `cancelled` for those.
    #[must_use]
    pub fn exception_type(&self) -> Option<&str> {
        self.text(&self.facts.exception)
    }

    /// What went in, as JSON text: an object of the arguments, or what was set.
    #[must_use]
    pub fn input(&self) -> Option<Cow<'_, str>> {
        if self.facts.input.is_some() {
            return self.text(&self.facts.input).map(Cow::Borrowed);
        }
        let arguments = self.text(&self.facts.arguments)?;
        let names_agent = self.kind() == SpanKind::Agent && self.site.states_name();
        Some(if names_agent { with_agent_name(arguments, self.name()) } else { Cow::Borrowed(arguments) })
    }

    /// What came out, as JSON text: `{"result": …}`, or what was set.
    #[must_use]
    pub fn output(&self) -> Option<Cow<'_, str>> {
        if self.facts.output.is_some() {
            return self.text(&self.facts.output).map(Cow::Borrowed);
        }
        let returned = self.text(&self.facts.returned)?;
        Some(Cow::Owned(format!("{{\"result\":{returned}}}")))
    }

    /// Keys and JSON texts that were set, in the order in which their keys first were; the last value wins.
    pub fn metadata(&self) -> impl Iterator<Item = (&str, &str)> {
        self.facts.metadata.iter().filter_map(|(key, json)| Some((self.slice(key)?, self.slice(json)?)))
    }

    /// The JSON text of one metadata value.
    #[must_use]
    pub fn metadata_value(&self, key: &str) -> Option<&str> {
        self.metadata().find_map(|(known, json)| (known == key).then_some(json))
    }

    /// Labels of the call site, then those that were added, each once.
    pub fn tags(&self) -> impl Iterator<Item = &str> {
        let site = if self.policy.hides_metadata() { &[] } else { self.site.tags };
        // Longer ones were cut, and are among those that were added.
        site.iter()
            .copied()
            .filter(|tag| tag.len() <= SHORT)
            .chain(self.facts.tags.iter().filter_map(|tag| self.slice(tag)).filter(|tag| !site.contains(tag)))
    }

    /// The model that answered.
    #[must_use]
    pub fn model(&self) -> Option<&str> {
        self.text(&self.facts.model)
    }

    /// The model that was asked for; unless set, the first that was set as [`model`](Self::model).
    #[must_use]
    pub fn requested_model(&self) -> Option<&str> {
        self.text(&self.facts.requested_model).or_else(|| self.text(&self.facts.first_model))
    }

    /// Who serves the model, such as `openai`.
    #[must_use]
    pub fn provider(&self) -> Option<Cow<'_, str>> {
        self.text(&self.facts.provider).map(Cow::Borrowed).or_else(|| {
            let json = self.metadata_value("provider")?;
            let name = serde_json::from_str::<String>(json).map_or(Cow::Borrowed(json), Cow::Owned);
            Some(if name.len() > SHORT { Cow::Owned(short(&name).into_owned()) } else { name })
        })
    }

    /// The effort that was asked of a reasoning model.
    #[must_use]
    pub fn reasoning_effort(&self) -> Option<&str> {
        self.text(&self.facts.reasoning_effort)
    }

    /// Tokens, where they are known.
    #[must_use]
    pub fn usage(&self) -> Option<Usage> {
        self.facts.usage
    }

    /// The innermost agent around it, else the client's.
    #[must_use]
    pub fn agent_name(&self) -> &str {
        self.agent.as_ref().map_or(&self.resource.agent_name, Name::as_str)
    }

    /// The client's label for the agent's version; may be empty.
    #[must_use]
    pub fn agent_version(&self) -> &str {
        &self.resource.agent_version
    }

    /// The conversation it belongs to, else the client's process-wide one.
    #[must_use]
    pub fn conversation_id(&self) -> &str {
        self.conversation.as_ref().map_or(&self.resource.session_id, |conversation| &conversation.id)
    }

    /// Whether it belongs to a conversation that was opened, not to the process-wide one.
    #[must_use]
    pub fn in_conversation(&self) -> bool {
        self.conversation.is_some()
    }

    /// The end user of the conversation.
    #[must_use]
    pub fn user_id(&self) -> Option<&str> {
        self.conversation.as_ref()?.user_id.as_deref()
    }

    /// Where it lands: a label such as `prod`.
    #[must_use]
    pub fn environment(&self) -> &str {
        &self.resource.environment
    }

    /// The workspace of the organization.
    #[must_use]
    pub fn workspace(&self) -> &str {
        &self.resource.workspace
    }

    /// The commit of the program, on root spans, once known.
    #[must_use]
    pub fn git(&self) -> Option<&GitFacts> {
        if self.parent.is_some() { None } else { self.resource.git.get() }
    }

    /// Where in the source it was opened: file, line and function. `None` for spans built by hand.
    #[must_use]
    pub fn source(&self) -> Option<(&'static str, u32, &'static str)> {
        (!self.site.file.is_empty()).then_some((self.site.file, self.site.line, self.site.function))
    }

    /// Whether it goes before the spans inside it: a root whose announcement would have been first.
    pub(crate) fn goes_first(&self) -> bool {
        self.parent.is_none() && self.site.is_function() && (self.provisional || !self.announced)
    }

    /// Whether an attribute on a function made it.
    pub(crate) fn is_function(&self) -> bool {
        self.site.is_function()
    }

    /// Whether it adds its name to what it carries, as agents and tools do.
    pub(crate) fn states_name(&self) -> bool {
        self.site.states_name()
    }

    /// The name in the source, which no policy hides: the wire keeps it as `tool_name`.
    pub(crate) fn own_name(&self) -> &str {
        self.text(&self.facts.name).unwrap_or(self.site.name)
    }

    /// What it cost the queue.
    pub(crate) fn queue_cost(&self) -> u64 {
        self.queue_cost
    }

    pub(crate) fn policy(&self) -> Policy {
        self.policy
    }

    fn text(&self, range: &Option<Range<usize>>) -> Option<&str> {
        self.slice(range.as_ref()?)
    }

    fn slice(&self, range: &Range<usize>) -> Option<&str> {
        std::str::from_utf8(self.log.get(range.clone())?).ok()
    }
}

/// The same span with its credentials masked. Only one that carries some pays for a new log.
fn without_credentials(finished: Finished) -> Finished {
    if !Entries::new(&finished.log).any(|entry| masked(entry).is_some()) {
        return finished;
    }
    let mut log = EntryBuf::default();
    for entry in Entries::new(&finished.log) {
        let masked = masked(entry);
        log.push(&masked.as_deref().map_or(entry, |text| with_text(entry, text)));
    }
    Finished { log: log.as_bytes().into(), ..finished }
}

/// The text of an entry without its credentials. `None` when there are none in it.
fn masked(entry: Entry<'_>) -> Option<String> {
    match entry {
        Entry::Arguments(json) | Entry::Returned(json) | Entry::Input(json) | Entry::Output(json) => {
            mask_json(None, json)
        }
        Entry::Metadata { key, json } => mask_json(Some(key), json),
        Entry::Status(_, message) | Entry::Error { message: Some(message), .. } => mask_text(message),
        _ => None,
    }
}

/// The same entry with another text, where [`masked`] gives one.
fn with_text<'a>(entry: Entry<'a>, text: &'a str) -> Entry<'a> {
    match entry {
        Entry::Arguments(_) => Entry::Arguments(text),
        Entry::Returned(_) => Entry::Returned(text),
        Entry::Input(_) => Entry::Input(text),
        Entry::Output(_) => Entry::Output(text),
        Entry::Metadata { key, .. } => Entry::Metadata { key, json: text },
        Entry::Status(status, _) => Entry::Status(status, text),
        Entry::Error { type_name, .. } => Entry::Error { type_name, message: Some(text) },
        other => other,
    }
}

impl fmt::Debug for SpanRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SpanRecord")
            .field("name", &self.name())
            .field("kind", &self.kind())
            .field("trace_id", &self.trace_id)
            .field("span_id", &self.span_id)
            .field("parent_span_id", &self.parent)
            .field("status", &self.status())
            .finish_non_exhaustive()
    }
}

impl Facts {
    fn of(log: &[u8]) -> Self {
        let base = log.as_ptr().addr();
        let range = |text: &str| {
            let start = text.as_ptr().addr() - base;
            start..start + text.len()
        };
        let mut facts = Self::default();
        for entry in Entries::new(log) {
            match entry {
                Entry::Name(name) => facts.name = Some(range(name)),
                Entry::Arguments(json) => facts.arguments = Some(range(json)),
                Entry::Returned(json) => facts.returned = Some(range(json)),
                Entry::Input(json) => facts.input = Some(range(json)),
                Entry::Output(json) => facts.output = Some(range(json)),
                Entry::Metadata { key, json } => {
                    let same = |(known, _): &&mut (Range<usize>, Range<usize>)| {
                        log.get(known.clone()) == Some(key.as_bytes())
                    };
                    match facts.metadata.iter_mut().find(same) {
                        Some((_, value)) => *value = range(json),
                        None => facts.metadata.push((range(key), range(json))),
                    }
                }
                Entry::Label(label) => {
                    let same = |known: &Range<usize>| log.get(known.clone()) == Some(label.as_bytes());
                    if !facts.tags.iter().any(same) {
                        facts.tags.push(range(label));
                    }
                }
                Entry::Status(status, message) => {
                    facts.status = status;
                    if !message.is_empty() {
                        facts.message = Some(range(message));
                    }
                }
                Entry::Error { type_name, message } => {
                    facts.status = SpanStatus::Error;
                    facts.exception = Some(range(type_name));
                    facts.message = message.map(range);
                }
                Entry::Model(model) => {
                    facts.first_model.get_or_insert(range(model));
                    facts.model = Some(range(model));
                }
                Entry::RequestedModel(model) => facts.requested_model = Some(range(model)),
                Entry::Provider(provider) => facts.provider = Some(range(provider)),
                Entry::ReasoningEffort(effort) => facts.reasoning_effort = Some(range(effort)),
                Entry::Usage(usage) => facts.usage = Some(usage),
            }
        }
        facts
    }
}

/// Input of an agent: its own name first, then the arguments.
fn with_agent_name<'a>(arguments: &'a str, name: &str) -> Cow<'a, str> {
    let Some(rest) = arguments.strip_prefix('{') else { return Cow::Borrowed(arguments) };
    let Ok(name) = serde_json::to_string(name) else { return Cow::Borrowed(arguments) };
    let comma = if rest == "}" { "" } else { "," };
    Cow::Owned(format!("{{\"agent_name\":{name}{comma}{rest}"))
}
