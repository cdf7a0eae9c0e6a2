//! A trace comes to one state, whatever the order of its records and however often each arrives.

use proptest::prelude::*;
use staso_server::{
    model::{Batch, IngestOutcome, Timestamp},
    store::{Store, memory::MemoryStore},
};

use crate::world::{
    SOON, Version, batch, default_workspace, list, open, picture, recent_batch, root, runtime, version,
};

const TRACE: &str = "97aaac76-45d6-1f11-b80c-982a1633bc6e";

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(48) })]

    #[test]
    fn any_order_and_repetition_of_records_gives_one_state_settled_or_not(
        versions in prop::collection::vec(version(), 1..10),
        order in prop::collection::vec((any::<prop::sample::Index>(), any::<bool>()), 1..20),
        cut in 1_usize..4,
    ) {
        runtime().block_on(async {
            let memory = MemoryStore::new();
            let workspace = default_workspace(&memory).await;
            memory.ingest(batch(workspace, "all", TRACE, &versions)).await.unwrap();
            let expected = picture(&memory, workspace).await;

            let mut shuffled: Vec<Version> =
                order.iter().map(|(index, _)| index.get(&versions).clone()).collect();
            shuffled.extend(versions.iter().rev().cloned());
            let folder = tempfile::tempdir().unwrap();
            let store = open(folder.path());
            for (number, some) in shuffled.chunks(cut).enumerate() {
                store.ingest(batch(workspace, &number.to_string(), TRACE, some)).await.unwrap();
                if order.get(number).is_some_and(|(_, settles)| *settles) {
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
    let trace_id = staso_server::model::TraceId::new(TRACE);
    store.annotate(None, trace_id.clone(), annotation.clone()).await.unwrap();
    store.ingest(batch(workspace, "k", TRACE, &root(1))).await.unwrap();
    let detail = store.trace(workspace, trace_id).await.unwrap().unwrap();
    assert_eq!(detail.annotations, [annotation]);
}
