//! The one shape of every refusal: problem details after RFC 9457.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// A refusal that says what was expected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// Identifies the kind of problem; `about:blank` if the status says enough.
    #[serde(rename = "type", default = "about_blank")]
    #[schema(example = "urn:problem-type:campuscafe:out-of-stock")]
    pub kind: String,
    /// A short name of the kind of problem.
    #[schema(example = "Out of stock")]
    pub title: String,
    /// The HTTP status, repeated so that the body can be read alone.
    #[schema(example = 409)]
    pub status: u16,
    /// What happened this time and what was expected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// Members of this kind of problem only.
    #[serde(flatten)]
    pub extensions: Map<String, Value>,
}

impl Problem {
    /// The media type that says a body is a problem.
    pub const MEDIA_TYPE: &'static str = "application/problem+json";

    /// A problem of a kind of our own, named by the last part of its URN.
    #[must_use]
    pub fn new(status: u16, kind: &str, title: impl Into<String>) -> Self {
        Self {
            kind: format!("urn:problem-type:campuscafe:{kind}"),
            title: title.into(),
            status,
            detail: None,
            extensions: Map::new(),
        }
    }

    /// Adds what happened this time and what was expected.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// Adds one extension member.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.extensions.insert(name.to_owned(), value.into());
        self
    }

    /// Adds every field of a value that serialises as a JSON object.
    #[must_use]
    pub fn with_all(mut self, members: &impl Serialize) -> Self {
        if let Ok(Value::Object(fields)) = serde_json::to_value(members) {
            self.extensions.extend(fields);
        }
        self
    }
}

fn about_blank() -> String {
    "about:blank".to_owned()
}
