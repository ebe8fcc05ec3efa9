//! What is said: events and findings as text for people and as JSON for programs.

pub(crate) mod console;
mod diagram;
pub(crate) mod json;
pub(crate) mod load;
pub(crate) mod log;
pub(crate) mod markdown;
mod message_order;
pub(crate) mod progress;
pub(crate) mod report;
mod series;
pub(crate) mod style;
#[cfg_attr(
    not(test),
    expect(dead_code, unused_imports, reason = "the page that shows it comes next")
)]
mod svg;
mod tables;
mod text;
