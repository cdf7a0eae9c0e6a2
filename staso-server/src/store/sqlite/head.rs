//! What `span.head` holds: all that is taken out of a span but its identifiers, as one value. Traces are read span by
//! span, and a column costs more than a varint.
//!
//! ```text
//! kind + 8·status + 32·provisional + 64·tokens are known (one byte) │ start │ duration │ name │ agent │ conversation │
//! user │ model │ 0: no model call, 1: unknown price, else cost + 2 │ tokens in │ out │ total │ each tag
//! ```
//!
//! Texts are terms. Tokens are there only where they are known.

use super::{
    number::{kind_number, kind_of, span_status_number, span_status_of},
    varint,
};
use crate::{
    model::{Cost, Rank, SpanKind, SpanStatus, Timestamp, Tokens},
    store::StoreError,
};

/// A span, with terms in place of texts.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Head {
    pub(super) kind: SpanKind,
    pub(super) status: SpanStatus,
    pub(super) provisional: bool,
    pub(super) started_at: Timestamp,
    pub(super) duration_micros: u64,
    pub(super) name: i64,
    pub(super) agent: i64,
    pub(super) conversation: i64,
    pub(super) user: i64,
    pub(super) model: i64,
    pub(super) cost: Cost,
    pub(super) tokens: Option<Tokens>,
    pub(super) tags: Vec<i64>,
}

const STATUS: u8 = 8;
const PROVISIONAL: u8 = 32;
const TOKENS: u8 = 64;

impl Head {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(32);
        let mut first = kind_number(self.kind) + STATUS * span_status_number(self.status);
        first += if self.provisional { PROVISIONAL } else { 0 };
        first += if self.tokens.is_some() { TOKENS } else { 0 };
        bytes.push(first);
        varint::push(&mut bytes, self.started_at.as_micros().cast_unsigned());
        varint::push(&mut bytes, self.duration_micros);
        for term in [self.name, self.agent, self.conversation, self.user, self.model] {
            varint::push(&mut bytes, term.cast_unsigned());
        }
        let cost = match self.cost {
            Cost { priced: 0, unpriced: 0, .. } => 0,
            Cost { priced: 0, .. } => 1,
            Cost { nano_usd, .. } => nano_usd.saturating_add(2),
        };
        varint::push(&mut bytes, cost);
        if let Some(Tokens { input, output, total }) = self.tokens {
            [input, output, total].into_iter().for_each(|count| varint::push(&mut bytes, count));
        }
        self.tags.iter().for_each(|tag| varint::push(&mut bytes, tag.cast_unsigned()));
        bytes
    }

    /// Reads what [`encode`](Self::encode) wrote.
    pub(super) fn decode(bytes: &[u8]) -> Result<Self, StoreError> {
        Self::read(bytes).ok_or_else(|| StoreError::Engine("the row of a span is damaged".to_owned()))
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let (&first, mut rest) = bytes.split_first()?;
        let mut next = || varint::take(&mut rest);
        let started_at = Timestamp::from_micros(next()?.cast_signed());
        let duration_micros = next()?;
        let mut term = || next().map(u64::cast_signed);
        let (name, agent, conversation, user, model) = (term()?, term()?, term()?, term()?, term()?);
        let cost = match next()? {
            0 => Cost::default(),
            1 => Cost::of_call(None),
            more => Cost::of_call(Some(more - 2)),
        };
        let tokens = match first & TOKENS {
            0 => None,
            _ => Some(Tokens { input: next()?, output: next()?, total: next()? }),
        };
        Some(Self {
            kind: kind_of(first % STATUS),
            status: span_status_of(first / STATUS % 4),
            provisional: first & PROVISIONAL != 0,
            started_at,
            duration_micros,
            name,
            agent,
            conversation,
            user,
            model,
            cost,
            tokens,
            tags: std::iter::from_fn(|| next().map(u64::cast_signed)).collect(),
        })
    }

    /// What it is compared with other versions of the span by.
    pub(super) fn rank(&self) -> Rank {
        Rank::from_parts(self.provisional, self.started_at, self.duration_micros)
    }

    /// Every term in it.
    pub(super) fn terms(&self) -> impl Iterator<Item = i64> + '_ {
        [self.name, self.agent, self.conversation, self.user, self.model]
            .into_iter()
            .chain(self.tags.iter().copied())
    }
}

#[cfg(test)]
mod tests {
    use proptest::{prelude::*, sample::select};

    use super::*;

    prop_compose! {
        fn head()(
            kind in select(SpanKind::ALL.to_vec()),
            status in select(vec![SpanStatus::Ok, SpanStatus::Error, SpanStatus::Timeout, SpanStatus::Other]),
            provisional: bool,
            started_at: i64,
            duration_micros: u64,
            terms in prop::array::uniform5(0_i64..1 << 40),
            cost in prop::option::of(prop::option::of(0_u64..1 << 60)),
            tokens in prop::option::of(any::<(u64, u64, u64)>()),
            tags in prop::collection::vec(0_i64..1 << 40, 0..4),
        ) -> Head {
            let [name, agent, conversation, user, model] = terms;
            Head {
                kind, status, provisional, started_at: Timestamp::from_micros(started_at), duration_micros,
                name, agent, conversation, user, model,
                cost: cost.map_or_else(Cost::default, Cost::of_call),
                tokens: tokens.map(|(input, output, total)| Tokens { input, output, total }),
                tags,
            }
        }
    }

    proptest! {
        #[test]
        fn a_head_is_read_back(head in head()) {
            prop_assert_eq!(Head::decode(&head.encode()).unwrap(), head);
        }

        #[test]
        fn damage_does_no_harm(bytes: Vec<u8>) {
            let _ = Head::decode(&bytes);
        }
    }
}
