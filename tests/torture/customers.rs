//! What customers do: they order, click twice, leave, cancel and ask.

use std::sync::Arc;
use std::time::Duration;

use campuscafe_tests::eventually;
use reqwest::{Client, RequestBuilder};
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};

use crate::history::{Ended, History};
use crate::script::{Cancel, Delivery, Order, Visit};

/// A customer who has no answer by then leaves.
const PATIENCE: Duration = Duration::from_secs(20);

/// How often a customer with a key sends the order again after no answer came.
const AGAIN: u32 = 3;

#[derive(Debug)]
pub(super) struct Customers {
    pub(super) http: Client,
    pub(super) counter: String,
    pub(super) inventory: String,
    /// Whether their orders are in the cured lane.
    pub(super) cured: bool,
    pub(super) history: Arc<History>,
}

impl Customers {
    /// Carries out what customers and suppliers do.
    pub(super) async fn all(self: Arc<Self>, visits: Vec<Visit>, deliveries: Vec<Delivery>) {
        let begun = Instant::now();
        let mut tasks = JoinSet::new();
        for (number, visit) in (0..).zip(visits) {
            let customers = self.clone();
            tasks.spawn(async move {
                sleep_until(begun + visit.at).await;
                customers.visit(number, visit).await;
            });
        }
        for delivery in deliveries {
            let customers = self.clone();
            tasks.spawn(async move {
                sleep_until(begun + delivery.at).await;
                customers.deliver(delivery).await;
            });
        }
        while let Some(ended) = tasks.join_next().await {
            ended.expect("a customer's task");
        }
    }

    async fn visit(&self, number: u64, visit: Visit) {
        let Visit { order, key, clicks, leaves, cancel, looks, .. } = visit;
        let key = key.as_deref();
        let trace =
            |click: u64| format!("{:032x}", (u128::from(number + 1) << 16) | u128::from(click));
        let first = async {
            let answer = self.place(&order, key, &trace(0), leaves).await;
            match order_id(&answer) {
                Some(id) => Some(id),
                None => self.again(&order, key, &trace).await,
            }
        };
        let mut others = Vec::new();
        for (click, place) in (1..).zip(&clicks) {
            let mut order = order.clone();
            if place.other {
                order.quantity += 1;
            }
            let trace = trace(click);
            others.push(async move {
                sleep(place.after).await;
                self.place(&order, key, &trace, None).await;
            });
        }
        let early = async {
            if let Some(cancel) = cancel.as_ref().filter(|cancel| cancel.early) {
                sleep(cancel.after).await;
                if let Some(id) = self.own_order(&trace, clicks.len()).await {
                    self.cancel(&id, cancel).await;
                }
            }
        };
        let (id, (), ()) = tokio::join!(first, all(others), early);
        let Some(id) = id else { return };
        let late = async {
            if let Some(cancel) = cancel.as_ref().filter(|cancel| !cancel.early) {
                sleep(cancel.after).await;
                self.cancel(&id, cancel).await;
            }
        };
        let looks = looks.into_iter().map(|after| {
            let id = &id;
            async move {
                sleep(after).await;
                self.get(id).await;
            }
        });
        tokio::join!(late, all(looks.collect()));
    }

    /// A customer with a key can ask by ordering again.
    async fn again(
        &self,
        order: &Order,
        key: Option<&str>,
        trace: impl Fn(u64) -> String,
    ) -> Option<String> {
        let key = key?;
        for time in 0..AGAIN {
            sleep(Duration::from_millis(300)).await;
            let answer = self.place(order, Some(key), &trace(100 + u64::from(time)), None).await;
            if let Some(id) = order_id(&answer) {
                return Some(id);
            }
        }
        None
    }

    async fn place(
        &self,
        order: &Order,
        key: Option<&str>,
        trace: &str,
        leaves: Option<Duration>,
    ) -> Ended {
        let wish = json!({
            "itemId": order.item, "quantity": order.quantity, "chaos": order.chaos,
            "retryOnTimeout": order.retry, "idempotent": self.cured,
            "attemptTimeoutMs": u64::try_from(order.timeout.as_millis()).expect("short"),
        });
        let mut request = self
            .http
            .post(format!("{}/orders", self.counter))
            .header("traceparent", format!("00-{trace}-00000000000000ff-01"))
            .json(&wish);
        // A naive order with a key would be a cured one.
        let key = key.filter(|_| self.cured);
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        let noted = json!({
            "key": key.unwrap_or_default(), "trace": trace,
            "item": order.item, "quantity": order.quantity, "chaos": order.chaos,
        });
        self.send("place", &noted, request.timeout(leaves.unwrap_or(PATIENCE))).await
    }

    /// The order that one of the customer's clicks began, if it can be seen already.
    async fn own_order(&self, trace: impl Fn(u64) -> String, clicks: usize) -> Option<String> {
        let url = format!("{}/orders?state=placing&limit=1000", self.counter);
        let answer = self.send("list", &json!({}), self.http.get(url).timeout(PATIENCE)).await;
        let Ended::Answered { status: 200, body } = answer else { return None };
        let own: Vec<_> = (0..=u64::try_from(clicks).expect("few")).map(trace).collect();
        let mine = |order: &&Value| {
            order["traceId"].as_str().is_some_and(|trace| own.iter().any(|it| it == trace))
        };
        let found = body["orders"].as_array()?.iter().find(mine)?;
        found["orderId"].as_str().map(str::to_owned)
    }

    async fn cancel(&self, id: &str, cancel: &Cancel) {
        for _ in 0..=u8::from(cancel.twice) {
            let url = format!("{}/orders/{id}?chaos={}", self.counter, cancel.chaos);
            let request = self.http.delete(url).timeout(PATIENCE);
            self.send("cancel", &json!({"order": id, "chaos": cancel.chaos}), request).await;
        }
    }

    async fn get(&self, id: &str) {
        let request = self.http.get(format!("{}/orders/{id}", self.counter)).timeout(PATIENCE);
        self.send("get", &json!({"order": id}), request).await;
    }

    async fn deliver(&self, delivery: Delivery) {
        let Delivery { item, quantity, .. } = delivery;
        let pieces = json!({"itemId": item, "quantity": quantity});
        let request = self.http.post(format!("{}/inventory/deliveries", self.inventory));
        let request = request.json(&pieces).timeout(PATIENCE);
        self.send("deliver", &json!({"item": item, "quantity": quantity}), request).await;
    }

    async fn send(&self, what: &str, noted: &Value, request: RequestBuilder) -> Ended {
        let operation = self.history.call(what, noted);
        let ended = answered(request).await;
        self.history.end(operation, &ended);
        ended
    }
}

async fn all<F: Future<Output = ()>>(futures: Vec<F>) {
    let mut futures: Vec<_> = futures.into_iter().map(Box::pin).collect();
    std::future::poll_fn(|context| {
        futures.retain_mut(|future| future.as_mut().poll(context).is_pending());
        if futures.is_empty() { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
}

/// Sends a request and reads its answer whole.
pub(super) async fn answered(request: RequestBuilder) -> Ended {
    let whole = async {
        let answer = request.send().await?;
        let status = answer.status().as_u16();
        Ok((status, answer.bytes().await?))
    };
    match whole.await {
        Ok((status, body)) => {
            let text = || Value::String(String::from_utf8_lossy(&body).into_owned());
            let body = serde_json::from_slice(&body).unwrap_or_else(|_| text());
            Ended::Answered { status, body }
        }
        Err(error) => lost(&error),
    }
}

fn lost(error: &reqwest::Error) -> Ended {
    // A connection that was not made has carried nothing.
    if error.is_connect() { Ended::Refused } else { Ended::Lost(format!("{error:?}")) }
}

fn order_id(ended: &Ended) -> Option<String> {
    let Ended::Answered { body, .. } = ended else { return None };
    body["orderId"].as_str().map(str::to_owned)
}

/// The answer's body, when there is one with status 200.
pub(super) async fn fetched(http: &Client, url: &str) -> Value {
    eventually(url, async || {
        let ended = answered(http.get(url).timeout(PATIENCE)).await;
        let Ended::Answered { status: 200, body } = ended else { return None };
        Some(body)
    })
    .await
}
