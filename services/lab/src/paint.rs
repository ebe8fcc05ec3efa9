//! Colour, where the reader has some.

use std::io::{self, ErrorKind, IsTerminal as _, Write};

use campuscafe_service::ExitError;

use crate::diagram::Tone;

/// Whether to paint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Paint(bool);

impl Paint {
    /// Only on a terminal that can, and not where <https://no-color.org> asks for none.
    pub(crate) fn stdout() -> Self {
        let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        Self(std::io::stdout().is_terminal() && !set("NO_COLOR") && !dumb)
    }

    /// For tests: never.
    #[cfg(test)]
    pub(crate) const fn never() -> Self {
        Self(false)
    }

    pub(crate) fn strong(self, text: &str) -> String {
        self.wrap("1", text)
    }

    pub(crate) fn tone(self, tone: Tone, text: &str) -> String {
        match tone {
            Tone::Plain => text.to_owned(),
            Tone::Faint => self.wrap("2", text),
            Tone::Good => self.wrap("32", text),
            Tone::Doubt => self.wrap("33", text),
            Tone::Bad => self.wrap("1;31", text),
        }
    }

    fn wrap(self, code: &str, text: &str) -> String {
        if self.0 { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }
}

/// Prints to stdout. A reader that went away, as `head` does, is no failure.
///
/// # Errors
///
/// When it cannot be written, to a full disk for example.
pub(crate) fn print(text: &str) -> Result<(), ExitError> {
    let written = write(&mut io::stdout().lock(), text);
    written.map_err(|error| ExitError::Failed(format!("cannot write to stdout: {error}")))
}

/// Says something on stderr. Where nobody can read it there is nobody to tell.
pub(crate) fn say_aside(text: &str) {
    let _ = write(&mut io::stderr().lock(), text);
}

fn write(out: &mut impl Write, text: &str) -> io::Result<()> {
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        result => result,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Broken(ErrorKind);

    impl Write for Broken {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(self.0.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_reader_that_went_away_is_no_failure_and_a_full_disk_is_one() {
        assert!(write(&mut Broken(ErrorKind::BrokenPipe), "text").is_ok());
        assert!(write(&mut Broken(ErrorKind::StorageFull), "text").is_err());
        let mut written = Vec::new();
        assert!(write(&mut written, "text").is_ok() && written == b"text");
    }
}
