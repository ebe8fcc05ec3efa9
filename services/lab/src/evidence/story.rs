//! An order, told from its spans: who sent what when, what was committed, and
//! from which moment nobody listened any more. All times in nanoseconds.

use campuscafe_telemetry::attribute;
use campuscafe_telemetry::http_client::NoReply;

use super::source::Tale;
use super::span::{Kind, Span};

/// One order and everything it set off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Story {
    /// When the order arrived.
    pub start: u64,
    /// When the customer was told.
    pub told_at: u64,
    /// `confirmed`, `failed` or `unknown`.
    pub outcome: String,
    /// The HTTP status the customer got.
    pub status: Option<i64>,
    /// In the order they were made.
    pub attempts: Vec<Attempt>,
    /// Which replica of the order service took it, if it says so.
    pub instance: Option<String>,
}

/// One attempt, on both sides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// 1 for the first.
    pub number: usize,
    /// When the order service sent it.
    pub sent: u64,
    /// When the order service had its answer, or gave up.
    pub ended: u64,
    /// How it ended for the order service.
    pub end: End,
    /// What the inventory did, if the request reached it.
    pub served: Option<Served>,
}

impl Attempt {
    /// Whether no connection could be made, so that nothing was sent.
    #[must_use]
    pub fn never_left(&self) -> bool {
        let refused = NoReply::ConnectionRefused.as_str();
        matches!(&self.end, End::Unanswered(reason) if reason == refused)
    }
}

/// How an attempt ended for the one who made it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// With this HTTP status.
    Answered(i64),
    /// Without an answer; `timeout`, `connection_lost` or `connection_refused`.
    Unanswered(String),
}

/// An attempt, as the inventory saw it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Served {
    /// When the inventory was done with it, whether or not anyone waited.
    pub ended: u64,
    /// When the inventory noticed that the caller had left.
    pub abandoned: Option<u64>,
    /// Whether a fault cut the connection instead of answering.
    pub cut: bool,
    /// The fault that was decided on, with its argument; `none` if none.
    pub fault: String,
    /// When the fault began to act and when it was over.
    pub fault_acted: Option<(u64, u64)>,
    /// What was committed, if anything.
    pub commit: Option<Commit>,
    /// Which replica of the inventory served it, if it says so.
    pub instance: Option<String>,
}

/// The moment a reservation became a fact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// When.
    pub at: u64,
    /// What was taken.
    pub item: String,
    /// Pieces left before.
    pub before: i64,
    /// Pieces left after.
    pub after: i64,
    /// Whether the caller was gone by then.
    pub late: bool,
    /// Whether the same request had been committed before.
    pub duplicate: bool,
}

impl Tale for Story {
    /// `None` while the order's own span is missing.
    fn of(spans: &[Span]) -> Option<Self> {
        let root = spans.iter().find(|span| {
            span.kind == Kind::Server && span.attributes.contains_key(attribute::ORDER_OUTCOME)
        })?;
        let attempts = children(spans, root)
            .filter(|span| span.kind == Kind::Client)
            .enumerate()
            .map(|(index, client)| attempt(spans, index + 1, client))
            .collect();
        Some(Self {
            start: root.start,
            told_at: root.end,
            outcome: root.text(attribute::ORDER_OUTCOME).unwrap_or_default().to_owned(),
            status: root.int(attribute::HTTP_RESPONSE_STATUS_CODE),
            attempts,
            instance: root.instance.clone(),
        })
    }

    /// Settled when both sides of every attempt that left are known.
    fn is_settled(&self) -> bool {
        self.attempts.iter().all(|attempt| attempt.served.is_some() || attempt.never_left())
    }
}

impl Story {
    /// Every commit with its attempt's number, in the order of time.
    #[must_use]
    pub fn commits(&self) -> Vec<(usize, &Commit)> {
        let mut commits: Vec<_> = self
            .attempts
            .iter()
            .filter_map(|attempt| Some((attempt.number, attempt.served.as_ref()?.commit.as_ref()?)))
            .collect();
        commits.sort_by_key(|(_, commit)| commit.at);
        commits
    }

    /// A moment in whole milliseconds after the order arrived. Clocks of two
    /// machines may disagree, so a moment can seem to lie before the start.
    #[must_use]
    pub fn ms(&self, at: u64) -> u64 {
        at.saturating_sub(self.start) / 1_000_000
    }
}

fn children<'a>(spans: &'a [Span], parent: &'a Span) -> impl Iterator<Item = &'a Span> {
    spans.iter().filter(|span| span.parent.as_deref() == Some(&parent.id))
}

fn attempt(spans: &[Span], number: usize, client: &Span) -> Attempt {
    let end = match client.int(attribute::HTTP_RESPONSE_STATUS_CODE) {
        Some(status) => End::Answered(status),
        None => End::Unanswered(client.text(attribute::ERROR_TYPE).unwrap_or("?").to_owned()),
    };
    let served =
        children(spans, client).find(|span| span.kind == Kind::Server).map(|s| served(spans, s));
    Attempt { number, sent: client.start, ended: client.end, end, served }
}

fn served(spans: &[Span], server: &Span) -> Served {
    let abandoned =
        server.events.iter().find(|event| event.name == attribute::EVENT_CLIENT_DISCONNECTED);
    let below = |wanted: fn(&Span) -> bool| children(spans, server).find(|span| wanted(span));
    Served {
        ended: server.end,
        abandoned: abandoned.map(|event| event.at),
        cut: server.text(attribute::ERROR_TYPE)
            == Some(campuscafe_telemetry::http_server::CONNECTION_ABORTED),
        fault: server.text(attribute::CHAOS_STEP).unwrap_or("none").to_owned(),
        fault_acted: below(|span| span.attributes.contains_key(attribute::CHAOS_STEP))
            .map(|span| (span.start, span.end)),
        commit: below(|span| span.attributes.contains_key(attribute::RESERVATION_ID)).map(commit),
        instance: server.instance.clone(),
    }
}

fn commit(span: &Span) -> Commit {
    Commit {
        at: span.start,
        item: span.text(attribute::RESERVATION_ITEM).unwrap_or_default().to_owned(),
        before: span.int(attribute::STOCK_BEFORE).unwrap_or_default(),
        after: span.int(attribute::STOCK_AFTER).unwrap_or_default(),
        late: span.flag(attribute::RESERVATION_LATE),
        duplicate: span.flag(attribute::RESERVATION_DUPLICATE),
    }
}
