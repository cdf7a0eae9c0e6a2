use std::{
    fmt,
    sync::Arc,
    thread,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use crossbeam_channel::Receiver;

use crate::sender::Waiting;

/// Both hands of time: a monotonic one for durations and waits, and the wall clock for timestamps.
#[derive(Clone)]
pub(crate) enum Clock {
    System {
        /// Where the monotonic hand stands at zero.
        base: Instant,
    },
    Injected(Arc<dyn Hands>),
}

/// The two hands of a clock that a test moves.
pub(crate) trait Hands: Send + Sync {
    fn monotonic(&self) -> Duration;
    fn since_epoch(&self) -> Duration;
    /// Waits for a wake-up, or until the monotonic hand has moved this far.
    fn wait(&self, wait: Duration, wake: &Receiver<()>) -> Waiting;
    /// Lets other threads go on while the sender looks for a span that is about to come.
    fn yield_now(&self) {
        thread::yield_now();
    }
}

/// Nanoseconds since 1970, UTC. Times before count as zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct WallTime(pub(crate) u64);

/// Nanoseconds of the monotonic hand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Tick(pub(crate) u64);

/// How long a span took, in nanoseconds: half as large as a [`Duration`], and nothing to divide.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Nanos(u64);

/// Ties the monotonic hand to the wall clock: read once per trace, so that a jump of the wall clock
/// never puts a child before its parent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Anchor {
    tick: Tick,
    wall: WallTime,
}

impl Clock {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the clock")]
    pub(crate) fn system() -> Self {
        Self::System { base: Instant::now() }
    }

    #[inline]
    pub(crate) fn tick(&self) -> Tick {
        match self {
            Self::System { base } => {
                #[expect(clippy::disallowed_methods, reason = "the one place that reads the clock")]
                let elapsed = Instant::now().duration_since(*base);
                Tick(nanos(elapsed))
            }
            Self::Injected(hands) => Tick(nanos(hands.monotonic())),
        }
    }

    pub(crate) fn wall(&self) -> WallTime {
        let since_epoch = match self {
            Self::System { .. } => {
                #[expect(clippy::disallowed_methods, reason = "the one place that reads the clock")]
                let now = SystemTime::now();
                now.duration_since(UNIX_EPOCH).unwrap_or_default()
            }
            Self::Injected(hands) => hands.since_epoch(),
        };
        WallTime(nanos(since_epoch))
    }

    pub(crate) fn anchor(&self, tick: Tick) -> Anchor {
        Anchor { tick, wall: self.wall() }
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::System { .. } => "Clock::System",
            Self::Injected(_) => "Clock::Injected",
        })
    }
}

impl Tick {
    pub(crate) const fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.nanos_since(earlier).0)
    }

    #[inline]
    pub(crate) const fn nanos_since(self, earlier: Self) -> Nanos {
        Nanos(self.0.saturating_sub(earlier.0))
    }

    pub(crate) fn after(self, wait: Duration) -> Self {
        Self(self.0.saturating_add(nanos(wait)))
    }
}

impl From<Nanos> for Duration {
    fn from(nanos: Nanos) -> Self {
        Self::from_nanos(nanos.0)
    }
}

#[cfg(test)]
impl From<Duration> for Nanos {
    fn from(duration: Duration) -> Self {
        Self(nanos(duration))
    }
}

impl Anchor {
    #[inline]
    pub(crate) const fn wall_at(self, tick: Tick) -> WallTime {
        let forward = tick.0.saturating_sub(self.tick.0);
        let back = self.tick.0.saturating_sub(tick.0);
        WallTime(self.wall.0.saturating_add(forward).saturating_sub(back))
    }
}

impl WallTime {
    pub(crate) fn to_system_time(self) -> SystemTime {
        UNIX_EPOCH + Duration::from_nanos(self.0)
    }
}

/// 584 years fit.
#[inline]
fn nanos(duration: Duration) -> u64 {
    duration.as_secs().saturating_mul(1_000_000_000).saturating_add(u64::from(duration.subsec_nanos()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_anchor_gives_the_time_before_and_after_it() {
        let anchor = Anchor { tick: Tick(100), wall: WallTime(1_000) };
        assert_eq!(anchor.wall_at(Tick(130)), WallTime(1_030));
        assert_eq!(anchor.wall_at(Tick(70)), WallTime(970));
    }

    #[test]
    fn differences_never_go_below_zero() {
        assert_eq!(Tick(1).since(Tick(5)), Duration::ZERO);
    }
}
