//! The services of a storm: an order service and an inventory for each lane. They live as long
//! as its run.

use campuscafe_service::{AllowedHosts, ExitError};
use reqwest::Url;

use crate::children::{Children, StartMode};
use crate::lessons::StormPlan;
use crate::page::NoRoom;
use crate::run::StormServices;
use crate::targets::Addresses;

const MIB: u64 = 1 << 20;

/// What this lab and the services of a storm need together, in bytes: the lab stays below
/// 80 MiB, and the four services were measured at 72 MiB.
const NEEDS: u64 = 160 * MIB;

/// Where a container on Linux finds the limit of its memory: version 2 of cgroups, then version 1.
const LIMITS: [&str; 2] =
    ["/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"];

/// Why there is no room for a storm, if there is none. Where memory runs out the kernel would
/// end the lab as well.
pub(super) fn no_room() -> Option<NoRoom> {
    let limit = LIMITS.iter().find_map(|path| std::fs::read_to_string(path).ok())?;
    lacks(&limit)
}

/// The same for what such a file says: bytes, or a word where there is no limit.
fn lacks(limit: &str) -> Option<NoRoom> {
    let has = limit.trim().parse::<u64>().ok().filter(|has| *has < NEEDS)?;
    Some(NoRoom { has: has / MIB, needs: NEEDS / MIB })
}

/// The services of both lanes, running. Dropped, they are killed.
pub(super) struct OwnServices {
    naive: Children,
    cured: Children,
}

impl OwnServices {
    /// Starts them; returns when all of them take requests.
    ///
    /// # Errors
    ///
    /// When one of them does not start; then none runs any more.
    pub(super) async fn start(plan: &StormPlan, lab: &Url) -> Result<Self, ExitError> {
        let (settings, hosts) = (plan.settings(), AllowedHosts::default());
        let start = || Children::start(StartMode::Disposable(&settings), lab, &hosts);
        // The lanes must not share a queue.
        let (naive, cured) = tokio::try_join!(start(), start())?;
        Ok(Self { naive, cured })
    }

    pub(super) fn addresses(&self) -> StormServices {
        let of = |lane: &Children| Addresses {
            order: lane.order_url(),
            inventory: lane.inventory_url(),
        };
        StormServices { naive: of(&self.naive), cured: of(&self.cured) }
    }

    /// Resolves with a sentence when one of them ends by itself.
    pub(super) async fn first_exit(&mut self) -> String {
        tokio::select! {
            sentence = self.naive.first_exit() => sentence,
            sentence = self.cured.first_exit() => sentence,
        }
    }

    /// Kills them, and waits until they are gone. Their queues may be long, and nobody waits
    /// for what is in them.
    pub(super) async fn end(mut self) {
        tokio::join!(self.naive.kill(), self.cured.kill());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_container_with_less_memory_than_a_storm_needs_has_no_room_for_it() {
        let small = Some(NoRoom { has: 128, needs: NEEDS / MIB });
        assert_eq!(lacks("134217728\n"), small);
        assert_eq!(lacks(&NEEDS.to_string()), None);
        // No limit, as both versions write it.
        assert_eq!((lacks("max\n"), lacks("9223372036854771712\n")), (None, None));
    }
}
