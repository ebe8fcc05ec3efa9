//! Kill: a reply proves a commit, not that the commit outlives its process. That needs a store
//! that does.

use campuscafe_evidence::pod_replacement::{PodReplacement, PodReplacementPlan};
use campuscafe_evidence::pod_replacement::{Service, in_between};

use super::words::customers;
use super::{Act, Experiment, Trial, Verdict};
use crate::messages::Message;

pub(super) const EXPERIMENT: Experiment = Experiment {
    name: "kill",
    trials: &[Trial {
        caption: "caption-kill-1",
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
};

fn judge(pod_replacement: &PodReplacement) -> Verdict {
    let told_yes = pod_replacement.told_yes();
    let by_old = pod_replacement.confirmed_by_old_pods();
    let forgotten = told_yes.saturating_sub(pod_replacement.remembered);
    // Either shows something, if the pod that is gone has told a customer yes.
    let of_the_gone = forgotten > 0 || by_old > 0;
    let promise = pod_replacement.replaced && pod_replacement.remembered > 0 && of_the_gone;
    Verdict::on_pod_replacement(pod_replacement, true, promise, || {
        let between =
            in_between(&pod_replacement.customers, Service::Inventory, &pod_replacement.old).len();
        let why = match forgotten {
            0 => Message::new("why-kill-kept").with("kept", by_old),
            _ => Message::new("why-kill-1")
                .with("known", pod_replacement.remembered)
                .with("lost", by_old.max(forgotten)),
        };
        let why = why.with("customers", customers(told_yes));
        match between {
            0 => why,
            _ => why.and(Message::new("why-kill-between").with("count", between)),
        }
    })
}
