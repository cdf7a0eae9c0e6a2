use std::time::Duration;

use tokio::{sync::watch, time::Instant};

use super::{
    again::Upgrade,
    session::Writing,
    settle::{self, Patience},
    sums::Sums,
    trace::Known,
};
use crate::{model::Timestamp, store::StoreError};

/// How much there is to do beside the chores.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Load {
    /// More jobs wait than are committed together.
    Busy,
    /// Jobs come, but none waits.
    Light,
    /// None came for a while.
    Idle,
}

/// How long the row of a large trace may fall behind its spans, and at least so many times what the last such update
/// took.
const OUTDATED: Duration = Duration::from_secs(1);
const OUTDATED_SHARE: u32 = 10;

/// While jobs come, settling takes at most one part in so many of the time; one in fewer when far behind.
const SETTLING_SHARE: u32 = 8;
const SETTLING_SHARE_BEHIND: u32 = 2;

/// How often it is looked whether settling is far behind.
const BEHIND_CHECKED: Duration = Duration::from_millis(250);

/// Receipts outlive every client that may send a batch again.
const RECEIPTS_KEPT: Duration = Duration::from_secs(48 * 3600);

/// Between two looks for receipts that are older.
const RECEIPTS_CHECKED: Duration = Duration::from_secs(60);

/// Between two looks at the log, less while there is nothing else to do, and how many pages it may have while there
/// always is.
const LOG_CHECKED: Duration = Duration::from_secs(5);
const LOG_CHECKED_IDLE: Duration = Duration::from_secs(1);
const LOG_PAGES: i64 = 16_384;

/// After a failure of its own, such as a full disk, the thread leaves what is not urgent alone for so long.
const PAUSE: Duration = Duration::from_secs(10);

/// What the thread does when nobody asks for it.
pub(super) struct Chores {
    /// Whether this process keeps the folder in order, as its server does.
    keeps_order: bool,
    refresh: Due,
    receipts: Due,
    look: Due,
    log: Due,
    settle: Due,
    /// Whether so much waits to be settled that jobs have to wait for some of it.
    behind: bool,
    paused: Due,
    upgrade: watch::Sender<Upgrade>,
}

impl Chores {
    pub(super) fn new(keeps_order: bool, upgrade: watch::Sender<Upgrade>) -> Self {
        let now = Due(Instant::now());
        Self {
            keeps_order,
            refresh: now,
            receipts: now,
            look: now,
            log: now,
            settle: now,
            behind: false,
            paused: now,
            upgrade,
        }
    }

    /// Does what is due. Whether there is more that could be done at once.
    pub(super) fn run(&mut self, writing: &mut Writing, load: Load) -> bool {
        if !self.paused.is_due() {
            return false;
        }
        self.try_run(writing, load).unwrap_or_else(|error| {
            tracing::warn!(%error, "the store could not be tidied up; it will be tried again");
            self.paused.again_in(PAUSE);
            false
        })
    }

    /// Leaves the folder as those who open it next like to find it.
    pub(super) fn end(&mut self, writing: &mut Writing) {
        let log = |writing: &Writing| truncate_log(writing, Duration::from_secs(1));
        let done = refresh(writing).and_then(|()| if self.keeps_order { log(writing) } else { Ok(()) });
        if let Err(error) = done {
            tracing::warn!(%error, "the store was closed before it was tidied up; nothing is lost");
        }
    }

    fn try_run(&mut self, writing: &mut Writing, load: Load) -> Result<bool, StoreError> {
        if self.refresh.is_due() {
            let begun = Instant::now();
            refresh(writing)?;
            self.refresh.again_in(OUTDATED.max(begun.elapsed() * OUTDATED_SHARE));
        }
        if !self.keeps_order {
            return Ok(false);
        }
        if self.receipts.is_due() {
            self.receipts.again_in(RECEIPTS_CHECKED);
            forget_receipts(writing, Timestamp::now().before(RECEIPTS_KEPT))?;
        }
        if self.log.is_due() {
            self.log.again_in(if load == Load::Idle { LOG_CHECKED_IDLE } else { LOG_CHECKED });
            keep_log_short(writing, load)?;
        }
        if self.look.is_due() {
            self.look.again_in(BEHIND_CHECKED);
            self.behind = settle::is_far_behind(writing)?;
        }
        let may_settle = match load {
            Load::Idle => true,
            Load::Light => self.settle.is_due(),
            Load::Busy => self.behind && self.settle.is_due(),
        };
        if !may_settle {
            return Ok(false);
        }
        let begun = Instant::now();
        let more = writing.transaction(|session| settle::settle_some(session, Patience::UntilQuiet))?;
        if !self.upgrade.borrow().is_done() {
            let left = Upgrade::left(writing)?;
            self.upgrade.send_modify(|upgrade| upgrade.left = left.left);
        }
        let share = if self.behind { SETTLING_SHARE_BEHIND } else { SETTLING_SHARE };
        self.settle.again_in(begun.elapsed() * (share - 1));
        Ok(more && load == Load::Idle)
    }
}

/// When something is to be done again.
#[derive(Clone, Copy)]
struct Due(Instant);

impl Due {
    fn is_due(self) -> bool {
        Instant::now() >= self.0
    }

    fn again_in(&mut self, pause: Duration) {
        self.0 = Instant::now() + pause;
    }
}

/// Works out what large traces come to that have grown.
fn refresh(writing: &mut Writing) -> Result<(), StoreError> {
    for trace in writing.outdated() {
        writing.transaction(|session| {
            let mut sums = Sums::default();
            if let Some(known) = Known::get(session, trace)? {
                known.catch_up(session, &mut sums)?;
            }
            session.outdated.remove(&trace);
            sums.write(session)
        })?;
    }
    Ok(())
}

fn forget_receipts(writing: &mut Writing, before: Timestamp) -> Result<(), StoreError> {
    writing.transaction(|session| {
        let mut delete = session.connection.prepare_cached("DELETE FROM receipt WHERE received_at < ?")?;
        delete.execute([before.as_micros()])?;
        Ok(())
    })
}

/// The engine starts its log anew only when no reader needs it. Where readers overlap for ever, somebody has to make
/// them wait for a moment.
fn keep_log_short(writing: &Writing, load: Load) -> Result<(), StoreError> {
    let pages: i64 = writing.connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |row| row.get(1))?;
    if pages > LOG_PAGES || (pages > 0 && load == Load::Idle) {
        truncate_log(writing, Duration::from_millis(200))?;
    }
    Ok(())
}

/// Empties the log, unless a reader needs it for longer than that.
fn truncate_log(writing: &Writing, patience: Duration) -> Result<(), StoreError> {
    let connection = &writing.connection;
    connection.busy_timeout(patience)?;
    let done = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
    connection.busy_timeout(super::super::open::BUSY)?;
    Ok(done?)
}
