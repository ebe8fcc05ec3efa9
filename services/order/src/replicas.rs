//! What one of several order services must refuse, if each has orders of its own.

use campuscafe_api::Problem;
use campuscafe_cures::{IdempotencyKey, OrderId};
use campuscafe_service::ProblemResponse;

use crate::App;
use crate::config::CustomerKeys;

/// What is said of an order that is not remembered here.
///
/// An id of another replica's is no reason for a 404: that replica may know the order. Without
/// a file the ids that this process gave before a restart are another's too, since its memory
/// is new. With a database every process knows the orders of all.
pub(crate) fn not_remembered(app: &App, id: Option<OrderId>) -> ProblemResponse {
    let knows_all = app.orders.database().is_some();
    if !knows_all && id.is_some_and(|id| id.replica() != app.replica) {
        let problem = Problem::new(503, "other-replica", "Another replica took this order").detail(
            "digits 19 to 22 of the id say that another process of the order service took this \
             order, and only that process remembers it; a request may reach it when it is sent \
             again, unless that process has ended, because its memory has ended with it",
        );
        return ProblemResponse::from(problem).retry_after(1);
    }
    Problem::new(404, "no-such-order", "No such order")
        .detail("this service has taken no such order, or has forgotten it")
        .into()
}

/// Refuses the key of a customer where several replicas take orders: each would take the
/// key for a new one, and one customer who presses twice would place two orders.
pub(crate) fn refuse_customer_key(
    app: &App,
    key: Option<&IdempotencyKey>,
) -> Result<(), ProblemResponse> {
    if app.customer_keys == CustomerKeys::Accept || key.is_none() {
        return Ok(());
    }
    Err(Problem::new(501, "customer-keys-refused", "Idempotency-Key is refused here")
        .detail(
            "several replicas take orders here, and each knows only the keys that it has seen \
             itself, so the same key could place two orders; nothing was ordered",
        )
        .into())
}
