use std::{
    cell::Cell,
    num::{NonZeroU64, NonZeroU128},
    sync::atomic::{AtomicU64, Ordering},
};

use super::{SpanId, TraceId};

/// Bumped in a forked child, so that every generator there starts from a seed of its own.
static FORK_GENERATION: AtomicU64 = AtomicU64::new(FIRST);

const FIRST: u64 = 1;

/// Tells a forked child, and what it copied, from its parent.
#[inline]
pub(crate) fn fork_generation() -> u64 {
    FORK_GENERATION.load(Ordering::Relaxed)
}

/// Whether this process is the child of one that used Staso.
pub(crate) fn is_forked() -> bool {
    fork_generation() != FIRST
}

/// Called by the fork handler in the child.
#[cfg(unix)]
pub(crate) fn forked() {
    FORK_GENERATION.fetch_add(1, Ordering::Relaxed);
}

/// A thread's generator of identifiers: xoshiro256++ (Blackman and Vigna, 2018), seeded by the system.
///
/// The 256 bits of state keep the streams of different threads and processes apart, which a generator
/// of 64 bits does not at a million traces a day.
pub(crate) struct IdSource {
    state: Cell<[u64; 4]>,
    generation: Cell<u64>,
}

impl IdSource {
    pub(crate) const fn new() -> Self {
        Self { state: Cell::new([0; 4]), generation: Cell::new(0) }
    }

    #[cfg(test)]
    fn seeded(state: [u64; 4]) -> Self {
        Self { state: Cell::new(state), generation: Cell::new(FORK_GENERATION.load(Ordering::Relaxed)) }
    }

    #[inline]
    pub(crate) fn span_id(&self) -> SpanId {
        loop {
            if let Some(bits) = NonZeroU64::new(self.next()) {
                return SpanId::new(bits);
            }
        }
    }

    #[inline]
    pub(crate) fn trace_id(&self) -> TraceId {
        loop {
            let bits = u128::from(self.next()) << 64 | u128::from(self.next());
            if let Some(bits) = NonZeroU128::new(bits) {
                return TraceId::new(bits);
            }
        }
    }

    #[inline]
    fn next(&self) -> u64 {
        // Relaxed: a fork happens on the thread that reads this next, or before its threads exist.
        if self.generation.get() != FORK_GENERATION.load(Ordering::Relaxed) {
            self.seed();
        }
        let [mut s0, mut s1, mut s2, mut s3] = self.state.get();
        let result = s0.wrapping_add(s3).rotate_left(23).wrapping_add(s0);
        let shifted = s1 << 17;
        s2 ^= s0;
        s3 ^= s1;
        s1 ^= s2;
        s0 ^= s3;
        s2 ^= shifted;
        s3 = s3.rotate_left(45);
        self.state.set([s0, s1, s2, s3]);
        result
    }

    #[cold]
    fn seed(&self) {
        let (a, b) = uuid::Uuid::new_v4().as_u64_pair();
        let (c, d) = uuid::Uuid::new_v4().as_u64_pair();
        self.state.set([a, b, c, d]);
        self.generation.set(FORK_GENERATION.load(Ordering::Relaxed));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_generator_follows_the_published_recurrence() {
        // The first outputs of the reference implementation for the state 1, 2, 3, 4.
        let ids = IdSource::seeded([1, 2, 3, 4]);
        let outputs = [ids.next(), ids.next(), ids.next(), ids.next()];
        assert_eq!(outputs, [41_943_041, 58_720_359, 3_588_806_011_781_223, 3_591_011_842_654_386]);
    }

    #[test]
    fn a_fork_gives_the_child_another_stream() {
        let ids = IdSource::new();
        ids.next();
        let before = ids.state.get();
        let parent = IdSource { state: Cell::new(before), generation: ids.generation.clone() };
        let expected = parent.next();
        ids.generation.set(fork_generation() - 1);
        assert_ne!(ids.next(), expected);
    }
}
