//! Settings of everything that serves.

use clap::Args;

use crate::AllowedHosts;

/// How a program serves.
#[derive(Debug, Clone, Default, PartialEq, Eq, Args)]
pub struct ServerSettings {
    /// Names under which this program may be asked, besides IP addresses and
    /// localhost, with commas between [default: none]
    #[arg(
        long,
        env = "ALLOWED_HOSTS",
        default_value = "",
        hide_default_value = true,
        value_name = "NAME,..."
    )]
    pub allowed_hosts: AllowedHosts,
}
