//! What an idempotency key may look like, and the time that it carries.

use std::sync::Arc;

use sfv::{BareItem, Item, Parser};
use thiserror::Error;
use uuid::{Builder, Uuid};

/// Milliseconds since 1970-01-01 00:00 UTC.
pub type UnixMillis = u64;

/// The longest key, in bytes.
pub const MAX_LENGTH: usize = 255;

/// What stands before an order's id in its key.
const ORDER: &str = "order-";

/// Names one operation: all requests with the same key ask for the same effect, once.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IdempotencyKey(Arc<str>);

/// Why a text is no key.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum InvalidKey {
    /// There is nothing in it.
    #[error("the key is empty")]
    Empty,
    /// It is longer than [`MAX_LENGTH`].
    #[error("the key has {0} bytes")]
    TooLong(usize),
    /// It has a character that is not visible, or not ASCII.
    #[error("the key has a character that is not visible ASCII")]
    NotVisibleAscii,
    /// It begins with a quotation mark and is no string of a structured field.
    #[error("the key begins with a quotation mark and is not a structured-field string")]
    NotAString,
}

impl IdempotencyKey {
    /// Reads the value of the header `Idempotency-Key`.
    ///
    /// A string in quotes is what `draft-ietf-httpapi-idempotency-key-header-07` asks for
    /// (work in progress, expired in April 2026). A value without quotes is taken as it
    /// stands, because many clients send it so.
    ///
    /// # Errors
    ///
    /// When it is not 1 to [`MAX_LENGTH`] visible ASCII characters.
    pub fn from_header(value: &[u8]) -> Result<Self, InvalidKey> {
        let text = std::str::from_utf8(value).map_err(|_| InvalidKey::NotVisibleAscii)?.trim();
        if !text.starts_with('"') {
            return Self::new(text);
        }
        match Parser::new(text).parse::<Item>() {
            Ok(Item { bare_item: BareItem::String(text), .. }) => Self::new(text.as_str()),
            _ => Err(InvalidKey::NotAString),
        }
    }

    /// A key with this text.
    ///
    /// # Errors
    ///
    /// When it is not 1 to [`MAX_LENGTH`] visible ASCII characters.
    pub fn new(text: &str) -> Result<Self, InvalidKey> {
        match text {
            "" => Err(InvalidKey::Empty),
            long if long.len() > MAX_LENGTH => Err(InvalidKey::TooLong(long.len())),
            visible if visible.bytes().all(|byte| byte.is_ascii_graphic()) => Ok(Self(text.into())),
            _ => Err(InvalidKey::NotVisibleAscii),
        }
    }

    /// The key of an order: `order-` and its id.
    #[must_use]
    pub fn of_order(id: OrderId) -> Self {
        Self(format!("{ORDER}{id}").into())
    }

    /// The text of the key.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// When the order was taken whose key this is. Other keys carry no time.
    #[must_use]
    pub fn made_at(&self) -> Option<UnixMillis> {
        self.0.strip_prefix(ORDER)?.parse::<OrderId>().ok().map(OrderId::made_at)
    }
}

impl std::fmt::Display for IdempotencyKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// Which process of the order service took an order: only that process knows the order.
///
/// A random number that a process chooses when it starts, or when it makes its file. A number from a setting could
/// stay the same over a restart, and then the process would deny orders that it had taken.
/// Of nine processes, two have the same number in one of 1,800 cases; each of them then
/// says of the other's orders that there are none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Replica(pub u16);

/// The id of an order: a UUID of version 7 (RFC 9562), so it carries the time when the
/// order was taken. Written as 32 hexadecimal digits. Digits 19 to 22 are the [`Replica`]
/// that took it: they come after the time, the version and the variant, and before the last
/// eight digits, which are random, because people tell orders apart by the end of the id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OrderId(Uuid);

impl OrderId {
    /// The id of an order that is taken at this time.
    #[must_use]
    pub fn new(now: UnixMillis, random: [u8; 10]) -> Self {
        Self(Builder::from_unix_timestamp_millis(now, &random).into_uuid())
    }

    /// The id of an order that this replica takes.
    #[must_use]
    pub fn taken_by(replica: Replica, now: UnixMillis, random: [u8; 8]) -> Self {
        let [a, b, c, d, e, f, g, h] = random;
        let [high, low] = replica.0.to_be_bytes();
        Self::new(now, [a, b, c, high, low, d, e, f, g, h])
    }

    /// Which replica took the order.
    #[must_use]
    pub fn replica(self) -> Replica {
        let [.., high, low, _, _, _, _, _] = *self.0.as_bytes();
        Replica(u16::from_be_bytes([high, low]))
    }

    /// When the order was taken.
    #[must_use]
    pub fn made_at(self) -> UnixMillis {
        let [a, b, c, d, e, f, ..] = *self.0.as_bytes();
        u64::from_be_bytes([0, 0, a, b, c, d, e, f])
    }
}

impl std::fmt::Display for OrderId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.simple().fmt(f)
    }
}

/// The text is not the id of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("an order's id is a UUID of version 7, written as 32 hexadecimal digits")]
pub struct InvalidOrderId;

impl std::str::FromStr for OrderId {
    type Err = InvalidOrderId;

    /// Only as [`OrderId`] writes it: one order has one id, and one key.
    fn from_str(text: &str) -> Result<Self, InvalidOrderId> {
        let lower = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if text.len() != 32 || !lower {
            return Err(InvalidOrderId);
        }
        Uuid::try_parse(text).map_err(|_| InvalidOrderId)?.try_into()
    }
}

impl From<OrderId> for Uuid {
    fn from(OrderId(id): OrderId) -> Self {
        id
    }
}

impl TryFrom<Uuid> for OrderId {
    type Error = InvalidOrderId;

    /// Only of version 7.
    fn try_from(id: Uuid) -> Result<Self, InvalidOrderId> {
        let version_7 = id.get_version_num() == 7 && id.get_variant() == uuid::Variant::RFC4122;
        if version_7 { Ok(Self(id)) } else { Err(InvalidOrderId) }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn header(value: &str) -> Result<String, InvalidKey> {
        IdempotencyKey::from_header(value.as_bytes()).map(|key| key.as_str().to_owned())
    }

    #[test]
    fn a_key_is_read_in_quotes_as_the_draft_says_and_bare_as_many_clients_send_it() {
        for (value, key) in [
            (r#""8e03978e-40d5-43e8-bc93-6894a57f9324""#, "8e03978e-40d5-43e8-bc93-6894a57f9324"),
            ("8e03978e-40d5", "8e03978e-40d5"),
            (r#""a\"b\\c""#, r#"a"b\c"#),
            (r#""a";v=1"#, "a"),
            ("  a  ", "a"),
            ("a=b;c", "a=b;c"),
        ] {
            assert_eq!(header(value).as_deref(), Ok(key), "{value}");
        }
    }

    #[test]
    fn what_is_no_key_is_refused_for_its_reason() {
        for (value, reason) in [
            ("", InvalidKey::Empty),
            (r#""""#, InvalidKey::Empty),
            ("a b", InvalidKey::NotVisibleAscii),
            (r#""a b""#, InvalidKey::NotVisibleAscii),
            ("ケーキ", InvalidKey::NotVisibleAscii),
            ("a\tb", InvalidKey::NotVisibleAscii),
            (r#""a"#, InvalidKey::NotAString),
            (r#""a" "b""#, InvalidKey::NotAString),
            (r#""a", "b""#, InvalidKey::NotAString),
        ] {
            assert_eq!(header(value), Err(reason), "{value}");
        }
        assert_eq!(IdempotencyKey::from_header(&[0xff]), Err(InvalidKey::NotVisibleAscii));
        assert!(header(&"k".repeat(255)).is_ok());
        assert_eq!(header(&"k".repeat(256)), Err(InvalidKey::TooLong(256)));
    }

    #[test]
    fn digits_19_to_22_of_an_id_are_the_replica_and_the_last_eight_digits_are_random() {
        for (replica, random) in [(0, 0xff), (0x0caf, 0xff), (0xffff, 0), (0xcafe, 0x5a)] {
            let replica = Replica(replica);
            let id = OrderId::taken_by(replica, 1_764_367_200_123, [random; 8]);
            assert_eq!((id.replica(), id.made_at()), (replica, 1_764_367_200_123), "{id}");
            let text = id.to_string();
            assert_eq!(text[18..22], format!("{:04x}", replica.0), "{id}");
            assert_eq!(text[24..], format!("{random:02x}").repeat(4), "{id}");
            assert_eq!(text.parse(), Ok(id), "still a UUID of version 7");
        }
    }

    #[test]
    fn only_the_key_of_an_order_carries_a_time() {
        let id = OrderId::new(1_764_367_200_123, [7; 10]);
        let key = IdempotencyKey::of_order(id);
        assert_eq!(key.made_at(), Some(1_764_367_200_123));
        assert_eq!(id.to_string().len(), 32);
        assert_eq!(id.to_string().parse(), Ok(id));

        let version_4 = "order-5f0c6c0e7a4b4f7f9a3b1c2d3e4f5a6b";
        let upper_case = key.as_str().to_uppercase();
        let other_prefix = key.as_str().replace("order", "cake");
        for text in [version_4, &*upper_case, &*other_prefix, "order-", "order-7"] {
            assert_eq!(IdempotencyKey::new(text).unwrap().made_at(), None, "{text}");
        }
    }
}
