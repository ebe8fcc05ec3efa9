//! A lesson, as a person goes through it.

use campuscafe_tests::eventually;

use super::browser::Browser;

/// A case that is one order, and what is true of it.
#[derive(Clone, Copy)]
pub(super) struct Case {
    pub(super) path: &'static str,
    pub(super) answers: Answers,
}

/// What a person answers, by the values of the forms.
#[derive(Clone, Copy)]
pub(super) struct Answers {
    pub(super) knows: &'static str,
    pub(super) reservations: &'static str,
    pub(super) commit: &'static str,
}

const fn case(
    path: &'static str,
    knows: &'static str,
    made: &'static str,
    commit: &'static str,
) -> Case {
    Case { path, answers: Answers { knows, reservations: made, commit } }
}

/// Every case that is one order, in the order of the course.
pub(super) const CASES: [Case; 8] = [
    case("/lessons/slow/1", "nothing", "1", "after"),
    case("/lessons/slow/2", "nothing", "0", "never"),
    case("/lessons/slow/3", "nothing", "1", "before"),
    case("/lessons/cut/1", "nothing", "0", "never"),
    case("/lessons/cut/2", "nothing", "1", "before"),
    case("/lessons/cut/3", "not-reserved", "0", "never"),
    case("/lessons/double/1", "nothing", "2", "after"),
    DOUBLE,
];

/// One customer, two cakes.
pub(super) const DOUBLE: Case = case("/lessons/double/2", "nothing", "2", "after");

impl Case {
    /// Answers none of which is true of it.
    pub(super) fn wrong(self) -> Answers {
        let commit = if self.answers.commit == "before" { "after" } else { "before" };
        Answers { knows: "reserved", reservations: "7", commit }
    }

    /// A name for files.
    pub(super) fn name(self) -> String {
        self.path.trim_start_matches("/lessons/").replace('/', "-")
    }
}

impl Browser {
    /// Opens a lesson, predicts, and presses run; leads to the page of the run.
    pub(super) async fn run(&self, lab: &str, path: &str, answers: Answers) {
        self.go(&format!("{lab}{path}")).await;
        self.choose("knows", answers.knows).await;
        self.write("input[name=reservations]", answers.reservations).await;
        self.click("button.run").await;
        eventually("the page of the run", || async {
            self.path().await.starts_with("/runs/").then_some(())
        })
        .await;
    }

    /// Says what was seen in the picture.
    pub(super) async fn observe(&self, answers: Answers) {
        self.choose("commit", answers.commit).await;
        self.click("button.run").await;
        self.shows(".sides").await;
    }

    /// Opens a lesson and goes through it to its verdict.
    pub(super) async fn finish(&self, lab: &str, case: Case) {
        self.run(lab, case.path, case.answers).await;
        self.shows("input[name=commit]").await;
        self.observe(case.answers).await;
    }

    pub(super) async fn choose(&self, name: &str, value: &str) {
        self.click(&format!("label:has(input[name='{name}'][value='{value}'])")).await;
    }
}
