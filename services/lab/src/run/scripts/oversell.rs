//! Twenty customers order one piece each at the same moment, and there are ten.

use campuscafe_service::ExitError;
use futures_util::future::try_join_all;
use reqwest::Method;
use serde_json::json;

use super::{Ask, PATIENCE_MS, Stage, Told};
use crate::lessons::{CUSTOMERS, THERE_ARE};
use crate::messages::Message;

/// The fault that takes reading and writing the stock apart. It waits for long enough that
/// all have read before the first one writes.
const RACE: &str = "race:500";

/// Exactly ten pieces are there when it begins.
pub(super) async fn play(stage: &Stage<'_>) -> Result<Told, ExitError> {
    let chaos = if stage.is_cured() { "none" } else { RACE };
    let orders = (0..CUSTOMERS).map(|_| stage.call(order(stage, chaos)));
    let answers = try_join_all(orders).await?;
    let told = |status| answers.iter().filter(|it| it.status == Some(status)).count() as u64;
    let (sold, refused) = (told(200), told(409));
    let sold_of = Message::new("fact-sold-of")
        .with("sold", sold)
        .with("pieces", THERE_ARE)
        .with("item", &*stage.item);
    let refused = Message::new("fact-refused-orders").with("refused", refused);
    let facts = vec![
        (Message::new("fact-sold"), sold_of.into()),
        (Message::new("fact-refused"), refused.into()),
    ];
    Ok(Told { known: sold, facts })
}

fn order(stage: &Stage<'_>, chaos: &str) -> Ask {
    Ask::customer(Method::POST, "/orders").json(json!({
        "itemId": stage.item,
        "quantity": 1,
        "chaos": chaos,
        "attemptTimeoutMs": PATIENCE_MS,
    }))
}
