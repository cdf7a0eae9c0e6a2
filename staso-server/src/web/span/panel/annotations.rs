use maud::{Markup, html};

use super::Place;
use crate::{
    model::{Annotation, AnnotationValue, SpanRow},
    web::format,
};

/// What was said of a span, and on a root of its trace.
pub(super) fn annotations(place: &Place<'_>, row: &SpanRow) -> Markup {
    let own: Vec<&Annotation> = place
        .annotations
        .iter()
        .filter(|annotation| match &annotation.span_id {
            Some(span_id) => *span_id == row.span_id,
            None => row.parent_span_id.is_none(),
        })
        .collect();
    html! {
        @if !own.is_empty() {
            section.payload {
                h3 { "Annotations" }
                dl.facts {
                    @for annotation in own {
                        dt { (annotation.name) }
                        dd {
                            strong { (value(&annotation.value)) }
                            @if let Some(comment) = &annotation.comment { " " (comment) }
                            " " span.muted { (format::time(annotation.received_at)) }
                        }
                    }
                }
            }
        }
    }
}

fn value(value: &AnnotationValue) -> String {
    match value {
        AnnotationValue::Numeric(number) => number.to_string(),
        AnnotationValue::Categorical(text) => text.clone(),
        AnnotationValue::Boolean(true) => "yes".to_owned(),
        AnnotationValue::Boolean(false) => "no".to_owned(),
    }
}
