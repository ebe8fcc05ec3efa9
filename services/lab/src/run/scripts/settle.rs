//! The lab plays an order service whose attempt is slow, and asks what became of it.

use std::time::Duration;

use campuscafe_service::{ExitError, ids};
use reqwest::Method;
use serde_json::json;

use super::super::keys::just_before;
use super::{Ask, Stage, Told};
use crate::messages::Message;

/// After how long the order service gives up.
const LIMIT: Duration = Duration::from_millis(500);

pub(super) async fn play(stage: &Stage<'_>) -> Result<Told, ExitError> {
    let key = format!("lesson-{}", ids::random());
    let slow = Ask::order_service(Method::POST, "/inventory/reserve?chaos=slow:1500");
    let slow = slow
        .header("x-request-id", key.as_str())
        .header("idempotency-key", format!("\"{key}\""))
        .json(json!({ "itemId": stage.item, "quantity": 1 }))
        .limit(LIMIT);
    stage.call(slow).await?;
    let answer = stage.call(if stage.is_cured() { close(&key) } else { look_up(key) }).await?;
    let concluded = match answer.says.as_deref() {
        Some("none") => "fact-settle-none",
        Some("void") => "fact-settle-void",
        _ => "fact-settle-other",
    };
    let fact = (Message::new("fact-concluded"), Message::new(concluded).into());
    Ok(Told { known: 0, facts: vec![fact] })
}

/// Asks what was decided under the key, and makes it void if nothing was.
fn close(key: &str) -> Ask {
    let path = format!("/inventory/keys/{key}/settle");
    Ask::order_service(Method::POST, path).shown("/inventory/keys/{key}/settle")
}

/// Asks whether the key is there.
fn look_up(key: String) -> Ask {
    let before = just_before(&key).unwrap_or_default();
    let path = format!("/inventory/keys?limit=1&after={before}");
    Ask::order_service(Method::GET, path).shown("/inventory/keys").says(move |body| {
        let first = body.get("keys")?.as_array()?.first();
        let own = first.filter(|first| first.get("key").is_some_and(|it| *it == *key));
        let state = own.and_then(|own| own.get("state")?.as_str());
        Some(state.unwrap_or("none").to_owned())
    })
}
