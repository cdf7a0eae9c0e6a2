use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::Guards;

/// Whose requests count together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Who {
    /// All who call a server on its own machine.
    Everybody,
    /// Those who show no key: on the login page.
    Nobody,
    /// A key, and the sessions that it opened, by its hash.
    Key([u8; 32]),
}

/// What all callers together take up, and each of them.
pub(super) struct Shares {
    guards: Guards,
    all: Arc<Share>,
    callers: Mutex<HashMap<Who, Arc<Share>>>,
}

impl Shares {
    /// So many callers are known before those are forgotten who take up nothing.
    const KNOWN: usize = 256;

    pub(super) fn new(guards: &Guards) -> Self {
        let all = Share::new(guards.max_bodies, guards.max_streams, Semaphore::MAX_PERMITS);
        Self { guards: guards.clone(), all: Arc::new(all), callers: Mutex::default() }
    }

    pub(super) fn all(&self) -> &Arc<Share> {
        &self.all
    }

    /// The share of a caller. It is less than all there is, so that something is left for others.
    pub(super) fn of(&self, who: Who) -> Arc<Share> {
        let mut callers = self.callers.lock().unwrap_or_else(PoisonError::into_inner);
        if callers.len() >= Self::KNOWN {
            callers.retain(|_, share| Arc::strong_count(share) > 1);
        }
        let guards = &self.guards;
        let make = || match who {
            Who::Everybody => Share::new(guards.max_bodies, guards.max_streams, Semaphore::MAX_PERMITS),
            Who::Nobody => Share::new(guards.max_bodies / 8, 0, guards.max_requests_of_key),
            Who::Key(_) => {
                Share::new(guards.max_bodies_of_key, guards.max_streams_of_key, guards.max_requests_of_key)
            }
        };
        Arc::clone(callers.entry(who).or_insert_with(|| Arc::new(make())))
    }
}

/// What may be taken up: bytes of bodies, streams, and requests under way.
#[derive(Debug)]
pub(super) struct Share {
    pub(super) bodies: Arc<Semaphore>,
    pub(super) streams: Arc<Semaphore>,
    pub(super) requests: Arc<Semaphore>,
}

impl Share {
    fn new(bodies: usize, streams: usize, requests: usize) -> Self {
        let semaphore = |permits: usize| Arc::new(Semaphore::new(permits.min(Semaphore::MAX_PERMITS)));
        Self { bodies: semaphore(bodies), streams: semaphore(streams), requests: semaphore(requests) }
    }

    /// Takes part, if so much is left.
    pub(super) fn take(part: &Arc<Semaphore>, amount: usize) -> Option<OwnedSemaphorePermit> {
        u32::try_from(amount).ok().and_then(|amount| Arc::clone(part).try_acquire_many_owned(amount).ok())
    }
}
