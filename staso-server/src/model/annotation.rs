use serde::{Deserialize, Serialize};

use super::{SpanId, Timestamp};

/// A score or label of a trace or span.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Annotation {
    /// What is judged, such as `helpfulness`.
    pub name: String,
    /// The judgement.
    #[serde(flatten)]
    pub value: AnnotationValue,
    /// The span that it is about; absent when it is about the whole trace.
    pub span_id: Option<SpanId>,
    /// Why.
    pub comment: Option<String>,
    /// When it arrived.
    pub received_at: Timestamp,
}

/// A number, one of a set of texts, or a boolean.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "data_type", content = "value", rename_all = "lowercase")]
pub enum AnnotationValue {
    /// A score.
    Numeric(f64),
    /// A label.
    Categorical(String),
    /// Yes or no.
    Boolean(bool),
}
