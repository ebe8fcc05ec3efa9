//! Who served which customer while pods were replaced, and what became of it.

use std::collections::BTreeSet;
use std::time::Duration;

use campuscafe_api::order::Outcome;

use super::from_spans::FromSpans as _;
use super::order_trace::OrderTrace;

/// Customers in a row that must all be served by new pods before it counts as
/// over; one of three old replicas would go unnoticed once in 650 times.
const IN_A_ROW: usize = 16;

/// Committed at once, and answered well within the usual limit of 1 s even on a
/// busy machine.
pub const CHAOS: &str = "slowreply:600";

/// The service whose pods are replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Service {
    /// It keeps the stock.
    Inventory,
    /// It keeps nothing.
    Order,
}

impl Service {
    /// `service.name`, and the name of the Deployment.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Inventory => "inventory",
            Self::Order => "order",
        }
    }
}

/// What a customer heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CustomerResult {
    /// An answer of the order service.
    Outcome(Outcome),
    /// Not even that, and why not.
    NoAnswer(&'static str),
}

impl CustomerResult {
    /// Whether the customer believes to have what they ordered.
    #[must_use]
    pub fn is_yes(self) -> bool {
        self == Self::Outcome(Outcome::Confirmed)
    }

    /// Whether the customer knows where they stand.
    #[must_use]
    pub const fn is_certain(self) -> bool {
        matches!(self, Self::Outcome(Outcome::Confirmed | Outcome::Failed))
    }

    /// As a table shows it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Outcome(outcome) => outcome.as_str(),
            Self::NoAnswer(why) => why,
        }
    }
}

/// One customer of many.
#[derive(Debug, Clone)]
pub struct Customer {
    /// 1 for the first.
    pub number: u32,
    /// When they came, counted from the first.
    pub arrived: Duration,
    /// How long they waited.
    pub after: Duration,
    /// What they heard.
    pub result: CustomerResult,
    /// The trace of their order, if they heard of one.
    pub trace_id: Option<String>,
    /// What its spans tell.
    pub order_trace: Option<OrderTrace>,
}

impl Customer {
    /// The pod that served them: `service.instance.id` in the spans.
    #[must_use]
    pub fn pod(&self, of: Service) -> Option<String> {
        let order_trace = self.order_trace.as_ref()?;
        match of {
            Service::Order => order_trace.instance.clone(),
            Service::Inventory => order_trace.attempts.last()?.served.as_ref()?.instance.clone(),
        }
    }

    /// Whether spans of their order are missing, so that nobody can say who
    /// served them, or contradict the answer.
    #[must_use]
    pub fn lacks_spans(&self) -> bool {
        self.trace_id.is_some() && !self.order_trace.as_ref().is_some_and(OrderTrace::is_complete)
    }
}

/// What is to be replaced, and how.
#[derive(Debug, Clone, Copy)]
pub struct PodReplacementPlan {
    /// The service whose pods are replaced.
    pub service: Service,
    /// For a person to run in another terminal.
    pub command: &'static str,
}

/// Everything that the customers and the inventory know after it.
#[derive(Debug, Clone)]
pub struct PodReplacement {
    /// What was asked for.
    pub plan: PodReplacementPlan,
    /// In the order in which they came.
    pub customers: Vec<Customer>,
    /// Who served before the command was asked for.
    pub old: BTreeSet<String>,
    /// Whether nobody of those serves any more.
    pub replaced: bool,
    /// Reservations that the inventory knows of those made since the first customer came; one
    /// that has forgotten them knows those since it started.
    pub remembered: u64,
}

impl PodReplacement {
    /// How many customers believe to have what they ordered.
    #[must_use]
    pub fn told_yes(&self) -> u64 {
        self.customers.iter().filter(|customer| customer.result.is_yes()).count() as u64
    }

    /// Customers who were told yes about a reservation of a pod that is gone.
    #[must_use]
    pub fn confirmed_by_old_pods(&self) -> u64 {
        let of_old = |customer: &&Customer| {
            customer.pod(self.plan.service).is_some_and(|pod| self.old.contains(&pod))
        };
        let confirmed = self.customers.iter().filter(|customer| customer.result.is_yes());
        confirmed.filter(of_old).count() as u64
    }

    /// The customer whose order tells most: the last one of the old pods.
    #[must_use]
    pub fn last_of_old_pods(&self) -> Option<&Customer> {
        let by_old = |customer: &&Customer| {
            customer.pod(self.plan.service).is_some_and(|pod| self.old.contains(&pod))
        };
        self.customers.iter().rfind(by_old)
    }
}

/// Whether the latest customers were all served, and by none of the old pods.
#[must_use]
pub fn is_over(customers: &[Customer], service: Service, old: &BTreeSet<String>) -> bool {
    let by_new = |customer: &Customer| {
        customer.result.is_yes() && customer.pod(service).is_some_and(|pod| !old.contains(&pod))
    };
    customers.len() >= IN_A_ROW && customers.iter().rev().take(IN_A_ROW).all(by_new)
}

/// Customers who heard the same from the same pod.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// None if no pod was reached, or if nobody can say which one.
    pub pod: Option<String>,
    /// Whether the spans that would name the pod are missing.
    pub lacks_spans: bool,
    /// What they heard.
    pub result: CustomerResult,
    /// How many they are.
    pub count: usize,
    /// When the first of them came.
    pub from: Duration,
    /// When the last of them was told.
    pub to: Duration,
}

/// The customers in groups, by when the first of each came.
#[must_use]
pub fn groups(customers: &[Customer], service: Service) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for customer in customers {
        let (pod, result, left) =
            (customer.pod(service), customer.result, customer.arrived + customer.after);
        let lacks_spans = pod.is_none() && customer.lacks_spans();
        let same = |group: &&mut Group| {
            group.pod == pod && group.result == result && group.lacks_spans == lacks_spans
        };
        match groups.iter_mut().find(same) {
            Some(group) => {
                group.count += 1;
                group.to = group.to.max(left);
            }
            None => {
                let from = customer.arrived;
                groups.push(Group { pod, lacks_spans, result, count: 1, from, to: left });
            }
        }
    }
    groups
}

/// The customers of old pods who were told yes after others had already been
/// sent elsewhere: they stood between commit and reply when their pod was told
/// to end. A customer whose spans are missing may have been sent anywhere.
#[must_use]
pub fn in_between<'a>(
    customers: &'a [Customer],
    service: Service,
    old: &BTreeSet<String>,
) -> Vec<&'a Customer> {
    let by_old = |customer: &Customer| customer.pod(service).is_some_and(|pod| old.contains(&pod));
    let elsewhere = |customer: &&Customer| match customer.pod(service) {
        Some(pod) => !old.contains(&pod),
        None => !customer.lacks_spans(),
    };
    let Some(first_elsewhere) = customers.iter().find(elsewhere).map(|one| one.arrived) else {
        return Vec::new();
    };
    let waited = |one: &&Customer| {
        by_old(one) && one.result.is_yes() && one.arrived + one.after > first_elsewhere
    };
    customers.iter().filter(waited).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::order_trace::{Attempt, End, ServerAttempt};

    fn customer(number: u32, result: CustomerResult, pod: Option<&str>) -> Customer {
        let served = pod.map(|pod| ServerAttempt {
            ended: 1,
            abandoned: None,
            status: Some(200),
            cut: false,
            killed: None,
            fault: "slowreply:800".to_owned(),
            fault_acted: None,
            commit: None,
            under_key: None,
            instance: Some(pod.to_owned()),
        });
        let attempt = Attempt { number: 1, sent: 0, ended: 1, end: End::Answered(200), served };
        Customer {
            number,
            arrived: Duration::from_millis(u64::from(number) * 200),
            after: Duration::from_millis(800),
            result,
            trace_id: None,
            order_trace: Some(OrderTrace {
                start: 0,
                told_at: 1,
                outcome: "confirmed".to_owned(),
                status: Some(200),
                lane: None,
                crash: None,
                attempts: vec![attempt],
                settled: None,
                later: None,
                instance: Some("order-1".to_owned()),
                flaws: Vec::new(),
            }),
        }
    }

    const YES: CustomerResult = CustomerResult::Outcome(Outcome::Confirmed);
    const NO: CustomerResult = CustomerResult::Outcome(Outcome::Failed);

    /// Twenty by the old pod, three by nobody, and some by the new one.
    fn customers(new: u32) -> Vec<Customer> {
        let old = (1..=20).map(|number| customer(number, YES, Some("old")));
        let nobody = (21..=23).map(|number| customer(number, NO, None));
        let new = (24..24 + new).map(|number| customer(number, YES, Some("new")));
        old.chain(nobody).chain(new).collect()
    }

    fn old() -> BTreeSet<String> {
        BTreeSet::from(["old".to_owned()])
    }

    #[test]
    fn it_is_over_once_enough_customers_in_a_row_were_served_by_new_pods() {
        assert!(is_over(&customers(16), Service::Inventory, &old()));
        assert!(!is_over(&customers(15), Service::Inventory, &old()));
    }

    #[test]
    fn it_is_not_over_while_an_old_pod_still_serves_or_somebody_is_refused() {
        let mut still = customers(20);
        still.push(customer(99, YES, Some("old")));
        assert!(!is_over(&still, Service::Inventory, &old()));
        let mut refused = customers(20);
        refused.push(customer(99, NO, Some("new")));
        assert!(!is_over(&refused, Service::Inventory, &old()));
        let nameless: Vec<_> = (1..=20).map(|number| customer(number, YES, None)).collect();
        assert!(!is_over(&nameless, Service::Inventory, &old()));
    }

    #[test]
    fn customers_who_heard_the_same_from_the_same_pod_are_one_group() {
        let seen: Vec<_> = groups(&customers(2), Service::Inventory)
            .into_iter()
            .map(|group| (group.pod.unwrap_or_default(), group.result, group.count))
            .collect();
        let expected =
            [("old".to_owned(), YES, 20), (String::new(), NO, 3), ("new".to_owned(), YES, 2)];
        assert_eq!(seen, expected);
    }

    #[test]
    fn between_commit_and_reply_stood_who_was_told_after_others_were_sent_elsewhere() {
        let customers = customers(1);
        let numbers: Vec<_> = in_between(&customers, Service::Inventory, &old())
            .iter()
            .map(|one| one.number)
            .collect();
        // Customer 21 came at 4.2 s; who came at 3.4 s was told at 4.2 s, the later ones after it.
        assert_eq!(numbers, [18, 19, 20]);
        assert!(in_between(&customers[..20], Service::Inventory, &old()).is_empty());
    }
    /// A customer of the old pod whose spans were lost.
    fn lost(number: u32) -> Customer {
        Customer {
            trace_id: Some("0af7651916cd43dd8448eb211c80319c".to_owned()),
            order_trace: None,
            ..customer(number, YES, None)
        }
    }

    #[test]
    fn lost_spans_put_nobody_between_commit_and_reply_and_no_pod_out_of_service() {
        let mut customers = customers(1);
        let between = in_between(&customers, Service::Inventory, &old()).len();
        customers[4] = lost(5);
        assert_eq!(in_between(&customers, Service::Inventory, &old()).len(), between);

        let groups = groups(&customers, Service::Inventory);
        let told =
            groups.iter().map(|group| (group.pod.as_deref(), group.lacks_spans, group.count));
        let expected =
            [(Some("old"), false, 19), (None, true, 1), (None, false, 3), (Some("new"), false, 1)];
        assert_eq!(told.collect::<Vec<_>>(), expected);
    }
}
