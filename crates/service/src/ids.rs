//! Ids that nobody can guess and nobody has twice.

/// 128 random bits as 32 hexadecimal digits.
#[must_use]
pub fn random() -> String {
    format!("{:032x}", rand::random::<u128>())
}
