//! Kill: a reply proves a commit, not that the commit outlives its process.

use campuscafe_evidence::turnover::{Turnover, TurnoverPlan};
use campuscafe_evidence::turnover::{Watched, in_between};

use super::{Act, Experiment, Trial, Verdict, customers};

pub(super) const EXPERIMENT: Experiment = Experiment {
    name: "kill",
    title: "a killed pod takes with it what customers were told for certain (on a cluster)",
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
        "Grafana: inventory_reservations_total falls back to 0 while order_outcomes_total goes on, \
         and the panel for restarts counts one",
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
                " {} between commit and reply when the pod was told to end.",
                stood(between)
            ),
        };
        format!(
            "{} heard yes, and the inventory remembers {}: the other {forgotten} were told the \
             truth by a pod that is gone, and its memory with it.{between}",
            customers(told_yes),
            turnover.remembered,
        )
    })
}

fn stood(count: usize) -> String {
    if count == 1 { "1 of them stood".to_owned() } else { format!("{count} of them stood") }
}
