//! An order whose inventory is killed between the commit and the answer.

use std::time::Duration;

use campuscafe_api::inventory::{Hold, KeyState};
use campuscafe_api::order::PlaceOrder;
use campuscafe_evidence::counters::Counters;
use campuscafe_evidence::order::{CustomerResponse, Order, OrderPlan};
use campuscafe_evidence::order_trace::{Crash, Restart};
use campuscafe_service::{AllowedHosts, ExitError};
use reqwest::Url;
use tempfile::TempDir;
use tokio::time::{Instant, sleep};

use super::in_doubt::now;
use super::{EVIDENCE_TIMEOUT, Observer, Runner, find_key};
use crate::children::{Children, Environment, StartMode};
use crate::lessons::{ATTEMPT_TIMEOUT, Event, Store};
use crate::targets::{ForOwnServices, alone};

/// How often the spans are looked at for the commit.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// The settings of an inventory that keeps what it knows in one of the stores.
struct Settings {
    environment: Environment,
    /// Removed when it is dropped, with the file in it.
    _folder: Option<TempDir>,
}

impl Settings {
    fn of(store: Store, own: &ForOwnServices) -> Result<Self, ExitError> {
        Ok(match store {
            Store::Memory => Self { environment: Vec::new(), _folder: None },
            Store::File => {
                let folder = tempfile::Builder::new().prefix("campuscafe-crash-").tempdir();
                let folder = folder.map_err(|error| {
                    ExitError::Failed(format!("cannot make a folder for the file: {error}"))
                })?;
                let path = folder.path().display().to_string();
                Self { environment: vec![("DATA_DIR", path)], _folder: Some(folder) }
            }
            Store::Database => {
                let database = own.database.clone().ok_or_else(|| {
                    ExitError::Usage(
                        "an inventory in PostgreSQL needs a database of its own; name it with \
                         --experiment-database-url / EXPERIMENT_DATABASE_URL"
                            .to_owned(),
                    )
                })?;
                Self { environment: database, _folder: None }
            }
        })
    }
}

/// The services of such an order, which nobody else uses.
struct Own<'a> {
    children: Children,
    manner: StartMode<'a>,
    lab: &'a Url,
    hosts: AllowedHosts,
}

impl<'a> Own<'a> {
    async fn start(settings: &'a Settings, lab: &'a Url) -> Result<Self, ExitError> {
        let (manner, hosts) = (StartMode::Stored(&settings.environment), AllowedHosts::default());
        let children = Children::start(manner, lab, &hosts).await?;
        Ok(Self { children, manner, lab, hosts })
    }

    async fn restart_inventory(&mut self) -> Result<(), ExitError> {
        self.children.restart_inventory(self.manner, self.lab, &self.hosts).await
    }
}

/// An order that was answered, and what the inventory had counted when it was killed.
struct Placed {
    response: CustomerResponse,
    crash: Option<(Crash, Counters)>,
}

impl Runner {
    /// Starts services whose inventory keeps what it knows in this store, and kills the
    /// inventory when it has committed an order and has not answered. The run is that of the
    /// baggage.
    pub(super) async fn crash(
        &self,
        plan: OrderPlan,
        store: Store,
        run: &str,
        own: &ForOwnServices,
        observer: &mut Observer<'_>,
    ) -> Result<Order, ExitError> {
        let settings = Settings::of(store, own)?;
        let mut own = Own::start(&settings, &own.lab).await?;
        let runner = Self {
            order: own.children.order_url(),
            inventory: own.children.inventory_url(),
            people: alone(),
            ..self.clone()
        };
        let result = runner.killed_order(plan, run, &mut own, observer).await;
        own.children.stop().await;
        result
    }

    async fn killed_order(
        &self,
        plan: OrderPlan,
        run: &str,
        own: &mut Own<'_>,
        observer: &mut Observer<'_>,
    ) -> Result<Order, ExitError> {
        let prepared = self.prepare(plan, Some(ATTEMPT_TIMEOUT), observer).await?;
        observer(Event::OrderSent(&prepared.request))?;
        let placed = self.place_and_kill(&prepared.request, run, own, observer).await?;
        let prepared = match placed.crash {
            Some((crash, counted)) => prepared.with_crash(crash, counted),
            // Nothing was held, so there was nothing to kill. The judge will say so.
            None => prepared,
        };
        self.settle(prepared, placed.response, observer).await
    }

    async fn place_and_kill(
        &self,
        order: &PlaceOrder,
        run: &str,
        own: &mut Own<'_>,
        observer: &mut Observer<'_>,
    ) -> Result<Placed, ExitError> {
        let answer = self.send(order);
        tokio::pin!(answer);
        let hold = tokio::select! {
            response = &mut answer => {
                let response = response?;
                observer(Event::OrderAnswered(&response))?;
                return Ok(Placed { response, crash: None });
            }
            hold = self.hold_of(run) => hold?,
        };
        self.await_commit(&hold).await;
        let counted = self.counters().await?;
        let killed_at = now();
        own.children.kill_inventory().await;
        observer(Event::InventoryKilled(Crash { killed_at, restart: None }))?;
        let response = answer.await?;
        observer(Event::OrderAnswered(&response))?;
        own.restart_inventory().await?;
        let at = now();
        let key = format!("order-{}", response.report.order_id);
        let found = find_key(&self.http, &self.inventory, &key).await?;
        let kept = found.is_some_and(|found| found.state == KeyState::Reserved);
        let crash = Crash { killed_at, restart: Some(Restart { at, kept }) };
        observer(Event::InventoryRestarted(crash))?;
        Ok(Placed { response, crash: Some((crash, counted)) })
    }

    /// Waits until the span of the commit has left the inventory, which loses with its life what
    /// it has not sent. Without that span the evidence is incomplete, and says so.
    async fn await_commit(&self, hold: &Hold) {
        let deadline = Instant::now() + EVIDENCE_TIMEOUT;
        while !self.spans.has_reservation(&hold.reservation.reservation_id)
            && Instant::now() < deadline
        {
            sleep(LOOK_EVERY).await;
        }
    }
}
