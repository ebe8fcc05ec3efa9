//! Seeded chance, and the odd things that it picks from.

use campuscafe_chaos::{After, Before, Fault, Plan, SplitMix64, Step};
use serde_json::{Value, json};

/// Another seed is another flood.
pub(super) const SEED: u64 = 20_260_101;

/// A fault that waits longer than this would only make the flood slow.
const PATIENCE: std::time::Duration = std::time::Duration::from_millis(20);

/// One request's dice. What they show depends on the route and the request's
/// number alone, so that a request can be made again whatever was sent beside it.
pub(super) struct Dice {
    seed: u64,
    thrown: u64,
}

impl Dice {
    pub(super) fn of(route: &str, number: u64) -> Self {
        let mix = |seed, number| SplitMix64::nth(seed, number).below(u64::MAX);
        let route = route.bytes().fold(SEED, |seed, byte| mix(seed, u64::from(byte)));
        Self { seed: mix(route, number), thrown: 0 }
    }

    pub(super) fn below(&mut self, bound: usize) -> usize {
        self.thrown += 1;
        SplitMix64::nth(self.seed, self.thrown).below(bound as u64) as usize
    }

    pub(super) fn one_in(&mut self, chances: usize) -> bool {
        self.below(chances) == 0
    }

    pub(super) fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())].clone()
    }

    /// Text that is seldom meant: as bytes, since some of it is no UTF-8.
    pub(super) fn text(&mut self) -> Vec<u8> {
        match self.below(8) {
            0 => b"x".repeat(self.pick(&[41, 129, 129, 257, 9_000])),
            1 => self.pick(&[&b"\xff"[..], b"\xc3\x28", b"cake\xed\xa0\x80", b"\x80"]).to_vec(),
            2 => format!("doubt-{}", self.below(4)).into_bytes(),
            _ => self.pick(&TEXTS).into(),
        }
    }

    /// A JSON value that may be of any type and at any bound.
    pub(super) fn value(&mut self) -> Value {
        match self.below(7) {
            0 => json!(self.pick(&[i64::MIN, i64::MIN + 1, -1, 0, 1, i64::MAX - 1, i64::MAX])),
            1 => json!(self.pick(&[1_u64 << 31, 1 << 32, 1 << 53, 1 << 63, u64::MAX])),
            2 => json!(self.pick(&[1.5, 1.0, -0.0, 1e18, 1e300, -1e300, f64::MIN_POSITIVE])),
            3 => String::from_utf8_lossy(&self.text()).into(),
            4 => self.pick(&[Value::Null, json!(true), json!(false), json!([]), json!({})]),
            5 => {
                let depth = self.pick(&[1, 20, 120]);
                (0..depth).fold(json!(1), |inside, n| match n % 3 {
                    0 => json!({ "itemId": inside }),
                    _ => json!([inside]),
                })
            }
            _ => json!(["cake", 1]),
        }
    }

    /// A plan of faults: mostly none, or one that nobody knows; now and then a
    /// real one.
    pub(super) fn plan(&mut self) -> String {
        let plan = match self.below(20) {
            0..8 => (self.pick(&["none", "", " ", "NONE", " none , none "])).to_owned(),
            8..12 => self.pick(&FAULTS).to_owned() + self.pick(&["", ",none", ",abort", ",fail"]),
            12..14 => String::from_utf8_lossy(&self.text()).into(),
            _ => (0..=self.below(6)).map(|_| self.pick(&PIECES)).collect(),
        };
        if waits(&plan) { format!("?{plan}") } else { plan }
    }
}

/// Whether a plan is one, and takes its time.
fn waits(plan: &str) -> bool {
    asked_for(plan).iter().any(|fault| {
        let before = match fault.before_commit() {
            Before::WaitThenCommit(wait) | Before::WaitThenFail(wait, _) => wait,
            Before::Commit | Before::Cut => Default::default(),
        };
        let after = match fault.after_commit() {
            After::WaitThenReply(wait) | After::HoldThenReply(wait) => wait,
            After::Reply | After::Cut => Default::default(),
        };
        before.max(after) > PATIENCE
    })
}

/// Every fault that a plan may come to: which attempt this is, only the service
/// knows, and what a flaky step rolls, only the service's seed.
pub(super) fn asked_for(plan: &str) -> Vec<Fault> {
    let Ok(plan) = plan.parse::<Plan>() else { return Vec::new() };
    let mut steps: Vec<Step> = (1..=16).map(|attempt| plan.step(attempt)).collect();
    steps.dedup();
    let rolls = || (0..100).map(|n| SplitMix64::nth(SEED, n));
    steps
        .into_iter()
        .flat_map(|step| match step {
            Step::Fixed(fault) => vec![fault],
            Step::Flaky => rolls().map(|roll| step.resolve(|| roll)).collect(),
        })
        .filter(Fault::is_active)
        .collect()
}

const FAULTS: [&str; 12] = [
    "fail",
    "fail:400",
    "fail:409",
    "fail:418",
    "fail:599",
    "slow:5",
    "slowfail:5",
    "slowreply:5",
    "hold:5",
    "abort",
    "lostreply",
    "slow:0",
];

/// What plans are made of, and what they are not.
const PIECES: [&str; 24] = [
    "none",
    "slow",
    "fail",
    "slowfail",
    "abort",
    "flaky",
    "lostreply",
    "hold",
    "SLOW",
    "sl",
    ":",
    ":",
    ":",
    ",",
    ",",
    " ",
    "0",
    "7",
    "503",
    "60001",
    "-",
    "+",
    "ö",
    "\0",
];

const TEXTS: [&str; 36] = [
    "",
    " ",
    "cake",
    "CAKE",
    "coffee",
    " cake",
    "tea",
    "null",
    "true",
    "0",
    "-0",
    "1",
    "007",
    "+1",
    "-1",
    "1.5",
    "1e3",
    "0x10",
    "NaN",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775808",
    "18446744073709551615",
    "18446744073709551616",
    "\0",
    "a\tb",
    "\r\nx-injected: 1",
    "\u{1}\u{7f}\u{9f}",
    "🍰",
    "e\u{301}\u{202e}\u{feff}",
    "İ",
    "cake\"} 1\ninjected{item=\"x",
    "../../etc/passwd",
    "a/b?c#d&e=f;g",
    "%00%",
    "{\"itemId\":\"cake\"}",
];
