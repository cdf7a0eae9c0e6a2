use std::{cell::RefCell, mem};

use super::OpenSpan;

/// A thread's open spans that have ended, with their buffers, to be used again: in the long run a span
/// allocates only what it hands over.
///
/// A span lives in a box, so that a future which may be recorded grows by a pointer, and a call that is
/// not recorded has nothing to move.
#[expect(clippy::vec_box, reason = "a span keeps its box while it is open: only the pointer moves")]
pub(crate) struct Scratch(RefCell<Vec<Box<OpenSpan>>>);

/// Enough for spans nested this deep without a new box.
const KEPT: usize = 16;

/// A buffer that grew beyond this is given up, so that one large span does not stay in memory.
const KEPT_CAPACITY: usize = 16 * 1024;

const FIRST_CAPACITY: usize = 512;

impl Scratch {
    pub(crate) const fn new() -> Self {
        Self(RefCell::new(Vec::new()))
    }

    /// Puts a span, whose log is empty, into a box with a buffer.
    #[inline]
    pub(super) fn place(&self, mut span: OpenSpan) -> Box<OpenSpan> {
        let kept = self.0.borrow_mut().pop();
        match kept {
            Some(mut place) => {
                span.log = mem::take(&mut place.log);
                span.scope.slot = place.scope.slot.take();
                span.unshown = place.unshown.take();
                // It gave away all that it held: there is nothing to look through and drop.
                mem::forget(mem::replace(&mut *place, span));
                place
            }
            None => {
                *span.log.payload() = Vec::with_capacity(FIRST_CAPACITY);
                Box::new(span)
            }
        }
    }

    /// Keeps a span that has ended and gave away what it held.
    #[inline]
    pub(super) fn keep(&self, mut span: Box<OpenSpan>) {
        let mut kept = self.0.borrow_mut();
        let log = span.log.payload();
        if kept.len() < KEPT && log.capacity() <= KEPT_CAPACITY {
            log.clear();
            kept.push(span);
        } else if let Some(slot) = span.scope.slot.take() {
            slot.recycle();
        }
    }
}
