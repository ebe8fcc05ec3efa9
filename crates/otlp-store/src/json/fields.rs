//! The fields of one JSON object, read the way protobuf's JSON mapping says
//! (<https://protobuf.dev/programming-guides/json/>): absent and `null` mean the
//! default, numbers may be strings.

use serde_json::{Map, Number, Value};

use super::OtlpJsonError;
use crate::id::bytes_of_hex;

/// The fields that have not been read yet.
pub(crate) struct Fields(Map<String, Value>);

type Read<T> = Result<T, OtlpJsonError>;

impl Fields {
    /// The fields of what stands in `field`.
    pub(crate) fn of(field: &'static str, value: Value) -> Read<Self> {
        match value {
            Value::Object(fields) => Ok(Self(fields)),
            _ => Err(OtlpJsonError::Field { field, expected: "an object" }),
        }
    }

    pub(crate) fn one<T>(
        &mut self,
        field: &'static str,
        read: impl FnOnce(Self) -> Read<T>,
    ) -> Read<Option<T>> {
        self.value(field).map(|value| read(Self::of(field, value)?)).transpose()
    }

    pub(crate) fn many<T>(
        &mut self,
        field: &'static str,
        read: impl Fn(Self) -> Read<T>,
    ) -> Read<Vec<T>> {
        let items = self.items(field)?.into_iter();
        items.map(|item| read(Self::of(field, item)?)).collect()
    }

    pub(crate) fn text(&mut self, field: &'static str) -> Read<String> {
        self.optional_text(field).map(Option::unwrap_or_default)
    }

    pub(crate) fn optional_text(&mut self, field: &'static str) -> Read<Option<String>> {
        self.typed(field, "a string", text)
    }

    pub(crate) fn texts(&mut self, field: &'static str) -> Read<Vec<String>> {
        let error = OtlpJsonError::Field { field, expected: "strings" };
        self.items(field)?.into_iter().map(text).collect::<Option<_>>().ok_or(error)
    }

    pub(crate) fn hex(&mut self, field: &'static str) -> Read<Vec<u8>> {
        let bytes = self
            .typed(field, "hexadecimal digits in pairs", |value| bytes_of_hex(value.as_str()?))?;
        Ok(bytes.unwrap_or_default())
    }

    /// An integer of whatever width the field has.
    pub(crate) fn integer<T: TryFrom<i128> + Default>(&mut self, field: &'static str) -> Read<T> {
        self.optional_integer(field).map(Option::unwrap_or_default)
    }

    pub(crate) fn optional_integer<T: TryFrom<i128>>(
        &mut self,
        field: &'static str,
    ) -> Read<Option<T>> {
        self.typed(field, "an integer within the field's range, as a number or a string", |value| {
            T::try_from(integer(&value)?).ok()
        })
    }

    pub(crate) fn optional_double(&mut self, field: &'static str) -> Read<Option<f64>> {
        self.typed(field, "a number", |value| match value {
            Value::String(text) => text.parse().ok(),
            value => value.as_f64(),
        })
    }

    /// What stands in a field, if `read` can make something of it.
    pub(crate) fn typed<T>(
        &mut self,
        field: &'static str,
        expected: &'static str,
        read: impl FnOnce(Value) -> Option<T>,
    ) -> Read<Option<T>> {
        let error = OtlpJsonError::Field { field, expected };
        self.value(field).map(|value| read(value).ok_or(error)).transpose()
    }

    fn items(&mut self, field: &'static str) -> Read<Vec<Value>> {
        let items = self.typed(field, "an array", |value| match value {
            Value::Array(items) => Some(items),
            _ => None,
        })?;
        Ok(items.unwrap_or_default())
    }

    fn value(&mut self, field: &str) -> Option<Value> {
        self.0.remove(field).filter(|value| !value.is_null())
    }
}

fn text(value: Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text),
        _ => None,
    }
}

fn integer(value: &Value) -> Option<i128> {
    match value {
        Value::String(text) => text.parse().ok(),
        Value::Number(number) => number.as_i128().or_else(|| whole(number)),
        _ => None,
    }
}

/// JavaScript writes large integers as `1.7e18`.
fn whole(number: &Number) -> Option<i128> {
    let number = number.as_f64().filter(|number| number.fract() == 0.0)?;
    // Saturates, and so stays out of every field's range where it was.
    Some(number as i128)
}
