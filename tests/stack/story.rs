//! One scripted story, told once: single orders, each with its evidence, then
//! every experiment. The tests look at what it left in Jaeger and Prometheus.

use std::collections::BTreeMap;

use campuscafe_tests::eventually;
use serde_json::Value;
use tokio::sync::OnceCell;

use crate::stack::{Stack, now};

/// What is compared before and after each step.
pub(crate) const COUNTED: [(&str, &str); 14] = [
    ("told yes", r#"sum(order_outcomes_total{outcome="confirmed"})"#),
    ("told no", r#"sum(order_outcomes_total{outcome="failed"})"#),
    ("unknown", r#"sum(order_outcomes_total{outcome="unknown"})"#),
    ("reservations", "sum(inventory_reservations_total)"),
    ("duplicates", "sum(inventory_duplicate_reservations_total)"),
    ("late", "sum(inventory_late_commits_total)"),
    ("retries", "sum(order_retries_total)"),
    ("timeouts", r#"sum(order_attempts_total{result="timeout"})"#),
    ("lost", r#"sum(order_attempts_total{result="connection_lost"})"#),
    ("overtaken", "sum(order_reordered_replies_total)"),
    ("replays", "sum(inventory_idempotent_replays_total)"),
    ("voided", "sum(inventory_voided_commits_total)"),
    ("settled yes", r#"sum(order_settled_total{result="confirmed"})"#),
    ("settled no", r#"sum(order_settled_total{result="failed"})"#),
];

/// One thing that was done, and the jumps that it must leave in Prometheus.
pub(crate) struct Step {
    pub(crate) name: &'static str,
    idempotent: bool,
    chaos: &'static str,
    retry: bool,
    /// By the words of [`COUNTED`]; what is not named must not move.
    pub(crate) jumps: &'static [(&'static str, u32)],
}

/// The steps of the story. Each waits for the jumps of the one before it.
pub(crate) const STEPS: [Step; 9] = [
    Step {
        name: "nothing goes wrong",
        idempotent: false,
        chaos: "none",
        retry: false,
        jumps: &[("told yes", 1), ("reservations", 1)],
    },
    Step {
        name: "slow",
        idempotent: false,
        chaos: "slow",
        retry: false,
        jumps: &[("unknown", 1), ("reservations", 1), ("late", 1), ("timeouts", 1)],
    },
    Step {
        name: "doubled",
        idempotent: false,
        chaos: "slow,none",
        retry: true,
        jumps: &[
            ("told yes", 1),
            ("reservations", 2),
            ("duplicates", 1),
            ("late", 1),
            ("retries", 1),
            ("timeouts", 1),
        ],
    },
    Step {
        name: "cut before the commit",
        idempotent: false,
        chaos: "abort",
        retry: false,
        jumps: &[("unknown", 1), ("lost", 1)],
    },
    Step {
        name: "cut after the commit",
        idempotent: false,
        chaos: "lostreply",
        retry: false,
        jumps: &[("unknown", 1), ("lost", 1), ("reservations", 1)],
    },
    Step {
        name: "refused",
        idempotent: false,
        chaos: "fail",
        retry: false,
        jumps: &[("told no", 1)],
    },
    Step {
        name: "cured, and tried again",
        idempotent: true,
        chaos: "slow,none",
        retry: true,
        jumps: &[
            ("told yes", 1),
            ("reservations", 1),
            ("retries", 1),
            ("timeouts", 1),
            ("replays", 1),
        ],
    },
    Step {
        name: "cured, and the reply is lost",
        idempotent: true,
        chaos: "lostreply",
        retry: false,
        jumps: &[("unknown", 1), ("lost", 1), ("reservations", 1), ("settled yes", 1)],
    },
    Step {
        name: "cured, and too late",
        idempotent: true,
        chaos: "slow",
        retry: false,
        jumps: &[("unknown", 1), ("timeouts", 1), ("settled no", 1), ("voided", 1)],
    },
];

/// Everything the story left behind.
pub(crate) struct Story {
    pub(crate) stack: Stack,
    /// When it began and ended, in seconds since 1970, and when the experiments began.
    pub(crate) from: f64,
    pub(crate) experiments_from: f64,
    pub(crate) to: f64,
    /// The answer to each step's order.
    pub(crate) answers: BTreeMap<&'static str, Value>,
    /// The jumps that Prometheus showed for each step.
    pub(crate) jumps: BTreeMap<&'static str, BTreeMap<&'static str, f64>>,
    /// The answer to the race of pings, and how many replies Prometheus then
    /// counted as having overtaken another.
    pub(crate) race: Value,
    pub(crate) overtaken: f64,
    /// What `experiment all` printed.
    pub(crate) experiments: Value,
}

impl Story {
    pub(crate) fn trace_id(&self, step: &str) -> &str {
        self.answers[step]["traceId"].as_str().unwrap()
    }
}

/// The story; told by whoever asks first.
pub(crate) async fn story() -> &'static Story {
    static STORY: OnceCell<Story> = OnceCell::const_new();
    STORY.get_or_init(tell).await
}

async fn tell() -> Story {
    let stack = Stack::from_env();
    let from = now();
    stack.reset().await;
    // What others did before is in Prometheus by then.
    scraped(&stack).await;
    let (mut answers, mut jumps) = (BTreeMap::new(), BTreeMap::new());
    for step in &STEPS {
        let before = counted(&stack).await;
        answers.insert(step.name, stack.order_with(step.chaos, step.retry, step.idempotent).await);
        jumps.insert(step.name, jumped(&stack, &before, step.jumps).await);
    }
    pressed_twice_and_cancelled(&stack).await;
    let before = counted(&stack).await;
    let race = stack.json(&format!("{}/demo/out-of-order?count=6&seed=7", stack.order)).await;
    let inversions = race["inversions"].as_u64().unwrap();
    assert!(inversions > 0, "the seed reorders");
    let overtaken = eventually("replies that overtook another", || async {
        let now = stack.value(COUNTED[9].1).await;
        (now > before["overtaken"]).then_some(now - before["overtaken"])
    })
    .await;
    scraped(&stack).await;
    let experiments_from = now();
    let said = stack.in_lab(&["experiment", "all", "--seed", "7", "--json"]).await;
    assert_eq!(said.code, Some(0), "{}{}", said.out, said.err);
    let experiments = serde_json::from_str(&said.out).unwrap();
    scraped(&stack).await;
    Story { from, experiments_from, to: now(), answers, jumps, race, overtaken, experiments, stack }
}

/// One order of two presses, which its customer takes back.
async fn pressed_twice_and_cancelled(stack: &Stack) {
    // A key of an earlier story would find that story's order.
    let key = format!("story-{}", now());
    let (first, again) = (stack.press(&key).await, stack.press(&key).await);
    assert_eq!((&first["outcome"], &first["orderId"]), (&"confirmed".into(), &again["orderId"]));
    let id = first["orderId"].as_str().unwrap();
    let cancel = stack.http.delete(format!("{}/orders/{id}", stack.order));
    assert_eq!(cancel.send().await.unwrap().status(), 200);
}

async fn counted(stack: &Stack) -> BTreeMap<&'static str, f64> {
    let mut all = BTreeMap::new();
    for (name, query) in COUNTED {
        all.insert(name, stack.value(query).await);
    }
    all
}

/// Waits until Prometheus has looked at everything twice from now on.
async fn scraped(stack: &Stack) {
    let from = now();
    eventually("a scrape after now", || async {
        (stack.value("min(timestamp(up))").await > from + 1.0).then_some(())
    })
    .await;
}

/// Waits until everything has moved that should, and gives what has moved two
/// scrapes later: a jump too many would come after those that are waited for.
async fn jumped(
    stack: &Stack,
    before: &BTreeMap<&'static str, f64>,
    expected: &[(&str, u32)],
) -> BTreeMap<&'static str, f64> {
    let expected: BTreeMap<&str, f64> =
        expected.iter().map(|(name, by)| (*name, f64::from(*by))).collect();
    let moved = async || {
        let now = counted(stack).await;
        let by = now.into_iter().map(|(name, value)| (name, value - before[name]));
        by.filter(|(_, by)| *by != 0.0).collect::<BTreeMap<_, _>>()
    };
    eventually(&format!("the jumps {expected:?}"), || async {
        let moved = moved().await;
        let there = |(name, by): (&&str, &f64)| moved.get(*name).is_some_and(|found| found >= by);
        expected.iter().all(there).then_some(())
    })
    .await;
    scraped(stack).await;
    moved().await
}
