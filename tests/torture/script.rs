//! What happens in a run: a pure function of the seed. When exactly it happens depends on the
//! machine, so a seed repeats the script and not always the violation.

use std::time::Duration;

use crate::dice::Dice;

/// Pieces in stock at the opening: plenty of one item, and so few of the other that many
/// orders meet an empty stock.
pub(super) const OPENING: [(&str, u64); 2] = [("cake", 1_000_000), ("tart", 3)];

/// How often many tarts come, in milliseconds, and how long after the beginning of that time.
/// Until then they are scarce.
const CYCLE: u64 = 8_000;
const SCARCE: u64 = 6_000;

/// How many visits in a hundred tempt an inventory without its cures, and in how much of a
/// cycle: later ones would prolong the run.
const TEMPTING_PERCENT: u64 = 40;
const TEMPTING: u64 = 3_000;

/// Visits of customers in a second.
const RATE: u64 = 10;

/// The whole script. All times are from the beginning of the run, if nothing else is said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Script {
    pub(super) visits: Vec<Visit>,
    pub(super) deliveries: Vec<Delivery>,
    pub(super) disturbances: Vec<Disturbance>,
}

/// What one customer does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Visit {
    pub(super) at: Duration,
    pub(super) order: Order,
    /// The customer's own key, under which every click is one order.
    pub(super) key: Option<String>,
    /// More clicks on the same button, from the first one on.
    pub(super) clicks: Vec<Click>,
    /// The customer leaves without an answer after so long.
    pub(super) leaves: Option<Duration>,
    pub(super) cancel: Option<Cancel>,
    /// The customer asks where the order stands, so long after the answer.
    pub(super) looks: Vec<Duration>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Order {
    pub(super) item: &'static str,
    pub(super) quantity: u64,
    pub(super) chaos: String,
    pub(super) retry: bool,
    pub(super) timeout: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Click {
    pub(super) after: Duration,
    /// The same key with another order, which must be refused.
    pub(super) other: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cancel {
    /// So long after the order was sent, or else after its answer.
    pub(super) early: bool,
    pub(super) after: Duration,
    pub(super) chaos: String,
    pub(super) twice: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Delivery {
    pub(super) at: Duration,
    pub(super) item: &'static str,
    pub(super) quantity: u64,
}

/// Something that happens to the services or to the line between them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Disturbance {
    pub(super) at: Duration,
    pub(super) what: What,
    /// How long it lasts.
    pub(super) takes: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    /// `kill -9`, and a new process after a while.
    Kill(Victim),
    /// SIGSTOP, and SIGCONT after a while.
    Stop(Victim),
    /// Every connection from the order service to the inventory is cut.
    Cut,
    /// The line takes no connections for a while.
    Refuse,
    /// The line carries nothing for a while.
    Stall,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Victim {
    Order,
    Inventory,
    Both,
}

/// What is done to the services and to the line between them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trouble {
    /// Nothing: customers and the faults that they ask for are trouble enough.
    Calm,
    /// Everything but `kill -9`.
    Cuts,
    /// Everything.
    Kills,
}

impl Trouble {
    pub(super) const ALL: [Self; 3] = [Self::Calm, Self::Cuts, Self::Kills];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Calm => "calm",
            Self::Cuts => "cuts",
            Self::Kills => "kills",
        }
    }
}

impl Script {
    /// The script of a seed. A longer one begins like a shorter one.
    pub(super) fn of(seed: u64, length: Duration, trouble: Trouble) -> Self {
        let mut dice = Dice::new(seed, 1);
        let ms = u64::try_from(length.as_millis()).unwrap_or(u64::MAX);
        let mut at = 0;
        let visits = (0..).map_while(|number| {
            at += dice.between(0, 2_000 / RATE);
            (at < ms).then(|| Visit::of(&mut dice, millis(at), seed, number))
        });
        Self {
            visits: visits.collect(),
            deliveries: deliveries(&mut Dice::new(seed, 2), ms),
            disturbances: disturbances(&mut Dice::new(seed, 3), ms, trouble),
        }
    }
}

impl Visit {
    fn of(dice: &mut Dice, at: Duration, seed: u64, number: u64) -> Self {
        let key = dice.percent(50).then(|| format!("click-{seed}-{number}"));
        let mut clicks = Vec::new();
        while key.is_some() && clicks.len() < 3 && dice.percent(50) {
            let wait = dice.weighted(&[(3, (0, 5)), (3, (5, 300)), (2, (300, 3_000))]);
            clicks.push(Click {
                after: millis(dice.between(wait.0, wait.1)),
                other: dice.percent(12),
            });
        }
        let tempting = at.as_millis() % u128::from(CYCLE) < u128::from(TEMPTING);
        let tempting = (tempting && dice.percent(TEMPTING_PERCENT)).then(|| dice.percent(50));
        let order = match tempting {
            None => Order::of(dice),
            Some(false) => Order::settled_before_its_commit(dice),
            Some(true) => Order::refused_before_its_commit(dice),
        };
        let looks = (0..dice.between(0, 4)).map(|_| millis(dice.between(0, 2_000))).collect();
        Self {
            at,
            order,
            key,
            clicks,
            leaves: dice.percent(8).then(|| millis(dice.between(1, 400))),
            cancel: Cancel::of(dice).filter(|_| tempting != Some(true)),
            looks,
        }
    }
}

impl Order {
    fn of(dice: &mut Dice) -> Self {
        let steps = dice.weighted(&[(2, 1), (4, 2), (2, 3)]);
        let plan: Vec<_> = (0..steps).map(|step| fault(dice, step)).collect();
        Self {
            item: dice.weighted(&[(3, "cake"), (2, "tart")]),
            quantity: dice.weighted(&[(4, 1), (1, 2), (1, 3)]),
            chaos: plan.join(","),
            retry: dice.percent(75),
            timeout: millis(dice.between(150, 800)),
        }
    }

    /// An order that commits long after it was settled or cancelled. Only the cures make what
    /// was said of it true then, also on a machine that is slow itself.
    fn settled_before_its_commit(dice: &mut Dice) -> Self {
        Self {
            item: dice.weighted(&[(1, "cake"), (1, "tart")]),
            quantity: dice.between(1, 4),
            chaos: format!("slow:{}", dice.between(4_000, 6_000)),
            retry: false,
            timeout: millis(dice.between(300, 1_000)),
        }
    }

    /// An order whose second attempt is refused while tarts are scarce. Its first one commits
    /// when there are many.
    fn refused_before_its_commit(dice: &mut Dice) -> Self {
        Self {
            item: "tart",
            quantity: dice.between(1, 4),
            chaos: format!("slow:{},none", dice.between(6_000, 7_500)),
            retry: true,
            timeout: millis(dice.between(2_000, 2_500)),
        }
    }
}

/// A fault of the fault language. `race` is not among them: it sells too much on purpose.
fn fault(dice: &mut Dice, step: u64) -> String {
    let name = dice.weighted(&[
        (if step == 0 { 20 } else { 60 }, "none"),
        (30, "slow"),
        (12, "slowreply"),
        (8, "lostreply"),
        (6, "abort"),
        (4, "fail:503"),
        (2, "fail:409"),
        (2, "fail:410"),
        (4, "slowfail"),
        (4, "hold"),
        (2, "flaky"),
    ]);
    match name {
        "slow" | "slowreply" | "slowfail" | "hold" => format!("{name}:{}", dice.between(50, 2_000)),
        name => name.to_owned(),
    }
}

impl Cancel {
    fn of(dice: &mut Dice) -> Option<Self> {
        let early = dice.weighted(&[(60, None), (25, Some(true)), (15, Some(false))])?;
        let chaos = match dice.weighted(&[
            (60, "none"),
            (10, "lostreply"),
            (10, "abort"),
            (10, "slow"),
            (10, "fail"),
        ]) {
            "slow" => format!("slow:{}", dice.between(20, 800)),
            name => name.to_owned(),
        };
        let after = if early { dice.between(20, 300) } else { dice.between(0, 1_500) };
        Some(Self { early, after: millis(after), chaos, twice: dice.percent(25) })
    }
}

/// Tarts come one by one, and many of them at the end of the time when they are scarce.
fn deliveries(dice: &mut Dice, length: u64) -> Vec<Delivery> {
    let one = |at, item, quantity| Delivery { at: millis(at), item, quantity };
    let mut deliveries: Vec<_> = (0..)
        .map(|n| n * CYCLE + SCARCE)
        .take_while(|at| *at < length)
        .map(|at| one(at, "tart", 30))
        .collect();
    let mut at = 0;
    loop {
        at += dice.between(200, 1_600);
        if at >= length {
            return deliveries;
        }
        deliveries.push(one(at, dice.weighted(&[(2, "cake"), (1, "tart")]), dice.between(1, 3)));
    }
}

fn disturbances(dice: &mut Dice, length: u64, trouble: Trouble) -> Vec<Disturbance> {
    use Victim::{Both, Inventory, Order};
    let kill = match trouble {
        Trouble::Calm => return Vec::new(),
        Trouble::Cuts => 0,
        Trouble::Kills => 15,
    };
    let mut disturbances = Vec::new();
    let mut at = 0;
    loop {
        at += dice.between(200, 1_500);
        if at >= length {
            return disturbances;
        }
        let what = dice.weighted(&[
            (kill, What::Kill(Order)),
            (kill, What::Kill(Inventory)),
            (kill / 3, What::Kill(Both)),
            (4, What::Stop(Order)),
            (5, What::Stop(Inventory)),
            (8, What::Cut),
            (4, What::Refuse),
            (5, What::Stall),
        ]);
        let takes = match what {
            What::Kill(_) => dice.between(0, 500),
            What::Stop(_) => dice.between(50, 2_000),
            What::Cut => 0,
            What::Refuse | What::Stall => dice.between(50, 1_200),
        };
        disturbances.push(Disturbance { at: millis(at), what, takes: millis(takes) });
        // They follow each other; a restart takes some time too.
        at += takes;
    }
}

const fn millis(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LENGTH: Duration = Duration::from_secs(20);

    #[test]
    fn a_seed_gives_the_same_script_again_and_another_seed_another() {
        assert_eq!(Script::of(7, LENGTH, Trouble::Kills), Script::of(7, LENGTH, Trouble::Kills));
        assert_ne!(Script::of(7, LENGTH, Trouble::Kills), Script::of(8, LENGTH, Trouble::Kills));
    }

    #[test]
    fn a_longer_script_begins_like_a_shorter_one() {
        let [short, long] = [1, 2].map(|times| Script::of(7, times * LENGTH, Trouble::Kills));
        assert!(short.visits.len() > 100);
        assert_eq!(short.visits, long.visits[..short.visits.len()]);
        assert_eq!(short.disturbances, long.disturbances[..short.disturbances.len()]);
    }

    #[test]
    fn only_a_script_with_kills_kills() {
        let kills = |trouble| {
            let script = Script::of(7, LENGTH, trouble);
            script.disturbances.iter().filter(|it| matches!(it.what, What::Kill(_))).count()
        };
        assert_eq!([Trouble::Calm, Trouble::Cuts].map(kills), [0, 0]);
        assert!(kills(Trouble::Kills) > 3);
    }

    #[test]
    fn a_script_has_all_that_customers_may_do() {
        let visits = Script::of(7, LENGTH, Trouble::Kills).visits;
        let has = |what: &str, some: fn(&Visit) -> bool| {
            assert!(visits.iter().filter(|visit| some(visit)).count() > 5, "{what}");
        };
        has("double clicks", |visit| visit.clicks.iter().any(|click| !click.other));
        has("the key of another order", |visit| visit.clicks.iter().any(|click| click.other));
        has("early cancels", |visit| visit.cancel.as_ref().is_some_and(|it| it.early));
        has("late cancels", |visit| visit.cancel.as_ref().is_some_and(|it| !it.early));
        has("customers who leave", |visit| visit.leaves.is_some());
        has("faults", |visit| visit.order.chaos.contains("slow:"));
        assert!(visits.iter().all(|visit| !visit.order.chaos.contains("race")));
    }
}
