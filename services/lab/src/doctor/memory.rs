//! Free memory, on Linux. Elsewhere Docker has memory of its own, which its
//! settings show.

use super::Profile;
use super::check::Check;

const MIB: u64 = 1 << 20;

/// Nothing where the profile needs little, or the system does not say.
pub(super) fn examine(profile: Profile) -> Option<Check> {
    let needed = match profile {
        Profile::Lab => return None,
        Profile::Compose => 1536 * MIB,
        Profile::Kind => 4096 * MIB,
    };
    Some(judge(profile, needed, available()?))
}

/// The bytes that programs can get without swapping.
#[cfg(target_os = "linux")]
fn available() -> Option<u64> {
    use procfs::Current as _;
    procfs::Meminfo::current().ok()?.mem_available
}

#[cfg(not(target_os = "linux"))]
const fn available() -> Option<u64> {
    None
}

fn judge(profile: Profile, needed: u64, available: u64) -> Check {
    let (found, needed_mib) = (format!("{} MiB free", available / MIB), needed / MIB);
    if available < needed {
        Check::bad(
            "memory",
            format!("{found}, but {} needs {needed_mib} MiB", profile.name()),
            "stop large programs that you do not need: ps axo rss,pid,comm | sort -rn | head",
        )
    } else {
        Check::ok("memory", found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn less_memory_than_the_profile_needs_is_bad() {
        let enough = judge(Profile::Kind, 4096 * MIB, 4096 * MIB);
        assert_eq!(enough, Check::ok("memory", "4096 MiB free"));
        let short = judge(Profile::Kind, 4096 * MIB, 4096 * MIB - 1);
        assert!(short.is_bad());
        assert_eq!(short.found, "4095 MiB free, but kind needs 4096 MiB");
    }
}
