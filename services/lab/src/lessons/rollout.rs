//! Rollout: pods that end in an orderly way lose nobody's order.

use campuscafe_evidence::pod_replacement::{PodReplacement, PodReplacementPlan};
use campuscafe_evidence::pod_replacement::{Service, in_between};

use super::{Act, Experiment, Trial, Verdict, customers};

pub(super) const EXPERIMENT: Experiment = Experiment {
    name: "rollout",
    title: "every order pod is replaced, and no customer notices (on a cluster)",
    trials: &[Trial {
        caption: "Customers order while all pods of the order service are replaced.",
        act: Act::PodReplacement(
            PodReplacementPlan {
                service: Service::Order,
                command: "kubectl --namespace campuscafe rollout restart deployment/order",
            },
            judge,
        ),
    }],
    side_by_side: &[],
    look_at: &[
        "Jaeger: orders of the old pods end as well as those of the new ones; the tag \
         service.instance.id tells them apart",
        "Grafana: each pod counts for itself, so the old pods' lines end and new ones begin at 0",
    ],
};

fn judge(pod_replacement: &PodReplacement) -> Verdict {
    let told_yes = pod_replacement.told_yes();
    let all_answered = pod_replacement.customers.iter().all(|customer| customer.result.is_yes());
    let held = pod_replacement.replaced && pod_replacement.remembered == told_yes;
    Verdict::on_pod_replacement(pod_replacement, all_answered, held, || {
        let between =
            in_between(&pod_replacement.customers, Service::Order, &pod_replacement.old).len();
        format!(
            "{} came while every order pod was replaced: each was told yes, and the inventory made \
             exactly {} reservations. {between} of them were still being served by an old pod \
             when others already went to a new one, and it finished their orders before it \
             ended.",
            customers(told_yes),
            pod_replacement.remembered,
        )
    })
}
