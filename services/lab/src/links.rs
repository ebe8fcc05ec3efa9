//! Links into Jaeger and Grafana, given only where they lead somewhere.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use campuscafe_evidence::span::from_otlp;
use clap::Args;
use reqwest::{Client, Url};
use tokio::time::{interval, timeout};

use crate::lessons::Link;
use crate::messages::Message;
use campuscafe_otlp_store::parse_otlp_json;

/// How long a trace that we have seen elsewhere may take to reach Jaeger.
const ARRIVAL_TIMEOUT: Duration = Duration::from_secs(5);

/// How often Jaeger is asked meanwhile.
const ASK_EVERY: Duration = Duration::from_millis(100);

/// What a dashboard shows before and after, so that a jump has a level to jump from.
const AROUND: Duration = Duration::from_secs(15);

/// Where Jaeger and Grafana are.
#[derive(Debug, Clone, Args)]
pub(crate) struct Tools {
    /// A running Jaeger, for links; also for spans if no lab is given
    #[arg(long, env = "JAEGER_URL", value_name = "URL")]
    pub(crate) jaeger_url: Option<Url>,

    /// Address of Jaeger in a browser, if it differs
    #[arg(long, env = "JAEGER_LINK_URL", value_name = "URL")]
    pub(crate) jaeger_link_url: Option<Url>,

    /// A running Grafana, for links
    #[arg(long, env = "GRAFANA_URL", value_name = "URL")]
    pub(crate) grafana_url: Option<Url>,

    /// Address of Grafana in a browser, if it differs
    #[arg(long, env = "GRAFANA_LINK_URL", value_name = "URL")]
    pub(crate) grafana_link_url: Option<Url>,
}

/// A tool as this program reaches it, and as a browser does: from within a
/// container these may be two addresses.
#[derive(Debug, Clone)]
struct Tool {
    internal: Url,
    public: Url,
}

impl Tool {
    fn new(internal: Option<&Url>, public: Option<&Url>) -> Option<Self> {
        let internal = internal?.clone();
        Some(Self { public: public.unwrap_or(&internal).clone(), internal })
    }

    fn ask(&self, path: &str) -> Option<Url> {
        self.internal.join(path).ok()
    }

    /// A message about it, with its address.
    fn says(&self, id: &'static str) -> Message {
        Message::new(id).with("url", self.internal.to_string())
    }

    fn show(&self, path: &str) -> String {
        format!("{}{path}", self.public.as_str().trim_end_matches('/'))
    }
}

/// Where Jaeger and Grafana are, if anybody said so.
#[derive(Debug, Clone, Default)]
pub(crate) struct Links {
    jaeger: Option<Tool>,
    grafana: Option<Tool>,
}

impl Links {
    pub(crate) fn new(tools: &Tools) -> Self {
        Self {
            jaeger: Tool::new(tools.jaeger_url.as_ref(), tools.jaeger_link_url.as_ref()),
            grafana: Tool::new(tools.grafana_url.as_ref(), tools.grafana_link_url.as_ref()),
        }
    }

    /// A trace in Jaeger, once Jaeger has it.
    pub(crate) async fn trace(&self, http: &Client, id: &str) -> Option<Link> {
        let jaeger = self.jaeger.as_ref()?;
        let url = jaeger.ask(&format!("/api/v3/traces/{id}"))?;
        let search = async {
            let mut again = interval(ASK_EVERY);
            loop {
                again.tick().await;
                if has_spans(http, &url).await {
                    return;
                }
            }
        };
        Some(match timeout(ARRIVAL_TIMEOUT, search).await {
            Ok(()) => Link::To(jaeger.show(&format!("/trace/{id}"))),
            Err(_) if answers(http, jaeger.ask("/api/v3/services")).await => {
                let within = format!("{ARRIVAL_TIMEOUT:?}");
                Link::Nowhere(jaeger.says("look-no-trace").with("limit", within))
            }
            Err(_) => Link::Nowhere(jaeger.says("look-no-jaeger")),
        })
    }

    /// The dashboard of the four pains at a time.
    pub(crate) async fn dashboard(
        &self,
        http: &Client,
        from: SystemTime,
        to: SystemTime,
    ) -> Option<Link> {
        let grafana = self.grafana.as_ref()?;
        Some(if answers(http, grafana.ask("/api/health")).await {
            Link::To(grafana.show(&at(from, to)))
        } else {
            Link::Nowhere(grafana.says("look-no-grafana"))
        })
    }

    /// The front pages of Jaeger and Grafana, of those that answer.
    pub(crate) async fn reachable_tools(&self, http: &Client) -> Vec<(&'static str, String)> {
        let tools = [
            ("jaeger", &self.jaeger, "/api/v3/services", ""),
            ("grafana", &self.grafana, "/api/health", "/d/four-pains"),
        ];
        let mut reachable = Vec::new();
        for (name, tool, health, page) in tools {
            if let Some(tool) = tool
                && answers(http, tool.ask(health)).await
            {
                reachable.push((name, tool.show(page)));
            }
        }
        reachable
    }
}

fn at(from: SystemTime, to: SystemTime) -> String {
    let ms =
        |time: SystemTime| time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis());
    format!("/d/four-pains?from={}&to={}", ms(from - AROUND), ms(to + AROUND))
}

async fn answers(http: &Client, url: Option<Url>) -> bool {
    let Some(url) = url else { return false };
    http.get(url).send().await.is_ok_and(|answer| answer.status().is_success())
}

async fn has_spans(http: &Client, url: &Url) -> bool {
    let Ok(answer) = http.get(url.clone()).send().await else { return false };
    if !answer.status().is_success() {
        return false;
    }
    let body = answer.bytes().await.unwrap_or_default();
    parse_otlp_json(&body).is_ok_and(|data| !from_otlp(&data).is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dashboard_shows_a_little_more_than_the_time_itself() {
        let from = UNIX_EPOCH + Duration::from_secs(100);
        assert_eq!(at(from, from + Duration::from_secs(5)), "/d/four-pains?from=85000&to=120000");
    }

    #[test]
    fn links_name_the_address_that_a_browser_needs() {
        let url = |text: &str| Url::parse(text).unwrap();
        let (inside, outside) = (url("http://jaeger:16686"), url("http://localhost:16686/ui/"));
        let tool = Tool::new(Some(&inside), Some(&outside)).unwrap();
        assert_eq!(tool.ask("/api").unwrap().as_str(), "http://jaeger:16686/api");
        assert_eq!(tool.show("/trace/1"), "http://localhost:16686/ui/trace/1");
        let tool = Tool::new(Some(&inside), None).unwrap();
        assert_eq!(tool.show("/trace/1"), "http://jaeger:16686/trace/1");
        assert!(Tool::new(None, Some(&outside)).is_none());
    }
}
