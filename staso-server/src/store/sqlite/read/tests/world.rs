//! Small worlds in which every value is likely to occur twice, and hostile.

use proptest::{option, prelude::*, sample::select};
use serde_json::{json, value::to_raw_value};

use crate::model::{
    Batch, ConversationFilter, Cost, Dimension, IncomingSpan, IncomingTrace, MetricsFilter, MetricsQuery,
    SpanHead, SpanId, SpanKind, SpanStatus, TimeRange, Timestamp, Tokens, TraceFilter, TraceId, TraceSort,
    TraceStatus, WorkspaceId,
};

/// Names of everything: agents, users, models, tags, conversations, environments.
const NAMES: [&str; 9] = [
    "planner",
    "it's",
    "\"; DROP TABLE trace; --",
    "NEAR(a b)",
    "a OR b*",
    "nul\0byte",
    "emoji 👩‍🚀",
    "שלום",
    "%_\\",
];

const TEXTS: [&str; 10] = [
    "",
    "{\"city\": \"Kyōto\", \"n\": 12}",
    "{\"a\": \"\\u0430\\u0413 x\\nnew\"}",
    "plain words, no JSON",
    "İstanbul Straße ΣΊΣΥΦΟΣ",
    "a OR b AND NOT c",
    "\"quoted\" prefix*",
    "nul\0byte",
    "शब्द 漢字 عربى",
    "word word wording words",
];

const QUERIES: [&str; 14] = [
    "",
    "*",
    "word",
    "wor",
    "a b",
    "NEAR(a",
    "\"quoted\"",
    "кyōto",
    "KYŌ",
    "АГ",
    "new n",
    "nul byte",
    "शब्द",
    "σ",
];

pub(super) fn batches() -> impl Strategy<Value = Vec<Batch>> {
    prop::collection::vec(prop::collection::vec(incoming(), 1..6), 1..6).prop_map(|batches| {
        let batch = |(number, traces): (usize, Vec<IncomingTrace>)| Batch {
            idempotency_key: number.to_string(),
            digest: [0; 32],
            accepted: traces.len(),
            received_at: Timestamp::from_micros(1_000_000 + number as i64),
            traces,
        };
        batches.into_iter().enumerate().map(batch).collect()
    })
}

fn incoming() -> impl Strategy<Value = IncomingTrace> {
    (1_i64..=2, 0..8, name(), prop::collection::vec(span(), 1..5)).prop_map(
        |(workspace, trace, environment, spans)| IncomingTrace {
            workspace: WorkspaceId(workspace),
            trace_id: TraceId::new(format!("trace {trace}")),
            environment,
            spans,
        },
    )
}

fn span() -> impl Strategy<Value = IncomingSpan> {
    let place = (0_u8..6, option::of(0_u8..6), select(SpanKind::ALL.to_vec()), 0_i64..300, 0_u64..50);
    let end = (
        select(vec![SpanStatus::Ok, SpanStatus::Error, SpanStatus::Timeout, SpanStatus::Other]),
        prop::bool::weighted(0.2),
        option::of((0_u64..9, 0_u64..9)),
        option::of(option::of(0_u64..9)),
    );
    let names = [name().boxed(), maybe_name(), maybe_name(), maybe_name(), maybe_name()];
    let texts = (prop::collection::vec(name(), 0..3), text(), text(), option::of(text()));
    (place, end, names, texts).prop_map(|(place, end, names, texts)| {
        let (id, parent, kind, started_at, duration) = place;
        let (status, provisional, tokens, cost) = end;
        let [name, agent, conversation_id, user_id, model] = names;
        let (tags, input, output, error_message) = texts;
        let record = json!({
            "span_id": id.to_string(),
            "name": name,
            "input": input,
            "output": output,
            "error_message": error_message,
        });
        let head = SpanHead {
            span_id: SpanId::new(id.to_string()),
            parent_span_id: parent.map(|parent| SpanId::new(parent.to_string())),
            name,
            kind,
            started_at: Timestamp::from_micros(started_at),
            duration_micros: if provisional { 0 } else { duration },
            status,
            provisional,
            agent,
            conversation_id,
            user_id,
            model,
            tags,
            tokens: tokens.map(|(input, output)| Tokens { input, output, total: input + output }),
            cost: cost.map(Cost::of_call).unwrap_or_default(),
        };
        IncomingSpan { head, record: to_raw_value(&record).unwrap() }
    })
}

pub(super) fn name() -> impl Strategy<Value = String> {
    select(&NAMES[..]).prop_map(str::to_owned)
}

fn maybe_name() -> BoxedStrategy<String> {
    prop_oneof![Just(String::new()), name()].boxed()
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![4 => select(&TEXTS[..]).prop_map(str::to_owned), 1 => ".{0,20}"]
}

fn wanted() -> BoxedStrategy<Option<String>> {
    let value = prop_oneof![9 => name(), 1 => ".{0,5}"];
    option::weighted(0.2, value).boxed()
}

fn range() -> impl Strategy<Value = TimeRange> {
    let end = || option::weighted(0.3, (0_i64..300).prop_map(Timestamp::from_micros));
    (end(), end()).prop_map(|(since, until)| TimeRange { since, until })
}

pub(super) fn trace_filter() -> impl Strategy<Value = TraceFilter> {
    let names = [wanted(), wanted(), wanted(), wanted(), wanted(), wanted()];
    let query = prop_oneof![4 => select(&QUERIES[..]).prop_map(str::to_owned), 1 => ".{0,12}"];
    let numbers = (
        option::weighted(0.2, select(SpanKind::ALL.to_vec())),
        option::weighted(0.2, select(TraceStatus::ALL.to_vec())),
        option::weighted(0.2, 0_u64..60),
    );
    (names, numbers, range(), option::weighted(0.4, query)).prop_map(
        |(names, (kind, status, min_duration_micros), range, text)| {
            let [environment, agent, conversation, user, model, tag] = names;
            TraceFilter {
                environment,
                agent,
                conversation,
                user,
                kind,
                status,
                model,
                tag,
                range,
                min_duration_micros,
                text,
            }
        },
    )
}

pub(super) fn sort() -> impl Strategy<Value = TraceSort> {
    select(vec![TraceSort::Newest, TraceSort::Slowest, TraceSort::Costliest, TraceSort::MostTokens])
}

pub(super) fn conversation_filter() -> impl Strategy<Value = ConversationFilter> {
    (wanted(), wanted(), wanted(), any::<bool>(), range()).prop_map(
        |(environment, agent, user, failed_only, range)| ConversationFilter {
            environment,
            agent,
            user,
            failed_only,
            range,
        },
    )
}

pub(super) fn metrics_filter() -> impl Strategy<Value = MetricsFilter> {
    (wanted(), wanted(), wanted(), wanted(), range()).prop_map(|(environment, agent, user, model, range)| {
        MetricsFilter { environment, agent, user, model, range }
    })
}

pub(super) fn metrics_query() -> impl Strategy<Value = MetricsQuery> {
    let dimensions = vec![Dimension::Agent, Dimension::Environment, Dimension::Model, Dimension::User];
    let width = (1_u64..200).prop_map(std::time::Duration::from_micros);
    (metrics_filter(), option::of(select(dimensions)), option::of(width))
        .prop_map(|(filter, by, bucket)| MetricsQuery { filter, by, bucket })
}
