//! What metrics add up: one fact for a trace, one for each agent that ran in it, and one for each model that such an
//! agent called. Those of a trace are one value, and those of many traces are packed into one row: metrics read very
//! many of them.
//!
//! ```text
//! pack   { trace │ length of its facts │ its facts }
//! facts  start of the trace │ environment │ user │ { subject (one byte) │ how much later it started │ agent │ model │
//!        length of the measures │ measures: see `measures.rs` }
//! ```
//!
//! Numbers are varints, texts are terms, 0 stands for none.

use super::{measures, number::Subject, varint};
use crate::model::{Measures, Timestamp};

/// One of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fact<'a> {
    pub(super) subject: Subject,
    pub(super) started_at: Timestamp,
    /// 0 for a whole trace.
    pub(super) agent: i64,
    /// 0 but for calls.
    pub(super) model: i64,
    pub(super) environment: i64,
    pub(super) user: i64,
    measures: &'a [u8],
}

impl Fact<'_> {
    pub(super) fn count(&self) -> u64 {
        measures::count(self.measures)
    }

    pub(super) fn measures(&self) -> Measures {
        let mut measures = Measures::default();
        self.add_to(&mut measures);
        measures
    }

    pub(super) fn add_to(&self, sum: &mut Measures) {
        measures::add(self.measures, sum);
    }
}

/// The facts of a trace on their way into a pack.
pub(super) struct Builder {
    started_at: i64,
    bytes: Vec<u8>,
}

impl Builder {
    pub(super) fn new(started_at: Timestamp, environment: i64, user: i64) -> Self {
        let started_at = started_at.as_micros();
        let mut bytes = Vec::with_capacity(128);
        for number in [started_at, environment, user] {
            varint::push(&mut bytes, number.cast_unsigned());
        }
        Self { started_at, bytes }
    }

    /// In the order of their subjects, as readers stop after the one that they want.
    pub(super) fn push(
        &mut self,
        subject: Subject,
        started_at: Timestamp,
        agent: i64,
        model: i64,
        measures: &Measures,
    ) {
        self.bytes.push(subject as u8);
        for number in [started_at.as_micros().wrapping_sub(self.started_at), agent, model] {
            varint::push(&mut self.bytes, number.cast_unsigned());
        }
        push_counted(&mut self.bytes, &measures::encode(measures));
    }

    pub(super) fn finish(self) -> Vec<u8> {
        self.bytes
    }
}

/// Appends the facts of a trace to a pack.
pub(super) fn push_trace(pack: &mut Vec<u8>, trace: i64, facts: &[u8]) {
    varint::push(pack, trace.cast_unsigned());
    push_counted(pack, facts);
}

/// The traces of a pack, and the facts of each. What is damaged is left out.
pub(super) fn traces(mut pack: &[u8]) -> impl Iterator<Item = (i64, &[u8])> {
    std::iter::from_fn(move || Some((varint::take(&mut pack)?.cast_signed(), take_counted(&mut pack)?)))
}

/// The facts of a trace, in the order of their subjects. What is damaged is left out.
pub(super) fn facts(mut bytes: &[u8]) -> impl Iterator<Item = Fact<'_>> {
    let mut head = || varint::take(&mut bytes).map(u64::cast_signed);
    let head = head().zip(head()).zip(head());
    std::iter::from_fn(move || {
        let ((trace_started_at, environment), user) = head?;
        let (&subject, rest) = bytes.split_first()?;
        bytes = rest;
        let subject = Subject::ALL.into_iter().find(|known| *known as u8 == subject)?;
        let mut number = || varint::take(&mut bytes).map(u64::cast_signed);
        let started_at = Timestamp::from_micros(number()?.wrapping_add(trace_started_at));
        let (agent, model) = (number()?, number()?);
        let measures = take_counted(&mut bytes)?;
        Some(Fact { subject, started_at, agent, model, environment, user, measures })
    })
}

fn push_counted(bytes: &mut Vec<u8>, part: &[u8]) {
    varint::push(bytes, part.len() as u64);
    bytes.extend_from_slice(part);
}

fn take_counted<'a>(bytes: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = usize::try_from(varint::take(bytes)?).ok()?;
    let (part, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    Some(part)
}

#[cfg(test)]
mod tests {
    use proptest::{prelude::*, sample::select};

    use super::*;

    proptest! {
        #[test]
        fn facts_are_read_back(
            traces_in in prop::collection::vec(
                (any::<i64>(), (any::<i64>(), 0_i64..9, 0_i64..9), prop::collection::vec(
                    (select(Subject::ALL.to_vec()), any::<i64>(), 0_i64..1 << 40, 0_i64..1 << 40, 0_u64..1 << 50), 0..4,
                )), 0..4,
            ),
        ) {
            let mut pack = Vec::new();
            for (trace, (started_at, environment, user), facts) in &traces_in {
                let mut builder = Builder::new(Timestamp::from_micros(*started_at), *environment, *user);
                for (subject, started_at, agent, model, count) in facts {
                    let measures = Measures { count: *count, ..Measures::default() };
                    builder.push(*subject, Timestamp::from_micros(*started_at), *agent, *model, &measures);
                }
                push_trace(&mut pack, *trace, &builder.finish());
            }
            let read: Vec<_> = traces(&pack).map(|(trace, bytes)| {
                let facts = facts(bytes).map(|fact| {
                    let mut sum = Measures::default();
                    fact.add_to(&mut sum);
                    (fact.environment, fact.user, fact.subject, fact.started_at.as_micros(), fact.agent, fact.model, sum.count)
                });
                (trace, facts.collect::<Vec<_>>())
            }).collect();
            let written: Vec<_> = traces_in.iter().map(|(trace, (_, environment, user), facts)| {
                let facts = facts.iter().map(|(subject, started_at, agent, model, count)| {
                    (*environment, *user, *subject, *started_at, *agent, *model, *count)
                });
                (*trace, facts.collect::<Vec<_>>())
            }).collect();
            prop_assert_eq!(read, written);
        }

        #[test]
        fn damage_does_no_harm(bytes: Vec<u8>) {
            traces(&bytes).for_each(|(_, bytes)| facts(bytes).for_each(|fact| fact.add_to(&mut Measures::default())));
            facts(&bytes).for_each(|fact| fact.add_to(&mut Measures::default()));
        }
    }
}
