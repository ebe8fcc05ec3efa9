//! What an order asks for, in few bytes.

use std::hash::Hasher as _;

use siphasher::sip128::{Hasher128 as _, SipHasher13};

use crate::orders::{Fingerprint, Order};

/// Makes fingerprints of orders. A keyed hash, because an item's name can be long, and
/// because without the secret nobody can find two orders with the same fingerprint.
#[derive(Debug, Clone)]
pub(super) struct Fingerprints(SipHasher13);

impl Fingerprints {
    /// The secret can be any random number.
    pub(super) fn new(secret: u128) -> Self {
        Self(SipHasher13::new_with_key(&secret.to_le_bytes()))
    }

    /// The same for orders of the same item, whose name ignores case, and quantity.
    pub(super) fn of(&self, order: &Order) -> Fingerprint {
        let mut hasher = self.0;
        hasher.write(&order.quantity.to_le_bytes());
        hasher.write(order.item.to_lowercase().as_bytes());
        hasher.finish128().as_u128()
    }
}

#[cfg(test)]
mod tests {
    use campuscafe_api::inventory::Reserve;
    use campuscafe_api::order::Lane;

    use super::*;

    #[test]
    fn only_orders_of_the_same_item_and_quantity_have_one_fingerprint() {
        let fingerprints = Fingerprints::new(7);
        let of = |item: &str, quantity| {
            let reserve = Reserve { item_id: item.to_owned(), quantity };
            fingerprints.of(&Order::new(&reserve, Lane::Cured, None, 7))
        };
        assert_eq!(of("cake", 1), of("CAKE", 1), "an item's name ignores case");
        assert_ne!(of("cake", 1), of("tea", 1));
        assert_ne!(of("cake", 1), of("cake", 2));
    }
}
