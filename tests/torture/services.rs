//! The services under torture: real processes that are killed, stopped and started again.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};

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
}

impl Store {
    pub(super) const ALL: [Self; 2] = [Self::Memory, Self::File];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::File => "file",
        }
    }

    /// Whether the promises are kept also when a process is killed.
    pub(super) const fn survives(self) -> bool {
        match self {
            Self::Memory => false,
            Self::File => true,
        }
    }

    /// What tells a service to use this store.
    fn settings(self, folder: &Path, service: &str) -> Vec<(&'static str, String)> {
        match self {
            Self::Memory => Vec::new(),
            Self::File => {
                let data = folder.join("data").join(service);
                vec![("DATA_DIR", data.to_str().expect("a path in UTF-8").to_owned())]
            }
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

/// Both services, and all that stands between them and in front of them.
#[derive(Debug)]
pub(super) struct Services {
    order: Service,
    inventory: Service,
    pub(super) link: Link,
    /// Between the two services, or in front of the order service.
    saboteur: Option<Saboteur>,
    counter: String,
}

impl Services {
    pub(super) async fn start(
        folder: &Path,
        seed: u64,
        store: Store,
        sabotage: Option<Sabotage>,
        trouble: Trouble,
    ) -> Self {
        let stock: Vec<_> = OPENING.iter().map(|(item, left)| format!("{item}={left}")).collect();
        let service = |name, settings: &[(&'static str, String)]| Service {
            name,
            port: ReservedPort::take(),
            settings: [&[("RUST_LOG", "warn".to_owned())], settings, &store.settings(folder, name)]
                .concat(),
            log: folder.join(format!("{name}.log")),
            process: None,
        };
        let mut inventory = service("inventory", &[("INVENTORY_STOCK", stock.join(","))]);
        inventory.start().await;
        let link = Link::to(inventory.port.address(), seed, trouble != Trouble::Calm).await;
        let between = sabotage.filter(|it| !it.is_at_the_counter());
        let saboteur = match between {
            Some(between) => Some(Saboteur::before(link.url(), between).await),
            None => None,
        };
        let to_inventory = saboteur.as_ref().map_or_else(|| link.url(), |it| it.url.clone());
        let mut order = service(
            "order",
            &[
                ("INVENTORY_URL", to_inventory),
                // As many retries as customers want: each is a chance to reserve twice.
                ("ORDER_RETRY_BUDGET", "1".to_owned()),
                ("ORDER_DEADLINE", "8s".to_owned()),
            ],
        );
        order.start().await;
        let url = order.port.url();
        let saboteur = match sabotage.filter(|it| it.is_at_the_counter()) {
            Some(at_the_counter) => Some(Saboteur::before(url.clone(), at_the_counter).await),
            None => saboteur,
        };
        let counter = match &saboteur {
            Some(saboteur) if between.is_none() => saboteur.url.clone(),
            _ => url,
        };
        Self { order, inventory, link, saboteur, counter }
    }

    /// Where customers order.
    pub(super) fn counter(&self) -> String {
        self.counter.clone()
    }

    /// Where the order service itself is.
    pub(super) fn order_url(&self) -> String {
        self.order.port.url()
    }

    pub(super) fn inventory_url(&self) -> String {
        self.inventory.port.url()
    }

    /// Whether nothing is on its way between the two services.
    pub(super) fn is_line_idle(&self) -> bool {
        self.saboteur.as_ref().is_none_or(Saboteur::is_idle)
    }

    fn of(&mut self, victim: Victim) -> Vec<&mut Service> {
        match victim {
            Victim::Order => vec![&mut self.order],
            Victim::Inventory => vec![&mut self.inventory],
            Victim::Both => vec![&mut self.order, &mut self.inventory],
        }
    }

    pub(super) async fn kill(&mut self, victim: Victim) {
        for service in self.of(victim) {
            service.kill().await;
        }
    }

    pub(super) async fn start_again(&mut self, victim: Victim) {
        for service in self.of(victim) {
            service.start().await;
        }
    }

    /// Sends a signal, such as `STOP`.
    pub(super) fn signal(&mut self, victim: Victim, name: &str) {
        for service in self.of(victim) {
            service.signal(name);
        }
    }

    /// Ends everything, and keeps what the services wrote.
    pub(super) async fn end(mut self) {
        drop(self.saboteur.take());
        self.kill(Victim::Both).await;
    }
}
