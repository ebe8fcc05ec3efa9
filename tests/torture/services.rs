//! The services under torture: real processes that are killed, stopped and started again.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use campuscafe_tests::postgres::Postgres;
use campuscafe_tests::{Process, ReservedPort};

use crate::link::Link;
use crate::sabotage::{Sabotage, Saboteur};
use crate::script::{OPENING, Trouble, Victim};

/// Where the services keep what they know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Store {
    /// In their memory. Nothing survives the end of a process.
    Memory,
    /// In a file each.
    File,
    /// The stock of two inventories and the orders of two order services in one PostgreSQL.
    Postgres,
}

impl Store {
    pub(super) const ALL: [Self; 3] = [Self::Memory, Self::File, Self::Postgres];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::File => "file",
            Self::Postgres => "postgres",
        }
    }

    /// Whether the promises are kept also when a process is killed.
    pub(super) const fn survives(self) -> bool {
        match self {
            Self::Memory => false,
            Self::File | Self::Postgres => true,
        }
    }

    /// How many processes of each service there are.
    const fn processes(self) -> usize {
        match self {
            Self::Memory | Self::File => 1,
            Self::Postgres => 2,
        }
    }
}

/// One service: how it is started, and the process that runs now.
#[derive(Debug)]
struct Service {
    name: &'static str,
    /// Its port outlives its processes, so that nobody else's program is taken for it.
    port: ReservedPort,
    settings: Vec<(&'static str, String)>,
    log: PathBuf,
    process: Option<Process>,
}

impl Service {
    async fn start(&mut self) {
        let address = self.port.address();
        let settings: Vec<_> =
            self.settings.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let mut process = Process::start(self.name, &["--listen", &address], &settings);
        let listens = process.address().await;
        assert_eq!(listens, self.port.url(), "it listens where it was told to");
        self.process = Some(process);
    }

    async fn kill(&mut self) {
        let Some(mut process) = self.process.take() else { return };
        process.signal("KILL");
        process.ended().await;
        let log = OpenOptions::new().create(true).append(true).open(&self.log);
        let said = process.stderr();
        log.and_then(|mut log| writeln!(log, "{said}")).expect("room for a log");
        assert!(!said.contains("panicked"), "{} panicked: {said}", self.name);
    }

    fn signal(&self, name: &str) {
        if let Some(process) = &self.process {
            process.signal(name);
        }
    }
}

/// What tells a service to keep what it knows in a file.
fn in_file(folder: &Path, service: &str) -> Vec<(&'static str, String)> {
    let data = folder.join("data").join(service);
    vec![("DATA_DIR", data.to_str().expect("a path in UTF-8").to_owned())]
}

/// The services, and all that stands between them and in front of them.
#[derive(Debug)]
pub(super) struct Services {
    orders: Vec<Service>,
    inventories: Vec<Service>,
    /// Which of each is the next to be disturbed.
    next: usize,
    database: Option<Postgres>,
    /// From the order services to the inventories in turn.
    pub(super) link: Link,
    /// From the customers to the order services in turn, if there are several.
    _door: Option<Link>,
    /// Between the two services, or in front of the order service.
    saboteur: Option<Saboteur>,
    counter: String,
}

impl Services {
    /// `None` if the store is not to be had on this machine.
    pub(super) async fn start(
        folder: &Path,
        seed: u64,
        store: Store,
        sabotage: Option<Sabotage>,
        trouble: Trouble,
    ) -> Option<Self> {
        let database = match store {
            Store::Memory | Store::File => None,
            Store::Postgres => Some(Postgres::start().await?),
        };
        let (of_order, of_inventory) = match &database {
            Some(database) => {
                let url = vec![("DATABASE_URL", database.database().await)];
                (url.clone(), url)
            }
            None if store == Store::File => {
                (in_file(folder, "order"), in_file(folder, "inventory"))
            }
            None => (Vec::new(), Vec::new()),
        };
        let stock: Vec<_> = OPENING.iter().map(|(item, left)| format!("{item}={left}")).collect();
        let service = |name, settings: &[(&'static str, String)]| Service {
            name,
            port: ReservedPort::take(),
            settings: [&[("RUST_LOG", "warn".to_owned())], settings].concat(),
            log: folder.join(format!("{name}.log")),
            process: None,
        };
        let of_inventory = [&[("INVENTORY_STOCK", stock.join(","))], &*of_inventory].concat();
        let mut inventories: Vec<_> =
            (0..store.processes()).map(|_| service("inventory", &of_inventory)).collect();
        for inventory in &mut inventories {
            inventory.start().await;
        }
        let addresses = inventories.iter().map(|inventory| inventory.port.address()).collect();
        let link = Link::to(addresses, seed, trouble != Trouble::Calm).await;
        let between = sabotage.filter(|it| !it.is_at_the_counter());
        let saboteur = match between {
            Some(between) => Some(Saboteur::before(link.url(), between).await),
            None => None,
        };
        let to_inventory = saboteur.as_ref().map_or_else(|| link.url(), |it| it.url.clone());
        let of_order = [
            &[
                ("INVENTORY_URL", to_inventory),
                // As many retries as customers want: each is a chance to reserve twice.
                ("ORDER_RETRY_BUDGET", "1".to_owned()),
                ("ORDER_DEADLINE", "8s".to_owned()),
            ],
            &*of_order,
        ]
        .concat();
        let mut orders: Vec<_> =
            (0..store.processes()).map(|_| service("order", &of_order)).collect();
        for order in &mut orders {
            order.start().await;
        }
        let (url, door) = match &orders[..] {
            [order] => (order.port.url(), None),
            several => {
                let addresses = several.iter().map(|order| order.port.address()).collect();
                let door = Link::to(addresses, seed, false).await;
                (door.url(), Some(door))
            }
        };
        let saboteur = match sabotage.filter(|it| it.is_at_the_counter()) {
            Some(at_the_counter) => Some(Saboteur::before(url.clone(), at_the_counter).await),
            None => saboteur,
        };
        let counter = match &saboteur {
            Some(saboteur) if between.is_none() => saboteur.url.clone(),
            _ => url,
        };
        Some(Self { orders, inventories, next: 0, database, link, _door: door, saboteur, counter })
    }

    /// Where customers order.
    pub(super) fn counter(&self) -> String {
        self.counter.clone()
    }

    pub(super) fn order_urls(&self) -> Vec<String> {
        self.orders.iter().map(|order| order.port.url()).collect()
    }

    /// Where the deliveries come, and the stock is looked at.
    pub(super) fn inventory_url(&self) -> String {
        self.inventories[0].port.url()
    }

    pub(super) fn inventory_urls(&self) -> Vec<String> {
        self.inventories.iter().map(|inventory| inventory.port.url()).collect()
    }

    /// Whether nothing is on its way between the two services.
    pub(super) fn is_line_idle(&self) -> bool {
        self.saboteur.as_ref().is_none_or(Saboteur::is_idle)
    }

    fn of(&mut self, victim: Victim) -> Vec<&mut Service> {
        let next = self.next % self.inventories.len();
        match victim {
            Victim::Order => vec![&mut self.orders[next]],
            Victim::Inventory => vec![&mut self.inventories[next]],
            Victim::Both => self.orders.iter_mut().chain(&mut self.inventories).collect(),
        }
    }

    /// Kills one process, or all of both services with their database.
    pub(super) async fn kill(&mut self, victim: Victim) {
        for service in self.of(victim) {
            service.kill().await;
        }
        if let (Victim::Both, Some(database)) = (victim, &mut self.database) {
            database.kill();
        }
    }

    pub(super) async fn start_again(&mut self, victim: Victim) {
        if let (Victim::Both, Some(database)) = (victim, &mut self.database) {
            database.go_on().await;
        }
        for service in self.of(victim) {
            service.start().await;
        }
        self.next += 1;
    }

    /// Lets them do nothing, until [`Self::go_on`].
    pub(super) fn stop(&mut self, victim: Victim) {
        for service in self.of(victim) {
            service.signal("STOP");
        }
        if let (Victim::Both, Some(database)) = (victim, &self.database) {
            database.freeze();
        }
    }

    pub(super) fn go_on(&mut self, victim: Victim) {
        if let (Victim::Both, Some(database)) = (victim, &self.database) {
            database.thaw();
        }
        for service in self.of(victim) {
            service.signal("CONT");
        }
        self.next += 1;
    }

    /// Ends everything, and keeps what the services wrote.
    pub(super) async fn end(mut self) {
        drop(self.saboteur.take());
        for service in self.of(Victim::Both) {
            service.kill().await;
        }
    }
}
