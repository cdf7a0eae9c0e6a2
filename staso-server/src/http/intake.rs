use std::{sync::Arc, time::Duration};

use tokio::sync::OwnedSemaphorePermit;

use super::{ApiError, share::Share};

/// How much of request bodies is held at once: of one, of all of a caller, and of all together.
#[derive(Clone, Debug)]
pub(crate) struct Intake {
    /// The greatest body, as it is sent and decompressed.
    pub(crate) one: usize,
    pub(super) own: Arc<Share>,
    pub(super) all: Arc<Share>,
}

impl Intake {
    /// Room for a body, of which nothing is there yet.
    pub(crate) fn room(&self) -> Room {
        Room { intake: self.clone(), taken: None }
    }
}

/// What a body takes up, until it is dropped.
#[derive(Debug)]
pub(crate) struct Room {
    intake: Intake,
    /// Of the caller's share, and of all.
    taken: Option<(OwnedSemaphorePermit, OwnedSemaphorePermit)>,
}

impl Room {
    /// Takes room for so many more bytes.
    ///
    /// # Errors
    ///
    /// 429 while there is none. Waiting for it could last for ever: others may wait for more room, too.
    pub(crate) fn grow(&mut self, bytes: usize) -> Result<(), ApiError> {
        let own = Share::take(&self.intake.own.bodies, bytes);
        let more = own.zip(Share::take(&self.intake.all.bodies, bytes));
        let Some((own, all)) = more else {
            return Err(ApiError::overloaded(Duration::from_secs(1)));
        };
        match &mut self.taken {
            Some(taken) => {
                taken.0.merge(own);
                taken.1.merge(all);
            }
            None => self.taken = Some((own, all)),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{
            Guards,
            share::{Shares, Who},
        },
        *,
    };

    fn shares() -> Shares {
        Shares::new(&Guards { max_bodies: 16, max_bodies_of_key: 10, ..Guards::default() })
    }

    fn room(shares: &Shares, who: Who) -> Room {
        Intake { one: 10, own: shares.of(who), all: Arc::clone(shares.all()) }.room()
    }

    #[test]
    fn bodies_share_the_room_and_give_it_back() {
        let shares = shares();
        let (mut first, mut second) = (room(&shares, Who::Everybody), room(&shares, Who::Everybody));
        assert!(first.grow(4).is_ok() && first.grow(10).is_ok());
        assert!(second.grow(2).is_ok() && second.grow(1).is_err());
        drop(first);
        assert!(second.grow(14).is_ok());
    }

    #[test]
    fn one_key_leaves_room_for_others() {
        let shares = shares();
        let [one, other] = [1, 2].map(|key| Who::Key([key; 32]));
        let (mut first, mut second) = (room(&shares, one), room(&shares, one));
        assert!(first.grow(8).is_ok() && second.grow(2).is_ok() && second.grow(1).is_err());
        assert!(room(&shares, other).grow(6).is_ok());
        assert!(room(&shares, Who::Nobody).grow(3).is_err());
    }
}
