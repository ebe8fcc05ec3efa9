//! Which services a command uses, and how it says so.

use std::net::SocketAddr;

use campuscafe_service::ExitError;
use clap::Args;

use super::up::DEFAULT_LAB;
use crate::targets::Targets;
use crate::view::voice::Voice;

/// The services that are named, those of the café that is open at the usual address, or
/// services of one's own.
#[derive(Debug, Clone, Args)]
pub(super) struct Place {
    /// Start services of its own, even if a café is open at the usual address
    #[arg(long, env = "OWN_SERVICES", hide_env = true)]
    own: bool,

    #[command(flatten)]
    targets: Targets,

    #[arg(long = "usual-lab", env = "LAB_LISTEN", default_value = DEFAULT_LAB, hide = true)]
    usual_lab: SocketAddr,
}

impl Place {
    /// Whether a person named the services.
    pub(super) fn is_named(&self) -> bool {
        self.targets.name_services()
    }

    /// The same, but with services of its own, whatever is named or open.
    pub(super) fn with_own(self) -> Self {
        let targets =
            Targets { order_url: None, inventory_url: None, lab_url: None, ..self.targets };
        Self { own: true, targets, ..self }
    }

    /// The services, and a sentence about them unless they were named.
    pub(super) async fn find(self, voice: Voice) -> Result<(Targets, Option<String>), ExitError> {
        let named = self.is_named();
        let targets = match self.own {
            true => self.targets,
            false => self.targets.or_open_cafe(self.usual_lab).await?,
        };
        let sentence = match (named, &targets.order_url) {
            (true, _) => return Ok((targets, None)),
            (false, Some(order)) => {
                let cafe = voice.tell("cli-open-cafe", &[("url", order.to_string().into())]);
                format!("{cafe}\n{}", voice.say("cli-open-cafe-own"))
            }
            (false, None) => voice.say("cli-own-services"),
        };
        Ok((targets, Some(sentence)))
    }
}
