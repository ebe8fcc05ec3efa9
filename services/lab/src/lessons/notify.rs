//! Notify: of two messages about an order the older one arrives last, and is shown, unless
//! the messages are numbered.

use campuscafe_api::order::Lane;

use super::{Act, Experiment, Played, Script, Trial, Verdict};
use crate::messages::Message;

pub(super) const EXPERIMENT: Experiment = Experiment {
    name: "notify",
    trials: &[
        Trial {
            caption: "caption-notify-1",
            act: Act::Script(Script::Notify, Lane::Naive, shows_the_older),
        },
        Trial {
            caption: "caption-notify-2",
            act: Act::Script(Script::Notify, Lane::Cured, drops_the_older),
        },
    ],
    side_by_side: &[],
    same_view: &[],
};

fn shows_the_older(played: &Played) -> Verdict {
    let held = arrived_late(played, false);
    played.verdict(is_shown(played, "accepted"), held, || Message::new("why-notify-1"))
}

fn drops_the_older(played: &Played) -> Verdict {
    let held = arrived_late(played, true);
    played.verdict(is_shown(played, "confirmed"), held, || Message::new("why-notify-2"))
}

/// Whether the customer was told that the order is confirmed, and the board shows this.
fn is_shown(played: &Played, state: &str) -> bool {
    matches!(&*played.asked, [order, board]
        if order.is_answered(200, "confirmed") && board.is_answered(200, state))
}

/// Whether `accepted` came after `confirmed` and was dropped, or was shown. Without whole
/// spans the counters tell the half of it.
fn arrived_late(played: &Played, dropped: bool) -> bool {
    let Some(calls) = played.whole() else {
        let result = if dropped { "dropped" } else { "shown" };
        let series =
            format!("inventory_notifications_total{{state=\"accepted\",result=\"{result}\"}}");
        return played.deltas.contains_key(&series);
    };
    let arrivals = calls.arrivals().map(|arrival| (&*arrival.state, arrival.dropped));
    arrivals.eq([("confirmed", false), ("accepted", dropped)])
}

#[cfg(test)]
mod tests {
    use campuscafe_attributes as attribute;
    use campuscafe_evidence::calls::Calls;
    use campuscafe_evidence::from_spans::FromSpans as _;
    use campuscafe_evidence::span::{Kind, Span, Value as SpanValue};
    use campuscafe_evidence::testing::{With as _, span};

    use super::*;
    use crate::lessons::Conclusion::{self, NotShown, Shown};
    use crate::lessons::script::testing::{asked, played};

    /// A message that arrives at this time, of the customer's order.
    fn message(state: &str, at: u64, dropped: bool) -> Vec<Span> {
        let [client, server] = [format!("client-{state}"), format!("server-{state}")];
        let url = "http://127.0.0.1:5101/inventory/notifications";
        let route = "/inventory/notifications";
        let mut server_span = span(&server, &client, Kind::Server, 1..at);
        server_span.service = "inventory".to_owned();
        vec![
            span(&client, "served", Kind::Client, 1..at)
                .text(attribute::HTTP_REQUEST_METHOD, "POST")
                .text(attribute::URL_FULL, url)
                .status(200),
            server_span.text(attribute::HTTP_ROUTE, route).status(200),
            span(&format!("show-{state}"), &server, Kind::Internal, at..at)
                .text(attribute::NOTIFICATION_STATE, state)
                .with(attribute::NOTIFICATION_DROPPED, SpanValue::Flag(dropped)),
        ]
    }

    fn judged(judge: fn(&Played) -> Verdict, shown: &str, messages: &[Vec<Span>]) -> Conclusion {
        let mut played = played(Lane::Naive);
        played.asked = vec![asked(Ok(200), Some("confirmed")), asked(Ok(200), Some(shown))];
        let order = span("order", "", Kind::Client, 0..9).status(200);
        let served = span("served", "order", Kind::Server, 0..9).status(200);
        let served = served.text(attribute::ORDER_NOTIFY, "slow:1500,none");
        let spans: Vec<_> = messages.iter().flatten().cloned().chain([served]).collect();
        played.calls = Calls::of(&spans, &vec![order]);
        played.incomplete = Calls::incomplete(played.calls.as_ref());
        judge(&played).conclusion
    }

    #[test]
    fn the_older_message_is_shown_only_if_it_arrived_last_and_was_not_dropped() {
        let accepted = |at, dropped| message("accepted", at, dropped);
        let confirmed = message("confirmed", 5, false);
        for (shown, accepted, expected) in [
            ("accepted", accepted(8, false), Shown),
            ("confirmed", accepted(8, false), NotShown),
            ("accepted", accepted(3, false), NotShown),
            ("accepted", accepted(8, true), NotShown),
        ] {
            let messages = [confirmed.clone(), accepted];
            assert_eq!(judged(shows_the_older, shown, &messages), expected, "{shown}");
        }
    }

    #[test]
    fn the_cure_is_shown_only_if_the_older_message_arrived_last_and_was_dropped() {
        let confirmed = message("confirmed", 5, false);
        for (shown, at, dropped, expected) in [
            ("confirmed", 8, true, Shown),
            ("confirmed", 8, false, NotShown),
            ("confirmed", 3, false, NotShown),
            ("accepted", 8, true, NotShown),
        ] {
            let messages = [confirmed.clone(), message("accepted", at, dropped)];
            assert_eq!(judged(drops_the_older, shown, &messages), expected, "{shown} {at}");
        }
    }

    #[test]
    fn a_message_without_spans_leaves_it_open() {
        let messages = [message("confirmed", 5, false)];
        assert_eq!(judged(drops_the_older, "confirmed", &messages), Conclusion::Incomplete);
    }
}
