//! Which experiment a request belongs to, as [W3C Baggage] carries it from the lab
//! through both services.
//!
//! Baggage comes from outside. So a service takes only two members of it, and only values
//! that it knows the form of. It ignores the rest, and does not pass it on.
//!
//! [W3C Baggage]: https://www.w3.org/TR/baggage/

use http::{HeaderMap, HeaderValue};
use tracing::Span;

use crate::attribute::{EXPERIMENT, EXPERIMENTS, RUN};
use crate::traces::set_attribute;

/// The header of W3C Baggage.
pub const HEADER: &str = "baggage";

/// The members that a service takes; in the extensions of a request that has any.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Baggage {
    experiment: Option<&'static str>,
    run: Option<String>,
}

impl Baggage {
    /// The baggage of an experiment. A name that is not one of
    /// [`EXPERIMENTS`] and a run that is not 32 lower-case hexadecimal digits are left out.
    #[must_use]
    pub fn new(experiment: &str, run: &str) -> Self {
        let experiment = EXPERIMENTS.into_iter().find(|name| *name == experiment);
        let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        let is_run = run.len() == 32 && run.bytes().all(is_digit);
        Self { experiment, run: is_run.then(|| run.to_owned()) }
    }

    /// What the headers of a request hold, if it is anything that a service takes.
    pub(crate) fn of(headers: &HeaderMap) -> Option<Self> {
        let (mut experiment, mut run) = ("", "");
        let lists = headers.get_all(HEADER).into_iter().filter_map(|value| value.to_str().ok());
        for member in lists.flat_map(|list| list.split(',')) {
            // Properties may follow the value; they mean nothing here.
            let member = member.split(';').next().unwrap_or_default();
            match member.split_once('=').map(|(key, value)| (key.trim(), value.trim())) {
                Some((EXPERIMENT, value)) => experiment = value,
                Some((RUN, value)) => run = value,
                _ => {}
            }
        }
        Some(Self::new(experiment, run)).filter(|baggage| *baggage != Self::default())
    }

    /// What the next service is sent.
    #[must_use]
    pub fn header(&self) -> Option<HeaderValue> {
        let members = [(EXPERIMENT, self.experiment), (RUN, self.run.as_deref())];
        let members =
            members.into_iter().filter_map(|(key, value)| Some(format!("{key}={}", value?)));
        let list = members.collect::<Vec<_>>().join(",");
        HeaderValue::from_str(&list).ok().filter(|list| !list.is_empty())
    }

    /// The run of the experiment: 32 hexadecimal digits.
    #[must_use]
    pub fn run(&self) -> Option<&str> {
        self.run.as_deref()
    }

    pub(crate) fn set_attributes(&self, span: &Span) {
        if let Some(experiment) = self.experiment {
            set_attribute(span, EXPERIMENT, experiment);
        }
        if let Some(run) = &self.run {
            set_attribute(span, RUN, run.clone());
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const OWN: &str = "0af7651916cd43dd8448eb211c80319c";

    fn read(lists: &[&str]) -> Option<String> {
        let mut headers = HeaderMap::new();
        for list in lists {
            headers.append(HEADER, list.parse().unwrap());
        }
        Baggage::of(&headers)?.header().map(|value| value.to_str().unwrap().to_owned())
    }

    #[test]
    fn a_service_passes_on_what_the_lab_sent_and_nothing_else() {
        let sent = format!("campuscafe.experiment=double,campuscafe.run={OWN}");
        let expected = Some(sent.clone());
        assert_eq!(read(&[&sent]), expected);
        assert_eq!(read(&[&format!("user=7, {sent};ttl=1 ,campuscafe.order=x")]), expected);
        let (experiment, run) = sent.split_once(',').unwrap();
        assert_eq!(read(&[run, "a=b", experiment]), expected);
        assert_eq!(read(&[experiment]).as_deref(), Some(experiment));
    }

    #[test]
    fn a_value_that_the_lab_does_not_send_is_ignored() {
        for list in [
            "",
            ",;=,",
            "campuscafe.experiment",
            "campuscafe.experiment=",
            "campuscafe.experiment=Double",
            "campuscafe.experiment=double%20x",
            "campuscafe.experiment=nonsense,user=7",
            "campuscafe.run=0af7",
            "campuscafe.run=0AF7651916CD43DD8448EB211C80319C",
            "campuscafe.run=0af7651916cd43dd8448eb211c80319g",
        ] {
            assert_eq!(read(&[list]), None, "{list:?}");
        }
        let endless = format!("{},campuscafe.experiment=cut", "k=v,".repeat(2_000));
        assert_eq!(read(&[&endless]).as_deref(), Some("campuscafe.experiment=cut"));
    }
}
