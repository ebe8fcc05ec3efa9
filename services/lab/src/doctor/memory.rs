//! Free memory.

use super::Way;
use super::check::{Check, Verdict};

const MIB: u64 = 1 << 20;

/// What the asked way of running takes, in bytes, with a little to spare.
const fn wanted(way: Way) -> u64 {
    match way {
        Way::Lab => 64 * MIB,
        Way::Compose => 1536 * MIB,
        Way::Kind => 4096 * MIB,
    }
}

pub(super) fn examine(way: Way) -> Check {
    let meminfo = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    verdict(way, available(&meminfo)).of("memory", true)
}

/// The bytes that can be had without swapping, from Linux's `/proc/meminfo`.
fn available(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kib.checked_mul(1024)
}

fn verdict(way: Way, available: Option<u64>) -> Verdict {
    let wanted = wanted(way);
    match available {
        None => Verdict::note("not known on this system"),
        Some(bytes) if bytes < wanted => Verdict::bad(
            format!("{} free, {} wants {}", size(bytes), way.name(), size(wanted)),
            "end what is large and not needed: ps axo rss,pid,comm | sort -rn | head",
        ),
        Some(bytes) => Verdict::ok(format!("{} free", size(bytes))),
    }
}

fn size(bytes: u64) -> String {
    let tenths = bytes / (1024 * MIB / 10);
    if bytes < 1024 * MIB {
        format!("{} MiB", bytes / MIB)
    } else {
        format!("{}.{} GiB", tenths / 10, tenths % 10)
    }
}

#[cfg(test)]
mod tests {
    use super::super::check::Status;
    use super::*;

    #[test]
    fn available_memory_is_read_or_not_known() {
        for (text, expected) in [
            ("MemTotal: 99 kB\nMemAvailable:   23770820 kB\nSwap: 1 kB\n", Some(24_341_319_680)),
            ("MemAvailable: 0 kB", Some(0)),
            ("MemTotal: 99 kB", None),
            ("MemAvailable: lots", None),
            ("MemAvailable: 99999999999999999999 kB", None),
            ("MemAvailable: 18446744073709551615 kB", None),
            ("", None),
        ] {
            assert_eq!(available(text), expected, "{text}");
        }
    }

    #[test]
    fn each_way_wants_its_own() {
        for (way, mib, status, found) in [
            (Way::Lab, Some(64), Status::Ok, "64 MiB free"),
            (Way::Lab, Some(63), Status::Bad, "63 MiB free, lab wants 64 MiB"),
            (Way::Compose, Some(1536), Status::Ok, "1.5 GiB free"),
            (Way::Compose, Some(1023), Status::Bad, "1023 MiB free, compose wants 1.5 GiB"),
            (Way::Kind, Some(4096), Status::Ok, "4.0 GiB free"),
            (Way::Kind, Some(2048), Status::Bad, "2.0 GiB free, kind wants 4.0 GiB"),
            (Way::Kind, None, Status::Note, "not known on this system"),
        ] {
            let verdict = verdict(way, mib.map(|mib| mib * MIB));
            assert_eq!((verdict.status, verdict.found.as_str()), (status, found));
        }
    }
}
