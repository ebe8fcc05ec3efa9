//! The rule of the stock, asked in this process and through both services.

use campuscafe_api::inventory::State;
use campuscafe_api::order::{Outcome, PlaceOrder};
use campuscafe_service::ExitError;
use inventory::stock::{InitialStock, Stock};
use tokio::time::Instant;

use super::order::{choose, lacking};
use super::{Observer, Runner};
use crate::lessons::{Calls, Event, LocalAndRemote};

impl Runner {
    /// Reserves one piece so many times in both ways. The orders are known to their
    /// customer, so no gap is left.
    pub(super) async fn calls(
        &self,
        calls: usize,
        observer: &mut Observer<'_>,
    ) -> Result<LocalAndRemote, ExitError> {
        let before: State = self.read(&self.inventory, "/inventory/state").await?;
        let item = choose(&before)?;
        if let Some(delivered) = lacking(&before, &item, calls as u64) {
            self.deliver(&item, delivered.quantity).await?;
        }
        let local = local(&item, calls)?;
        let order = PlaceOrder::of(&item);
        observer(Event::SeriesSent { orders: calls })?;
        let (mut times, mut failures, mut slowest) = (Vec::with_capacity(calls), 0, None);
        for _ in 0..calls {
            let response = self.send(&order).await?;
            if response.report.outcome != Outcome::Confirmed {
                failures += 1;
                continue;
            }
            times.push(response.after);
            if slowest.as_ref().is_none_or(|(time, _)| *time < response.after) {
                slowest = Some((response.after, response.report.trace_id));
            }
        }
        observer(Event::Settled)?;
        let trace_id = slowest.and_then(|(_, trace_id)| trace_id);
        Ok(LocalAndRemote { local, remote: Calls::new(times, failures), trace_id })
    }
}

fn local(item: &str, calls: usize) -> Result<Calls, ExitError> {
    let initial: InitialStock = format!("{item}={calls}")
        .parse()
        .map_err(|error| ExitError::Failed(format!("{item}: {error}")))?;
    let mut stock = Stock::new(initial);
    let (mut times, mut failures) = (Vec::with_capacity(calls), 0);
    for _ in 0..calls {
        let begun = Instant::now();
        let reserved = stock.reserve(item, 1);
        let took = begun.elapsed();
        match reserved {
            Ok(_) => times.push(took),
            Err(_) => failures += 1,
        }
    }
    Ok(Calls::new(times, failures))
}
