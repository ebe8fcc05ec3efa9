//! An exporter that a test opens and closes.

#![allow(clippy::panic)]

use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use opentelemetry_sdk::logs::{LogBatch, LogExporter};
use opentelemetry_sdk::trace::{SpanData, SpanExporter};

use crate::counted_export::LastAnswer;

/// Far longer than anything in these tests takes.
pub(crate) const LONG: Duration = Duration::from_secs(30);

/// What a collector does with a batch.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Answer {
    Accept,
    Reject(usize),
    NotFound,
    Fail,
    Panic,
}

/// Tells that a batch has come, and ends its export when it is told how.
#[derive(Debug)]
pub(crate) struct Gate {
    came: Sender<usize>,
    answers: Mutex<Receiver<Answer>>,
    last: Arc<LastAnswer>,
}

impl Gate {
    /// The gate, the sizes of the batches that come to it, and where it is told how each
    /// ends.
    pub(crate) fn new(last: Arc<LastAnswer>) -> (Self, Receiver<usize>, Sender<Answer>) {
        let (came, arrivals) = channel();
        let (answers, told) = channel();
        (Self { came, answers: Mutex::new(told), last }, arrivals, answers)
    }

    fn answer(&self, batch: usize) -> OTelSdkResult {
        let _ = self.came.send(batch);
        let answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        match answers.recv() {
            Ok(Answer::Accept) => return Ok(()),
            Ok(Answer::Reject(number)) => {
                self.last.rejected.store(number, Ordering::Relaxed);
                return Ok(());
            }
            Ok(Answer::NotFound) => self.last.not_found.store(true, Ordering::Relaxed),
            Ok(Answer::Panic) => panic!("an exporter with a bug"),
            Ok(Answer::Fail) | Err(_) => {}
        }
        Err(OTelSdkError::InternalFailure("no".into()))
    }
}

impl SpanExporter for Gate {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        self.answer(batch.len())
    }
}

impl LogExporter for Gate {
    async fn export(&self, batch: LogBatch<'_>) -> OTelSdkResult {
        self.answer(batch.iter().count())
    }
}
