//! Rollout: pods that end in an orderly way lose nobody's order.

use campuscafe_evidence::pod_replacement::{PodReplacement, PodReplacementPlan};
use campuscafe_evidence::pod_replacement::{Service, in_between};

use super::{Act, Experiment, LookAt, Trial, Verdict, customers};

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
    same_view: &[],
    look_at: LookAt {
        jaeger: "the orders of old pods and of new pods are all complete; the tag \
         service.instance.id names the pod",
        grafana: "each pod has its own counters: the lines of old pods end, and new ones begin at 0",
    },
};

fn judge(pod_replacement: &PodReplacement) -> Verdict {
    let told_yes = pod_replacement.told_yes();
    let all_answered = pod_replacement.customers.iter().all(|customer| customer.result.is_yes());
    let held = pod_replacement.replaced && pod_replacement.remembered == told_yes;
    Verdict::on_pod_replacement(pod_replacement, all_answered, held, || {
        let between =
            in_between(&pod_replacement.customers, Service::Order, &pod_replacement.old).len();
        format!(
            "{} ordered while every order pod was replaced. Each was told yes, and the inventory \
             made exactly {} reservations. Old pods finished {between} of these orders while new \
             pods served others.",
            customers(told_yes),
            pod_replacement.remembered,
        )
    })
}
