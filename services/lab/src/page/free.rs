//! Free play: an order that a person writes with a form.

use campuscafe_api::order::PlaceOrder;
use campuscafe_chaos::Step;
use campuscafe_evidence::order::USUAL_ITEM;
use maud::{Markup, html};
use serde::Deserialize;

use super::frame::{Place, page};
use super::situation::situation;
use super::{Case, Reader};

/// The faults of the menus. `hold` is left out: an answer that nobody releases is held for
/// a minute, and the lesson of doubt is about it.
fn faults() -> impl Iterator<Item = &'static str> {
    Step::NAMES.into_iter().filter(|name| *name != "hold").chain(["slow:200-1800"])
}

/// An order as the form sends it.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FreeOrder {
    item: String,
    quantity: i64,
    first: String,
    second: String,
    /// Present if the box is ticked.
    retry: Option<String>,
    /// Milliseconds; empty for the limit of the service.
    #[serde(default)]
    limit: String,
}

/// What the form shows first.
impl Default for FreeOrder {
    fn default() -> Self {
        Self {
            item: USUAL_ITEM.to_owned(),
            quantity: 1,
            first: "slow".to_owned(),
            second: "none".to_owned(),
            retry: Some("yes".to_owned()),
            limit: String::new(),
        }
    }
}

impl FreeOrder {
    /// The order, or the number that is none.
    pub(crate) fn order(self) -> Result<PlaceOrder, String> {
        let Self { item, quantity, first, second, retry, limit } = self;
        let limit = limit.trim();
        let attempt_timeout_ms = match limit {
            "" => None,
            _ => Some(limit.parse().map_err(|_| limit.to_owned())?),
        };
        let retry = retry.is_some();
        let chaos = if retry { format!("{first},{second}") } else { first };
        let chaos = Some(chaos).filter(|chaos| chaos != "none" && chaos != "none,none");
        let order = PlaceOrder::of(item.trim());
        Ok(PlaceOrder { quantity, chaos, retry_on_timeout: retry, attempt_timeout_ms, ..order })
    }
}

/// The form with what was written, the commands that send the same if they were asked for,
/// and what the words of the menus mean.
pub(crate) fn free(
    reader: Reader,
    case: Case,
    written: &FreeOrder,
    order: Option<&PlaceOrder>,
    orders: Option<&str>,
) -> String {
    let title = case.title(reader);
    let main = html! {
        (situation(reader, case, order, orders))
        (form(reader, case, written))
        h2 { (reader.say("free-faults")) }
        dl class="faults card" { @for fault in faults() {
            div { dt { code { (fault) } } dd { (reader.say(&message(fault))) } }
        } }
    };
    page(reader, &Place { path: &case.path(), lesson: Some(case) }, &title, &main)
}

fn form(reader: Reader, case: Case, written: &FreeOrder) -> Markup {
    html! {
        form class="card predict free" method="post" action="/free" {
            label class="field" {
                (reader.say("free-item"))
                input type="text" name="item" value=(written.item) maxlength="100" required;
            }
            label class="field" {
                (reader.say("free-quantity"))
                input type="number" name="quantity" min="1" value=(written.quantity) required;
            }
            (menu(reader, "first", "free-first", &written.first))
            (menu(reader, "second", "free-second", &written.second))
            label class="chip" {
                input type="checkbox" name="retry" value="yes" checked[written.retry.is_some()];
                span { (reader.say("free-retry")) }
            }
            label class="field" {
                (reader.say("free-limit"))
                input type="number" name="limit" min="1" max="60000" placeholder="1000" value=(written.limit);
            }
            div class="actions" {
                button class="run" type="submit" { (reader.say("run")) }
                button type="submit" formmethod="get" formaction=(case.path()) {
                    (reader.say("free-command"))
                }
            }
        }
    }
}

fn menu(reader: Reader, name: &str, words: &str, chosen: &str) -> Markup {
    html! {
        label class="field" {
            (reader.say(words))
            select name=(name) {
                @for fault in faults() {
                    option value=(fault) selected[fault == chosen] {
                        (fault) ": " (reader.say(&message(fault)))
                    }
                }
            }
        }
    }
}

/// The message that explains a fault.
fn message(fault: &str) -> String {
    if fault.contains('-') { "fault-jitter".to_owned() } else { format!("fault-{fault}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(
        retry: Option<&str>,
        first: &str,
        second: &str,
        limit: &str,
    ) -> Result<PlaceOrder, String> {
        let (first, second) = (first.to_owned(), second.to_owned());
        let retry = retry.map(str::to_owned);
        let form = FreeOrder {
            item: " cake ".to_owned(),
            quantity: 2,
            first,
            second,
            retry,
            limit: limit.to_owned(),
        };
        form.order()
    }

    #[test]
    fn an_order_is_what_the_form_says() {
        let slow = order(Some("yes"), "slow", "none", "").unwrap();
        assert_eq!((slow.item_id.as_str(), slow.quantity), ("cake", 2));
        assert_eq!((slow.chaos.as_deref(), slow.retry_on_timeout), (Some("slow,none"), true));
        assert_eq!(slow.attempt_timeout_ms, None);
        let once = order(None, "abort", "slow", "3000").unwrap();
        assert_eq!((once.chaos.as_deref(), once.retry_on_timeout), (Some("abort"), false));
        assert_eq!(once.attempt_timeout_ms, Some(3000));
        assert_eq!(order(Some("yes"), "none", "none", "").unwrap().chaos, None);
        assert_eq!(order(None, "none", "slow", "soon").unwrap_err(), "soon");
    }
}
