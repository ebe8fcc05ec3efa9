//! Tells what happens: as text while it happens, or as one JSON object at the end.

use campuscafe_service::ExitError;

use super::console::{print, print_to_stderr};
use super::style::{Style, Tone};
use super::{json, text};
use crate::lessons::Event;

/// How a run is told on stdout.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Report<'a> {
    /// For people.
    Text(Style),
    /// For programs.
    Json {
        /// What was asked for.
        name: &'a str,
        seed: u64,
    },
}

impl Report<'_> {
    /// Text, in colour where the terminal has some.
    pub(crate) fn text() -> Self {
        Self::Text(Style::stdout())
    }

    /// Tells one event, if there is anything to say about it.
    ///
    /// # Errors
    ///
    /// When stdout cannot be written.
    pub(crate) fn tell(self, event: Event<'_>) -> Result<(), ExitError> {
        match (self, event) {
            // A person whose stdout is JSON, or cannot be written, must see it too.
            (_, Event::CommandNeeded { plan, pods }) => {
                let request = text::request(plan, pods);
                if matches!(self, Self::Json { .. }) || print(&request).is_err() {
                    print_to_stderr(&request);
                }
                Ok(())
            }
            (Self::Text(style), event) => {
                text::of(event, style).map_or(Ok(()), |text| print(&text))
            }
            (Self::Json { name, seed }, Event::AllEnded(all)) => {
                print(&json::report(name, seed, all))
            }
            (Self::Json { .. }, _) => Ok(()),
        }
    }

    /// Tells people which services the orders go to.
    ///
    /// # Errors
    ///
    /// When stdout cannot be written.
    pub(crate) fn tell_place(self, place: &str) -> Result<(), ExitError> {
        match self {
            Self::Text(style) => print(&format!("{}\n", style.tone(Tone::Faint, place))),
            Self::Json { .. } => Ok(()),
        }
    }

    /// Tells people that the services of this run end with it.
    ///
    /// # Errors
    ///
    /// When stdout cannot be written.
    pub(crate) fn say_farewell(self) -> Result<(), ExitError> {
        match self {
            Self::Text(_) => print(text::FAREWELL),
            Self::Json { .. } => Ok(()),
        }
    }
}
