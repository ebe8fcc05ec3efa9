//! Settings from flags and environment: help on stdout, a mistake in one line
//! on stderr.

use std::env::ArgsOs;
use std::process::exit;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Command, Error, Parser};

/// The exit status that says: asked for something that cannot be meant.
pub const MISUSE: u8 = 2;

/// Parses the process's arguments; ends the process where they cannot be
/// meant (status 2) or ask for help (status 0).
#[must_use]
pub fn parse<T: Parser>() -> T {
    T::command().try_get_matches().and_then(|matches| T::from_arg_matches(&matches)).unwrap_or_else(
        |error| match error.kind() {
            ErrorKind::DisplayHelp
            | ErrorKind::DisplayVersion
            | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => error.exit(),
            _ => misuse(&one_line(&error, &T::command(), std::env::args_os())),
        },
    )
}

/// Ends the process with one line on stderr and status 2.
pub fn misuse(message: &str) -> ! {
    eprintln!("error: {message}");
    exit(i32::from(MISUSE))
}

/// clap always names the flag, also where the value came from the environment;
/// whoever mistyped a variable must read its name.
fn one_line(error: &Error, command: &Command, arguments: ArgsOs) -> String {
    let text = error.to_string();
    let line = text.lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned();
    let Some(ContextValue::String(flag)) = error.get(ContextKind::InvalidArg) else { return line };
    let long = flag.split([' ', '=']).next().unwrap_or_default().to_owned();
    if arguments.into_iter().any(|given| given.to_string_lossy().starts_with(&long)) {
        return line;
    }
    let all = std::iter::once(command).chain(command.get_subcommands());
    let variable = all
        .flat_map(Command::get_arguments)
        .find(|argument| argument.get_long().is_some_and(|name| long == format!("--{name}")))
        .and_then(clap::Arg::get_env);
    match variable {
        Some(name) => format!("{} (from the environment): {line}", name.to_string_lossy()),
        None => line,
    }
}
