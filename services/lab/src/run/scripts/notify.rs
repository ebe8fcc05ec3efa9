//! An order tells a board what became of it; its first message is slow, so the second
//! overtakes it.

use std::time::Duration;

use campuscafe_service::ExitError;
use reqwest::Method;
use serde_json::{Value as Json, json};
use tokio::time::{sleep, timeout};

use super::super::ASK_EVERY;
use super::{Ask, Stage, Told};
use crate::messages::{Message, Value};

/// How long the order may take to send its messages.
const MESSAGES: Duration = Duration::from_secs(10);

pub(super) async fn play(stage: &Stage<'_>) -> Result<Told, ExitError> {
    let order = Ask::customer(Method::POST, "/orders").json(json!({
        "itemId": stage.item,
        "quantity": 1,
        "notify": "slow:1500,none",
        "idempotent": stage.is_cured(),
    }));
    let order = stage.call(order).await?;
    let known = u64::from(order.status == Some(200));
    let Some(id) = order.text("orderId") else { return Ok(Told { known, facts: Vec::new() }) };
    let path = format!("/inventory/notifications/{id}");
    // What is shown before both have arrived is not yet the end of it.
    let _ = timeout(MESSAGES, both_arrived(stage, &path)).await;
    let look = Ask::customer(Method::GET, path).shown("/inventory/notifications/{orderId}");
    let board = stage.call(look.says(|body| Some(body.get("shown")?.as_str()?.to_owned()))).await?;
    let fact = |name: &'static str, said: Option<String>| {
        (
            Message::new(name),
            said.as_deref().map_or_else(|| Message::new("seen-no-answer").into(), state),
        )
    };
    let facts = vec![fact("fact-customer-told", order.says), fact("fact-board", board.says)];
    Ok(Told { known, facts })
}

/// Until then the board may show nothing, which is an error for the one who looks.
async fn both_arrived(stage: &Stage<'_>, path: &str) {
    loop {
        let board = stage.look_up::<Json>(path).await.unwrap_or_default();
        let arrived = board.get("history").and_then(Json::as_array).map_or(0, Vec::len);
        if arrived >= 2 {
            return;
        }
        sleep(ASK_EVERY).await;
    }
}

/// A state of an order, in the language of its reader.
fn state(word: &str) -> Value {
    match word {
        "accepted" => Message::new("says-accepted").into(),
        "confirmed" => Message::new("outcome-confirmed").into(),
        other => other.into(),
    }
}
