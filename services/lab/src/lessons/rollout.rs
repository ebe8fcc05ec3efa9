//! Rollout: pods that end in an orderly way lose nobody's order.

use campuscafe_evidence::pod_replacement::{PodReplacement, PodReplacementPlan};
use campuscafe_evidence::pod_replacement::{Service, in_between};

use super::words::customers;
use super::{Act, Experiment, Trial, Verdict};
use crate::messages::Message;

pub(super) const EXPERIMENT: Experiment = Experiment {
    name: "rollout",
    trials: &[Trial {
        caption: "caption-rollout-1",
        act: Act::PodReplacement(
            PodReplacementPlan {
                service: Service::Order,
                command: "kubectl --namespace campuscafe rollout restart deployment/order",
            },
            judge,
        ),
    }],
    side_by_side: &[],
    same_view: &[],
};

fn judge(pod_replacement: &PodReplacement) -> Verdict {
    let told_yes = pod_replacement.told_yes();
    let all_answered = pod_replacement.customers.iter().all(|customer| customer.result.is_yes());
    let held = pod_replacement.replaced && pod_replacement.remembered == told_yes;
    Verdict::on_pod_replacement(pod_replacement, all_answered, held, || {
        let between =
            in_between(&pod_replacement.customers, Service::Order, &pod_replacement.old).len();
        Message::new("why-rollout-1")
            .with("customers", customers(told_yes))
            .with("made", pod_replacement.remembered)
            .with("between", between)
    })
}
