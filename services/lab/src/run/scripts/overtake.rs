//! A customer cancels an order while it is being placed: the cancel overtakes the reserve
//! request, which is slow.

use std::time::Duration;

use campuscafe_api::order::OrderList;
use campuscafe_service::ExitError;
use reqwest::Method;
use serde_json::json;
use tokio::time::{Instant, sleep, sleep_until};

use super::super::ASK_EVERY;
use super::{Ask, Stage, Told};
use crate::messages::Message;

/// How long after the order the customer cancels it.
const CANCEL_AFTER: Duration = Duration::from_millis(500);

pub(super) async fn play(stage: &Stage<'_>) -> Result<Told, ExitError> {
    let order = Ask::customer(Method::POST, "/orders").json(json!({
        "itemId": stage.item,
        "quantity": 1,
        "chaos": "slow",
        "idempotent": stage.is_cured(),
    }));
    let order = stage.call(order);
    tokio::pin!(order);
    let id = tokio::select! {
        // Without an order that is being placed there is nothing to overtake.
        answer = &mut order => return answer.map(|_| Told { known: 0, facts: Vec::new() }),
        id = time_to_cancel(stage) => id?,
    };
    // The answer to the order may come before that to the cancel, and both are told.
    let cancel = Ask::customer(Method::DELETE, format!("/orders/{id}")).shown("/orders/{orderId}");
    let (_, cancelled) = tokio::try_join!(order, stage.call(cancel))?;
    let believes = match cancelled.says.as_deref() {
        Some("cancelled") => "fact-cancelled",
        _ => "fact-not-cancelled",
    };
    let fact = (Message::new("fact-believes"), Message::new(believes).into());
    Ok(Told { known: 0, facts: vec![fact] })
}

/// Waits until the customer cancels the order; gives its id.
async fn time_to_cancel(stage: &Stage<'_>) -> Result<String, ExitError> {
    let at = Instant::now() + CANCEL_AFTER;
    let id = order_id(stage).await?;
    sleep_until(at).await;
    Ok(id)
}

/// The id of the order that is being placed, by its trace.
async fn order_id(stage: &Stage<'_>) -> Result<String, ExitError> {
    let trace = stage.trace_id();
    loop {
        let list: OrderList = stage.look_up("/orders?state=placing&limit=1000").await?;
        let own = list.orders.into_iter().find(|it| it.trace_id.as_deref() == Some(&trace));
        if let Some(own) = own {
            return Ok(own.order_id);
        }
        sleep(ASK_EVERY).await;
    }
}
