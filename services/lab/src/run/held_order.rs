//! An order whose answer is held, until somebody decides what becomes of it.

use campuscafe_api::inventory::{Hold, Holds};
use campuscafe_api::order::PlaceOrder;
use campuscafe_evidence::order::{CustomerResponse, Order, OrderPlan};
use campuscafe_service::ExitError;
use tokio::sync::mpsc;
use tokio::time::sleep;

use super::{ASK_EVERY, Observer, Runner};
use crate::http::{at, unreachable};
use crate::lessons::{ATTEMPT_TIMEOUT, Decision, Event, HeldAnswer};

/// Who decides what becomes of a held answer.
#[derive(Debug)]
pub(crate) enum Decider {
    /// Nobody is asked.
    Always(Decision),
    /// Whoever sends decisions. If nobody can send any more, nothing is done.
    Asked(mpsc::Receiver<Decision>),
}

impl Decider {
    const fn decided(&self) -> Option<Decision> {
        match self {
            Self::Always(decision) => Some(*decision),
            Self::Asked(_) => None,
        }
    }

    async fn decide(&mut self) -> Decision {
        match self {
            Self::Always(decision) => *decision,
            Self::Asked(decisions) => decisions.recv().await.unwrap_or(Decision::Wait),
        }
    }
}

impl Runner {
    /// Places an order and lets the decider say what becomes of its answer. The run is
    /// that of the baggage.
    pub(super) async fn held_order(
        &self,
        plan: OrderPlan,
        run: &str,
        decider: &mut Decider,
        observer: &mut Observer<'_>,
    ) -> Result<Order, ExitError> {
        let prepared = self.prepare(plan, Some(ATTEMPT_TIMEOUT), observer).await?;
        observer(Event::OrderSent(&prepared.request))?;
        let response = self.place_held(&prepared.request, run, decider, observer).await?;
        observer(Event::OrderAnswered(&response))?;
        self.settle(prepared, response, observer).await
    }

    async fn place_held(
        &self,
        order: &PlaceOrder,
        run: &str,
        decider: &mut Decider,
        observer: &mut Observer<'_>,
    ) -> Result<CustomerResponse, ExitError> {
        let answer = self.send(order);
        tokio::pin!(answer);
        let hold = tokio::select! {
            response = &mut answer => return response,
            hold = self.hold_of(run) => hold?,
        };
        let decided = decider.decided();
        let held = HeldAnswer { hold, limit: ATTEMPT_TIMEOUT, decided };
        observer(Event::AnswerHeld(&held))?;
        let decision = tokio::select! {
            response = &mut answer => {
                // The order service gave up meanwhile; nothing is left to wait for.
                observer(Event::Undecided)?;
                self.end_hold(&held.hold, "release").await?;
                return response;
            }
            decision = decider.decide() => decision,
        };
        match decision {
            Decision::Release => self.end_hold(&held.hold, "release").await?,
            Decision::Cut => self.end_hold(&held.hold, "cut").await?,
            Decision::Wait => {}
        }
        let response = answer.await;
        if decision == Decision::Wait {
            self.end_hold(&held.hold, "release").await?;
        }
        response
    }

    /// Waits until the inventory holds an answer of this run.
    pub(super) async fn hold_of(&self, run: &str) -> Result<Hold, ExitError> {
        loop {
            let all: Holds = self.read(&self.inventory, "/inventory/holds").await?;
            let own = all.holds.into_iter().find(|hold| hold.run.as_deref() == Some(run));
            if let Some(hold) = own {
                return Ok(hold);
            }
            sleep(ASK_EVERY).await;
        }
    }

    /// Ends a hold; somebody else may have ended it before.
    async fn end_hold(&self, hold: &Hold, how: &str) -> Result<(), ExitError> {
        let url = at(&self.inventory, &format!("/inventory/holds/{}/{how}", hold.request_id))?;
        let answer = self.http.post(url).send().await;
        answer.map(drop).map_err(|error| unreachable(&self.inventory, &error))
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;
    use std::sync::{Arc, Mutex};

    use axum::extract::Path;
    use axum::http::{HeaderMap, StatusCode};
    use axum::routing::{get, post};
    use axum::{Json, Router};
    use campuscafe_telemetry::{BAGGAGE_HEADER, Baggage};
    use serde_json::json;
    use tokio::sync::{Notify, watch};

    use super::*;
    use crate::targets::{Addresses, SpanSource};

    const RUN: &str = "0af7651916cd43dd8448eb211c80319c";
    const PLAN: OrderPlan =
        OrderPlan { chaos: "hold", retry: false, reservations: 1, ..OrderPlan::NAIVE };

    /// What the services have seen.
    #[derive(Default)]
    struct Seen {
        run: Mutex<Option<String>>,
        ends: Mutex<Vec<String>>,
        given_up: Notify,
    }

    /// Both services at one address: an answer is held as soon as there is an order, beside
    /// one of somebody else. The order service gives up when it is told to, or when the
    /// hold ends.
    async fn services(seen: Arc<Seen>) -> Runner {
        let (ordered, listed, ended) = (seen.clone(), seen.clone(), seen);
        let order = async move |headers: HeaderMap| {
            let baggage = headers[BAGGAGE_HEADER].to_str().unwrap().to_owned();
            let (_, run) = baggage.split_once("campuscafe.run=").unwrap();
            *ordered.run.lock().unwrap() = Some(run.to_owned());
            ordered.given_up.notified().await;
            let attempt = json!({ "number": 1, "result": "timeout", "durationMs": 30000 });
            let report = json!({ "orderId": "1", "outcome": "unknown", "attempts": [attempt] });
            (StatusCode::GATEWAY_TIMEOUT, Json(report))
        };
        let reservation = json!({ "reservationId": "2", "itemId": "cake", "quantity": 1 });
        let hold = move |run: &str, id: &str| json!({ "requestId": id, "run": run, "heldMs": 1, "limitMs": 60000, "reservation": reservation });
        let holds = async move || {
            let run = listed.run.lock().unwrap().clone();
            let own = run.map(|run| hold(&run, "order-1"));
            let all: Vec<_> = [hold("another", "order-0")].into_iter().chain(own).collect();
            Json(json!({ "holds": all }))
        };
        let end = async move |Path((id, how)): Path<(String, String)>| {
            ended.ends.lock().unwrap().push(format!("{id} {how}"));
            ended.given_up.notify_one();
        };
        let state = async || Json(json!({ "stock": { "cake": 9 }, "reservations": 1 }));
        let services = Router::new()
            .route("/orders", post(order))
            .route("/inventory/holds", get(holds))
            .route("/inventory/holds/{id}/{how}", post(end))
            .route("/inventory/state", get(state))
            .route("/metrics", get(async || ""));
        let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let url: reqwest::Url =
            format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
        tokio::spawn(async move { axum::serve(listener, services).await });
        let addresses = Addresses { order: url.clone(), inventory: url };
        let runner = Runner::new(&addresses, SpanSource::Nowhere, watch::channel(1).1).unwrap();
        runner.on_behalf_of(&Baggage::new("doubt", RUN)).unwrap()
    }

    async fn ends(mut decider: Decider, gives_up: bool) -> Vec<String> {
        let seen = Arc::new(Seen::default());
        let runner = services(seen.clone()).await;
        let given_up = seen.clone();
        let mut observer = move |event: Event<'_>| {
            if gives_up && matches!(event, Event::AnswerHeld(_)) {
                given_up.given_up.notify_one();
            }
            Ok(())
        };
        let order = PLAN.order("cake", None);
        let response = runner.place_held(&order, RUN, &mut decider, &mut observer).await;
        assert_eq!(response.unwrap().status, 504);
        seen.ends.lock().unwrap().clone()
    }

    #[tokio::test]
    async fn the_answer_of_the_own_order_ends_as_it_is_decided() {
        assert_eq!(ends(Decider::Always(Decision::Release), false).await, ["order-1 release"]);
        let (decisions, of_reader) = mpsc::channel(1);
        decisions.send(Decision::Cut).await.unwrap();
        assert_eq!(ends(Decider::Asked(of_reader), false).await, ["order-1 cut"]);
    }

    #[tokio::test]
    async fn an_answer_of_which_nobody_decides_is_held_until_the_order_service_gives_up() {
        let (silent, of_reader) = mpsc::channel(1);
        assert_eq!(ends(Decider::Asked(of_reader), true).await, ["order-1 release"]);
        drop(silent);
        let (_, gone) = mpsc::channel(1);
        assert_eq!(ends(Decider::Asked(gone), true).await, ["order-1 release"]);
        assert_eq!(ends(Decider::Always(Decision::Wait), true).await, ["order-1 release"]);
    }
}
