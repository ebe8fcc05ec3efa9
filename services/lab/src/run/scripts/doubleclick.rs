//! A customer presses twice: the first press is still under way.

use std::collections::BTreeSet;
use std::time::Duration;

use campuscafe_service::{ExitError, ids};
use reqwest::Method;
use serde_json::json;
use tokio::time::sleep;

use super::{Ask, Stage, Told};
use crate::messages::Message;

/// How long after the first press the customer presses again.
const AGAIN_AFTER: Duration = Duration::from_millis(200);

pub(super) async fn play(stage: &Stage<'_>) -> Result<Told, ExitError> {
    let key = format!("press-{}", ids::random());
    let quoted = format!("\"{key}\"");
    let press = || {
        let press = Ask::customer(Method::POST, "/orders").json(json!({
            "itemId": stage.item,
            "quantity": 1,
            "chaos": "slow:600",
        }));
        if stage.is_cured() { press.header("idempotency-key", quoted.as_str()) } else { press }
    };
    let again = async {
        sleep(AGAIN_AFTER).await;
        stage.call(press()).await
    };
    let (first, second) = tokio::try_join!(stage.call(press()), again)?;
    let confirmed = [&first, &second].into_iter().filter(|answer| answer.status == Some(200));
    let ids: BTreeSet<_> = confirmed.filter_map(|answer| answer.text("orderId")).collect();
    let orders = Message::new("fact-orders").with("count", ids.len());
    let mut facts = vec![
        (
            Message::new("fact-wanted"),
            Message::new("fact-one-piece").with("item", &*stage.item).into(),
        ),
        (Message::new("fact-placed"), orders.into()),
    ];
    if stage.is_cured() {
        facts.push((Message::new("fact-customers-key"), key.into()));
    }
    Ok(Told { known: ids.len() as u64, facts })
}
