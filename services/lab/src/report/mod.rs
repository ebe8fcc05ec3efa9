//! What an experiment says: as text for people, as JSON for machines.

pub(crate) mod json;
pub(crate) mod text;
