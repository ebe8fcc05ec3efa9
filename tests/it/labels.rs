//! What each service counts of an order under a fault, and of a reordering: the
//! labels that the dashboards tell the pains apart by.

use campuscafe_tests::{Cafe, eventually};

#[tokio::test]
async fn an_attempt_counts_under_its_step_of_the_plan_and_a_reservation_under_the_fault_that_acted()
{
    let cafe = Cafe::open_with(&[("ORDER_ATTEMPT_TIMEOUT", "500ms")]).await;
    for (chaos, retry) in [
        ("abort", false),
        ("fail", false),
        ("lostreply", false),
        ("slow:700,none", true),
        ("flaky", false),
    ] {
        cafe.order_cake(chaos, retry).await;
    }
    let attempts = async |result: &str, fault: &str| {
        let series =
            format!("order_attempts_total{{result=\"{result}\",fault=\"{fault}\",lane=\"naive\"}}");
        cafe.metric(&cafe.order, &series).await
    };
    for (result, fault) in [
        ("connection_lost", "abort"),
        ("rejected", "fail"),
        ("connection_lost", "lostreply"),
        ("timeout", "slow"),
        ("ok", "none"),
    ] {
        assert_eq!(attempts(result, fault).await, 1.0, "{result} after {fault}");
    }
    let flaky = attempts("ok", "flaky").await
        + attempts("rejected", "flaky").await
        + attempts("timeout", "flaky").await;
    assert_eq!(flaky, 1.0, "a flaky attempt stays flaky");

    for (fault, reserved) in [("abort", 0.0), ("fail", 0.0), ("lostreply", 1.0)] {
        let series = format!("inventory_fault_reservations_total{{fault=\"{fault}\"}}");
        assert_eq!(cafe.metric(&cafe.inventory, &series).await, reserved, "{fault}");
    }
    eventually("the reservation of the slow attempt", || async {
        let series = "inventory_fault_reservations_total{fault=\"slow\"}";
        (cafe.metric(&cafe.inventory, series).await >= 1.0).then_some(())
    })
    .await;
}

#[tokio::test]
async fn the_last_reordering_can_be_read_as_a_position_for_each_ping_that_was_sent() {
    let cafe = Cafe::open().await;
    let position = async |sent: usize| {
        let series = format!("order_last_reordering_position{{sent=\"{sent}\"}}");
        cafe.metric(&cafe.order, &series).await
    };
    assert_eq!(position(0).await, -1.0, "nothing was sent yet");
    for count in [20, 6] {
        let url = format!("{}/demo/out-of-order?count={count}&seed=7", cafe.order);
        let told = cafe.send(cafe.http.get(url)).await;
        let completed = told.body["completedOrder"].as_array().unwrap();
        assert_eq!(completed.len(), count);
        for (arrived, ping) in completed.iter().enumerate() {
            let sent = usize::try_from(ping["i"].as_u64().unwrap()).unwrap();
            assert_eq!(position(sent).await, arrived as f64, "ping {sent} of {count}");
        }
        for sent in count..20 {
            assert_eq!(position(sent).await, -1.0, "ping {sent} of {count}");
        }
    }
}
