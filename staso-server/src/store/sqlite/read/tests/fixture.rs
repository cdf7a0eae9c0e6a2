//! Writes worlds into a database row by row, without regard to speed.

use std::collections::{BTreeMap, HashMap};

use rusqlite::{Connection, ToSql, params};

use crate::{
    model::{
        AgentRun, Batch, Cost, IncomingSpan, ModelUse, SpanId, Timestamp, Tokens, TraceId, TraceState,
        TraceStatus, WorkspaceId, summarize, supersedes,
    },
    store::{
        sqlite::{
            block, facets, latency,
            number::{Dimension, kind_number, span_status_number, status_number},
            pack::pack_id,
        },
        words,
    },
};

/// How text search knows a trace.
#[derive(Clone, Copy, Debug)]
pub(super) enum Indexed {
    /// By the index.
    Settled,
    /// Not by the index.
    Unsettled,
    /// By the index as it was, with other words.
    Stale,
}

pub(super) struct Fixture {
    pub(super) connection: Connection,
    terms: HashMap<String, i64>,
}

#[derive(Default)]
struct Trace {
    number: i64,
    environment: String,
    updated_at: Timestamp,
    spans: BTreeMap<SpanId, IncomingSpan>,
}

impl Fixture {
    pub(super) fn new(connection: Connection) -> Self {
        connection.execute_batch(include_str!("../../schema/001.sql")).unwrap();
        connection.execute("INSERT INTO workspace VALUES (2, 1, 'other', 0)", []).unwrap();
        Self { connection, terms: HashMap::from([(String::new(), 0)]) }
    }

    pub(super) fn write(&mut self, batches: Vec<Batch>, indexed: impl Fn(i64) -> Indexed) {
        let mut traces = BTreeMap::<(WorkspaceId, TraceId), Trace>::new();
        for batch in batches {
            for incoming in batch.traces {
                let number = traces.len() as i64 + 1;
                let trace = traces.entry((incoming.workspace, incoming.trace_id)).or_default();
                if trace.number == 0 {
                    trace.number = number;
                }
                trace.updated_at = trace.updated_at.max(batch.received_at);
                trace.environment = std::mem::take(&mut trace.environment).max(incoming.environment);
                for span in incoming.spans {
                    let known = trace.spans.get(&span.head.span_id);
                    if known.is_none_or(|known| {
                        supersedes((&span.head, span.record.get()), (&known.head, known.record.get()))
                    }) {
                        trace.spans.insert(span.head.span_id.clone(), span);
                    }
                }
            }
        }
        self.connection.execute_batch("BEGIN").unwrap();
        for ((workspace, id), trace) in &traces {
            self.write_trace(workspace.0, id, trace, indexed(trace.number));
        }
        self.connection.execute_batch("COMMIT").unwrap();
    }

    fn term(&mut self, text: &str) -> i64 {
        if let Some(number) = self.terms.get(text) {
            return *number;
        }
        let number = self.terms.len() as i64;
        self.insert("term", &[&number, &text]);
        self.terms.insert(text.to_owned(), number);
        number
    }

    fn insert(&self, table: &str, values: &[&dyn ToSql]) {
        let marks = vec!["?"; values.len()].join(", ");
        let mut statement =
            self.connection.prepare_cached(&format!("INSERT INTO {table} VALUES ({marks})")).unwrap();
        statement.execute(values).unwrap();
    }

    fn write_trace(&mut self, workspace: i64, id: &TraceId, trace: &Trace, indexed: Indexed) {
        let state = summarize(trace.spans.values().map(|span| &span.head)).unwrap();
        let number = trace.number;
        let mut values: Vec<(Dimension, i64)> = Vec::new();
        values.extend(state.runs.iter().map(|run| (Dimension::Agent, self.term(&run.agent))));
        values.extend(state.conversations.iter().map(|id| (Dimension::Conversation, self.term(id))));
        values.extend(state.users.iter().map(|id| (Dimension::User, self.term(id))));
        values.extend(state.kinds.iter().map(|kind| (Dimension::Kind, kind_number(*kind))));
        let mut models: Vec<&String> = state.models.iter().map(|usage| &usage.model).collect();
        models.sort_unstable();
        models.dedup();
        values.extend(models.into_iter().map(|model| (Dimension::Model, self.term(model))));
        values.extend(state.tags.iter().map(|tag| (Dimension::Tag, self.term(tag))));
        values.push((Dimension::Environment, self.term(&trace.environment)));
        values.push((Dimension::Status, status_number(state.status)));
        for (dimension, value) in &values {
            let (dimension, started_at) = (*dimension as i64, state.started_at.as_micros());
            self.insert("facet", &[&workspace, &dimension, value, &started_at, &number]);
            let sql =
                "INSERT INTO facet_value VALUES (?, ?, ?, 1) ON CONFLICT DO UPDATE SET traces = traces + 1";
            let mut statement = self.connection.prepare_cached(sql).unwrap();
            statement.execute((workspace, dimension, value)).unwrap();
        }
        let name = self.term(&state.name);
        let environment = self.term(&trace.environment);
        let unsettled = if matches!(indexed, Indexed::Settled) { None } else { Some(1) };
        self.insert(
            "trace",
            params![
                number,
                workspace,
                pack_id(id.as_str()),
                number,
                name,
                environment,
                status_number(state.status),
                state.started_at.as_micros(),
                state.duration_micros as i64,
                state.spans as i64,
                state.errors as i64,
                state.tokens.input as i64,
                state.tokens.output as i64,
                state.tokens.total as i64,
                state.cost.nano_usd as i64,
                state.cost.priced as i64,
                state.cost.unpriced as i64,
                trace.updated_at.as_micros(),
                facets::encode(&values),
                unsettled,
            ],
        );
        self.write_spans(trace);
        self.write_words(trace, indexed);
        self.write_facts(workspace, trace, &state);
        for id in &state.conversations {
            self.write_conversation(workspace, id, &state);
        }
    }

    fn write_spans(&mut self, trace: &Trace) {
        let mut records: Vec<&str> = trace.spans.values().map(|span| span.record.get()).collect();
        records.insert(0, r#"{"name":"superseded"}"#);
        let data = block::encode(&records).unwrap();
        self.insert("block", params![trace.number, trace.number, data]);
        for (position, span) in trace.spans.values().enumerate() {
            let head = &span.head;
            let cost = match head.cost {
                Cost { priced: 1, nano_usd, .. } => Some(nano_usd as i64),
                Cost { unpriced: 1, .. } => Some(-1),
                _ => None,
            };
            let texts = [&head.name, &head.agent, &head.conversation_id, &head.user_id, &head.model];
            let [name, agent, conversation, user, model] = texts.map(|text| self.term(text));
            self.insert(
                "span",
                params![
                    trace.number,
                    pack_id(head.span_id.as_str()),
                    head.parent_span_id.as_ref().map(|id| pack_id(id.as_str())),
                    trace.number,
                    position as i64 + 1,
                    name,
                    kind_number(head.kind),
                    head.started_at.as_micros(),
                    head.duration_micros as i64,
                    span_status_number(head.status, head.provisional),
                    agent,
                    conversation,
                    user,
                    model,
                    head.tokens.map(|tokens| tokens.input as i64),
                    head.tokens.map(|tokens| tokens.output as i64),
                    head.tokens.map(|tokens| tokens.total as i64),
                    cost,
                ],
            );
        }
    }

    fn write_words(&self, trace: &Trace, indexed: Indexed) {
        let mut text = String::new();
        match indexed {
            Indexed::Unsettled => return,
            Indexed::Stale => text.push_str("word a b new superseded"),
            Indexed::Settled => trace.spans.values().for_each(|span| {
                words::in_record(span.record.get(), &mut |word| {
                    text.push_str(word);
                    text.push(' ');
                });
            }),
        }
        let sql = "INSERT INTO search (rowid, words) VALUES (?, ?)";
        self.connection.prepare_cached(sql).unwrap().execute((trace.number, text)).unwrap();
    }

    fn write_facts(&mut self, workspace: i64, trace: &Trace, state: &TraceState) {
        let environment = self.term(&trace.environment);
        let user = self.term(state.users.first().map_or("", String::as_str));
        let ended = state.status != TraceStatus::Running;
        let mut rows = vec![(
            0,
            state.started_at,
            0,
            0,
            1,
            u64::from(state.status.is_failure()),
            if ended { vec![state.duration_micros] } else { vec![] },
            state.tokens,
            state.cost,
        )];
        for AgentRun { agent, started_at, duration_micros, failed, tokens, cost } in &state.runs {
            let durations = duration_micros.iter().copied().collect();
            rows.push((
                1,
                *started_at,
                self.term(agent),
                0,
                1,
                u64::from(*failed),
                durations,
                *tokens,
                *cost,
            ));
        }
        for ModelUse { agent, model, started_at, durations_micros, errors, tokens, cost } in &state.models {
            let count = durations_micros.len() as i64;
            let (agent, model) = (self.term(agent), self.term(model));
            rows.push((
                2,
                *started_at,
                agent,
                model,
                count,
                *errors,
                durations_micros.clone(),
                *tokens,
                *cost,
            ));
        }
        for (subject, started_at, agent, model, count, errors, durations, tokens, cost) in rows {
            self.insert(
                "fact",
                params![
                    workspace,
                    subject,
                    started_at.as_micros(),
                    trace.number,
                    agent,
                    model,
                    environment,
                    user,
                    count,
                    errors as i64,
                    latency::encode(&durations),
                    tokens.input as i64,
                    tokens.output as i64,
                    tokens.total as i64,
                    cost.nano_usd as i64,
                    cost.priced as i64,
                    cost.unpriced as i64,
                ],
            );
        }
    }

    fn write_conversation(&mut self, workspace: i64, id: &str, state: &TraceState) {
        let Tokens { input, output, total } = state.tokens;
        let Cost { nano_usd, priced, unpriced } = state.cost;
        let number = self.term(id);
        let sql = "INSERT INTO conversation VALUES (?1, ?2, ?3, ?3, 1, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
             ON CONFLICT DO UPDATE SET
             started_at = min(started_at, ?3), last_at = max(last_at, ?3), traces = traces + 1, failed = failed + ?4,
             input_tokens = input_tokens + ?5, output_tokens = output_tokens + ?6,
             total_tokens = total_tokens + ?7, cost = cost + ?8, priced = priced + ?9, unpriced = unpriced + ?10";
        self.connection
            .prepare_cached(sql)
            .unwrap()
            .execute(params![
                workspace,
                number,
                state.started_at.as_micros(),
                i64::from(state.status.is_failure()),
                input as i64,
                output as i64,
                total as i64,
                nano_usd as i64,
                priced as i64,
                unpriced as i64,
            ])
            .unwrap();
    }
}
