//! Tells what happens: as text while it happens, or as one JSON object at the end.

use campuscafe_service::ExitError;

use super::console::{print, print_to_stderr};
use super::progress::ProgressLine;
use super::style::Tone;
use super::voice::Voice;
use super::{compare, json, text};
use crate::lessons::Event;

/// How a run is told on stdout.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Report<'a> {
    /// For people.
    Text(Voice),
    /// For people, who compare two lanes.
    Comparison(Voice),
    /// For programs.
    Json {
        /// What was asked for.
        name: &'a str,
        seed: u64,
        /// How a person is spoken to who must do something meanwhile.
        voice: Voice,
    },
}

impl Report<'_> {
    const fn voice(self) -> Voice {
        let (Self::Text(voice) | Self::Comparison(voice) | Self::Json { voice, .. }) = self;
        voice
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
                let request = text::request(plan, pods, self.voice());
                if matches!(self, Self::Json { .. }) || print(&request).is_err() {
                    print_to_stderr(&request);
                }
                Ok(())
            }
            (Self::Text(voice), Event::StormGrew(storm)) => {
                ProgressLine::on_stderr(voice).tell_storm(storm);
                Ok(())
            }
            (Self::Text(voice), event) => {
                text::of(event, voice).map_or(Ok(()), |text| print(&text))
            }
            (Self::Comparison(voice), event) => {
                compare::of(event, voice).map_or(Ok(()), |text| print(&text))
            }
            (Self::Json { name, seed, .. }, Event::AllEnded(all)) => {
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
            Self::Text(voice) | Self::Comparison(voice) => {
                print(&format!("{}\n", voice.tone(Tone::Faint, place)))
            }
            Self::Json { .. } => Ok(()),
        }
    }

    /// Tells people that the services of this run end with it; whether it always starts its own.
    ///
    /// # Errors
    ///
    /// When stdout cannot be written.
    pub(crate) fn say_farewell(self, always: bool) -> Result<(), ExitError> {
        match self {
            Self::Text(voice) | Self::Comparison(voice) => print(&text::farewell(voice, always)),
            Self::Json { .. } => Ok(()),
        }
    }
}
