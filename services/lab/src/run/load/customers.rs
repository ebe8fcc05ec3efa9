//! One order of the load: placed, and what became of it.

use std::time::Duration;

use campuscafe_api::Problem;
use campuscafe_api::order::{OrderReport, PlaceOrder};
use campuscafe_evidence::load::tally::OrderResult;
use campuscafe_service::ExitError;
use reqwest::{Client, StatusCode, Url};

/// Longer than two attempts of the longest limit that makes sense.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(130);

/// Shorter than servers keep idle connections, so that no order is written
/// into one that is just being closed.
const IDLE_TIMEOUT: Duration = Duration::from_secs(5);

/// The kinds of the problems that say that there was too much work, or that there were too many
/// connections, and nothing was done.
const SHED: [&str; 2] = [":overloaded", ":too-many-connections"];

/// What an order ended with, and whether that was an empty stock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Placed {
    pub(crate) ended: OrderResult,
    pub(crate) out_of_stock: bool,
}

/// Places orders at one order service.
#[derive(Debug, Clone)]
pub(crate) struct Customers {
    http: Client,
    orders: Url,
}

impl Customers {
    pub(crate) fn of(order_service: &Url) -> Result<Self, ExitError> {
        let orders = order_service.join("/orders");
        let http = Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .pool_idle_timeout(IDLE_TIMEOUT)
            .timeout(ANSWER_TIMEOUT)
            .build();
        Ok(Self {
            http: http.map_err(|error| ExitError::Failed(format!("cannot send: {error}")))?,
            orders: orders.map_err(|error| ExitError::Usage(error.to_string()))?,
        })
    }

    pub(crate) async fn place(&self, order: &PlaceOrder) -> Placed {
        let nothing = Placed { ended: OrderResult::NoAnswer, out_of_stock: false };
        let Ok(answer) = self.http.post(self.orders.clone()).json(order).send().await else {
            return nothing;
        };
        let status = answer.status();
        answer.bytes().await.map_or(nothing, |body| placed(status, &body))
    }
}

/// What an answer means.
fn placed(status: StatusCode, body: &[u8]) -> Placed {
    let shed = status == StatusCode::SERVICE_UNAVAILABLE
        && serde_json::from_slice::<Problem>(body)
            .is_ok_and(|problem| SHED.iter().any(|kind| problem.kind.ends_with(kind)));
    let ended = if shed {
        OrderResult::Shed
    } else {
        serde_json::from_slice::<OrderReport>(body)
            .map_or(OrderResult::NoAnswer, |report| OrderResult::Answered(report.outcome))
    };
    Placed { ended, out_of_stock: status == StatusCode::CONFLICT }
}

#[cfg(test)]
mod tests {
    use campuscafe_api::order::Outcome;
    use serde_json::json;

    use super::*;

    #[test]
    fn an_order_that_was_shed_is_told_apart_from_one_that_failed() {
        let report = |outcome: &str| json!({"orderId": "1", "outcome": outcome, "attempts": []});
        let problem = |kind: &str| {
            serde_json::to_value(Problem::new(503, kind, "Title").detail("why")).unwrap()
        };
        for (status, body, ended) in [
            (200, report("confirmed"), OrderResult::Answered(Outcome::Confirmed)),
            (409, report("failed"), OrderResult::Answered(Outcome::Failed)),
            (502, report("failed"), OrderResult::Answered(Outcome::Failed)),
            (504, report("unknown"), OrderResult::Answered(Outcome::Unknown)),
            (503, problem("overloaded"), OrderResult::Shed),
            (503, problem("too-many-connections"), OrderResult::Shed),
            (503, problem("other"), OrderResult::NoAnswer),
            (400, problem("unknown-fault"), OrderResult::NoAnswer),
            (502, problem("overloaded"), OrderResult::NoAnswer),
        ] {
            let status = StatusCode::from_u16(status).unwrap();
            let placed = placed(status, &serde_json::to_vec(&body).unwrap());
            assert_eq!(placed, Placed { ended, out_of_stock: status == 409 }, "{status} {body}");
        }
        assert_eq!(placed(StatusCode::OK, b"<html>").ended, OrderResult::NoAnswer);
    }
}
