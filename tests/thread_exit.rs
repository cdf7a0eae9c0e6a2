//! Spans opened while a thread destroys its thread-locals, in both orders, do nothing and break nothing.

use std::{cell::RefCell, thread};

use staso::{Exporter, Span};

struct OpensASpan;

impl Drop for OpensASpan {
    fn drop(&mut self) {
        Span::builder("in a destructor").in_scope(|span| span.set_metadata("k", &1));
        staso::Conversation::new("c").scope(|| staso::current_span().add_tag("t"));
        drop(staso::Context::current().attach());
    }
}

thread_local! {
    static USERS: RefCell<Option<OpensASpan>> = const { RefCell::new(None) };
}

#[test]
fn thread_locals_may_be_destroyed_in_either_order() {
    let client = staso::builder().agent_name("a").exporter(Exporter::none()).init().expect("valid settings");
    let users_first = || {
        USERS.with(|users| users.replace(Some(OpensASpan)));
        Span::builder("span").in_scope(|_| ());
    };
    let ours_first = || {
        Span::builder("span").in_scope(|_| ());
        USERS.with(|users| users.replace(Some(OpensASpan)));
    };
    for order in [&users_first as &(dyn Fn() + Sync), &ours_first] {
        thread::scope(|threads| {
            threads.spawn(order);
        });
    }
    let report = client.flush(std::time::Duration::from_secs(20));
    assert!(report.delivered() >= 2, "{report}");
    assert_eq!((report.failed(), report.pending()), (0, 0));
}
