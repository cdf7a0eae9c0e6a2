use std::cell::RefCell;

/// Buffers that a thread's open spans write into, used again and again: a span that ends keeps only a
/// copy of the exact size.
pub(crate) struct Scratch(RefCell<Vec<Vec<u8>>>);

/// Enough for spans nested this deep without a new buffer.
const KEPT: usize = 16;

/// A buffer that grew beyond this is given up, so that one large span does not stay in memory.
const KEPT_CAPACITY: usize = 16 * 1024;

const FIRST_CAPACITY: usize = 512;

impl Scratch {
    pub(crate) const fn new() -> Self {
        Self(RefCell::new(Vec::new()))
    }

    #[inline]
    pub(crate) fn take(&self) -> Vec<u8> {
        self.0.borrow_mut().pop().unwrap_or_else(|| Vec::with_capacity(FIRST_CAPACITY))
    }

    /// The content in a box of its own; the buffer stays for the next span.
    #[inline]
    pub(crate) fn boxed(&self, mut buffer: Vec<u8>) -> Box<[u8]> {
        if buffer.capacity() > KEPT_CAPACITY {
            return buffer.into_boxed_slice();
        }
        let content = buffer.as_slice().into();
        buffer.clear();
        self.give_back(buffer);
        content
    }

    pub(crate) fn give_back(&self, mut buffer: Vec<u8>) {
        let mut kept = self.0.borrow_mut();
        if kept.len() < KEPT && buffer.capacity() <= KEPT_CAPACITY {
            buffer.clear();
            kept.push(buffer);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_is_used_again_and_a_large_one_is_given_up() {
        let scratch = Scratch::new();
        let mut buffer = scratch.take();
        buffer.extend_from_slice(b"abc");
        let place = buffer.as_ptr();
        assert_eq!(&*scratch.boxed(buffer), b"abc");
        let again = scratch.take();
        assert_eq!((again.as_ptr(), again.len()), (place, 0));
        scratch.boxed(vec![0; KEPT_CAPACITY + 1]);
        assert_eq!(scratch.take().capacity(), FIRST_CAPACITY);
    }
}
