//! One run: from a seed to a verdict.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use reqwest::Client;
use serde_json::{Map, json};
use tokio::time::{Instant, sleep, sleep_until};

use crate::checker::{self, Verdict};
use crate::customers::Customers;
use crate::ending;
use crate::history::History;
use crate::link::Mode;
use crate::sabotage::Sabotage;
use crate::script::{Disturbance, OPENING, Script, Trouble, What};
use crate::services::{Services, Store};

/// How long orders may stay open after all is healed, where they must end.
const MUST_END: Duration = Duration::from_secs(60);

/// The same where a cure is missing, so that some will never end.
const MAY_END: Duration = Duration::from_secs(3);

#[derive(Debug, Clone, Copy)]
pub(super) struct Run {
    pub(super) seed: u64,
    pub(super) length: Duration,
    /// Whether the orders are in the cured lane.
    pub(super) cured: bool,
    pub(super) store: Store,
    pub(super) trouble: Trouble,
    pub(super) sabotage: Option<Sabotage>,
}

impl Run {
    /// The cured lane, with all that this store must survive.
    pub(super) fn cured(seed: u64, length: Duration, store: Store) -> Self {
        let trouble = if store.survives() { Trouble::Kills } else { Trouble::Cuts };
        Self { seed, length, cured: true, store, trouble, sabotage: None }
    }

    const fn lane(&self) -> &'static str {
        if self.cured { "cured" } else { "naive" }
    }

    fn sabotage(&self) -> &'static str {
        self.sabotage.map_or("none", Sabotage::name)
    }

    /// What is run, in a few words.
    fn in_words(&self) -> String {
        let Self { seed, length, store, trouble, .. } = self;
        let (lane, store, sabotage) = (self.lane(), store.name(), self.sabotage());
        let trouble = trouble.name();
        format!(
            "seed {seed}: {lane} lane, {store} store, sabotage {sabotage}, trouble {trouble}, {length:?}"
        )
    }

    /// The command that repeats it.
    fn command(&self) -> String {
        let Self { seed, length, store, .. } = self;
        let minutes = length.as_secs_f64() / 60.0;
        let (lane, store, sabotage) = (self.lane(), store.name(), self.sabotage());
        let trouble = self.trouble.name();
        format!(
            "make torture SEED={seed} MINUTES={minutes:.4} STORE={store} LANE={lane} SABOTAGE={sabotage} TROUBLE={trouble}"
        )
    }

    /// A folder that no other run has at the same time.
    fn folder(&self) -> PathBuf {
        let mut name = format!("{}-{}-{}", self.seed, self.store.name(), self.trouble.name());
        for (word, usual) in [(self.lane(), "cured"), (self.sabotage(), "none")] {
            if word != usual {
                name = format!("{name}-{word}");
            }
        }
        checker::folder().join(name)
    }

    /// Tortures the services and checks what they did. None without a checker, or without the
    /// store.
    pub(super) async fn verdict(self) -> Option<Verdict> {
        let checker = checker::checker()?;
        let folder = self.folder();
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).expect("a folder for the run");
        println!("{}\n{}", self.in_words(), self.command());
        let history = folder.join("history.jsonl");
        self.torture(&folder, &history).await?;
        let verdict = checker::check(checker, &history).await;
        println!("{}\n{}", history.display(), verdict.text);
        Some(verdict)
    }

    async fn torture(&self, folder: &Path, history: &Path) -> Option<()> {
        let Self { seed, length, store, trouble, sabotage, cured } = *self;
        let mut services = Services::start(folder, seed, store, sabotage, trouble).await?;
        let opening: Map<_, _> =
            OPENING.iter().map(|(item, left)| ((*item).to_owned(), (*left).into())).collect();
        let first = json!({
            "seed": seed, "lane": self.lane(), "store": store.name(),
            "sabotage": self.sabotage(), "opening": opening,
        });
        let history = Arc::new(History::create(history, &first));
        // A connection that is kept may be closed by a service that is killed: each request
        // has its own, so that one that was refused is known to have carried nothing.
        let http = Client::builder().no_proxy().pool_max_idle_per_host(0).build();
        let http = http.expect("a client");
        let customers = Arc::new(Customers {
            http: http.clone(),
            counter: services.counter(),
            inventory: services.inventory_url(),
            cured,
            history: history.clone(),
        });
        let Script { visits, deliveries, disturbances } = Script::of(seed, length, trouble);
        let busy = tokio::spawn(customers.all(visits, deliveries));
        let begun = Instant::now();
        for disturbance in disturbances {
            sleep_until(begun + disturbance.at).await;
            disturb(&mut services, &history, disturbance).await;
        }
        sleep_until(begun + length).await;
        services.link.heal();
        history.disturbance("heal");
        busy.await.expect("the customers");
        let forgets = trouble == Trouble::Kills && !store.survives();
        let limit = if cured && sabotage.is_none() && !forgets { MUST_END } else { MAY_END };
        ending::close(&services, &http, &history, limit).await;
        services.end().await;
        Some(())
    }
}

async fn disturb(services: &mut Services, history: &History, disturbance: Disturbance) {
    let Disturbance { what, takes, .. } = disturbance;
    let note = |word: &str| history.disturbance(word);
    match what {
        What::Kill(victim) => {
            note(&format!("kill {victim:?}"));
            services.kill(victim).await;
            sleep(takes).await;
            services.start_again(victim).await;
            note(&format!("start {victim:?}"));
        }
        What::Stop(victim) => {
            note(&format!("stop {victim:?}"));
            services.stop(victim);
            sleep(takes).await;
            services.go_on(victim);
            note(&format!("continue {victim:?}"));
        }
        What::Cut => {
            note("cut");
            services.link.cut();
        }
        What::Refuse | What::Stall => {
            note(if what == What::Refuse { "refuse" } else { "stall" });
            services.link.set(if what == What::Refuse { Mode::Refusing } else { Mode::Stalled });
            sleep(takes).await;
            services.link.set(Mode::Open);
            note("open");
        }
    }
}
