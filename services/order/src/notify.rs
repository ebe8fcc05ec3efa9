//! Messages to a listener: which states an order has come to.
//!
//! Nobody waits for them, so they can overtake each other; each is sent once, and one that
//! is lost is not sent again. Where the store outlives the process, a message that was under
//! way when the process ended is sent again: it arrives at least once then, and a listener
//! knows a copy by its sequence number.

use std::sync::Arc;
use std::time::Duration;

use campuscafe_api::inventory::{Notification, NotificationState, Notified};
use campuscafe_api::order::AttemptResult;
use campuscafe_api::{Problem, REQUEST_ID_HEADER};
use campuscafe_chaos::Plan;
use campuscafe_cures::{IdempotencyKey, OrderId, OrderState};
use campuscafe_telemetry::{Baggage, SPAN_TARGET, SpanLink, attribute};
use http::Extensions;
use reqwest::Response;
use tracing::{Instrument as _, Span, info_span};

use crate::App;
use crate::admission::{plan_of_change, unknown_fault};
use crate::attempts::{body, unanswered};
use crate::calls::NOTIFY;
use crate::orders::Message;

/// How many messages may be under way. More are not sent, because an order must not fail
/// or wait for the sake of its messages.
pub(crate) const MAX_MESSAGES: usize = 200;

/// How long the listener may take to answer. The end of the service waits for messages, and
/// for no longer than 10 s.
const TIMEOUT: Duration = Duration::from_secs(5);

/// What an order's messages meet on their way.
///
/// # Errors
///
/// A 400 when it is no plan, or has a fault that no message can meet.
pub(crate) fn plan_of_messages(text: &str) -> Result<Plan, Problem> {
    plan_of_change(text).map_err(|detail| unknown_fault(format!("notify: {detail}")))
}

/// Tells the order's listener, if it has one, every state that it was not told of yet.
///
/// `cause` is the span in which the state became known. The span of a message is its child,
/// because it has this one cause, and OpenTelemetry asks for links where the causes are many
/// or the work has a trace of its own. A child may end after its parent.
///
/// Whoever calls this does not wait for the store.
pub(crate) fn tell_listener(app: &Arc<App>, id: OrderId, baggage: &Baggage, cause: &Span) {
    let (app, baggage, cause) = (app.clone(), baggage.clone(), SpanLink::to(cause));
    let lifecycle = app.lifecycle.clone();
    lifecycle.spawn(async move { tell(&app, id, &baggage, &cause, IfNoRoom::Drop).await });
}

/// What is done with a message while too many are under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum IfNoRoom {
    /// It is not sent.
    Drop,
    /// It waits.
    Wait,
}

/// Tells the states that are durable, or nothing while the store takes no changes.
pub(crate) async fn tell(
    app: &Arc<App>,
    id: OrderId,
    baggage: &Baggage,
    cause: &SpanLink,
    if_no_room: IfNoRoom,
) {
    for message in app.orders.untold(id).await.unwrap_or_default() {
        let state = on_the_wire(message.state);
        let room = app.telling.clone();
        let permit = match if_no_room {
            IfNoRoom::Drop => room.try_acquire_owned().ok(),
            IfNoRoom::Wait => room.acquire_owned().await.ok(),
        };
        let Some(permit) = permit else {
            app.metrics.notified(state, None);
            app.orders.end_message(id, message.place).await;
            let request_id = IdempotencyKey::of_order(id);
            tracing::warn!(
                %request_id,
                "Does not tell the listener {}: {MAX_MESSAGES} messages are under way",
                state.as_str()
            );
            continue;
        };
        let span = info_span!(
            target: SPAN_TARGET,
            parent: None,
            "send notification",
            { attribute::ORDER_ID } = id.to_string(),
            { attribute::NOTIFICATION_STATE } = state.as_str(),
            { attribute::NOTIFICATION_SEQUENCE } = message.sequence.map(u64::cast_signed),
        );
        cause.adopt(&span);
        let (app, baggage) = (app.clone(), baggage.clone());
        let lifecycle = app.lifecycle.clone();
        let sent = async move {
            send(&app, id, message, state, baggage).await;
            app.orders.end_message(id, message.place).await;
            drop(permit);
        };
        lifecycle.spawn(sent.instrument(span));
    }
}

async fn send(
    app: &App,
    id: OrderId,
    message: Message,
    state: NotificationState,
    baggage: Baggage,
) {
    let request_id = IdempotencyKey::of_order(id).to_string();
    let notification = Notification { order_id: id.to_string(), state, sequence: message.sequence };
    let mut url = app.url(NOTIFY);
    url.query_pairs_mut().append_pair("chaos", &message.step.to_string());
    let client = &app.clients.settling;
    let request = client.post(url).timeout(TIMEOUT).header(REQUEST_ID_HEADER, &request_id);
    let mut extensions = Extensions::new();
    extensions.insert(NOTIFY);
    extensions.insert(baggage);
    let answer = match request.json(&notification).build() {
        Ok(request) => client.execute_with_extensions(request, &mut extensions).await,
        Err(error) => Err(error.into()),
    };
    let end = end(answer.as_ref());
    app.metrics.notified(state, Some(end));
    let told = answer.as_ref().ok().and_then(body::<Notified>);
    let what = match told {
        Some(Notified { dropped: true, .. }) => "which the listener drops: it shows a newer one",
        Some(_) => "and the listener shows it",
        None => "without an answer that says what became of it",
    };
    tracing::info!(
        request_id,
        state = state.as_str(),
        result = end.as_str(),
        "Tells the listener {}, {what}",
        state.as_str()
    );
}

/// How a message ended. Whatever answers "fine" without saying what is shown is no listener.
fn end(answer: Result<&Response, &reqwest_middleware::Error>) -> AttemptResult {
    match answer {
        Ok(answer) if answer.status().is_success() && body::<Notified>(answer).is_some() => {
            AttemptResult::Ok
        }
        Ok(_) => AttemptResult::Rejected,
        Err(error) => unanswered(error),
    }
}

/// What a message says of an order in this state.
const fn on_the_wire(state: OrderState) -> NotificationState {
    match state {
        OrderState::Placing => NotificationState::Accepted,
        OrderState::Confirmed => NotificationState::Confirmed,
        OrderState::Failed => NotificationState::Failed,
        OrderState::Unknown => NotificationState::Unknown,
        OrderState::Cancelling => NotificationState::Cancelling,
        OrderState::Cancelled => NotificationState::Cancelled,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use campuscafe_api::inventory::Reserve;
    use campuscafe_api::order::Lane;
    use campuscafe_service::Lifecycle;
    use campuscafe_telemetry::Metrics;
    use clap::Parser as _;

    use super::*;
    use crate::Config;
    use crate::orders::Order;

    #[tokio::test]
    async fn a_message_for_which_there_is_no_room_is_not_sent_and_counted() {
        let (metrics, lifecycle) = (Metrics::new("1"), Lifecycle::default());
        let app = App::new(&Config::parse_from(["order"]), metrics.clone(), lifecycle).unwrap();
        let id = OrderId::new(1, [0; 10]);
        let reserve = Reserve { item_id: "cake".to_owned(), quantity: 1 };
        let order = Order::new(&reserve, Lane::Naive, None, 1);
        let order = order.with_listener(Some("none".parse().unwrap()));
        app.orders.begin(id, order, None, 1).await.unwrap().unwrap();
        let all = u32::try_from(MAX_MESSAGES).unwrap();
        let _others = app.telling.clone().try_acquire_many_owned(all).unwrap();
        let cause = SpanLink::to(&Span::none());
        tell(&app, id, &Baggage::default(), &cause, IfNoRoom::Drop).await;
        let page = metrics.render();
        let line = "order_notifications_total{state=\"accepted\",result=\"not_sent\"} 1";
        assert!(page.lines().any(|found| found == line), "no {line:?} in\n{page}");
    }
}
