//! The programs that a URL can name, and the path at which each is asked.

use std::net::SocketAddr;

use campuscafe_service::reachable;
use clap::Args;
use reqwest::Url;

/// A program that can answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Inventory,
    Order,
    Lab,
    Collector,
    Jaeger,
    Prometheus,
    Grafana,
}

impl Kind {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Inventory => "inventory",
            Self::Order => "order",
            Self::Lab => "lab",
            Self::Collector => "collector",
            Self::Jaeger => "Jaeger",
            Self::Prometheus => "Prometheus",
            Self::Grafana => "Grafana",
        }
    }

    /// The name as it stands in a sentence.
    pub(super) const fn noun(self) -> &'static str {
        match self {
            Self::Inventory => "the inventory",
            Self::Order => "the order service",
            Self::Lab => "the lab",
            Self::Collector => "a collector of OTLP over HTTP",
            Self::Jaeger | Self::Prometheus | Self::Grafana => self.name(),
        }
    }

    /// Whether it is one of the three programs of this workspace.
    pub(super) const fn is_ours(self) -> bool {
        matches!(self, Self::Inventory | Self::Order | Self::Lab)
    }

    /// The path that shows whether it runs.
    const fn path(self) -> &'static str {
        match self {
            Self::Inventory | Self::Order | Self::Lab => "/readyz",
            Self::Collector => "/v1/traces",
            Self::Jaeger => "/api/v3/services",
            Self::Prometheus => "/-/ready",
            Self::Grafana => "/api/health",
        }
    }
}

/// A program that should answer at a URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) kind: Kind,
    /// The variable that sets its URL.
    pub(super) variable: &'static str,
    /// The URL at which it is asked.
    pub(super) url: Url,
}

impl Target {
    /// The paths start at the root, whatever path the URL has.
    fn new(kind: Kind, variable: &'static str, base: &Url) -> Self {
        Self { kind, variable, url: at(base, kind.path()) }
    }

    /// A program that may listen on an address of this machine.
    pub(super) fn listening(kind: Kind, address: SocketAddr) -> Option<Self> {
        let base = format!("http://{}", reachable(address));
        Some(Self::new(kind, "", &base.parse().ok()?))
    }

    /// Scheme, host and port, without the secrets that a URL may hold.
    pub(super) fn origin(&self) -> String {
        self.url.origin().ascii_serialization()
    }

    /// Another page of the same server.
    pub(super) fn page(&self, path: &str) -> Url {
        at(&self.url, path)
    }
}

fn at(base: &Url, path: &str) -> Url {
    let mut url = base.clone();
    url.set_path(path);
    url.set_query(None);
    url.set_fragment(None);
    url
}

/// The programs to check because somebody named their URLs.
#[derive(Debug, Clone, Args)]
pub(super) struct Urls {
    /// The order service that experiments would use
    #[arg(
        long,
        env = "ORDER_URL",
        value_name = "URL",
        value_parser = http_url,
        requires = "inventory_url"
    )]
    order_url: Option<Url>,

    /// The inventory that this order service uses
    #[arg(long, env = "INVENTORY_URL", value_name = "URL", value_parser = http_url)]
    inventory_url: Option<Url>,

    /// The lab that experiments would use
    #[arg(long, env = "LAB_URL", value_name = "URL", value_parser = http_url)]
    lab_url: Option<Url>,

    /// The collector that would get the spans, instead of the one in
    /// OTEL_EXPORTER_OTLP_ENDPOINT
    #[arg(long, value_name = "URL", value_parser = http_url)]
    collector: Option<Url>,

    /// The Jaeger from which experiments would read spans
    #[arg(long, env = "JAEGER_URL", value_name = "URL", value_parser = http_url)]
    jaeger_url: Option<Url>,

    /// A Prometheus that should answer
    #[arg(long, env = "PROMETHEUS_URL", value_name = "URL", value_parser = http_url)]
    prometheus_url: Option<Url>,

    /// A Grafana that should answer
    #[arg(long, env = "GRAFANA_URL", value_name = "URL", value_parser = http_url)]
    grafana_url: Option<Url>,
}

fn http_url(text: &str) -> Result<Url, String> {
    Url::parse(text)
        .ok()
        .filter(|url| url.scheme() == "http" && url.has_host())
        .ok_or_else(|| "expected http://HOST:PORT (this program has no TLS)".to_owned())
}

impl Urls {
    /// Every program that a flag or the environment names.
    pub(super) fn targets(&self) -> Vec<Target> {
        let named = |kind, variable, url: &Option<Url>| {
            url.as_ref().map(|url| Target::new(kind, variable, url))
        };
        let all = [
            named(Kind::Order, "ORDER_URL", &self.order_url),
            named(Kind::Inventory, "INVENTORY_URL", &self.inventory_url),
            named(Kind::Lab, "LAB_URL", &self.lab_url),
            collector(self.collector.as_ref(), |name| std::env::var(name).ok()),
            named(Kind::Jaeger, "JAEGER_URL", &self.jaeger_url),
            named(Kind::Prometheus, "PROMETHEUS_URL", &self.prometheus_url),
            named(Kind::Grafana, "GRAFANA_URL", &self.grafana_url),
        ];
        all.into_iter().flatten().collect()
    }
}

/// Where the exporter sends spans. The variable for traces is the whole URL; the
/// other variable and the flag are the start of it
/// (<https://opentelemetry.io/docs/specs/otel/protocol/exporter/#endpoint-urls-for-otlphttp>).
fn collector(flag: Option<&Url>, lookup: impl Fn(&str) -> Option<String>) -> Option<Target> {
    const TRACES: &str = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT";
    const ALL: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
    let set = |name| http_url(lookup(name)?.trim()).ok();
    if flag.is_none()
        && let Some(url) = set(TRACES)
    {
        return Some(Target { kind: Kind::Collector, variable: TRACES, url });
    }
    let base = flag.cloned().or_else(|| set(ALL))?;
    let path = format!("{}{}", base.path().trim_end_matches('/'), Kind::Collector.path());
    Some(Target { kind: Kind::Collector, variable: ALL, url: at(&base, &path) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_that_is_not_http_with_a_host_is_refused() {
        for text in ["", "localhost:16686", "https://jaeger", "http://", "/api"] {
            assert!(http_url(text).is_err(), "{text}");
        }
        assert!(http_url("http://jaeger:16686/search?limit=20").is_ok());
    }

    #[test]
    fn a_target_is_asked_at_the_root_and_shown_without_secrets() {
        let base = http_url("http://me:secret@jaeger:16686/search?limit=20#top").unwrap();
        let target = Target::new(Kind::Jaeger, "JAEGER_URL", &base);
        assert_eq!(target.url.as_str(), "http://me:secret@jaeger:16686/api/v3/services");
        assert_eq!(target.origin(), "http://jaeger:16686");
    }

    #[test]
    fn a_program_on_the_unspecified_address_is_asked_on_loopback() {
        for (address, expected) in [
            ("0.0.0.0:5201", "http://127.0.0.1:5201/readyz"),
            ("[::]:5201", "http://[::1]:5201/readyz"),
            ("127.0.0.5:5201", "http://127.0.0.5:5201/readyz"),
        ] {
            let target = Target::listening(Kind::Order, address.parse().unwrap()).unwrap();
            assert_eq!(target.url.as_str(), expected);
        }
    }

    #[test]
    fn spans_go_where_the_specification_says() {
        let (all, traces) = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT");
        for (flag, set, expected) in [
            (None, vec![], None),
            (None, vec![(all, "")], None),
            (None, vec![(all, "http://a:4318")], Some("http://a:4318/v1/traces")),
            (None, vec![(all, "http://a:4318/otlp/")], Some("http://a:4318/otlp/v1/traces")),
            (None, vec![(all, "http://a"), (traces, "http://b/c")], Some("http://b/c")),
            (Some("http://f:1"), vec![(traces, "http://b/c")], Some("http://f:1/v1/traces")),
        ] {
            let flag = flag.map(|url| http_url(url).unwrap());
            let found = collector(flag.as_ref(), |name| {
                set.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
            });
            assert_eq!(found.map(|target| target.url.to_string()).as_deref(), expected);
        }
    }
}
