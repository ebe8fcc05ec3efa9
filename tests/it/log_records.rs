//! The log lines of a trace reach a collector, and a collector that does not want them
//! costs a warning and nothing else.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::Bytes;
use axum::http::{StatusCode, Uri};
use campuscafe_tests::{Cafe, Process, Services, eventually};
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use prost::Message as _;
use serde_json::Value as Json;
use tokio::net::TcpListener;

/// A collector that keeps what it is sent.
#[derive(Clone, Default)]
struct Collector {
    url: String,
    heard: Arc<Mutex<Vec<(String, Bytes)>>>,
}

/// What a collector does with log records.
#[derive(Clone, Copy)]
enum Logs {
    Take,
    NotFound,
    Hang,
}

const SPANS: &str = "/v1/traces";
const LOGS: &str = "/v1/logs";

impl Collector {
    async fn start(logs: Logs) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let collector = Self { url, ..Self::default() };
        let heard = collector.heard.clone();
        let router = Router::new().fallback(async move |uri: Uri, body: Bytes| {
            let path = uri.path().to_owned();
            let of_spans = path == SPANS;
            heard.lock().unwrap_or_else(PoisonError::into_inner).push((path, body));
            match logs {
                Logs::NotFound if !of_spans => StatusCode::NOT_FOUND,
                Logs::Hang if !of_spans => std::future::pending().await,
                _ => StatusCode::OK,
            }
        });
        tokio::spawn(axum::serve(listener, router).into_future());
        collector
    }

    /// The bodies that came to that path.
    fn bodies(&self, path: &str) -> Vec<Bytes> {
        let heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        heard.iter().filter(|(to, _)| to == path).map(|(_, body)| body.clone()).collect()
    }

    /// Every record that came to that path.
    fn records(&self, path: &str) -> Vec<Record> {
        let bodies = self.bodies(path);
        let requests = bodies.iter().map(|body| ExportLogsServiceRequest::decode(&**body).unwrap());
        let mut records = Vec::new();
        for resource in requests.flat_map(|request| request.resource_logs) {
            let service = text(&resource.resource.unwrap_or_default().attributes, "service.name");
            for scope in resource.scope_logs {
                assert_eq!(scope.scope.unwrap_or_default().name, "campuscafe");
                let of_scope = scope.log_records.into_iter();
                records.extend(of_scope.map(|record| Record { service: service.clone(), record }));
            }
        }
        records
    }

    /// The names of the spans that came, by their ids.
    fn spans(&self) -> BTreeMap<Vec<u8>, String> {
        let bodies = self.bodies(SPANS);
        let requests =
            bodies.iter().map(|body| ExportTraceServiceRequest::decode(&**body).unwrap());
        let resources = requests.flat_map(|request| request.resource_spans);
        let scopes = resources.flat_map(|resource| resource.scope_spans);
        let spans = scopes.flat_map(|scope| scope.spans);
        spans.map(|span| (span.span_id, span.name)).collect()
    }
}

#[derive(Debug)]
struct Record {
    service: String,
    record: LogRecord,
}

impl Record {
    fn body(&self) -> String {
        string(self.record.body.as_ref())
    }

    fn trace_id(&self) -> String {
        self.record.trace_id.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

fn string(value: Option<&AnyValue>) -> String {
    match value.and_then(|value| value.value.as_ref()) {
        Some(Value::StringValue(text)) => text.clone(),
        other => panic!("not a text: {other:?}"),
    }
}

fn attribute<'a>(attributes: &'a [KeyValue], name: &str) -> Option<&'a AnyValue> {
    attributes.iter().find(|attribute| attribute.key == name)?.value.as_ref()
}

fn text(attributes: &[KeyValue], name: &str) -> String {
    string(attribute(attributes, name))
}

/// Both services, which log as they usually do and export to this collector.
async fn services(collector: &Collector, settings: &[(&str, &str)]) -> Services {
    let usual = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &*collector.url),
        ("RUST_LOG", "info"),
        ("LOG_FORMAT", "json"),
    ];
    let settings = [&usual[..], settings].concat();
    let stock = [("INVENTORY_STOCK", "cake=1000")];
    Services::start(&[&settings[..], &stock].concat(), &settings).await
}

async fn order(services: &Services, chaos: &str) -> Json {
    services.order_cake(chaos).send().await.unwrap().json().await.unwrap()
}

async fn confirm(services: &Services, orders: usize) {
    for _ in 0..orders {
        assert!(order(services, "none").await["traceId"].is_string());
    }
}

/// The lines of stderr that name a trace: each of them should leave as a record.
fn traced(service: &Process) -> usize {
    let lines = service.stderr();
    let lines = lines.lines().map(|line| serde_json::from_str::<Json>(line).expect("JSON"));
    lines.filter(|line| line["trace_id"].is_string()).count()
}

async fn metric(services: &Services, url: &str, series: &str) -> usize {
    let page = services.page(&format!("{url}/metrics")).await;
    let value = page.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    value.unwrap_or_else(|| panic!("no {series} in {page}")).parse().unwrap()
}

async fn end(services: &mut Services) {
    for service in [&mut services.order, &mut services.inventory] {
        service.signal("TERM");
        assert_eq!(service.ended().await.code(), Some(0), "{}", service.stderr());
    }
}

#[tokio::test]
async fn a_late_commit_is_a_record_of_the_orders_trace_and_of_the_span_in_which_it_was_written() {
    let collector = Collector::start(Logs::Take).await;
    let services = services(&collector, &[]).await;
    let answer = order(&services, "slow").await;
    let trace_id = answer["traceId"].as_str().unwrap();
    let found = |service: &'static str, part: &'static str| {
        let collector = &collector;
        eventually(part, move || async move {
            let mut records = collector.records(LOGS).into_iter();
            records.find(|record| record.service == service && record.body().contains(part))
        })
    };
    for (service, part, span) in [
        ("order", "Gives up attempt 1 after", "POST /orders"),
        ("order", "Answers the customer after", "POST /orders"),
        ("inventory", "The caller left after", "POST /inventory/reserve"),
        ("inventory", "LATE: the caller left", "reserv"),
    ] {
        let found = found(service, part).await;
        assert_eq!(found.trace_id(), trace_id, "{found:?}");
        let name = eventually("the record's span", || async {
            collector.spans().remove(&found.record.span_id)
        })
        .await;
        assert!(name.contains(span), "{name}: {found:?}");
        let record = &found.record;
        let severity = (record.severity_number, &*record.severity_text, record.flags);
        assert_eq!(severity, (9, "INFO", 1), "{record:?}");
        assert!(record.time_unix_nano > 0 && record.observed_time_unix_nano > 0, "{record:?}");
        assert!(text(&record.attributes, "request_id").starts_with("order-"), "{record:?}");
    }
    let commit = found("inventory", "LATE").await.record;
    let flag = |name| attribute(&commit.attributes, name).and_then(|value| value.value.clone());
    assert_eq!(flag("late"), Some(Value::BoolValue(true)));
    assert_eq!(flag("left"), Some(Value::IntValue(999)));
}

#[tokio::test]
async fn a_collector_that_takes_no_log_records_costs_one_warning_and_still_gets_the_spans() {
    let collector = Collector::start(Logs::NotFound).await;
    let mut services = services(&collector, &[]).await;
    confirm(&services, 1).await;
    let warnings = |service: &Process| -> Vec<String> {
        let lines = service.stderr();
        let lines = lines.lines().filter(|line| line.contains("\"level\":\"WARN\""));
        lines.map(str::to_owned).collect()
    };
    for service in [&services.order, &services.inventory] {
        let warned = || async { (!warnings(service).is_empty()).then_some(()) };
        eventually("a warning", warned).await;
    }
    let spans = collector.spans().len();
    confirm(&services, 20).await;
    eventually("more spans", || async { (collector.spans().len() > spans + 20).then_some(()) })
        .await;
    end(&mut services).await;
    assert_eq!(collector.bodies(LOGS).len(), 2, "each service asks once");
    for service in [&services.order, &services.inventory] {
        let warnings = warnings(service);
        let [warning] = &warnings[..] else { panic!("{warnings:#?}") };
        assert!(warning.contains("the collector takes no log records"), "{warning}");
        assert!(warning.contains("404"), "{warning}");
    }
}

#[tokio::test]
async fn no_log_record_leaves_where_they_are_not_wanted_or_not_logged() {
    for setting in [("OTEL_LOGS_EXPORTER", "none"), ("RUST_LOG", "warn")] {
        let collector = Collector::start(Logs::Take).await;
        let mut services = services(&collector, &[setting]).await;
        confirm(&services, 5).await;
        // Whatever is left then leaves now.
        end(&mut services).await;
        assert!(!collector.spans().is_empty());
        assert_eq!(collector.bodies(LOGS).len(), 0, "{setting:?}");
    }
}

#[tokio::test]
async fn log_records_that_find_the_queue_full_are_counted_and_hold_nobody_up() {
    let collector = Collector::start(Logs::Hang).await;
    let bounds = [("OTEL_BLRP_MAX_QUEUE_SIZE", "20"), ("OTEL_BLRP_MAX_EXPORT_BATCH_SIZE", "10")];
    let services = services(&collector, &bounds).await;
    confirm(&services, 100).await;
    for (url, service) in
        [(&services.inventory_url, &services.inventory), (&services.order_url, &services.order)]
    {
        let counted = async || {
            let of = async |what: &str| {
                metric(&services, url, &format!("telemetry_log_records_{what}")).await
            };
            let lost =
                async |reason: &str| of(&format!("dropped_total{{reason=\"{reason}\"}}")).await;
            let (queued, full) = (of("queued").await, lost("queue_full").await);
            assert!(queued <= 20 + 10, "{queued} wait");
            let over = lost("rate_limited").await;
            let all =
                queued + full + over + lost("export_failed").await + of("exported_total").await;
            (all == traced(service) && full > 0).then_some(all)
        };
        let all = eventually("every record in one of the counts", counted).await;
        assert!(all >= 100, "{all}");
    }
}

#[tokio::test]
async fn the_end_of_a_service_sends_the_records_that_are_still_in_memory() {
    let collector = Collector::start(Logs::Take).await;
    let mut services = services(&collector, &[("OTEL_BLRP_SCHEDULE_DELAY", "600000")]).await;
    confirm(&services, 10).await;
    assert_eq!(collector.bodies(LOGS).len(), 0, "they wait for more");
    end(&mut services).await;
    let written = traced(&services.order) + traced(&services.inventory);
    assert_eq!(collector.records(LOGS).len(), written);
    assert!(written >= 20, "{written}");
}

#[tokio::test]
async fn the_services_of_a_lab_send_log_records_where_a_person_says() {
    let collector = Collector::start(Logs::Take).await;
    let elsewhere = format!("{}/elsewhere", collector.url);
    let cafe = Cafe::open_with(&[("OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", &elsewhere)]).await;
    let told = cafe.order_cake("none", false).await;
    let trace_id = told.body["traceId"].as_str().unwrap();
    for service in ["order", "inventory"] {
        let of_order = |record: &Record| record.service == service && record.trace_id() == trace_id;
        eventually("a record of the order", || async {
            collector.records("/elsewhere").iter().any(of_order).then_some(())
        })
        .await;
    }
    assert_eq!(collector.bodies(SPANS).len(), 0, "spans stay with the lab");
}
