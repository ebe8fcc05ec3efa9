//! How large and how deep a JSON text is, before it is read.

use crate::error::ExportError;

/// The reader of JSON refuses what nests deeper than 128.
const MAX_DEPTH: usize = 127;

/// About what an object, a list or one more member becomes in a decoded export,
/// in bytes. An attribute is four of them in JSON, and 96 bytes and its texts decoded.
const MEMBER_SIZE: usize = 64;

/// `opentelemetry-proto`'s serde copies a value once for each value around it:
/// 7,000 integers nested 36 deep took 55 MB. So a member counts more the deeper it
/// is. Attributes of a span and of its events are less than 16 deep in an export.
const DEPTH_PER_COPY: usize = 8;

/// Checks that a JSON text is not too large once it is decoded. Whether it is
/// JSON at all is not looked at.
///
/// # Errors
///
/// When it would take more than about `limit` bytes, or nests deeper than any export.
pub(crate) fn check_size(json: &[u8], limit: usize) -> Result<(), ExportError> {
    let (mut size, mut depth, mut in_string, mut escaped) = (0_usize, 0_usize, false, false);
    for byte in json {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            _ if in_string => {}
            b'{' | b'[' => {
                depth += 1;
                size += MEMBER_SIZE * (depth / DEPTH_PER_COPY).max(1);
                if depth > MAX_DEPTH {
                    return Err(ExportError::malformed("nested too deep"));
                }
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            b',' => size += MEMBER_SIZE * (depth / DEPTH_PER_COPY).max(1),
            _ => {}
        }
    }
    if size > limit { Err(ExportError::TooLargeDecoded) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_counts_what_becomes_a_value_and_not_what_stands_in_text() {
        for (body, found) in [
            ("", 0),
            ("{}", 1),
            (r#"{"a":[1,2,{}]}"#, 5),
            (r#"{"a":"{[,\"{[,\\"}"#, 1),
            (r#"["a","b"]"#, 2),
        ] {
            assert!(check_size(body.as_bytes(), found * MEMBER_SIZE).is_ok(), "{body}");
            if found > 0 {
                assert!(check_size(body.as_bytes(), found * MEMBER_SIZE - 1).is_err(), "{body}");
            }
        }
    }
}
