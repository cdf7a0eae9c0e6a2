use super::{Followed, FollowedStream, OpenSpan};
use crate::capture::{Items, Outcome};

/// A span whose code has returned: what it returned says when the span ends.
///
/// A value ends it; a future or a stream goes on in it.
pub struct Ending<'a>(Of<'a>);

enum Of<'a> {
    /// Nothing is recorded.
    Nothing,
    Span(Box<OpenSpan>),
    /// One item of a stream, which ends nothing.
    Item(&'a mut OpenSpan, &'a mut Items),
}

impl<'a> Ending<'a> {
    #[inline]
    pub(super) fn of(open: Option<Box<OpenSpan>>) -> Self {
        Self(open.map_or(Of::Nothing, Of::Span))
    }

    #[inline]
    pub(super) fn of_item(open: &'a mut OpenSpan, items: &'a mut Items) -> Self {
        Self(Of::Item(open, items))
    }

    /// Ends it with a value.
    #[inline]
    pub fn with<R>(self, value: R, outcome: impl FnOnce(&R, Outcome<'_>)) -> R {
        match self.0 {
            Of::Nothing => {}
            Of::Span(mut open) => {
                outcome(&value, Outcome::of(&mut open));
                open.close();
            }
            Of::Item(open, items) => outcome(&value, Outcome::of_item(open, items)),
        }
        value
    }

    /// Whether it is a span that can follow what was returned.
    #[inline]
    #[must_use]
    pub fn can_follow(&self) -> bool {
        matches!(self.0, Of::Span(_))
    }

    /// Lasts as long as a future, and what that gives.
    #[inline]
    pub fn follow<F, K, R>(self, future: F, end: K) -> Followed<F, K>
    where
        F: Future,
        K: FnMut(F::Output, Ending<'_>) -> R,
    {
        Followed::new(self.into_open(), future, end)
    }

    /// Lasts as long as a stream.
    #[inline]
    pub fn follow_stream<S, K>(self, stream: S, end: K) -> FollowedStream<S, K>
    where
        S: futures_core::Stream,
        K: FnMut(S::Item, Ending<'_>) -> S::Item,
    {
        FollowedStream::new(self.into_open(), stream, end)
    }

    fn into_open(self) -> Option<Box<OpenSpan>> {
        match self.0 {
            Of::Span(mut open) => {
                open.expect_polls();
                Some(open)
            }
            Of::Nothing | Of::Item(..) => None,
        }
    }
}
