//! What customers did and were told, one line of JSON for each event.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Mutex, PoisonError};
use std::thread::JoinHandle;

use serde_json::{Value, json};
use tokio::time::Instant;

/// A file that grows while the run goes on.
#[derive(Debug)]
pub(super) struct History {
    lines: Mutex<Option<Sender<String>>>,
    /// Customers and proxies must not wait for the disk.
    writer: Mutex<Option<JoinHandle<()>>>,
    begun: Instant,
    operations: AtomicU64,
}

/// How a request ended.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Ended {
    /// A whole answer.
    Answered { status: u16, body: Value },
    /// No answer, or half of one: nobody knows whether the request had an effect.
    Lost(String),
    /// No connection could be made: nothing was sent.
    Refused,
}

impl History {
    /// A new history, whose first line says what is run.
    pub(super) fn create(path: &Path, run: &Value) -> Self {
        let file = File::create(path).expect("a file for the history");
        let (lines, written) = channel();
        let writer = std::thread::spawn(move || write_all(BufWriter::new(file), &written));
        let history = Self {
            lines: Mutex::new(Some(lines)),
            writer: Mutex::new(Some(writer)),
            begun: Instant::now(),
            operations: AtomicU64::new(0),
        };
        history.write("run", run);
        history
    }

    /// Notes that a request is about to be sent; gives its number.
    pub(super) fn call(&self, what: &str, more: &Value) -> u64 {
        let operation = self.operations.fetch_add(1, Ordering::Relaxed);
        self.write("call", &merged(json!({"op": operation, "do": what}), more));
        operation
    }

    /// Notes how the request ended.
    pub(super) fn end(&self, operation: u64, ended: &Ended) {
        match ended {
            Ended::Answered { status, body } => {
                self.write("answer", &json!({"op": operation, "status": status, "body": body}));
            }
            Ended::Lost(why) => self.write("lost", &json!({"op": operation, "why": why})),
            Ended::Refused => self.write("refused", &json!({"op": operation})),
        }
    }

    pub(super) fn disturbance(&self, what: &str) {
        self.write("disturbance", &json!({"what": what}));
    }

    pub(super) fn write(&self, kind: &str, more: &Value) {
        // The time is taken under the lock, so the lines are in the order of their times. A call
        // is written before it is sent, an answer after it was read: the interval on record
        // is never shorter than the true one.
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let at = u64::try_from(self.begun.elapsed().as_micros()).expect("a short run");
        let line = merged(json!({"kind": kind, "at": at}), more).to_string();
        let lines = lines.as_ref().expect("the history goes on");
        lines.send(line).expect("the history is written");
    }

    /// Waits until all is written. Nothing can be added any more.
    pub(super) fn end_of_run(&self) {
        drop(self.lines.lock().unwrap_or_else(PoisonError::into_inner).take());
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        writer.expect("the run ends once").join().expect("the history is written");
    }
}

fn write_all(mut file: BufWriter<File>, lines: &Receiver<String>) {
    for line in lines {
        writeln!(file, "{line}").expect("room for the history");
    }
    file.flush().expect("room for the history");
}

fn merged(mut into: Value, more: &Value) -> Value {
    if let (Value::Object(into), Value::Object(more)) = (&mut into, more) {
        into.extend(more.clone());
    }
    into
}
