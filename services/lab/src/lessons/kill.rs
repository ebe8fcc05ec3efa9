//! Kill: a reply proves a commit, not that the commit outlives its process.

use campuscafe_evidence::pod_replacement::{PodReplacement, PodReplacementPlan};
use campuscafe_evidence::pod_replacement::{Service, in_between};

use super::{Act, Experiment, LookAt, Trial, Verdict, customers};

pub(super) const EXPERIMENT: Experiment = Experiment {
    name: "kill",
    title: "a deleted pod loses reservations that customers know of (on a cluster)",
    trials: &[Trial {
        caption: "Customers order while the pod that keeps the stock is deleted.",
        act: Act::PodReplacement(
            PodReplacementPlan {
                service: Service::Inventory,
                command: "kubectl --namespace campuscafe delete pod \
                          --selector app.kubernetes.io/name=inventory",
            },
            judge,
        ),
    }],
    side_by_side: &[],
    same_view: &[],
    look_at: LookAt {
        jaeger: "the tag service.instance.id names the pod; search for inventory with the old name",
        grafana: "inventory_reservations_total falls to 0, order_outcomes_total goes on, and the \
         panel for restarts counts one",
    },
};

fn judge(pod_replacement: &PodReplacement) -> Verdict {
    let told_yes = pod_replacement.told_yes();
    let forgotten = told_yes.saturating_sub(pod_replacement.remembered);
    let promise = pod_replacement.replaced && pod_replacement.remembered > 0 && forgotten > 0;
    Verdict::on_pod_replacement(pod_replacement, true, promise, || {
        let between =
            in_between(&pod_replacement.customers, Service::Inventory, &pod_replacement.old).len();
        let between = match between {
            0 => String::new(),
            _ => format!(
                " {} between commit and reply when Kubernetes told the pod to end.",
                stood(between)
            ),
        };
        format!(
            "{} were told yes, but the inventory still knows only {}. The deleted pod had confirmed \
             {} of them, and its data is lost.{between}",
            customers(told_yes),
            pod_replacement.remembered,
            pod_replacement.confirmed_by_old_pods().max(forgotten),
        )
    })
}

fn stood(count: usize) -> String {
    if count == 1 { "1 of them was".to_owned() } else { format!("{count} of them were") }
}
