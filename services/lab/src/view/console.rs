//! Writing to the two streams of a terminal.

use std::io::{self, ErrorKind, Write};

use campuscafe_service::ExitError;

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
pub(crate) fn print_to_stderr(text: &str) {
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
