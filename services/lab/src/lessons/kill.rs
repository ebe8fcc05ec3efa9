//! Kill: a reply proves a commit, not that the commit outlives its process.

use campuscafe_evidence::turnover::{Turnover, TurnoverPlan};
use campuscafe_evidence::turnover::{Watched, in_between};

use super::{Act, Experiment, Trial, Verdict, customers};

pub(super) const EXPERIMENT: Experiment = Experiment {
    name: "kill",
    title: "a deleted pod loses reservations that customers know of (on a cluster)",
    trials: &[Trial {
        caption: "Customers order while the pod that keeps the stock is deleted.",
        act: Act::Turnover(
            TurnoverPlan {
                watched: Watched::Inventory,
                command: "kubectl --namespace campuscafe delete pod \
                          --selector app.kubernetes.io/name=inventory",
            },
            judge,
        ),
    }],
    side_by_side: &[],
    look_at: &[
        "Jaeger: the tag service.instance.id names the pod; search for inventory with the old name",
        "Grafana: inventory_reservations_total falls to 0, order_outcomes_total goes on, and the \
         panel for restarts counts one",
    ],
};

fn judge(turnover: &Turnover) -> Verdict {
    let told_yes = turnover.told_yes();
    let forgotten = told_yes.saturating_sub(turnover.remembered);
    let promise = turnover.replaced && turnover.remembered > 0 && forgotten > 0;
    Verdict::on_turnover(turnover, true, promise, || {
        let between = in_between(&turnover.customers, Watched::Inventory, &turnover.old).len();
        let between = match between {
            0 => String::new(),
            _ => format!(
                " {} between commit and reply when Kubernetes told the pod to end.",
                stood(between)
            ),
        };
        format!(
            "{} were told yes, but the inventory still knows only {}. The pod confirmed {forgotten} \
             more orders, but it was deleted and its data was lost.{between}",
            customers(told_yes),
            turnover.remembered,
        )
    })
}

fn stood(count: usize) -> String {
    if count == 1 { "1 of them was".to_owned() } else { format!("{count} of them were") }
}
