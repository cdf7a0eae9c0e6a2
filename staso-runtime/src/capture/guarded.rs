use std::{
    any::Any,
    mem,
    panic::{AssertUnwindSafe, catch_unwind},
};

/// Longest message kept of a panic in code that is not the traced function's.
const MESSAGE_BYTES: usize = 1024;

/// Runs code of the user's, or code that must not take its thread down. `Err` is the message of its panic.
///
/// The panic hook has run by then. With `panic = "abort"` nothing can be caught.
#[inline]
pub(crate) fn guarded<R>(f: impl FnOnce() -> R) -> Result<R, String> {
    // What `f` leaves half-done is either the user's own, or repaired by the caller.
    catch_unwind(AssertUnwindSafe(f)).map_err(message_of)
}

/// The message of a panic; `panicked` when its payload is no text.
pub(crate) fn panic_message(payload: &(dyn Any + Send)) -> &str {
    match (payload.downcast_ref::<&str>(), payload.downcast_ref::<String>()) {
        (Some(text), _) => text,
        (None, Some(text)) => text,
        (None, None) => "panicked",
    }
}

#[cold]
fn message_of(payload: Box<dyn Any + Send>) -> String {
    let message = panic_message(&*payload);
    let message = message.split_at(message.floor_char_boundary(MESSAGE_BYTES)).0.to_owned();
    // A payload may panic when it is dropped, and so may the payload of that panic.
    if let Err(second) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        mem::forget(second);
    }
    message
}

#[cfg(test)]
mod tests {
    use std::panic::panic_any;

    use super::*;

    struct PanicsOnDrop(u8);

    impl Drop for PanicsOnDrop {
        fn drop(&mut self) {
            if let Some(left) = self.0.checked_sub(1) {
                panic_any(Self(left));
            }
        }
    }

    #[test]
    fn a_value_passes_through() {
        assert_eq!(guarded(|| 1), Ok(1));
    }

    #[test]
    fn a_panic_becomes_its_message() {
        assert_eq!(guarded(|| panic!("static")), Err::<(), _>("static".to_owned()));
        assert_eq!(guarded(|| panic!("formatted {}", 1)), Err::<(), _>("formatted 1".to_owned()));
        assert_eq!(guarded(|| panic_any(7)), Err::<(), _>("panicked".to_owned()));
    }

    #[test]
    fn a_long_message_is_cut() {
        let message = guarded(|| panic!("{}", "é".repeat(MESSAGE_BYTES))).unwrap_err();
        assert_eq!(message.len(), MESSAGE_BYTES);
    }

    #[test]
    fn a_payload_that_panics_when_dropped_is_survived() {
        for left in 1..4 {
            assert_eq!(guarded(|| panic_any(PanicsOnDrop(left))), Err::<(), _>("panicked".to_owned()));
        }
    }
}
