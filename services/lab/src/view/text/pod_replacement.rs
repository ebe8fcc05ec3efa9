//! What became of customers while pods were replaced, as text.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::time::Duration;

use campuscafe_evidence::pod_replacement::{
    CustomerResult, Group, PodReplacement, PodReplacementPlan, Service, groups,
};

use crate::lessons::{outcome, reservations};
use crate::messages::Message;
use crate::printable::printable;
use crate::view::columns::{cut, left, right};
use crate::view::diagram;
use crate::view::voice::Voice;

/// What somebody has to do now, and where it is seen that they did.
pub(in crate::view) fn request(
    plan: PodReplacementPlan,
    old: &BTreeSet<String>,
    voice: Voice,
) -> String {
    let pods: Vec<_> = old.iter().map(|pod| printable(pod)).collect();
    let pods = [("pods", pods.join("\n  ").into())];
    format!("{}\n\n    {}\n\n", voice.tell("pods-command", &pods), plan.command)
}

pub(super) fn pod_replacement(pod_replacement: &PodReplacement, voice: Voice) -> String {
    let PodReplacement { plan, customers, .. } = pod_replacement;
    let service = plan.service.name();
    let row = |cells: [&str; 5]| {
        let [pod, told, count, from, to] = cells;
        let (pod, told) = (left(pod, 40), left(told, 18));
        format!("  {pod}{told}{} {} {}\n", right(count, 9), right(from, 6), right(to, 6))
    };
    let [told, count, from, to] =
        ["pods-told", "pods-customers", "pods-from", "pods-to"].map(|id| voice.say(id));
    let heading = voice.tell("pods-pod", &[("service", service.into())]);
    let mut text = row([&heading, &told, &count, &from, &to]);
    for group in groups(customers, plan.service) {
        let seconds = |time: Duration| format!("{:.1} s", time.as_secs_f64());
        let told = match group.result {
            CustomerResult::Outcome(told) => voice.put(&outcome(told)),
            CustomerResult::NoAnswer(why) => why.to_owned(),
        };
        text.push_str(&row([
            &pod(&group, voice),
            &told,
            &group.count.to_string(),
            &seconds(group.from),
            &seconds(group.to),
        ]));
    }
    let last_of_old_pods = pod_replacement
        .last_of_old_pods()
        .and_then(|customer| Some((customer, customer.order_trace.as_ref()?)));
    if let Some((customer, order_trace)) = last_of_old_pods {
        let values = [("number", customer.number.into()), ("service", service.into())];
        let _ = writeln!(text, "\n{}", voice.tell("pods-last", &values));
        for line in diagram::draw(order_trace, voice.language) {
            let _ = writeln!(text, "{}", voice.tone(line.tone, &line.text));
        }
    }
    text + &ledger(pod_replacement, voice)
}

fn ledger(pod_replacement: &PodReplacement, voice: Voice) -> String {
    let PodReplacement { plan, customers, remembered, .. } = pod_replacement;
    let yes = pod_replacement.told_yes();
    let since = match plan.service {
        Service::Inventory if pod_replacement.replaced => "pods-knows",
        _ => "row-made",
    };
    let gap = remembered.cast_signed() - yes.cast_signed();
    let made = || reservations(gap.unsigned_abs());
    let gap = match gap {
        0 => Message::new("pods-gap-none"),
        1.. => Message::new("gap-more").with("made", made()),
        ..0 => Message::new("pods-gap-fewer").with("made", made()),
    };
    let rows = [
        ("pods-yes", yes.to_string()),
        ("pods-no", (customers.len() as u64 - yes).to_string()),
        (since, voice.put(&reservations(*remembered))),
        ("row-gap", voice.put(&gap)),
    ];
    let rows = rows.map(|(name, cell)| format!("  {}{cell}\n", left(&voice.say(name), 26)));
    format!("\n{}\n{}", voice.say("ledger"), rows.concat())
}

/// A pod's name, cut so that the columns stay.
fn pod(group: &Group, voice: Voice) -> String {
    match &group.pod {
        Some(pod) => cut(&printable(pod), 40),
        None if group.lacks_spans => voice.say("pods-unknown"),
        None => voice.say("pods-none"),
    }
}
