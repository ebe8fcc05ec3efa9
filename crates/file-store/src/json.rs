//! Rows whose values are JSON, so that a person can read them.

use serde::{Deserialize, Serialize};

use crate::Row;

/// A row; without a value it removes its key.
pub fn row<T: Serialize>(table: &'static str, key: impl Into<Vec<u8>>, value: Option<&T>) -> Row {
    // Owners' rows are plain: no map with other keys than texts, nothing that can fail.
    let value = value.map(|value| serde_json::to_vec(value).unwrap_or_default());
    Row { table, key: key.into(), value }
}

/// 128 bits, as 32 hexadecimal digits: no number of JSON is as large.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Bits(pub u128);

impl From<Bits> for String {
    fn from(Bits(bits): Bits) -> Self {
        format!("{bits:032x}")
    }
}

impl TryFrom<String> for Bits {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let is_plain = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let bits = is_plain.then(|| u128::from_str_radix(&text, 16).ok()).flatten();
        bits.map(Self).ok_or_else(|| format!("expected 32 hexadecimal digits, got {text:?}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_are_32_hexadecimal_digits_and_nothing_else_is_read() {
        let bits = Bits(0xf);
        let text = serde_json::to_string(&bits).unwrap();
        assert_eq!(text, "\"0000000000000000000000000000000f\"");
        assert_eq!(serde_json::from_str::<Bits>(&text).unwrap(), bits);
        for other in
            ["", "f", "+000000000000000000000000000000f", "zz000000000000000000000000000000"]
        {
            let error = Bits::try_from(other.to_owned()).unwrap_err();
            assert!(error.starts_with("expected 32 hexadecimal digits"), "{error}");
        }
    }
}
