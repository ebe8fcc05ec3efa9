//! How large and how slow an export may be, and how many are read at one time.

use tokio::time::Instant;

use super::*;
use crate::limits::{BODY_TIMEOUT, MAX_COMPRESSED, WAIT};

#[tokio::test]
async fn a_gzip_bomb_is_refused_with_413() {
    // Valid exports both, of zero spans, but for their size.
    let protobuf = gzip(&b"\x0a\x00".repeat(MAX_DECOMPRESSED / 2 + 1));
    let json = gzip(&[b"{".to_vec(), vec![b' '; MAX_DECOMPRESSED], b"}".to_vec()].concat());
    for (media_type, bomb) in [(PROTOBUF, protobuf), (JSON, json)] {
        assert!(bomb.len() < MAX_DECOMPRESSED / 100, "{}", bomb.len());
        let answer = post_gzip(&store(), media_type, bomb).await;
        assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
        let status = failure(&answer, media_type);
        assert_eq!((status.code, status.message.contains("8388608")), (8, true));
    }
}

/// An export of as many empty spans as asked for.
fn empty_spans(format: &str, count: usize) -> Vec<u8> {
    if format == JSON {
        let spans = vec!["{}"; count].join(",");
        return format!(r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{spans}]}}]}}]}}"#).into();
    }
    let mut body = b"\x12\x00".repeat(count);
    for field in [2_u8, 1] {
        let mut outer = vec![field << 3 | 2];
        prost::encoding::encode_varint(body.len() as u64, &mut outer);
        outer.extend(body);
        body = outer;
    }
    body
}

#[tokio::test]
async fn a_small_body_of_very_many_spans_is_refused_before_it_takes_memory() {
    let peak = || -> u64 {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        line.map_or(0, |line| line.trim().trim_end_matches(" kB").parse().unwrap())
    };
    let before = peak();
    for format in [PROTOBUF, JSON] {
        let bomb = gzip(&empty_spans(format, 2_700_000));
        assert!(bomb.len() < 20_000, "{}", bomb.len());
        let answer = post_gzip(&store(), format, bomb).await;
        assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
        assert!(failure(&answer, format).message.contains("decodes to at most 33554432 bytes"));
        // What a large collector's batch holds is still read.
        let answer = post_as(&store(), format, empty_spans(format, 100_000)).await;
        assert_eq!(answer.status, StatusCode::OK);
    }
    // Decoded, the first of them would have taken 700 MB.
    let grown = (peak() - before) / 1024;
    assert!(grown < 300, "{grown} MiB more at the peak, that of tests beside this one included");
}

/// A body whose sender says this much, and then nothing.
struct Never(usize);

impl http_body::Body for Never {
    type Data = axum::body::Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<http_body::Frame<Self::Data>, Self::Error>>> {
        match std::mem::take(&mut self.0) {
            0 => std::task::Poll::Pending,
            said => std::task::Poll::Ready(Some(Ok(http_body::Frame::data(vec![0; said].into())))),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_that_does_not_come_is_given_up_after_ten_seconds() {
    let never = Body::new(Never(0));
    let answer = post_as(&store(), PROTOBUF, never).await;
    assert_eq!(answer.status, StatusCode::REQUEST_TIMEOUT);
    assert!(failure(&answer, PROTOBUF).message.contains("within 10 s"));
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused_with_413_compressed_or_not() {
    let compressed = post_gzip(&store(), PROTOBUF, vec![0; MAX_COMPRESSED + 1]).await;
    assert_eq!(compressed.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert!(failure(&compressed, PROTOBUF).message.contains("4194304"));
    let plain = post_as(&store(), JSON, vec![b' '; MAX_DECOMPRESSED + 1]).await;
    assert_eq!(plain.status, StatusCode::PAYLOAD_TOO_LARGE);
    let within = [b"{}".to_vec(), vec![b' '; MAX_COMPRESSED]].concat();
    assert_eq!(post_as(&store(), JSON, within).await.status, StatusCode::OK);
}

#[tokio::test]
async fn senders_that_send_nothing_more_do_not_delay_another() {
    let router = router(store(), &Metrics::new("1"));
    let silent: Vec<_> = (0..64)
        .map(|said| {
            let router = router.clone();
            let never = Body::new(Never(said * 2_000));
            tokio::spawn(async move { answer_of(&router, request_of(never)).await.status })
        })
        .collect();
    tokio::task::yield_now().await;
    assert_eq!(answer_of(&router, request_of(protobuf())).await.status, StatusCode::OK);
    assert!(silent.iter().all(|sender| !sender.is_finished()), "all of them are still there");
}

#[tokio::test(start_paused = true)]
async fn an_export_that_finds_no_room_in_time_is_a_503_that_says_when_to_come_again() {
    let metrics = Metrics::new("1");
    let router = router(store(), &metrics);
    // Two fill one half of the budget, one has the other.
    let greedy: Vec<_> = (0..3)
        .map(|_| {
            let router = router.clone();
            let never = Body::new(Never(MAX_DECOMPRESSED));
            tokio::spawn(async move { answer_of(&router, request_of(never)).await.status })
        })
        .collect();
    tokio::task::yield_now().await;
    let begin = Instant::now();
    let answer = answer_of(&router, request_of(protobuf())).await;
    assert_eq!((answer.status, begin.elapsed()), (StatusCode::SERVICE_UNAVAILABLE, WAIT));
    assert_eq!(answer.headers["retry-after"], "1");
    let status = failure(&answer, PROTOBUF);
    assert_eq!(status.code, 14);
    assert!(status.message.contains("send it again after 1 s"), "{}", status.message);
    for status in greedy {
        assert_eq!(status.await.unwrap(), StatusCode::REQUEST_TIMEOUT);
    }
    assert_eq!(answer_of(&router, request_of(protobuf())).await.status, StatusCode::OK);
    let page = metrics.render();
    for line in [
        "lab_spans_received_total 1",
        "lab_exports_refused_total{reason=\"busy\"} 1",
        "lab_exports_refused_total{reason=\"too_slow\"} 3",
    ] {
        assert!(page.lines().any(|found| found == line), "no {line} in\n{page}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_sender_is_not_told_that_it_was_slow_when_it_had_to_wait() {
    let metrics = Metrics::new("1");
    let router = router(store(), &metrics);
    let send = |never: Never| {
        let router = router.clone();
        tokio::spawn(async move { answer_of(&router, request_of(Body::new(never))).await.status })
    };
    let greedy: Vec<_> = (0..3).map(|_| send(Never(MAX_DECOMPRESSED))).collect();
    tokio::time::sleep(BODY_TIMEOUT - WAIT / 2).await;
    // It waits for half of what it may, until the greedy are given up.
    let begin = Instant::now();
    assert_eq!(send(Never(1)).await.unwrap(), StatusCode::REQUEST_TIMEOUT);
    assert_eq!(begin.elapsed(), WAIT / 2 + BODY_TIMEOUT);
    for status in greedy {
        assert_eq!(status.await.unwrap(), StatusCode::REQUEST_TIMEOUT);
    }
}
