use std::collections::HashMap;

use super::{SpanHead, SpanRow};

/// A span as far as it has a place in a tree.
pub trait InTree {
    /// Its own identifier and its parent's.
    fn ids(&self) -> (&str, Option<&str>);
}

impl InTree for SpanHead {
    fn ids(&self) -> (&str, Option<&str>) {
        (self.span_id.as_str(), self.parent_span_id.as_ref().map(|id| id.as_str()))
    }
}

impl InTree for SpanRow {
    fn ids(&self) -> (&str, Option<&str>) {
        (self.span_id.as_str(), self.parent_span_id.as_ref().map(|id| id.as_str()))
    }
}

impl<T: InTree + ?Sized> InTree for &T {
    fn ids(&self) -> (&str, Option<&str>) {
        (**self).ids()
    }
}

/// The spans that speak for a trace, as places in the list: its roots or, where no root is there, those whose parent is
/// elsewhere, such as in a process that is not traced, and the first span of each ring of spans that name each other.
/// Of a list that is not empty there is at least one.
#[must_use]
pub fn topmost(spans: &[impl InTree]) -> Vec<usize> {
    let roots = spans.iter().enumerate().filter(|(_, span)| span.ids().1.is_none());
    let roots: Vec<usize> = roots.map(|(place, _)| place).collect();
    if roots.is_empty() { tops(&parents(spans)) } else { roots }
}

/// The place of each span's parent, as far as it is in the list.
#[must_use]
pub fn parents(spans: &[impl InTree]) -> Vec<Option<usize>> {
    let places: HashMap<&str, usize> =
        spans.iter().enumerate().map(|(place, span)| (span.ids().0, place)).collect();
    spans.iter().map(|span| places.get(span.ids().1?).copied()).collect()
}

/// The places of those without a parent and of the first of each ring, in ascending order.
#[must_use]
pub fn tops(parents: &[Option<usize>]) -> Vec<usize> {
    let mut tops = Vec::new();
    // By which walk upwards each was met first.
    let mut met: Vec<Option<usize>> = vec![None; parents.len()];
    for start in 0..parents.len() {
        let mut place = start;
        while let Some(unmet @ None) = met.get_mut(place) {
            *unmet = Some(start);
            match parents.get(place).copied().flatten() {
                Some(parent) => place = parent,
                None => {
                    tops.push(place);
                    break;
                }
            }
            if met.get(place) == Some(&Some(start)) {
                tops.push(first_of_ring(parents, place));
                break;
            }
        }
    }
    tops.sort_unstable();
    tops
}

fn first_of_ring(parents: &[Option<usize>], member: usize) -> usize {
    let up = |place: &usize| parents.get(*place).copied().flatten();
    let others = std::iter::successors(up(&member), up).take_while(|place| *place != member);
    others.min().map_or(member, |first| first.min(member))
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Ids(&'static str, Option<&'static str>);

    impl InTree for Ids {
        fn ids(&self) -> (&str, Option<&str>) {
            (self.0, self.1)
        }
    }

    #[track_caller]
    fn check(spans: &[(&'static str, &'static str)], expected: &[&str]) {
        let spans: Vec<Ids> =
            spans.iter().map(|(id, parent)| Ids(id, Some(*parent).filter(|id| !id.is_empty()))).collect();
        let found: Vec<&str> = topmost(&spans).iter().map(|place| spans[*place].0).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn roots_speak_for_their_trace_and_nobody_beside_them() {
        check(&[("a", "root"), ("root", ""), ("lost", "gone"), ("x", "x")], &["root"]);
        check(&[("one", ""), ("a", "one"), ("two", "")], &["one", "two"]);
    }

    #[test]
    fn without_a_root_those_whose_parent_is_elsewhere_do() {
        check(&[("below", "top"), ("top", "elsewhere"), ("other", "elsewhere")], &["top", "other"]);
    }

    #[test]
    fn of_each_ring_the_first_does() {
        check(&[("self", "self")], &["self"]);
        check(&[("leaf", "b"), ("a", "b"), ("b", "c"), ("c", "a"), ("top", "gone")], &["a", "top"]);
        check(&[("leaf", "y"), ("x", "y"), ("y", "x"), ("z", "z")], &["x", "z"]);
    }

    #[test]
    fn a_long_chain_is_walked_once() {
        let parents: Vec<Option<usize>> =
            (0..200_000_usize).map(|place| Some(place + 1).filter(|up| *up < 200_000)).collect();
        assert_eq!(tops(&parents), [199_999]);
    }
}
