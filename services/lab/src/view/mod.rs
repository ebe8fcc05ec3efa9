//! What is said: events and findings as text for people and as JSON for programs.

pub(crate) mod console;
mod diagram;
pub(crate) mod json;
pub(crate) mod load;
mod message_order;
pub(crate) mod style;
pub(crate) mod text;
