//! A service's own description, read for what it takes and what it answers.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::dice::Dice;

/// What a service offers without describing it.
const OPERATIONS: [&str; 4] = ["/healthz", "/readyz", "/metrics", "/openapi.json"];

const METHODS: [&str; 8] = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];

/// Deeper than any schema of ours; one that holds itself must end somewhere.
const DEEPEST: usize = 8;

/// One method at one path.
pub(super) struct Route {
    /// The service's address, without a scheme.
    pub(super) address: String,
    pub(super) method: String,
    pub(super) path: String,
    /// Whether the document lists it; the others are not traced.
    pub(super) described: bool,
    /// The statuses listed for each method at this path.
    pub(super) statuses: BTreeMap<String, BTreeSet<u16>>,
    pub(super) parameters: Vec<Parameter>,
    /// The schema of its JSON body, if it takes one.
    pub(super) body: Option<Value>,
    document: Arc<Value>,
}

pub(super) struct Parameter {
    pub(super) name: String,
    /// `path`, `query` or `header`.
    pub(super) place: String,
    pub(super) required: bool,
    /// The schema, with the parameter's own example.
    schema: Value,
}

/// Every route of a service: those it describes, and the operations.
pub(super) fn routes(url: &str, document: Value) -> Vec<Route> {
    let address = url.trim_start_matches("http://");
    let document = Arc::new(document);
    let mut routes = Vec::new();
    for (path, item) in document["paths"].as_object().expect("paths") {
        let calls = || METHODS.iter().filter_map(|method| Some((*method, item.get(*method)?)));
        let statuses: BTreeMap<_, _> =
            calls().map(|(method, call)| (method.to_uppercase(), statuses(call))).collect();
        for (method, call) in calls() {
            let parameters = list(&item["parameters"]).iter().chain(list(&call["parameters"]));
            routes.push(Route {
                address: address.to_owned(),
                method: method.to_uppercase(),
                path: path.clone(),
                described: true,
                statuses: statuses.clone(),
                parameters: parameters.map(|of| parameter(resolve(&document, of))).collect(),
                body: call["requestBody"]["content"]["application/json"].get("schema").cloned(),
                document: document.clone(),
            });
        }
    }
    let described = |path: &&&str| document["paths"].get(**path).is_none();
    routes.extend(OPERATIONS.iter().filter(described).map(|path| Route {
        address: address.to_owned(),
        method: "GET".to_owned(),
        path: (*path).to_owned(),
        described: false,
        statuses: [("GET".to_owned(), [200].into())].into(),
        parameters: Vec::new(),
        body: None,
        document: document.clone(),
    }));
    routes
}

fn statuses(call: &Value) -> BTreeSet<u16> {
    let responses = call["responses"].as_object().expect("responses");
    responses.keys().map(|status| status.parse().expect("a status")).collect()
}

fn parameter(described: &Value) -> Parameter {
    let text = |name: &str| described[name].as_str().expect("a text").to_owned();
    let mut schema = described["schema"].clone();
    if let Some(example) = described.get("example") {
        schema["example"] = example.clone();
    }
    let required = described["required"] == true;
    Parameter { name: text("name"), place: text("in"), required, schema }
}

fn list(of: &Value) -> &[Value] {
    of.as_array().map_or(&[], Vec::as_slice)
}

fn resolve<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    match schema["$ref"].as_str() {
        Some(place) => {
            document.pointer(place.trim_start_matches('#')).expect("what is referred to")
        }
        None => schema,
    }
}

impl Route {
    pub(super) fn name(&self) -> String {
        format!("{} {}", self.method, self.path)
    }

    /// A value that this parameter should take, as text.
    pub(super) fn argument(&self, of: &Parameter, dice: &mut Dice) -> Vec<u8> {
        match self.instance(&of.name, &of.schema, dice, 0) {
            Value::String(text) => text.into_bytes(),
            other => other.to_string().into_bytes(),
        }
    }

    /// A body that should be taken.
    pub(super) fn wish(&self, dice: &mut Dice) -> Option<Value> {
        Some(self.instance("", self.body.as_ref()?, dice, 0))
    }

    /// A value after its schema.
    fn instance(&self, name: &str, schema: &Value, dice: &mut Dice, depth: usize) -> Value {
        let schema = resolve(&self.document, schema);
        if name == "chaos" {
            return dice.plan().into();
        }
        if depth > DEEPEST {
            return Value::Null;
        }
        if let Some(only) = schema.get("const") {
            return only.clone();
        }
        if let Some(values) = schema["enum"].as_array() {
            return dice.pick(values);
        }
        for sample in ["example", "default"] {
            if let Some(sample) = schema.get(sample)
                && !dice.one_in(4)
            {
                return sample.clone();
            }
        }
        for choice in ["oneOf", "anyOf"] {
            if let Some(of) = schema[choice].as_array() {
                return self.instance(name, &dice.pick(of), dice, depth + 1);
            }
        }
        if let Some(parts) = schema["allOf"].as_array() {
            let parts = parts.iter().map(|part| self.instance(name, part, dice, depth + 1));
            let members = parts.filter_map(|part| part.as_object().cloned()).flatten();
            return Value::Object(members.collect());
        }
        let kind = match &schema["type"] {
            Value::Array(kinds) => dice.pick(kinds),
            kind => kind.clone(),
        };
        match kind.as_str() {
            Some("object") => self.object(schema, dice, depth),
            Some("array") => {
                let items = 0..dice.below(4);
                items.map(|_| self.instance("", &schema["items"], dice, depth + 1)).collect()
            }
            Some("integer") => whole(schema, dice).into(),
            Some("number") => json!(whole(schema, dice) as f64 / 2.0),
            Some("boolean") => dice.one_in(2).into(),
            Some("null") => Value::Null,
            _ => String::from_utf8_lossy(&dice.text()).into(),
        }
    }

    fn object(&self, schema: &Value, dice: &mut Dice, depth: usize) -> Value {
        let required = list(&schema["required"]);
        let mut members = Map::new();
        for (name, member) in schema["properties"].as_object().into_iter().flatten() {
            if required.contains(&json!(name)) || dice.one_in(2) {
                members.insert(name.clone(), self.instance(name, member, dice, depth + 1));
            }
        }
        Value::Object(members)
    }
}

/// Mostly a small number, sometimes one at a bound.
fn whole(schema: &Value, dice: &mut Dice) -> i64 {
    let lowest = schema["minimum"].as_i64();
    let (lowest, highest) = (lowest.unwrap_or(1), schema["maximum"].as_i64().unwrap_or(i64::MAX));
    match dice.below(6) {
        0 => lowest,
        1 => highest,
        _ => lowest.saturating_add(dice.below(20) as i64).min(highest),
    }
}
