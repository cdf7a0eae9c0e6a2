/// How much of a value is captured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Bytes of JSON or text. Marks of what is missing and closing brackets come on top.
    pub(crate) bytes: usize,
    /// Containers inside one another.
    pub(crate) depth: u16,
    /// Bytes of stack that the user's code may use while it is captured.
    pub(crate) stack: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { bytes: 64 * 1024, depth: 64, stack: 128 * 1024 }
    }
}

impl Limits {
    /// Bytes that a span may be given by hand, in all: as much as this many of the largest values.
    pub(crate) fn by_hand(&self) -> usize {
        self.bytes.saturating_mul(16)
    }
}

/// How far the stack has grown since a capture began.
///
/// A derived `Serialize` or `Debug` over a cycle would overflow the stack of a thread long before it has
/// written [`Limits::bytes`], and an overflow ends the process. How much stack is left cannot be known;
/// recursion that writes nothing cannot be seen.
#[derive(Clone, Copy, Debug)]
pub(super) struct StackGuard {
    begin: usize,
    limit: usize,
}

impl StackGuard {
    #[inline]
    pub(super) fn new(limit: usize) -> Self {
        Self { begin: stack_address(), limit }
    }

    #[inline]
    pub(super) fn is_exceeded(self) -> bool {
        self.begin.abs_diff(stack_address()) > self.limit
    }
}

/// Where the stack is now, give or take a frame. AddressSanitizer moves locals to the heap unless it runs
/// with `detect_stack_use_after_return=0`.
#[inline]
fn stack_address() -> usize {
    let local = 0_u8;
    (&raw const local).addr()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[inline(never)]
    fn frames_until_exceeded(guard: StackGuard, frames: usize) -> usize {
        let frame = std::hint::black_box([0_u8; 256]);
        if frames >= 10_000 || guard.is_exceeded() {
            return frames;
        }
        frames_until_exceeded(guard, frames + 1) + usize::from(frame[0])
    }

    #[test]
    fn the_guard_trips_when_the_stack_has_grown_by_its_limit() {
        let frames = frames_until_exceeded(StackGuard::new(64 * 1024), 0);
        assert!((10..=256).contains(&frames), "{frames}");
        assert!(!StackGuard::new(64 * 1024).is_exceeded());
    }
}
