//! What a customer is told of an order that is not just reserved or refused.

use axum::response::{IntoResponse, Response};
use campuscafe_api::Problem;
use campuscafe_api::order::{OrderReport, Outcome};
use campuscafe_cures::attempts::Knowledge;
use campuscafe_cures::{KeyError, OrderState};
use campuscafe_service::{Json, ProblemResponse};
use http::{StatusCode, header};

use crate::App;
use crate::orders::NotBegun;
use crate::store::Unavailable;

/// After how long memory for keys may be free again, in seconds.
const RETRY_AFTER_FULL: u64 = 60;

pub(crate) const fn outcome_of(known: Knowledge) -> Outcome {
    match known {
        Knowledge::Reserved => Outcome::Confirmed,
        Knowledge::NotReserved => Outcome::Failed,
        Knowledge::Unknown => Outcome::Unknown,
    }
}

pub(crate) const fn outcome_of_state(state: OrderState) -> Outcome {
    match state {
        OrderState::Confirmed => Outcome::Confirmed,
        OrderState::Failed | OrderState::Cancelled => Outcome::Failed,
        OrderState::Placing | OrderState::Unknown | OrderState::Cancelling => Outcome::Unknown,
    }
}

/// The answer to an order of the cured lane that the customer has cancelled meanwhile.
pub(crate) fn order_cancelled(report: &OrderReport) -> Problem {
    Problem::new(409, "order-cancelled", "Order cancelled")
        .detail("the order was cancelled: nothing is reserved for it, and nothing can be")
        .with_all(report)
}

/// The answer to an order of the cured lane that is unknown: not a failure, and not yet done.
pub(crate) fn accepted(report: &OrderReport) -> Response {
    let headers = [
        (header::LOCATION, format!("/orders/{}", report.order_id)),
        (header::RETRY_AFTER, "1".to_owned()),
    ];
    (StatusCode::ACCEPTED, headers, Json(report.clone())).into_response()
}

/// The answer while the store takes no changes, and what that means for the customer.
pub(crate) fn unavailable(app: &App, why: Unavailable, meaning: &str) -> ProblemResponse {
    app.metrics.store_failed();
    ProblemResponse::from(why.problem(meaning)).retry_after(1)
}

/// The answer to an order that is not recorded.
pub(crate) fn not_begun(not: NotBegun) -> ProblemResponse {
    let (status, kind, title, detail) = match not {
        NotBegun::Full => (
            503,
            "too-many-open-orders",
            "Too many open orders",
            "every order that is remembered is still open".to_owned(),
        ),
        NotBegun::Key(error) => {
            let (status, kind, title) = of_key(error);
            (status, kind, title, error.to_string())
        }
    };
    let problem = Problem::new(status, kind, title).detail(format!("{detail}; nothing was placed"));
    match not {
        NotBegun::Full => ProblemResponse::from(problem).retry_after(1),
        NotBegun::Key(KeyError::Full { .. }) => {
            ProblemResponse::from(problem).retry_after(RETRY_AFTER_FULL)
        }
        NotBegun::Key(_) => problem.into(),
    }
}

const fn of_key(error: KeyError) -> (u16, &'static str, &'static str) {
    match error {
        KeyError::OtherRequest => {
            (422, "idempotency-key-reused", "Idempotency-Key is already used")
        }
        KeyError::FromTheFuture { .. } => {
            (400, "idempotency-key-from-the-future", "Idempotency-Key is from the future")
        }
        KeyError::Full { .. } => (503, "idempotency-keys-full", "Too many Idempotency-Keys"),
        KeyError::Expired { .. } | KeyError::Void | KeyError::Cancelled => {
            (410, "idempotency-key-expired", "Idempotency-Key has expired")
        }
    }
}
