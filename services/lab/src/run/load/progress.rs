//! Reads how it goes while it goes, and tells it.

use std::sync::Arc;
use std::time::Duration;

use campuscafe_evidence::load::LoadLedger;
use campuscafe_evidence::load::metrics::MetricsReading;
use tokio::sync::watch;
use tokio::time::{Instant, interval, interval_at};

use super::{LoadObserver, Shared};
use crate::lessons::load::{LoadEvent, Progress};
use crate::run::Runner;

/// How often the services are read.
const READ_EVERY: Duration = Duration::from_millis(500);

/// Tells how it goes until it is dropped. Services that do not answer delay only
/// what is known of them.
pub(super) async fn tell(
    observer: LoadObserver,
    runner: Runner,
    before: MetricsReading,
    shared: Arc<Shared>,
    begun: Instant,
) {
    let (gap, mut latest) = watch::channel(Some(LoadLedger::default()));
    let read = async {
        let mut again = interval(READ_EVERY);
        loop {
            again.tick().await;
            let now = runner.reading().await;
            gap.send_replace(now.ok().map(|now| LoadLedger::of(&now.deltas(&before))));
        }
    };
    let tell = async {
        let mut again = interval_at(begun + observer.every, observer.every);
        let (mut told, mut over) = (begun, 0);
        loop {
            again.tick().await;
            let (now, tally) = (Instant::now(), shared.tally().clone());
            let rate = (tally.over() - over) as f64 / (now - told).as_secs_f64();
            (told, over) = (now, tally.over());
            (observer.tell)(LoadEvent::Progress(Progress {
                elapsed: begun.elapsed(),
                rate,
                under_way: shared.under_way(),
                tally: &tally,
                gap: *latest.borrow_and_update(),
            }));
        }
    };
    tokio::join!(read, tell);
}
