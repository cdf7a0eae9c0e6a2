use axum::{
    Extension, Json,
    body::Body,
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
};
use serde::Serialize;
use serde_json::{Map, Value};

use super::{body, error::ParseError, mend::or_mended};
use crate::{
    http::{ApiError, AppState, Caller, Intake},
    model::{Annotation, AnnotationValue, Grant, SpanId, Timestamp, TraceId},
};

/// The greatest body, in bytes.
const MAX_BODY: usize = 64 << 10;

/// The answer to an annotation that is stored.
#[derive(Debug, Serialize)]
pub(super) struct Accepted {
    accepted: usize,
}

/// `POST /v1/traces/{trace_id}/annotations`. The trace need not have arrived.
pub(super) async fn annotate(
    State(state): State<AppState>,
    Caller(access): Caller,
    Extension(intake): Extension<Intake>,
    Path(trace_id): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<Accepted>), ApiError> {
    let received_at = Timestamp::now();
    let body = body::read(&headers, body, &intake, MAX_BODY).await?;
    let annotation = parse_annotation(&body.text, received_at)?;
    let workspace = match &access.grant {
        Grant::Organization => None,
        Grant::Workspace(own) => Some(own.id),
    };
    state.store.annotate(workspace, TraceId::new(trace_id), annotation).await?;
    Ok((StatusCode::CREATED, Json(Accepted { accepted: 1 })))
}

/// Reads the body of an annotation.
///
/// # Errors
///
/// The first fault and its path.
pub fn parse_annotation(json: &str, received_at: Timestamp) -> Result<Annotation, ParseError> {
    or_mended(json, |json| read_annotation(json, received_at))
}

fn read_annotation(json: &str, received_at: Timestamp) -> Result<Annotation, ParseError> {
    let body: Map<String, Value> =
        serde_json::from_str(json).map_err(|error| ParseError::of_json(&error, json))?;
    let name = text(&body, "name")?.filter(|name| !name.is_empty());
    let name = name.ok_or_else(|| ParseError::invalid("name", "expected a string that is not empty"))?;
    let value = body.get("value").ok_or_else(|| ParseError::invalid("value", "expected a value"))?;
    Ok(Annotation {
        name,
        value: judgement(value, text(&body, "data_type")?.as_deref().unwrap_or("numeric"))?,
        span_id: text(&body, "span_id")?.map(SpanId::new),
        comment: text(&body, "comment")?,
        received_at,
    })
}

fn judgement(value: &Value, data_type: &str) -> Result<AnnotationValue, ParseError> {
    let expected = |what: &str| {
        ParseError::invalid("value", format_args!("expected {what}, as `data_type` is `{data_type}`"))
    };
    match data_type.to_ascii_lowercase().as_str() {
        "numeric" => value.as_f64().map(AnnotationValue::Numeric).ok_or_else(|| expected("a number")),
        "categorical" => {
            let label = value.as_str().map(|label| AnnotationValue::Categorical(label.to_owned()));
            label.ok_or_else(|| expected("a string"))
        }
        "boolean" => value.as_bool().map(AnnotationValue::Boolean).ok_or_else(|| expected("a boolean")),
        _ => Err(ParseError::invalid("data_type", "expected `numeric`, `categorical` or `boolean`")),
    }
}

fn text(body: &Map<String, Value>, key: &'static str) -> Result<Option<String>, ParseError> {
    match body.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(ParseError::invalid(key, "expected a string")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(json: &str) -> Result<Annotation, String> {
        parse_annotation(json, Timestamp::default()).map_err(|error| error.to_string())
    }

    #[test]
    fn a_value_is_of_its_type() {
        for (json, expected) in [
            (r#"{"name":"n","value":2}"#, AnnotationValue::Numeric(2.0)),
            (r#"{"name":"n","value":true,"data_type":"BOOLEAN"}"#, AnnotationValue::Boolean(true)),
            (
                r#"{"name":"n","value":"x","data_type":"categorical"}"#,
                AnnotationValue::Categorical("x".to_owned()),
            ),
        ] {
            assert_eq!(parse(json).unwrap().value, expected, "{json}");
        }
    }

    #[test]
    fn a_fault_names_its_path() {
        for (json, expected) in [
            ("[]", "$: invalid type: sequence, expected a map"),
            ("{}", "name: expected a string that is not empty"),
            (r#"{"name":"","value":1}"#, "name: expected a string that is not empty"),
            (r#"{"name":1,"value":1}"#, "name: expected a string"),
            (r#"{"name":"n"}"#, "value: expected a value"),
            (r#"{"name":"n","value":true}"#, "value: expected a number, as `data_type` is `numeric`"),
            (r#"{"name":"n","value":1,"data_type":"boolean"}"#, "value: expected a boolean"),
            (r#"{"name":"n","value":1,"data_type":"stars"}"#, "data_type: expected `numeric`"),
            (r#"{"name":"n","value":1,"span_id":[]}"#, "span_id: expected a string"),
            (r#"{"name":"n","value":}"#, "value: expected value"),
        ] {
            let fault = parse(json).unwrap_err();
            assert!(fault.starts_with(expected), "{json}: {fault}");
        }
    }
}
