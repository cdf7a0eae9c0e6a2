use std::{sync::Arc, time::Duration};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::ApiError;

/// How much of request bodies is held at once: of one, and of all together.
#[derive(Clone, Debug)]
pub(crate) struct Intake {
    /// The greatest body, as it is sent and decompressed.
    pub(crate) one: usize,
    all: Arc<Semaphore>,
}

impl Intake {
    pub(super) fn new(one: usize, all: usize) -> Self {
        Self { one, all: Arc::new(Semaphore::new(all.min(Semaphore::MAX_PERMITS))) }
    }

    /// Room for a body, of which nothing is there yet.
    pub(crate) fn room(&self) -> Room {
        Room { all: Arc::clone(&self.all), taken: None }
    }
}

/// What a body takes up, until it is dropped.
#[derive(Debug)]
pub(crate) struct Room {
    all: Arc<Semaphore>,
    taken: Option<OwnedSemaphorePermit>,
}

impl Room {
    /// Takes room for so many more bytes.
    ///
    /// # Errors
    ///
    /// 429 while there is none. Waiting for it could last for ever: others may wait for more room, too.
    pub(crate) fn grow(&mut self, bytes: usize) -> Result<(), ApiError> {
        let more =
            u32::try_from(bytes).ok().and_then(|n| Arc::clone(&self.all).try_acquire_many_owned(n).ok());
        let Some(more) = more else {
            return Err(ApiError::overloaded(Duration::from_secs(1)));
        };
        match &mut self.taken {
            Some(taken) => taken.merge(more),
            None => self.taken = Some(more),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_share_the_room_and_give_it_back() {
        let intake = Intake::new(10, 10);
        let (mut first, mut second) = (intake.room(), intake.room());
        assert!(first.grow(4).is_ok() && first.grow(4).is_ok());
        assert!(second.grow(2).is_ok() && second.grow(1).is_err());
        drop(first);
        assert!(second.grow(8).is_ok());
    }
}
