//! Settings from flags and environment: help on stdout, a mistake in one line
//! on stderr.

use std::ffi::OsString;
use std::io::Write as _;
use std::process::exit;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Command, Error, Parser};

/// The exit status of wrong usage.
pub const EXIT_USAGE: u8 = 2;

/// Parses arguments, the program's own name first. Ends the process if they are
/// invalid (status 2) or ask for help (status 0).
#[must_use]
pub fn parse<T: Parser>(arguments: impl IntoIterator<Item = OsString>) -> T {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let matches = T::command().try_get_matches_from(&arguments);
    matches.and_then(|matches| T::from_arg_matches(&matches)).unwrap_or_else(|error| {
        match error.kind() {
            ErrorKind::DisplayHelp
            | ErrorKind::DisplayVersion
            | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => error.exit(),
            _ => {
                // The arguments of a subcommand may be there only when it is built.
                let mut command = T::command();
                command.build();
                exit_with_usage_error(&one_line(&error, &command, &arguments))
            }
        }
    })
}

/// Ends the process with one line on stderr and status 2.
pub fn exit_with_usage_error(message: &str) -> ! {
    print_error(message);
    exit(i32::from(EXIT_USAGE))
}

/// Writes one line on stderr. Where it cannot be written, as on a full disk,
/// the exit status still says what went wrong.
pub(crate) fn print_error(message: &str) {
    let _ = writeln!(std::io::stderr(), "error: {message}");
}

/// clap always names the flag, even if the value came from the environment. A person
/// who mistyped a variable must read the variable's name.
fn one_line(error: &Error, command: &Command, arguments: &[OsString]) -> String {
    let text = error.to_string();
    let end = ["\n\nUsage:", "\n\nFor more information"].iter().filter_map(|mark| text.find(mark));
    let line = text[..end.min().unwrap_or(text.len())].trim_start_matches("error: ");
    // A value may have line breaks of its own, and a hint may follow on further lines.
    let line = line.split_whitespace().collect::<Vec<_>>().join(" ");
    let Some(ContextValue::String(flag)) = error.get(ContextKind::InvalidArg) else { return line };
    let long = flag.split([' ', '=']).next().unwrap_or_default();
    if arguments.iter().any(|given| given.to_string_lossy().starts_with(long)) {
        return line;
    }
    let variable = asked_for(command, arguments)
        .get_arguments()
        .find(|argument| argument.get_long().is_some_and(|name| long == format!("--{name}")))
        .and_then(clap::Arg::get_env);
    match variable {
        Some(name) => format!("{} (from the environment): {line}", name.to_string_lossy()),
        None => line,
    }
}

/// The subcommand that the arguments name, or the command itself.
fn asked_for<'a>(command: &'a Command, arguments: &[OsString]) -> &'a Command {
    let named = arguments.get(1).and_then(|name| command.find_subcommand(name));
    named.unwrap_or(command)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[derive(Debug, Parser)]
    #[command(name = "program")]
    struct Program {
        #[command(subcommand)]
        command: Sub,
    }

    #[derive(Debug, clap::Subcommand)]
    enum Sub {
        One {
            #[arg(long, env = "ONE_PORT")]
            port: u16,
        },
        Two {
            #[arg(long, env = "TWO_PORT")]
            port: u16,
        },
    }

    fn line(arguments: &[&str]) -> String {
        let arguments: Vec<OsString> = arguments.iter().map(OsString::from).collect();
        let error = Program::try_parse_from(&arguments).unwrap_err();
        one_line(&error, &Program::command(), &arguments)
    }

    #[test]
    fn a_mistake_is_one_line_that_names_the_flag_and_the_reason() {
        let said = line(&["program", "two", "--port", "many"]);
        assert_eq!(said, "invalid value 'many' for '--port <PORT>': invalid digit found in string");
        let said = line(&["program", "two", "--port", "1\n\n2"]);
        assert_eq!(said, "invalid value '1 2' for '--port <PORT>': invalid digit found in string");
        assert!(line(&["program", "three"]).starts_with("unrecognized subcommand 'three'"));
    }

    #[test]
    fn the_variable_is_that_of_the_subcommand_that_was_asked_for() {
        let two = Program::command();
        let arguments = ["program", "two"].map(OsString::from);
        let named = asked_for(&two, &arguments).get_arguments().find_map(clap::Arg::get_env);
        assert_eq!(named, Some(std::ffi::OsStr::new("TWO_PORT")));
    }
}
