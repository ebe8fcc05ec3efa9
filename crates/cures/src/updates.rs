//! Messages about something that changes, which may overtake each other.

/// Whether a message that arrives replaces what is shown. `newest` is the highest
/// sequence number that was shown so far.
///
/// Without a sequence number the listener cannot know which message is older, so the last
/// one to arrive wins. With one, an older message is dropped, and so is a second copy.
#[must_use]
pub const fn replaces(newest: Option<u64>, arrived: Option<u64>) -> bool {
    match (newest, arrived) {
        (Some(newest), Some(arrived)) => arrived > newest,
        _ => true,
    }
}

/// What a listener shows, and how new it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown<T> {
    value: T,
    newest: Option<u64>,
}

impl<T> Shown<T> {
    /// The first message is shown, whatever its number is.
    pub const fn first(value: T, sequence: Option<u64>) -> Self {
        Self { value, newest: sequence }
    }

    /// A later message arrives; whether it is shown from now on.
    pub fn arrive(&mut self, value: T, sequence: Option<u64>) -> bool {
        let shown = replaces(self.newest, sequence);
        if shown {
            self.value = value;
            self.newest = sequence.or(self.newest);
        }
        shown
    }

    /// What is shown now.
    pub const fn value(&self) -> &T {
        &self.value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is shown after messages have arrived in this order. Each says its number.
    fn shown(arrived: &[u64], numbered: bool) -> Option<u64> {
        let sequence = |message: u64| numbered.then_some(message);
        let (first, rest) = arrived.split_first()?;
        let mut shown = Shown::first(*first, sequence(*first));
        for message in rest {
            shown.arrive(*message, sequence(*message));
        }
        Some(*shown.value())
    }

    /// Calls `check` with every order in which some of these messages arrive.
    fn every_order(left: &[u64], arrived: &mut Vec<u64>, check: &mut impl FnMut(&[u64])) {
        check(arrived);
        for (place, message) in left.iter().enumerate() {
            let rest = [&left[..place], &left[place + 1..]].concat();
            arrived.push(*message);
            every_order(&rest, arrived, check);
            arrived.pop();
        }
    }

    #[test]
    fn only_an_older_or_a_second_message_with_a_number_is_dropped() {
        for (newest, arrived, expected) in [
            (None, None, true),
            (None, Some(1), true),
            (Some(2), None, true),
            (Some(1), Some(2), true),
            (Some(2), Some(2), false),
            (Some(2), Some(1), false),
        ] {
            assert_eq!(replaces(newest, arrived), expected, "{newest:?} {arrived:?}");
        }
    }

    #[test]
    fn a_message_without_a_number_does_not_make_an_older_number_new() {
        let mut shown = Shown::first("confirmed", Some(2));
        assert!(shown.arrive("anything", None));
        assert!(!shown.arrive("accepted", Some(1)));
        assert_eq!(shown.value(), &"anything");
    }

    #[test]
    fn with_numbers_every_order_of_arrival_shows_the_newest_message_that_arrived() {
        // Three messages, each of which may be lost, and two of which may come twice.
        let mut orders = 0;
        every_order(&[1, 1, 2, 2, 3], &mut Vec::new(), &mut |arrived| {
            orders += 1;
            assert_eq!(shown(arrived, true), arrived.iter().max().copied(), "{arrived:?}");
        });
        assert_eq!(orders, 326);
    }

    #[test]
    fn without_numbers_the_last_message_to_arrive_is_shown_and_is_often_the_wrong_one() {
        let (mut orders, mut wrong) = (0, 0);
        every_order(&[1, 2, 3], &mut Vec::new(), &mut |arrived| {
            assert_eq!(shown(arrived, false), arrived.last().copied());
            if arrived.len() == 3 {
                orders += 1;
                wrong += u32::from(shown(arrived, false) != Some(3));
            }
        });
        assert_eq!((orders, wrong), (6, 4));
    }
}
