//! Tests of your own instrumentation: `staso::testing` captures the spans of a closure or a future.
//!
//! ```text
//! cargo test --example testing
//! cargo run --example testing
//! ```
//!
//! A capture needs no client, no configuration and no network. Tests that run in parallel in one process
//! do not see each other's spans.

use std::{error::Error, fmt};

use staso::FutureExt as _;

/// Books a table, at another hour when the one that was asked for is taken.
#[staso::agent]
fn reserve(guest: &str, hour: u8) -> Result<u8, Full> {
    book(guest, hour).or_else(|_| book(guest, hour + 1))
}

#[staso::tool(skip(guest), tags = ["booking"])]
fn book(guest: &str, hour: u8) -> Result<u8, Full> {
    staso::current_span().set_metadata("length_of_name", &guest.len());
    if hour < 20 { Err(Full { hour }) } else { Ok(hour) }
}

/// Asks both kitchens at the same time.
#[staso::agent]
async fn order(dish: &'static str) -> Result<u32, tokio::task::JoinError> {
    let other = tokio::spawn(ask_kitchen("bar", dish).in_current_context());
    Ok(ask_kitchen("main", dish).await + other.await?)
}

#[staso::tool]
async fn ask_kitchen(kitchen: &'static str, dish: &'static str) -> u32 {
    tokio::task::yield_now().await;
    u32::from(kitchen == "main" || dish == "olives")
}

#[derive(Debug)]
struct Full {
    hour: u8,
}

impl fmt::Display for Full {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no table is free at {}:00", self.hour)
    }
}

impl Error for Full {}

/// As in any crate, but for two things that let `main` run the tests too: no `cfg(test)` here, and
/// `cfg_attr(test, test)` where a crate of yours has `test`.
mod tests {
    use serde_json::json;
    use staso::{SpanKind, SpanStatus, testing};

    use super::*;

    #[cfg_attr(test, test)]
    pub(crate) fn a_full_hour_fails_its_booking_and_not_the_reservation() {
        let spans = testing::capture(|| {
            assert_eq!(reserve("Ada", 19).ok(), Some(20));
        });
        // The whole picture at once: kind, name, and the status where it is not `ok`.
        assert_eq!(spans.tree(), "agent reserve\n  tool book error\n  tool book\n");
        assert_eq!(spans[1].error_message.as_deref(), Some("no table is free at 19:00"));
        assert_eq!(spans[1].exception_type.as_deref(), Some("Full"));
    }

    #[cfg_attr(test, test)]
    pub(crate) fn a_reservation_without_a_free_hour_fails() {
        let (result, spans) = testing::capture_with(|| reserve("Ada", 17));
        assert!(result.is_err());
        assert_eq!(spans[0].status, SpanStatus::Error);
        assert!(spans.named("book").all(|span| span.status == SpanStatus::Error));
    }

    #[cfg_attr(test, test)]
    pub(crate) fn the_tool_never_records_who_the_guest_is() {
        let spans = testing::capture(|| {
            let _ = reserve("Ada", 20);
        });
        let book = spans.find("book").expect("the agent books a table");
        assert_eq!(book.kind, SpanKind::Tool);
        assert_eq!(book.input, json!({ "hour": 20 }));
        assert_eq!(book.output, json!({ "result": 20 }));
        assert_eq!(book.metadata["length_of_name"], 3);
        assert_eq!(book.tags, ["booking"]);
    }

    #[cfg_attr(test, test)]
    pub(crate) fn reservations_belong_to_the_conversation_around_them() {
        let spans = testing::capture(|| {
            staso::conversation!("conv-7", user_id = "ada", {
                let _ = reserve("Ada", 20);
            });
        });
        assert!(spans.iter().all(|span| span.conversation_id == "conv-7" && span.agent_name == "reserve"));
        assert_eq!(spans[1].user_id.as_deref(), Some("ada"));
    }

    #[cfg_attr(test, test)]
    pub(crate) fn spawned_tasks_are_part_of_the_trace() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime without I/O");
        let (dishes, spans) = runtime.block_on(testing::capture_with_async(order("olives")));
        assert_eq!(dishes.ok(), Some(2));
        let order = spans.find("order").expect("the agent ran");
        assert_eq!(order.children().filter(|span| span.name == "ask_kitchen").count(), 2);
    }
}

fn main() {
    let checks: [(&str, fn()); 5] = [
        (
            "a full hour fails its booking and not the reservation",
            tests::a_full_hour_fails_its_booking_and_not_the_reservation,
        ),
        ("a reservation without a free hour fails", tests::a_reservation_without_a_free_hour_fails),
        ("the tool never records who the guest is", tests::the_tool_never_records_who_the_guest_is),
        (
            "reservations belong to the conversation around them",
            tests::reservations_belong_to_the_conversation_around_them,
        ),
        ("spawned tasks are part of the trace", tests::spawned_tasks_are_part_of_the_trace),
    ];
    for (name, check) in checks {
        check();
        println!("ok: {name}");
    }

    let spans = staso::testing::capture(|| {
        let _ = reserve("Ada", 19);
    });
    println!("\nThe spans of `reserve(\"Ada\", 19)`:\n{}", spans.tree());
}
