use crate::{
    annotation::{Annotation, AnnotationValue},
    encode::write_string,
};

/// Path and body of the request that stores an annotation; `None` for one that no backend takes.
pub(super) fn request(annotation: &Annotation) -> Option<(String, Vec<u8>)> {
    let trace_id = annotation.trace_id()?;
    if annotation.fault().is_some() {
        return None;
    }
    let mut body = Vec::new();
    body.extend_from_slice(b"{\"name\":");
    write_string(annotation.name(), &mut body);
    body.extend_from_slice(b",\"value\":");
    match annotation.value() {
        AnnotationValue::Integer(value) => body.extend_from_slice(value.to_string().as_bytes()),
        AnnotationValue::Number(value) => {
            body.extend_from_slice(serde_json::to_string(value).ok()?.as_bytes())
        }
        AnnotationValue::Category(value) => write_string(value, &mut body),
        AnnotationValue::Boolean(value) => body.extend_from_slice(value.to_string().as_bytes()),
    }
    body.extend_from_slice(b",\"data_type\":");
    write_string(annotation.value().data_type(), &mut body);
    if let Some(span_id) = annotation.span_id() {
        body.extend_from_slice(b",\"span_id\":\"");
        span_id.write_text(&mut body);
        body.push(b'"');
    }
    if let Some(comment) = annotation.comment_text() {
        body.extend_from_slice(b",\"comment\":");
        write_string(comment, &mut body);
    }
    body.push(b'}');
    Some((format!("/v1/traces/{trace_id}/annotations"), body))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{SpanId, TraceId};

    fn body(annotation: Annotation, span_id: Option<SpanId>) -> String {
        let trace_id: TraceId = "f6c65ef3-dc57-cfe1-80e6-8c077f765068".parse().unwrap();
        let (path, body) = request(&annotation.on(trace_id, span_id)).unwrap();
        assert_eq!(path, "/v1/traces/f6c65ef3-dc57-cfe1-80e6-8c077f765068/annotations");
        String::from_utf8(body).unwrap()
    }

    #[test]
    fn bodies_are_those_of_the_wire() {
        let span_id = "00000000-0000-0000-6c0f-e96f5651bf40".parse().ok();
        for (annotation, span_id, expected) in [
            (
                Annotation::new("quality", 0.9),
                None,
                r#"{"name":"quality","value":0.9,"data_type":"numeric"}"#,
            ),
            (Annotation::new("n", -3), None, r#"{"name":"n","value":-3,"data_type":"numeric"}"#),
            (
                Annotation::new("label", "good").comment("looks \"fine\""),
                span_id,
                concat!(
                    r#"{"name":"label","value":"good","data_type":"categorical","#,
                    r#""span_id":"00000000-0000-0000-6c0f-e96f5651bf40","comment":"looks \"fine\""}"#
                ),
            ),
            (
                Annotation::new("passed", true),
                None,
                r#"{"name":"passed","value":true,"data_type":"boolean"}"#,
            ),
        ] {
            assert_eq!(body(annotation, span_id), expected);
        }
    }

    #[test]
    fn what_no_backend_takes_is_not_sent() {
        let trace_id: TraceId = "f6c65ef3-dc57-cfe1-80e6-8c077f765068".parse().unwrap();
        assert_eq!(request(&Annotation::new("score", 1)), None);
        assert_eq!(request(&Annotation::new("score", f64::INFINITY).on(trace_id, None)), None);
    }
}
