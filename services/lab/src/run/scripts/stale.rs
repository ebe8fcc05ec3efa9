//! Two callers have read the same price, and both change it. The older change is slow, so
//! it arrives last.

use std::time::Duration;

use campuscafe_service::ExitError;
use reqwest::Method;
use serde_json::{Value as Json, json};
use tokio::time::sleep;

use super::{Ask, Stage, Told};
use crate::messages::{Message, Value};

const PRICE: &str = "/inventory/items/{item}/price";

/// How long after the older change the newer one is sent.
const NEWER_AFTER: Duration = Duration::from_millis(200);

/// How much the older and the newer change add.
const RAISES: [u64; 2] = [100, 200];

/// The highest price that the changes begin from; see the inventory's limit.
const HIGHEST: u64 = 999_999_000;

pub(super) async fn play(stage: &Stage<'_>) -> Result<Told, ExitError> {
    let read = stage.call(ask(stage, Method::GET, "").says(price)).await?;
    let number = |name: &str| read.body.get(name).and_then(Json::as_u64).unwrap_or_default();
    let (first, version) = (number("price").min(HIGHEST), number("version"));
    let [older, newer] = RAISES.map(|raise| first.saturating_add(raise));
    let change = |price: u64, query: &str| {
        let ask = ask(stage, Method::PUT, query)
            .json(json!({ "price": price, "versioned": stage.is_cured() }))
            .says(answered);
        if stage.is_cured() { ask.header("if-match", format!("\"{version}\"")) } else { ask }
    };
    let later = async {
        sleep(NEWER_AFTER).await;
        stage.call(change(newer, "")).await
    };
    tokio::try_join!(stage.call(change(older, "?chaos=slow:800")), later)?;
    let end = stage.call(ask(stage, Method::GET, "").says(price)).await?;
    let end = end.says.map_or_else(|| Message::new("seen-no-answer").into(), Value::from);
    let row = |name: &'static str, price: u64| (Message::new(name), price.to_string().into());
    let facts = vec![
        row("fact-older-price", older),
        row("fact-newer-price", newer),
        (Message::new("fact-last-price"), end),
    ];
    Ok(Told { known: 0, facts })
}

fn ask(stage: &Stage<'_>, method: Method, query: &str) -> Ask {
    let path = format!("/inventory/items/{}/price{query}", stage.item);
    Ask::customer(method, path).shown(PRICE)
}

/// The price and its version, short enough to stand between two lanes.
fn price(body: &Json) -> Option<String> {
    Some(format!("{} v{}", body.get("price")?.as_u64()?, body.get("version")?.as_u64()?))
}

/// The new price, or the version that a change was too late for.
fn answered(body: &Json) -> Option<String> {
    price(body).or_else(|| Some(format!("v{}", body.get("currentVersion")?.as_u64()?)))
}
