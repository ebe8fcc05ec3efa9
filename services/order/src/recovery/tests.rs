#![allow(clippy::unwrap_used)]

use std::time::Duration;

use axum::Extension;
use axum::body::Body;
use axum::extract::State;
use axum::response::IntoResponse as _;
use axum::routing::post;
use campuscafe_api::inventory::Reserve;
use campuscafe_api::order::PlaceOrder;
use campuscafe_file_store::testing::{Disk, Fault};
use campuscafe_service::{AllowedHosts, Connection, Json, KeyHeader, Lifecycle, RequestId};
use campuscafe_telemetry::Metrics;
use clap::Parser as _;
use http::{HeaderMap, Request, StatusCode};
use tokio::net::TcpListener;
use tokio::time::timeout;
use tower::ServiceExt as _;

use super::*;
use crate::place_order::place_order;
use crate::store::Store;
use crate::{Config, router};

/// An order service whose orders are on this disk, and which asks this inventory.
fn service(disk: &Disk, inventory: &TcpListener, metrics: Metrics) -> Arc<App> {
    let url = format!("http://{}", inventory.local_addr().unwrap());
    let config = Config::parse_from(["order", "--inventory-url", &url]);
    let store = Store::on_disk(disk);
    App::with_store(&config, metrics, Lifecycle::default(), || 7, store).unwrap()
}

async fn listen() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").await.unwrap()
}

/// What a customer is told: the status, and the type of a problem.
async fn order(app: &Arc<App>, idempotent: bool) -> (StatusCode, String) {
    let ids = (RequestId("1".to_owned()), KeyHeader(None));
    let order = PlaceOrder { idempotent, ..PlaceOrder::of("cake") };
    let connection = Extension(Connection::default());
    let placed =
        place_order(State(app.clone()), connection, HeaderMap::new(), ids, None, Json(order));
    match placed.await {
        Ok(answer) => (answer.status(), String::new()),
        Err(problem) => {
            let kind = problem.problem.kind.clone();
            (problem.into_response().status(), kind)
        }
    }
}

async fn is_ready(app: &Arc<App>) -> bool {
    let request = Request::get("/readyz").header("host", "127.0.0.1").body(Body::empty()).unwrap();
    let answer = router(app.clone(), &AllowedHosts::default()).oneshot(request).await.unwrap();
    answer.status() == StatusCode::OK
}

/// Waits until something holds.
async fn until(mut holds: impl AsyncFnMut() -> bool) {
    let waiting = async {
        while !holds().await {
            tokio::task::yield_now().await;
        }
    };
    timeout(Duration::from_secs(10), waiting).await.unwrap();
}

#[tokio::test]
async fn an_order_that_cannot_be_recorded_is_not_sent_and_the_service_is_not_ready() {
    let (disk, inventory, metrics) = (Disk::default(), listen().await, Metrics::new("1"));
    let app = service(&disk, &inventory, metrics.clone());
    assert!(is_ready(&app).await);
    disk.fail(Fault::Full, 0);
    for idempotent in [false, true] {
        let (status, kind) = order(&app, idempotent).await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
        assert!(kind.ends_with(":store-unavailable"), "{kind}");
    }
    until(async || !is_ready(&app).await).await;
    let page = metrics.render();
    assert!(page.lines().any(|line| line == "order_store_errors_total 2"), "{page}");
    let inventory = inventory.into_std().unwrap();
    let came = inventory.accept().map(drop).map_err(|error| error.kind());
    assert_eq!(came, Err(std::io::ErrorKind::WouldBlock), "nobody connected");
    disk.heal();
    until(async || is_ready(&app).await).await;
    let left = app.orders.list(None, None, 9).await.unwrap();
    assert!(left.is_empty(), "{left:?}");
}

#[tokio::test]
async fn what_an_attempt_came_to_is_told_when_it_is_recorded_and_not_before() {
    for (idempotent, status) in [(true, 202), (false, 503)] {
        let (disk, inventory) = (Disk::default(), listen().await);
        let app = service(&disk, &inventory, Metrics::new("1"));
        // The disk fails when the order is recorded and its attempt has come.
        let failing = disk.clone();
        let reserve = async move |Json(reserve): Json<Reserve>| {
            failing.fail(Fault::Full, 0);
            let reservation_id = format!("{:032x}", 5);
            let (item_id, quantity) = (reserve.item_id, reserve.quantity.unsigned_abs());
            axum::Json(Reservation { reservation_id, item_id, quantity })
        };
        let routes = axum::Router::new().route("/inventory/reserve", post(reserve));
        let serving = tokio::spawn(axum::serve(inventory, routes).into_future());
        let (told, _) = order(&app, idempotent).await;
        assert_eq!(told, status);
        disk.heal();
        until(async || {
            let found = app.orders.list(None, None, 9).await.unwrap_or_default();
            found.iter().any(|(_, order)| order.state == OrderState::Confirmed)
        })
        .await;
        serving.abort();
    }
}
