//! Conversations: which traces belong together, and who the end user is.

use crate::{
    compare::Golden,
    harness::{Process, check, check_with, settings},
};

#[staso::agent]
fn chat(m: &str) -> String {
    m.to_owned()
}

#[test]
fn a_conversation_holds_the_traces_that_start_in_it() {
    check(Golden::load("conversation_with_id"), || {
        staso::conversation!("conv-42", user_id = "user-alice", {
            chat("hi");
            chat("again");
        });
        chat("after");
    });
}

#[test]
fn a_conversation_without_an_identifier_gets_a_new_one() {
    check(Golden::load("conversation_auto_id"), || {
        staso::conversation!({
            chat("a");
            chat("b");
        });
        chat("c");
    });
}

#[test]
fn the_innermost_conversation_wins_and_a_user_is_inherited() {
    #[staso::tool]
    fn t() -> u32 {
        1
    }

    #[staso::agent]
    fn late() {
        staso::conversation!("late", user_id = "u3", {
            t();
        });
    }

    check(Golden::load("conversation_nested"), || {
        staso::conversation!("outer", user_id = "u1", {
            chat("A");
            staso::conversation!("inner", {
                chat("B");
            });
            staso::conversation!("inner2", user_id = "u2", {
                chat("C");
            });
            chat("D");
        });
        late();
    });
}

#[test]
fn the_environment_names_the_session_outside_of_conversations() {
    Process::with(&[("STASO_SESSION_ID", "  sess-from-env  ")]).run(|| {
        check_with(Golden::load("session_env"), settings(), || {
            chat("a");
            staso::conversation!("c", {
                chat("b");
            });
        });
    });
}
