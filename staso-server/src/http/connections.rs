use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{
    sync::{Notify, OwnedSemaphorePermit, Semaphore},
    time::{Instant, timeout},
};

/// The connections that are open. Where all places are taken, the one that has kept the server waiting longest makes
/// room: so nobody who opens many and says nothing keeps others out.
pub(super) struct Connections {
    places: Arc<Semaphore>,
    begun: Instant,
    open: Arc<Mutex<HashMap<u64, Arc<Pulse>>>>,
    next: AtomicU64,
}

impl Connections {
    /// Between two looks for one that waits, when none did.
    const PAUSE: Duration = Duration::from_millis(20);
    /// Whoever has just come is given so long to say what they want, however many others come.
    const LEFT_ALONE: Duration = Duration::from_millis(100);

    pub(super) fn new(most: usize) -> Self {
        Self {
            places: Arc::new(Semaphore::new(most)),
            begun: Instant::now(),
            open: Arc::default(),
            next: AtomicU64::new(0),
        }
    }

    /// A place for one more, once there is one.
    pub(super) async fn place(&self) -> Place {
        loop {
            if let Ok(permit) = Arc::clone(&self.places).try_acquire_owned() {
                return self.enter(permit);
            }
            self.cut_longest_waiting();
            if let Ok(Ok(permit)) = timeout(Self::PAUSE, Arc::clone(&self.places).acquire_owned()).await {
                return self.enter(permit);
            }
        }
    }

    fn enter(&self, permit: OwnedSemaphorePermit) -> Place {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let pulse = Arc::new(Pulse { begun: self.begun, ..Pulse::default() });
        pulse.waits();
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.insert(number, Arc::clone(&pulse));
        Place { number, pulse, open: Arc::clone(&self.open), _permit: permit }
    }

    /// Ends the connection that has waited longest for its client, if any waits.
    pub(super) fn cut_longest_waiting(&self) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let waiting = open.iter().filter_map(|(number, pulse)| Some((pulse.waiting_since()?, *number)));
        let longest = waiting.min().filter(|(since, _)| {
            self.begun.elapsed().saturating_sub(Duration::from_micros(*since)) >= Self::LEFT_ALONE
        });
        if let Some(pulse) = longest.and_then(|(_, number)| open.remove(&number)) {
            pulse.cut.notify_one();
        }
    }
}

/// A connection's place, which it gives back when it is dropped.
pub(super) struct Place {
    number: u64,
    pub(super) pulse: Arc<Pulse>,
    open: Arc<Mutex<HashMap<u64, Arc<Pulse>>>>,
    _permit: OwnedSemaphorePermit,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.number);
    }
}

/// Whose turn it is on a connection.
#[derive(Debug)]
pub(super) struct Pulse {
    begun: Instant,
    /// Since when the client has been waited for, in microseconds from the begin; 0 while the server is at work.
    since: AtomicU64,
    cut: Notify,
}

impl Default for Pulse {
    fn default() -> Self {
        Self { begun: Instant::now(), since: AtomicU64::new(0), cut: Notify::new() }
    }
}

impl Pulse {
    /// From now on the client is waited for.
    pub(super) fn waits(&self) {
        let micros = u64::try_from(self.begun.elapsed().as_micros()).unwrap_or(u64::MAX);
        // Relaxed: a time that publishes nothing.
        self.since.store(micros.max(1), Ordering::Relaxed);
    }

    /// The server is at work.
    pub(super) fn works(&self) {
        self.since.store(0, Ordering::Relaxed);
    }

    /// The client took something of what it is waited for.
    pub(super) fn beats(&self) {
        if self.waiting_since().is_some() {
            self.waits();
        }
    }

    /// Completes when the connection is to make room.
    pub(super) async fn cut(&self) {
        self.cut.notified().await;
    }

    fn waiting_since(&self) -> Option<u64> {
        Some(self.since.load(Ordering::Relaxed)).filter(|since| *since > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn who_keeps_the_server_waiting_longest_makes_room() {
        let connections = Connections::new(3);
        let [first, second, third] =
            [connections.place().await, connections.place().await, connections.place().await];
        let later =
            |pulse: &Pulse| pulse.since.store(pulse.since.load(Ordering::Relaxed) + 7, Ordering::Relaxed);
        first.pulse.works();
        later(&third.pulse);
        let (_fourth, ()) = tokio::join!(connections.place(), async {
            second.pulse.cut().await;
            drop(second);
        });
        // Who gives a sign is asked last, and who is served never.
        first.pulse.beats();
        assert!(first.pulse.waiting_since().is_none());
        let (_fifth, ()) = tokio::join!(connections.place(), async {
            drop(first);
        });
    }
}
