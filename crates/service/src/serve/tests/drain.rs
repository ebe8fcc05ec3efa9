//! What the end of a service waits for, and for how long.

use std::sync::atomic::{AtomicBool, Ordering};

use axum::routing::post;

use super::*;

#[tokio::test]
async fn work_that_begins_when_the_end_has_begun_is_finished_before_the_end() {
    let (begun, go, done) =
        (Arc::new(Notify::new()), Arc::new(Notify::new()), Arc::new(AtomicBool::new(false)));
    let route = |lifecycle: &Lifecycle| {
        let lifecycle = lifecycle.clone();
        let (begun, go, done) = (begun.clone(), go.clone(), done.clone());
        post(async move |_: Bytes| {
            let work = lifecycle.spawn(async move {
                begun.notify_one();
                go.notified().await;
                done.store(true, Ordering::SeqCst);
            });
            let _ = work.await;
        })
    };
    let server = Server::start(9, |lifecycle| Router::new().route("/work", route(lifecycle))).await;
    let head = "POST /work HTTP/1.1\r\nhost: localhost\r\nexpect: 100-continue\r\n";
    let mut stream = server.send(format!("{head}content-length: 2\r\n\r\n").as_bytes()).await;
    answer(&mut stream, "100 Continue\r\n\r\n").await;
    stream.write_all(b"{").await.unwrap();
    let (lifecycle, metrics) = (server.lifecycle.clone(), server.metrics.clone());
    let ended = tokio::spawn(server.end());
    lifecycle.draining().await;
    stream.write_all(b"}").await.unwrap();
    begun.notified().await;
    // The client leaves, so that nothing but the work is left.
    drop(stream);
    until(|| metrics.render().contains("http_server_connections 0")).await;
    assert!(!ended.is_finished(), "the work is not waited for");
    go.notify_one();
    ended.await.unwrap().unwrap();
    assert!(done.load(Ordering::SeqCst), "the work was given up");
}

#[tokio::test]
async fn a_background_task_does_not_hold_up_the_end() {
    let server = Server::start(9, |_| Router::new()).await;
    server.lifecycle.spawn_background(std::future::pending::<()>());
    let begun = pause();
    server.end().await.unwrap();
    assert!(begun.elapsed() < DRAIN_TIMEOUT);
}

#[tokio::test]
async fn at_the_end_idle_connections_go_soon_and_heads_that_have_begun_get_a_second() {
    let server = Server::start(9, |_| Router::new()).await;
    let _silent = server.connect().await;
    let mut kept = server.send(GET).await;
    answer(&mut kept, "ok").await;
    let _unfinished = server.send(b"GET /healthz HT").await;
    let mut finishing = server.send(b"GET /healthz HT").await;
    until(|| server.metrics.render().contains("http_server_connections 4")).await;
    let (begun, lifecycle) = (Instant::now(), server.lifecycle.clone());
    let ended = tokio::spawn(server.end());
    lifecycle.draining().await;
    finishing.write_all(b"TP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
    let last = rest(finishing).await;
    assert!(last.starts_with("HTTP/1.1 200 "), "{last}");
    ended.await.unwrap().unwrap();
    assert!(begun.elapsed() < DRAIN_TIMEOUT / 2, "{:?}", begun.elapsed());
}

#[tokio::test]
async fn a_stream_that_ends_on_the_signal_does_not_hold_up_the_end() {
    let events = |lifecycle: &Lifecycle| {
        let lifecycle = lifecycle.clone();
        get(async move || {
            let end = async move { lifecycle.draining().await };
            Body::new(Until(Box::pin(end)))
        })
    };
    let server =
        Server::start(9, |lifecycle| Router::new().route("/events", events(lifecycle))).await;
    let mut stream = server.send(b"GET /events HTTP/1.1\r\nhost: localhost\r\n\r\n").await;
    answer(&mut stream, "\r\n\r\n").await;
    server.end().await.unwrap();
    assert_eq!(rest(stream).await, "0\r\n\r\n", "the client reads a whole answer");
}

#[tokio::test]
async fn a_stream_that_ends_late_is_the_last_answer_on_its_connection() {
    let go = Arc::new(Notify::new());
    let route = {
        let go = go.clone();
        get(async move || Body::new(Until(Box::pin(async move { go.notified().await }))))
    };
    let server = Server::start(9, |_| Router::new().route("/stream", route)).await;
    let mut stream = server.send(b"GET /stream HTTP/1.1\r\nhost: localhost\r\n\r\n").await;
    answer(&mut stream, "\r\n\r\n").await;
    let lifecycle = server.lifecycle.clone();
    let ended = tokio::spawn(server.end());
    lifecycle.draining().await;
    pause();
    tokio::time::sleep(DRAIN_TIMEOUT / 2).await;
    go.notify_one();
    ended.await.unwrap().unwrap();
    assert_eq!(rest(stream).await, "0\r\n\r\n");
}

/// A stream without events, which ends when a future does.
struct Until(Pin<Box<dyn Future<Output = ()> + Send>>);

impl hyper::body::Body for Until {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        self.0.as_mut().poll(cx).map(|()| None)
    }
}

#[tokio::test]
async fn an_answer_without_an_end_is_given_up_at_the_limit_and_counted() {
    let endless = || get(async || Body::new(Endless(None)));
    let server = Server::start(9, |_| Router::new().route("/endless", endless())).await;
    let mut stream = server.send(b"GET /endless HTTP/1.1\r\nhost: localhost\r\n\r\n").await;
    answer(&mut stream, "\r\n\r\n").await;
    let begun = pause();
    let failed = server.end().await.unwrap_err();
    assert_eq!(begun.elapsed().as_secs(), DRAIN_TIMEOUT.as_secs());
    let expected = "stopped after 10 s with unfinished work: 0 requests, 1 connections";
    assert_eq!(failed, ExitError::Failed(expected.to_owned()));
}
