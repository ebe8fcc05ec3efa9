//! What a stage notes of a call, however it ends.

use std::net::Ipv4Addr;

use axum::http::{HeaderMap, StatusCode};
use axum::routing::{get, post};
use axum::{Json, Router};
use campuscafe_evidence::calls::Calls;
use campuscafe_evidence::from_spans::FromSpans as _;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::watch;

use super::*;
use crate::targets::{Addresses, SpanSource};

async fn listen() -> (TcpListener, Url) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
    (listener, url)
}

/// An inventory that answers, is silent, or cuts; and an order service that is not there.
async fn runner() -> Runner {
    let told = async |headers: HeaderMap| {
        let parent = headers["traceparent"].to_str().unwrap().to_owned();
        (StatusCode::CONFLICT, Json(json!({ "state": "void", "parent": parent })))
    };
    let routes = Router::new()
        .route("/inventory/told", post(told))
        .route("/inventory/silent", get(std::future::pending::<()>));
    let (listener, inventory) = listen().await;
    tokio::spawn(async move { axum::serve(listener, routes).await });
    let (closed, order) = listen().await;
    drop(closed);
    let addresses = Addresses { order, inventory };
    Runner::new(&addresses, SpanSource::Nowhere, watch::channel(1).1).unwrap()
}

#[tokio::test]
async fn each_call_is_noted_with_its_end_and_with_a_span_that_the_called_side_stands_below() {
    let runner = runner().await;
    let stage = Stage::new(&runner, Lane::Cured, "cake");
    let told = Ask::order_service(Method::POST, "/inventory/told").shown("/inventory/{name}");
    let told = stage.call(told).await.unwrap();
    assert_eq!((told.status, told.says.as_deref()), (Some(409), Some("void")));
    let silent = Ask::order_service(Method::GET, "/inventory/silent");
    stage.call(silent.limit(Duration::from_millis(50))).await.unwrap();
    stage.call(Ask::customer(Method::POST, "/orders")).await.unwrap();

    let trace = stage.trace_id();
    let (traces, spans, asked) = stage.end();
    assert_eq!(traces, std::slice::from_ref(&trace));
    let ends: Vec<_> = asked.iter().map(|asked| asked.end).collect();
    assert_eq!(ends, [Ok(409), Err("timeout"), Err("connection_refused")]);
    assert_eq!(asked[0].request, "POST /inventory/{name}");
    let parent = format!("00-{trace}-{}-01", spans[0].id);
    assert_eq!(told.text("parent"), Some(&*parent));

    let calls = Calls::of(&[], &spans).unwrap();
    let read: Vec<_> = calls.calls.iter().map(|call| (call.from, call.to)).collect();
    let (customer, order, inventory) =
        (diagram::Lane::Customer, diagram::Lane::Order, diagram::Lane::Inventory);
    assert_eq!(read, [(order, inventory), (order, inventory), (customer, order)]);
    assert!(calls.calls[2].never_left());
}

/// An order service that answers with the id of an order.
async fn order_service() -> Runner {
    let told = async || (StatusCode::CONFLICT, Json(json!({ "orderId": "1f" })));
    let routes = Router::new().route("/orders", post(told)).route("/inventory/reserve", post(told));
    let (listener, order) = listen().await;
    tokio::spawn(async move { axum::serve(listener, routes).await });
    let addresses = Addresses { order: order.clone(), inventory: order };
    Runner::new(&addresses, SpanSource::Nowhere, watch::channel(1).1).unwrap()
}

#[tokio::test]
async fn the_keys_that_come_to_the_inventory_are_noted_once_and_an_order_without_one_has_none() {
    let runner = order_service().await;
    let stage = Stage::new(&runner, Lane::Cured, "cake");
    let order = |body| Ask::customer(Method::POST, "/orders").json(body);
    let idempotent = |it: bool| order(json!({ "idempotent": it }));
    stage.call(idempotent(false)).await.unwrap();
    assert_eq!(stage.keys(), Vec::<String>::new(), "the naive lane");
    stage.call(idempotent(true)).await.unwrap();
    stage.call(order(json!({})).header("idempotency-key", "\"press\"")).await.unwrap();
    let reserve = Ask::order_service(Method::POST, "/inventory/reserve");
    stage.call(reserve.header("idempotency-key", "\"own\"")).await.unwrap();
    assert_eq!(
        stage.keys(),
        ["order-1f", "own"],
        "the customer's own key stays at the order service"
    );
}

#[tokio::test]
async fn a_connection_that_is_cut_is_lost_and_no_failure_of_the_script() {
    let (listener, inventory) = listen().await;
    tokio::spawn(async move {
        let (connection, _) = listener.accept().await.unwrap();
        connection.readable().await.unwrap();
        drop(connection);
    });
    let addresses = Addresses { order: inventory.clone(), inventory };
    let runner = Runner::new(&addresses, SpanSource::Nowhere, watch::channel(1).1).unwrap();
    let stage = Stage::new(&runner, Lane::Naive, "cake");
    let answer = stage.call(Ask::customer(Method::GET, "/inventory/state")).await.unwrap();
    assert_eq!(answer.status, None);
    let (.., asked) = stage.end();
    assert_eq!(asked[0].end, Err("connection_lost"));
}
