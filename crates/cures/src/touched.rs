//! Which entries have changed, for whoever keeps a copy of them.

/// The keys of the entries that were written or removed since somebody last asked. It notes
/// nothing, and takes no memory, until it is switched on.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Touched<K>(Option<Vec<K>>);

impl<K> Default for Touched<K> {
    fn default() -> Self {
        Self::OFF
    }
}

impl<K> Touched<K> {
    /// It notes nothing.
    pub const OFF: Self = Self(None);

    /// Notes keys from now on.
    pub fn switch_on(&mut self) {
        self.0.get_or_insert_default();
    }

    /// An entry was written or removed.
    pub fn note(&mut self, key: impl FnOnce() -> K) {
        if let Some(keys) = &mut self.0 {
            keys.push(key());
        }
    }

    /// Many entries were written or removed.
    pub fn note_all(&mut self, removed: impl IntoIterator<Item = K>) {
        if let Some(keys) = &mut self.0 {
            keys.extend(removed);
        }
    }

    /// The keys since the last call, in the order of the changes; a key may be there twice.
    pub fn take(&mut self) -> Vec<K> {
        self.0.as_mut().map(std::mem::take).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_noted_once_it_is_switched_on_and_told_once() {
        let mut touched = Touched::default();
        touched.note(|| 1);
        assert_eq!(touched.take(), []);
        touched.switch_on();
        touched.note(|| 2);
        touched.switch_on();
        touched.note(|| 2);
        assert_eq!(touched.take(), [2, 2]);
        touched.note_all([3]);
        assert_eq!(touched.take(), [3]);
        assert_eq!(touched.take(), []);
    }
}
