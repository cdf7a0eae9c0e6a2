use std::{
    marker::PhantomData,
    ptr,
    sync::{
        Mutex,
        atomic::{AtomicPtr, Ordering},
    },
};

/// A place for one box, which goes in and out by a swap of its pointer: of several threads that take it,
/// one gets it, and none waits.
///
/// **Invariant:** the pointer is null or that of a box which nobody else owns.
pub(super) struct Handoff<T> {
    place: AtomicPtr<T>,
    /// Like a lock, it may be shared by threads to which a `T` may be sent.
    owns: PhantomData<Mutex<T>>,
}

impl<T> Handoff<T> {
    pub(super) const fn new() -> Self {
        Self { place: AtomicPtr::new(ptr::null_mut()), owns: PhantomData }
    }

    #[inline]
    pub(super) fn put(&self, value: Box<T>) {
        drop(self.swap(Box::into_raw(value)));
    }

    #[inline]
    pub(super) fn take(&self) -> Option<Box<T>> {
        self.swap(ptr::null_mut())
    }

    #[inline]
    fn swap(&self, next: *mut T) -> Option<Box<T>> {
        // AcqRel: what was written to a box before it was put in is seen by who takes it out.
        let before = self.place.swap(next, Ordering::AcqRel);
        if before.is_null() {
            return None;
        }
        // SAFETY: only `put` stores a pointer, which it has from `Box::into_raw`, and the swap that brought
        // it here removed it: no other swap can return it again.
        #[expect(unsafe_code, reason = "a lock, which is taken twice, costs a span 60 instructions more")]
        let value = unsafe { Box::from_raw(before) };
        Some(value)
    }
}

impl<T> Drop for Handoff<T> {
    fn drop(&mut self) {
        drop(self.take());
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, thread};

    use super::*;

    #[test]
    fn one_of_two_threads_gets_what_a_third_wrote() {
        for round in 0..20 {
            let handoff = Arc::new(Handoff::new());
            let taker = || {
                let handoff = Arc::clone(&handoff);
                thread::spawn(move || handoff.take())
            };
            let (first, second) = (taker(), taker());
            handoff.put(Box::new(vec![round]));
            let taken = [first.join().unwrap(), second.join().unwrap(), handoff.take()];
            assert_eq!(taken.into_iter().flatten().collect::<Vec<_>>(), [Box::new(vec![round])]);
        }
    }

    #[test]
    fn what_is_replaced_or_left_inside_is_dropped() {
        let value = Arc::new(());
        let handoff = Handoff::new();
        handoff.put(Box::new(Arc::clone(&value)));
        handoff.put(Box::new(Arc::clone(&value)));
        assert_eq!(Arc::strong_count(&value), 2);
        drop(handoff);
        assert_eq!(Arc::strong_count(&value), 1);
    }
}
