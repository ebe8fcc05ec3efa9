//! Whether a database can be used, as somebody sees it who looks again and again.

/// What was seen last.
#[derive(Debug)]
pub struct Watched<E>(Option<E>);

impl<E> Default for Watched<E> {
    fn default() -> Self {
        Self(None)
    }
}

impl<E: Copy + PartialEq> Watched<E> {
    /// Whether this is news. It says in the log when the database cannot be used, `why`, and
    /// when it can be used again.
    pub fn saw(&mut self, failed: Option<E>, why: impl FnOnce(E) -> &'static str) -> bool {
        let before = std::mem::replace(&mut self.0, failed);
        match (before, failed) {
            (None, Some(error)) => tracing::error!(
                "The database cannot be used: {}. Tries again until it can",
                why(error)
            ),
            (Some(_), None) => tracing::info!("The database can be used again"),
            _ => {}
        }
        before != failed
    }
}
