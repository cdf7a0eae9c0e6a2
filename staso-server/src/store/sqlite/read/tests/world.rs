//! Small worlds in which every value is likely to occur twice, and hostile.

use proptest::{option, prelude::*, sample::select};
use serde_json::{json, value::to_raw_value};

use crate::model::{
    Batch, ConversationFilter, Cost, Dimension, IncomingSpan, IncomingTrace, MetricsFilter, MetricsQuery,
    SpanHead, SpanId, SpanKind, SpanStatus, StatusFilter, TextField, TimeRange, Timestamp, Tokens,
    TraceFilter, TraceId, TraceSort, WorkspaceId,
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

const TEXTS: [&str; 16] = [
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
    "请帮我退款订单一千零一十七",
    "東京タワーへの行き方 🎉",
    "ขอคืนเงินหน่อยครับ",
    "C++ and C# in C:\\Users, Crème brûlée",
    "{\"messages\":[{\"role\":\"user\",\"content\":\"{\\\"memo\\\": \\\"first\\\\nsecond\\\"}\"},{\"role\":\"tool\",\"content\":\"退款\"}]}",
    "0123456789abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxyz",
];

const QUERIES: [&str; 34] = [
    "",
    "*",
    "word",
    "ord",
    "wor",
    "a b",
    "NEAR(a",
    "\"quoted\"",
    "\"word wording\"",
    "кyōto",
    "KYŌ",
    "АГ",
    "new n",
    "nul byte",
    "शब्द",
    "σ",
    "退款",
    "退",
    "款订单一",
    "タワー",
    "行き方",
    "คืนเงิน",
    "🎉",
    "C++",
    "C#",
    "c",
    "creme BRULEE",
    "memo\": \"first",
    "\"first second\"",
    "nsecond",
    "xyz0123456789abcdefghijklmnopqrstuvwxyz0",
    "ordin",
    "\0",
    "ÿ",
];

pub(super) fn batches() -> impl Strategy<Value = Vec<Batch>> {
    prop::collection::vec(prop::collection::vec(incoming(), 1..6), 1..8).prop_map(|batches| {
        let batch = |(number, traces): (usize, Vec<IncomingTrace>)| Batch {
            sender: None,
            idempotency_key: number.to_string(),
            digest: [0; 32],
            accepted: traces.len(),
            // So late that nothing is quiet enough to be settled before the store is closed.
            received_at: Timestamp::from_micros(1 << 60).plus_micros(number as i64),
            traces,
        };
        batches.into_iter().enumerate().map(batch).collect()
    })
}

fn incoming() -> impl Strategy<Value = IncomingTrace> {
    (1_i64..=2, trace_id(), name(), prop::collection::vec(span(), 1..5)).prop_map(
        |(workspace, trace_id, environment, spans)| IncomingTrace {
            workspace: WorkspaceId(workspace),
            trace_id,
            environment,
            spans,
        },
    )
}

fn span() -> impl Strategy<Value = IncomingSpan> {
    let place = (span_id(), option::of(span_id()), select(SpanKind::ALL.to_vec()), 0_i64..300, 0_u64..50);
    let end = (
        select(vec![SpanStatus::Ok, SpanStatus::Error, SpanStatus::Timeout, SpanStatus::Other]),
        prop::bool::weighted(0.2),
        option::of((0_u64..9, 0_u64..9)),
        option::of(option::of(0_u64..9)),
    );
    let names = [name().boxed(), maybe_name(), maybe_name(), maybe_name(), maybe_name()];
    let texts = (prop::collection::vec(name(), 0..3), text(), text(), option::of(text()));
    (place, end, names, texts).prop_map(|(place, end, names, texts)| {
        let (span_id, parent_span_id, kind, started_at, duration) = place;
        let (status, provisional, tokens, cost) = end;
        let [name, agent, conversation_id, user_id, model] = names;
        let (tags, input, output, error_message) = texts;
        let record = json!({
            "span_id": span_id,
            "parent_span_id": parent_span_id,
            "kind": kind.as_str(),
            "name": name,
            "input": input,
            "output": output,
            "error_message": error_message,
        });
        let head = SpanHead {
            span_id,
            parent_span_id,
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

fn name() -> impl Strategy<Value = String> {
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

/// A question to a store.
#[derive(Clone, Debug)]
pub(super) enum Query {
    Traces(TraceFilter, TraceSort),
    Trace(TraceId),
    Span(TraceId, SpanId),
    Conversations(ConversationFilter),
    Conversation(String),
    Metrics(MetricsQuery),
    Users(MetricsFilter),
    Facets,
    Changes,
}

pub(super) fn query() -> impl Strategy<Value = Query> {
    prop_oneof![
        9 => (trace_filter(), sort()).prop_map(|(filter, sort)| Query::Traces(filter, sort)),
        1 => trace_id().prop_map(Query::Trace),
        1 => (trace_id(), span_id()).prop_map(|(trace, span)| Query::Span(trace, span)),
        3 => conversation_filter().prop_map(Query::Conversations),
        2 => name().prop_map(Query::Conversation),
        4 => metrics_query().prop_map(Query::Metrics),
        2 => metrics_filter().prop_map(Query::Users),
        1 => Just(Query::Facets),
        1 => Just(Query::Changes),
    ]
}

fn trace_id() -> impl Strategy<Value = TraceId> {
    const IDS: [&str; 5] =
        ["97aaac76-45d6-1f11-b80c-982a1633bc6e", "00000000-0000-0000-0123-456789abcdef", "", "it's", "nul\0"];
    select(&IDS[..]).prop_map(TraceId::new)
}

fn span_id() -> impl Strategy<Value = SpanId> {
    const IDS: [&str; 6] = [
        "00000000-0000-0000-0000-000000000001",
        "00000000-0000-0000-f000-000000000000",
        "",
        "b",
        "a.b\"",
        "a",
    ];
    select(&IDS[..]).prop_map(SpanId::new)
}

fn trace_filter() -> impl Strategy<Value = TraceFilter> {
    let names = [wanted(), wanted(), wanted(), wanted(), wanted(), wanted()];
    let query = prop_oneof![4 => select(&QUERIES[..]).prop_map(str::to_owned), 1 => ".{0,12}"];
    let numbers = (
        option::weighted(0.2, select(SpanKind::ALL.to_vec())),
        option::weighted(0.2, select(StatusFilter::ALL.to_vec())),
        option::weighted(0.2, 0_u64..60),
    );
    let text = (option::weighted(0.4, query), option::weighted(0.3, select(TextField::ALL.to_vec())));
    (names, numbers, range(), text).prop_map(
        |(names, (kind, status, min_duration_micros), range, (text, text_in))| {
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
                text_in,
            }
        },
    )
}

fn sort() -> impl Strategy<Value = TraceSort> {
    select(vec![TraceSort::Newest, TraceSort::Slowest, TraceSort::Costliest, TraceSort::MostTokens])
}

fn conversation_filter() -> impl Strategy<Value = ConversationFilter> {
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

fn metrics_filter() -> impl Strategy<Value = MetricsFilter> {
    (wanted(), wanted(), wanted(), wanted(), range()).prop_map(|(environment, agent, user, model, range)| {
        MetricsFilter { environment, agent, user, model, range }
    })
}

fn metrics_query() -> impl Strategy<Value = MetricsQuery> {
    let dimensions = vec![Dimension::Agent, Dimension::Environment, Dimension::Model, Dimension::User];
    let width = (1_u64..200).prop_map(std::time::Duration::from_micros);
    (metrics_filter(), option::of(select(dimensions)), option::of(width), 1_usize..8)
        .prop_map(|(filter, by, bucket, limit)| MetricsQuery { filter, by, bucket, limit })
}
