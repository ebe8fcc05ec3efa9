//! What became of customers while pods were replaced, as text.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use campuscafe_evidence::pod_replacement::{
    Group, PodReplacement, PodReplacementPlan, Service, groups,
};

use crate::lessons::reservations;
use crate::printable::printable;
use crate::view::diagram;
use crate::view::style::Style;

/// What somebody has to do now, and where it is seen that they did.
pub(in crate::view) fn request(plan: PodReplacementPlan, old: &BTreeSet<String>) -> String {
    let pods: Vec<_> = old.iter().map(|pod| printable(pod)).collect();
    format!(
        "Five customers order each second. These pods serve them:\n  {}\nNow run this command in \
         another terminal. The experiment ends\nwhen new pods serve all customers:\n\n    {}\n\n",
        pods.join("\n  "),
        plan.command,
    )
}

pub(super) fn pod_replacement(pod_replacement: &PodReplacement, style: Style) -> String {
    let PodReplacement { plan, customers, remembered, .. } = pod_replacement;
    let service = plan.service.name();
    let mut text = format!(
        "  {:<40}{:<18}{:>9}   from     to\n",
        format!("{service} pod"),
        "told",
        "customers"
    );
    for group in groups(customers, plan.service) {
        let _ = writeln!(
            text,
            "  {:<40}{:<18}{:>9} {:>6} {:>6}",
            pod(&group),
            group.result.as_str(),
            group.count,
            format!("{:.1} s", group.from.as_secs_f64()),
            format!("{:.1} s", group.to.as_secs_f64()),
        );
    }
    let last_of_old_pods = pod_replacement
        .last_of_old_pods()
        .and_then(|customer| Some((customer, customer.order_trace.as_ref()?)));
    if let Some((customer, order_trace)) = last_of_old_pods {
        let _ = writeln!(text, "\nCustomer {}, the last of an old {service} pod", customer.number);
        for line in diagram::draw(order_trace) {
            let _ = writeln!(text, "{}", style.tone(line.tone, &line.text));
        }
    }
    let yes = pod_replacement.told_yes();
    let since = match plan.service {
        Service::Inventory if pod_replacement.replaced => "the inventory still knows",
        _ => "the inventory made",
    };
    let gap = remembered.cast_signed() - yes.cast_signed();
    let gap = match gap {
        0 => "none".to_owned(),
        1.. => format!("{} that no customer knows of", reservations(gap.unsigned_abs())),
        ..0 => format!("{} fewer than customers know of", reservations(gap.unsigned_abs())),
    };
    let _ = write!(
        text,
        "\nLedger\n  customers told yes        {yes}\n  failed or unknown         {}\n  {since:<26}{}\n  \
         the gap                   {gap}\n",
        customers.len() as u64 - yes,
        reservations(*remembered),
    );
    text
}

/// A pod's name, cut so that the columns stay.
fn pod(group: &Group) -> String {
    match &group.pod {
        Some(pod) => printable(pod).chars().take(40).collect(),
        None if group.lacks_spans => "unknown: spans are missing".to_owned(),
        None => "none".to_owned(),
    }
}
