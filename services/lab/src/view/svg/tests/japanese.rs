//! Words that are wider than English ones.

use campuscafe_evidence::diagram::{Content, Lane, Note};

use super::super::words::{Said, Sign};
use super::super::{English, Words};

pub(super) struct Japanese;

impl Words for Japanese {
    fn title(&self) -> String {
        "1件の注文の時空図".to_owned()
    }

    fn lane(&self, lane: Lane) -> String {
        match lane {
            Lane::Customer => "お客さま",
            Lane::Order => "注文サービス",
            Lane::Inventory => "在庫サービス",
        }
        .to_owned()
    }

    fn moment(&self, ms: u64) -> String {
        English.moment(ms)
    }

    fn pause(&self, ms: u64) -> String {
        English.pause(ms)
    }

    fn message(&self, content: &Content) -> String {
        match content {
            Content::Order => "注文".to_owned(),
            Content::Attempt(number) => format!("試行{number}（リトライ）"),
            Content::Answer(status) => status.to_string(),
            Content::Outcome { status, outcome } => {
                format!("{} 結果不明 {outcome}", status.unwrap_or_default())
            }
        }
    }

    fn given_up(&self, reason: &str) -> String {
        if reason == "timeout" { "タイムアウト" } else { "接続が切れました" }.to_owned()
    }

    fn note(&self, note: &Note) -> Said {
        let (head, detail) = match note {
            Note::Fault(fault) => (fault.clone(), "待ってからコミットします".to_owned()),
            Note::Committed(commit) => (
                format!("コミット：{} {} → {}", commit.item, commit.before, commit.after),
                "遅れて届いた、この注文の2回目のコミットです".to_owned(),
            ),
            Note::Cut(number) => ("接続を切ります".to_owned(), format!("試行{number}")),
            Note::GivenUp { attempt, .. } => (
                format!("試行{attempt}の応答を待つのをやめます"),
                "予約されたかどうかは分かりません".to_owned(),
            ),
            Note::CallerLeft(number) => {
                (format!("試行{number}の応答を待つ人はもういません"), "作業は続きます".to_owned())
            }
            Note::AnswerDropped(number) => {
                (format!("試行{number}の応答は誰にも届きません"), String::new())
            }
        };
        Said { head, detail }
    }

    fn sign(&self, sign: Sign) -> String {
        match sign {
            Sign::Waits => "待っている",
            Sign::Works => "作業中（待つ人がいる）",
            Sign::Unheard => "作業中（待つ人がいない）",
            Sign::Commit => "コミット",
            Sign::Late => "遅れて届いたコミット",
            Sign::Duplicate => "1件の注文の2回目のコミット",
            Sign::Timeout => "タイムアウト",
            Sign::Lost => "届かなかった",
        }
        .to_owned()
    }

    fn left_out(&self, steps: usize) -> String {
        format!("ほかに{steps}件あります")
    }
}
