use std::borrow::Cow;

use crate::record::{SHORT, SpanId, TraceId, cut};

/// A score or label for a trace or one of its spans.
///
/// ```
/// use staso::Annotation;
///
/// let verdict = Annotation::new("verdict", "good").comment("answered in one turn");
/// assert_eq!(verdict.name(), "verdict");
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Annotation {
    name: String,
    value: AnnotationValue,
    comment: Option<String>,
    target: Option<(TraceId, Option<SpanId>)>,
}

/// What an annotation says. Numbers, texts and booleans convert into it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum AnnotationValue {
    /// A whole number, sent as `numeric`.
    Integer(i64),
    /// A finite number, sent as `numeric`.
    Number(f64),
    /// One of a set of labels, sent as `categorical`.
    Category(String),
    /// Yes or no, sent as `boolean`.
    Boolean(bool),
}

impl Annotation {
    /// An annotation without a comment. Its target is given by where it is attached.
    #[must_use]
    pub fn new(name: impl Into<String>, value: impl Into<AnnotationValue>) -> Self {
        Self { name: name.into(), value: value.into(), comment: None, target: None }
    }

    /// Says why.
    #[must_use]
    pub fn comment(mut self, comment: impl Into<String>) -> Self {
        self.comment = Some(comment.into());
        self
    }

    pub(crate) fn on(mut self, trace_id: TraceId, span_id: Option<SpanId>) -> Self {
        self.target = Some((trace_id, span_id));
        self
    }

    /// What is scored, such as `helpfulness`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The score or label.
    #[must_use]
    pub fn value(&self) -> &AnnotationValue {
        &self.value
    }

    /// The reason, if one was given.
    #[must_use]
    pub fn comment_text(&self) -> Option<&str> {
        self.comment.as_deref()
    }

    /// The trace it is about; `None` before it is attached.
    #[must_use]
    pub fn trace_id(&self) -> Option<TraceId> {
        self.target.map(|(trace_id, _)| trace_id)
    }

    /// The span it is about; `None` for the whole trace.
    #[must_use]
    pub fn span_id(&self) -> Option<SpanId> {
        self.target.and_then(|(_, span_id)| span_id)
    }

    /// With its name and label cut like every name, and its comment like a captured value.
    pub(crate) fn cut(mut self, most: usize) -> Self {
        let shorten = |text: &mut String, most| {
            if text.len() > most {
                *text = cut(text, most).into_owned();
            }
        };
        shorten(&mut self.name, SHORT);
        if let AnnotationValue::Category(label) = &mut self.value {
            shorten(label, SHORT);
        }
        if let Some(comment) = &mut self.comment {
            shorten(comment, most);
        }
        self
    }

    /// What makes it unfit to be sent.
    pub(crate) fn fault(&self) -> Option<&'static str> {
        if self.name.is_empty() {
            return Some("an annotation needs a name");
        }
        match self.value {
            AnnotationValue::Number(number) if !number.is_finite() => {
                Some("a numeric annotation needs a finite number")
            }
            _ => None,
        }
    }
}

impl AnnotationValue {
    /// The wire's `data_type`: `numeric`, `categorical` or `boolean`.
    #[must_use]
    pub const fn data_type(&self) -> &'static str {
        match self {
            Self::Integer(_) | Self::Number(_) => "numeric",
            Self::Category(_) => "categorical",
            Self::Boolean(_) => "boolean",
        }
    }
}

macro_rules! from {
    ($($variant:ident: $($source:ty),+);+ $(;)?) => {
        $($(impl From<$source> for AnnotationValue {
            fn from(value: $source) -> Self {
                Self::$variant(value.into())
            }
        })+)+
    };
}

from! {
    Integer: i8, i16, i32, i64, u8, u16, u32;
    Number: f32, f64;
    Category: &str, &String, String, Box<str>, Cow<'_, str>;
    Boolean: bool;
}

/// As integers where they fit, else as the nearest number.
macro_rules! from_wide {
    ($($source:ty),+) => {
        $(impl From<$source> for AnnotationValue {
            #[expect(clippy::cast_precision_loss, reason = "the wire's numbers have no more digits")]
            fn from(value: $source) -> Self {
                i64::try_from(value).map_or(Self::Number(value as f64), Self::Integer)
            }
        })+
    };
}

from_wide!(u64, usize, isize, u128, i128);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_type_of_a_value_decides_the_data_type() {
        assert_eq!(AnnotationValue::from(3).data_type(), "numeric");
        assert_eq!(AnnotationValue::from(0.5).data_type(), "numeric");
        assert_eq!(AnnotationValue::from(vec!["a", "b"].len()), AnnotationValue::Integer(2));
        assert_eq!(AnnotationValue::from(7_u64), AnnotationValue::Integer(7));
        assert_eq!(AnnotationValue::from(-7_i128), AnnotationValue::Integer(-7));
        assert_eq!(AnnotationValue::from(u64::MAX), AnnotationValue::Number(18_446_744_073_709_551_615.0));
        assert_eq!(AnnotationValue::from("good").data_type(), "categorical");
        assert_eq!(AnnotationValue::from(true).data_type(), "boolean");
    }

    #[test]
    fn what_the_backend_would_refuse_is_known_beforehand() {
        assert!(Annotation::new("", 1).fault().is_some());
        assert!(Annotation::new("score", f64::NAN).fault().is_some());
        assert!(Annotation::new("score", 0.9).fault().is_none());
    }
}
