//! The settings of the HTTP server, which all programs here have in common.

use clap::Args;

use crate::AllowedHosts;

/// How a program serves HTTP; flattened into the settings of each.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct ServerSettings {
    /// Limit of open connections; at the limit, a new connection closes an idle one: first
    /// one whose client was told to come later, else the one that was idle longest
    #[arg(
        long,
        env = "MAX_CONNECTIONS",
        default_value_t = Self::MAX_CONNECTIONS,
        value_name = "NUMBER",
        value_parser = at_least_one
    )]
    pub max_connections: usize,

    /// More host names that this program accepts, separated by commas; it always
    /// accepts IP addresses and localhost [default: none]
    #[arg(
        long,
        env = "ALLOWED_HOSTS",
        default_value = "",
        hide_default_value = true,
        value_name = "NAME,..."
    )]
    pub allowed_hosts: AllowedHosts,
}

impl ServerSettings {
    /// The usual limit of connections: more than the orders that a service carries in a
    /// second, so that clients who order each second keep theirs, and what 40 MB carry. One
    /// costs 2 KB while its client says nothing, 13 KB between two requests, and up to 38 KB
    /// with a request that is unfinished.
    pub const MAX_CONNECTIONS: usize = 1_000;
}

impl Default for ServerSettings {
    fn default() -> Self {
        Self { max_connections: Self::MAX_CONNECTIONS, allowed_hosts: AllowedHosts::default() }
    }
}

fn at_least_one(text: &str) -> Result<usize, String> {
    let number = text.parse().ok().filter(|number| *number >= 1);
    number.ok_or_else(|| "expected a whole number of at least 1".to_owned())
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Program {
        #[command(flatten)]
        server: ServerSettings,
    }

    #[test]
    fn without_a_flag_the_settings_are_the_default() {
        let program = Program::try_parse_from(["program"]).unwrap();
        assert_eq!(program.server, ServerSettings::default());
    }

    #[test]
    fn a_limit_of_no_connections_is_refused() {
        for (text, expected) in [("0", None), ("-1", None), ("many", None), ("7", Some(7))] {
            assert_eq!(at_least_one(text).ok(), expected, "{text}");
        }
    }
}
