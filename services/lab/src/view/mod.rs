//! What is said: events and findings as text for people and as JSON for programs.

pub(crate) mod columns;
pub(crate) mod compare;
pub(crate) mod console;
pub(crate) mod diagram;
pub(crate) mod events;
pub(crate) mod json;
pub(crate) mod keys;
pub(crate) mod load;
pub(crate) mod log;
pub(crate) mod markdown;
mod message_order;
pub(crate) mod progress;
pub(crate) mod report;
mod same_view;
pub(crate) mod script;
mod series;
pub(crate) mod storm;
pub(crate) mod style;
pub(crate) mod svg;
mod tables;
pub(crate) mod text;
pub(crate) mod voice;
