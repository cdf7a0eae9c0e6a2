//! Of each span stands the final version that arrived last, or the last provisional one while there is none. Beyond that,
//! the order of records does not matter, nor that one comes again under its key.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use proptest::prelude::*;
use staso_server::{
    model::{Batch, IncomingSpan, IngestOutcome, Timestamp, TraceId},
    store::{Store, memory::MemoryStore},
};

use crate::world::{
    SOON, Version, batch, default_workspace, list, open, picture, recent_batch, root, runtime, version,
};

const TRACE: &str = "97aaac76-45d6-1f11-b80c-982a1633bc6e";

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(48) })]

    #[test]
    fn any_order_of_different_spans_and_any_repetition_gives_one_state_settled_or_not(
        versions in prop::collection::vec(version(), 1..10),
        order in prop::collection::vec((any::<u8>(), any::<prop::sample::Index>(), any::<bool>()), 10),
        cut in 1_usize..4,
    ) {
        runtime().block_on(async {
            let memory = MemoryStore::new();
            let workspace = default_workspace(&memory).await;
            let first = recent_batch(workspace, "all", TRACE, &versions);
            let received_at = first.received_at;
            memory.ingest(first).await.unwrap();
            for version in last_of_each(&versions) {
                let IncomingSpan { head, record } = version.span();
                let standing = memory.span(workspace, TraceId::new(TRACE), head.span_id).await.unwrap().unwrap();
                assert_eq!(standing.record.get(), record.get());
            }
            let expected = picture(&memory, workspace).await;

            let shuffled = in_order_of_each_span(&versions, order.iter().map(|(place, ..)| *place));
            let folder = tempfile::tempdir().unwrap();
            let store = open(folder.path());
            let batches: Vec<Batch> = shuffled
                .chunks(cut)
                .enumerate()
                .map(|(number, some)| Batch {
                    received_at,
                    ..batch(workspace, &number.to_string(), TRACE, some)
                })
                .collect();
            for (number, (_, again, settles)) in (0..batches.len()).zip(&order) {
                store.ingest(batches[number].clone()).await.unwrap();
                let repeated = store.ingest(again.get(&batches[..=number]).clone()).await.unwrap();
                assert!(matches!(repeated, IngestOutcome::Repeated(_)));
                if *settles {
                    store.settle().await.unwrap();
                }
            }
            assert_eq!(picture(&store, workspace).await, expected);
            store.settle().await.unwrap();
            assert_eq!(picture(&store, workspace).await, expected, "after it was settled");
            store.close(SOON).await;

            let reopened = open(folder.path());
            assert_eq!(picture(&reopened, workspace).await, expected, "after it was opened again");
            reopened.close(SOON).await;
        });
    }
}

/// What should stand: the last final version of each span, or its last provisional one.
fn last_of_each(versions: &[Version]) -> Vec<Version> {
    let mut last: BTreeMap<(u32, bool), Version> = BTreeMap::new();
    for version in versions {
        last.insert((version.span, version.provisional), version.clone());
    }
    let finals: BTreeSet<u32> =
        last.keys().filter(|(_, provisional)| !provisional).map(|(span, _)| *span).collect();
    last.into_iter()
        .filter(|((span, provisional), _)| !provisional || !finals.contains(span))
        .map(|(_, version)| version)
        .collect()
}

/// The versions in another order, but those of one span and sort as they were.
fn in_order_of_each_span(versions: &[Version], places: impl Iterator<Item = u8>) -> Vec<Version> {
    let mut shuffled: Vec<(u8, &Version)> = places.zip(versions).collect();
    shuffled.sort_by_key(|(place, _)| *place);
    let mut left: BTreeMap<(u32, bool), VecDeque<&Version>> = BTreeMap::new();
    for version in versions {
        left.entry((version.span, version.provisional)).or_default().push_back(version);
    }
    let next = |(_, version): (u8, &Version)| {
        left.get_mut(&(version.span, version.provisional)).and_then(VecDeque::pop_front).cloned()
    };
    shuffled.into_iter().filter_map(next).collect()
}

/// How long the first span runs, by its record and by its trace, after these versions of it arrived one by one.
async fn standing(versions: &[Version]) -> [(u64, u64); 2] {
    let folder = tempfile::tempdir().unwrap();
    let stores: [&dyn Store; 2] = [&MemoryStore::new(), &open(folder.path())];
    let mut found = [(0, 0); 2];
    for (store, found) in stores.into_iter().zip(&mut found) {
        let workspace = default_workspace(store).await;
        for (number, version) in versions.iter().enumerate() {
            let alone = std::slice::from_ref(version);
            store.ingest(batch(workspace, &number.to_string(), TRACE, alone)).await.unwrap();
        }
        let detail = store.trace(workspace, TraceId::new(TRACE)).await.unwrap().unwrap();
        *found = (detail.spans[0].duration_micros, detail.summary.duration_micros);
        store.close(SOON).await;
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn the_final_version_that_arrived_last_stands_even_where_it_is_shorter() {
    let lasts = |duration, tag| Version { duration, tag, ..Version::default() };
    assert_eq!(standing(&[lasts(9, 0), lasts(4, 0)]).await, [(4, 4); 2]);
    assert_eq!(standing(&[lasts(4, 0), lasts(9, 0), lasts(4, 0)]).await, [(4, 4); 2]);
    let announced = Version { provisional: true, ..lasts(0, 1) };
    assert_eq!(standing(&[lasts(9, 0), announced.clone()]).await, [(9, 9); 2]);
    assert_eq!(standing(&[announced, lasts(9, 0)]).await, [(9, 9); 2]);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_versions_that_end_alike_the_last_one_stands_too() {
    let named = |tag, provisional| Version { tag, provisional, ..Version::default() };
    let folder = tempfile::tempdir().unwrap();
    let stores: [&dyn Store; 2] = [&MemoryStore::new(), &open(folder.path())];
    for store in stores {
        let workspace = default_workspace(store).await;
        for (number, (tag, provisional)) in
            [(1, true), (0, true), (1, true), (1, false), (0, false), (1, true)].into_iter().enumerate()
        {
            let alone = [named(tag, provisional)];
            store.ingest(batch(workspace, &number.to_string(), TRACE, &alone)).await.unwrap();
            let expected = if number == 5 { 0 } else { tag };
            assert_eq!(list(store, workspace, None).await[0].name, format!("step {expected}"), "{number}");
        }
        store.close(SOON).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_key_stores_nothing_even_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let workspace = default_workspace(&store).await;
    let first = store.ingest(recent_batch(workspace, "k", TRACE, &root(1))).await.unwrap();
    let IngestOutcome::Stored(receipt) = first else { panic!("{first:?}") };
    let repeated = IngestOutcome::Repeated(receipt);
    assert_eq!(store.ingest(recent_batch(workspace, "k", TRACE, &root(1))).await.unwrap(), repeated);
    store.close(SOON).await;

    let store = open(folder.path());
    assert_eq!(store.ingest(recent_batch(workspace, "k", TRACE, &root(1))).await.unwrap(), repeated);
    let other = Batch { digest: [2; 32], ..recent_batch(workspace, "k", "another", &root(2)) };
    assert_eq!(store.ingest(other).await.unwrap(), IngestOutcome::Conflict);
    assert_eq!(list(&store, workspace, None).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_comes_twice_at_once_is_stored_once() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let workspace = default_workspace(&store).await;
    let send = || store.ingest(recent_batch(workspace, "k", TRACE, &root(1)));
    let (a, b, c, d) = tokio::join!(send(), send(), send(), send());
    let stored = [a, b, c, d].into_iter().filter(|done| matches!(done, Ok(IngestOutcome::Stored(_)))).count();
    assert_eq!(stored, 1);
    assert_eq!(list(&store, workspace, None).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_trace_is_counted_in_full_when_its_root_arrives_or_when_it_is_settled() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let workspace = default_workspace(&store).await;
    let children = |from: u32, to: u32| -> Vec<Version> {
        (from..to).map(|span| Version { span, ..Version::default() }).collect()
    };
    store.ingest(batch(workspace, "first", TRACE, &children(1, 2_502))).await.unwrap();
    store.ingest(batch(workspace, "few more", TRACE, &children(2_502, 2_512))).await.unwrap();
    store.settle().await.unwrap();
    assert_eq!(list(&store, workspace, None).await[0].spans, 2_511);

    store.ingest(batch(workspace, "some more", TRACE, &children(2_512, 2_515))).await.unwrap();
    store.ingest(batch(workspace, "root", TRACE, &root(1))).await.unwrap();
    let counted = list(&store, workspace, None).await;
    assert_eq!((counted[0].spans, counted[0].conversation_id.as_str()), (2_515, "monday"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_annotation_may_come_before_its_trace() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let workspace = default_workspace(&store).await;
    let annotation = staso_server::model::Annotation {
        name: "helpfulness".to_owned(),
        value: staso_server::model::AnnotationValue::Numeric(0.5),
        span_id: None,
        comment: None,
        received_at: Timestamp::from_micros(5),
    };
    let trace_id = TraceId::new(TRACE);
    store.annotate(None, trace_id.clone(), annotation.clone()).await.unwrap();
    store.ingest(batch(workspace, "k", TRACE, &root(1))).await.unwrap();
    let detail = store.trace(workspace, trace_id).await.unwrap().unwrap();
    assert_eq!(detail.annotations, [annotation]);
}
