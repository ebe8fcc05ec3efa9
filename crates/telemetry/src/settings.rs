//! What the environment says about telemetry.

use std::time::Duration;

use tracing_subscriber::filter::Targets;

use crate::LogFormat;

/// A variable with an invalid value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name}={value:?}: {expected}")]
pub struct SettingError {
    name: &'static str,
    value: String,
    expected: String,
}

impl SettingError {
    /// The exporter refused settings that looked right.
    pub(crate) fn exporter(error: &dyn std::fmt::Display) -> Self {
        Self { name: ENDPOINT, value: String::new(), expected: error.to_string() }
    }
}

/// What the environment says, read once at the start.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    pub(crate) tracing: bool,
    pub(crate) spans: Export,
    pub(crate) log_records: Export,
    pub(crate) log_levels: Option<Targets>,
    pub(crate) log_format: Option<LogFormat>,
}

/// Whether and how spans or log records leave this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Export {
    pub(crate) enabled: bool,
    pub(crate) batch: Batch,
    /// How long one export may take.
    pub(crate) timeout: Duration,
}

/// How spans or log records are gathered into exports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Batch {
    /// The most that wait for an export.
    pub(crate) queue_size: usize,
    /// The most in one export.
    pub(crate) size: usize,
    /// The longest time that one waits for others.
    pub(crate) delay: Duration,
}

/// The variables of one kind of telemetry.
struct Names {
    exporter: &'static str,
    endpoint: &'static str,
    timeout: &'static str,
    queue_size: &'static str,
    batch_size: &'static str,
    delay: &'static str,
    of: &'static str,
}

const SPANS: Names = Names {
    exporter: "OTEL_TRACES_EXPORTER",
    endpoint: "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    timeout: "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT",
    queue_size: "OTEL_BSP_MAX_QUEUE_SIZE",
    batch_size: "OTEL_BSP_MAX_EXPORT_BATCH_SIZE",
    delay: "OTEL_BSP_SCHEDULE_DELAY",
    of: "spans",
};

const LOG_RECORDS: Names = Names {
    exporter: "OTEL_LOGS_EXPORTER",
    endpoint: "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT",
    timeout: "OTEL_EXPORTER_OTLP_LOGS_TIMEOUT",
    queue_size: "OTEL_BLRP_MAX_QUEUE_SIZE",
    batch_size: "OTEL_BLRP_MAX_EXPORT_BATCH_SIZE",
    delay: "OTEL_BLRP_SCHEDULE_DELAY",
    of: "log records",
};

/// For the variables that apply to all kinds.
const ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
const TIMEOUT: &str = "OTEL_EXPORTER_OTLP_TIMEOUT";

const DEFAULT_SPANS: Batch = Batch {
    // A span takes some 1.4 KB, so a full queue takes 11 MB of the 64 that a
    // container has. At the most that a service was seen to make, 24,000 spans
    // a second, it bridges a third of a second in which nobody takes them.
    queue_size: 8_192,
    size: 1_024,
    // So short that a trace can be read while the learner still looks at the terminal.
    delay: Duration::from_millis(200),
};

const DEFAULT_LOG_RECORDS: Batch = Batch {
    // A record takes some 0.8 KB, so a full queue takes 1.7 MB.
    queue_size: 2_048,
    size: 512,
    delay: DEFAULT_SPANS.delay,
};

/// A collector that hangs must not hold the export thread for long: the queue
/// behind it is bounded and drops what does not fit.
const DEFAULT_EXPORT_TIMEOUT: Duration = Duration::from_secs(2);

/// A million spans take some 1.4 GB.
const MAX_QUEUE_SIZE: u64 = 1_000_000;

/// Ten minutes: nobody waits longer on purpose, and clocks can still add it.
const MAX_MILLISECONDS: u64 = 600_000;

const SAMPLERS: [&str; 6] = [
    "always_on",
    "always_off",
    "traceidratio",
    "parentbased_always_on",
    "parentbased_always_off",
    "parentbased_traceidratio",
];

impl Settings {
    /// Reads the settings through `lookup`, so that a test needs no process
    /// environment. An empty variable counts as not set, as the OpenTelemetry
    /// specification asks.
    ///
    /// # Errors
    ///
    /// When a variable has an invalid value.
    pub fn from_env(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, SettingError> {
        let get = |name| {
            lookup(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
        };
        check(&get, "OTEL_EXPORTER_OTLP_PROTOCOL", "expected http/protobuf", |v| {
            v == "http/protobuf"
        })?;
        check(&get, "OTEL_TRACES_SAMPLER", &format!("expected {}", SAMPLERS.join(", ")), |v| {
            SAMPLERS.contains(&v)
        })?;
        check(&get, "OTEL_TRACES_SAMPLER_ARG", "expected a number from 0 to 1", |v| {
            v.parse().is_ok_and(|ratio: f64| (0.0..=1.0).contains(&ratio))
        })?;
        check(&get, "RUST_LOG", "expected levels such as info or order=debug,info", |v| {
            v.parse::<Targets>().is_ok()
        })?;
        check(&get, "LOG_FORMAT", "expected pretty or json", |v| LogFormat::named(v).is_some())?;

        let switched_off =
            get("OTEL_SDK_DISABLED").is_some_and(|value| value.eq_ignore_ascii_case("true"));
        let tracing = !switched_off;
        Ok(Self {
            tracing,
            spans: export(&get, &SPANS, DEFAULT_SPANS, tracing)?,
            // They are those of traces, so without traces there are none.
            log_records: export(&get, &LOG_RECORDS, DEFAULT_LOG_RECORDS, tracing)?,
            log_levels: get("RUST_LOG").and_then(|value| value.parse().ok()),
            log_format: get("LOG_FORMAT").and_then(|value| LogFormat::named(&value)),
        })
    }
}

/// A variable for one kind wins over the one for all, as the specification asks; both
/// must be right.
fn export(
    get: &impl Fn(&'static str) -> Option<String>,
    names: &Names,
    default: Batch,
    tracing: bool,
) -> Result<Export, SettingError> {
    check(get, names.exporter, "expected otlp or none", |v| ["otlp", "none"].contains(&v))?;
    let endpoints = [ENDPOINT, names.endpoint];
    for name in endpoints {
        check(get, name, "expected http://HOST:PORT (this program has no TLS)", |v| {
            reqwest::Url::parse(v).is_ok_and(|url| url.scheme() == "http" && url.has_host())
        })?;
    }
    let timeout = milliseconds(get, TIMEOUT)?;
    let timeout = milliseconds(get, names.timeout)?.or(timeout);
    let silent = get(names.exporter).is_some_and(|value| value == "none");
    Ok(Export {
        enabled: tracing && !silent && endpoints.iter().any(|name| get(name).is_some()),
        batch: batch(get, names, default)?,
        timeout: timeout.unwrap_or(DEFAULT_EXPORT_TIMEOUT),
    })
}

/// A batch is at most as large as the queue; where only the queue's size is
/// given, the default of the batch's follows.
fn batch(
    get: &impl Fn(&'static str) -> Option<String>,
    names: &Names,
    default: Batch,
) -> Result<Batch, SettingError> {
    let queue = number(get, names.queue_size, names.of, MAX_QUEUE_SIZE)?;
    let queue_size = queue.map_or(default.queue_size, size);
    let batch = number(get, names.batch_size, names.of, queue_size as u64)?;
    let delay = milliseconds(get, names.delay)?;
    Ok(Batch {
        queue_size,
        size: batch.map_or(default.size.min(queue_size), size),
        delay: delay.unwrap_or(default.delay),
    })
}

/// Exact: all sizes here are small.
fn size(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

fn milliseconds(
    get: &impl Fn(&'static str) -> Option<String>,
    name: &'static str,
) -> Result<Option<Duration>, SettingError> {
    Ok(number(get, name, "milliseconds", MAX_MILLISECONDS)?.map(Duration::from_millis))
}

/// A whole number from 1 to `most`.
fn number(
    get: &impl Fn(&'static str) -> Option<String>,
    name: &'static str,
    of: &str,
    most: u64,
) -> Result<Option<u64>, SettingError> {
    let fits = |value: &str| value.parse().ok().filter(|number| (1..=most).contains(number));
    check(get, name, &format!("expected a whole number of {of}, from 1 to {most}"), |value| {
        fits(value).is_some()
    })?;
    Ok(get(name).and_then(|value| fits(&value)))
}

fn check(
    get: &impl Fn(&'static str) -> Option<String>,
    name: &'static str,
    expected: &str,
    fits: impl Fn(&str) -> bool,
) -> Result<(), SettingError> {
    match get(name) {
        Some(value) if !fits(&value) => {
            Err(SettingError { name, value, expected: expected.to_owned() })
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<Settings, SettingError> {
        Settings::from_env(|name| {
            pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn nothing_is_exported_unless_an_endpoint_is_set() {
        let exported = |pairs: &[(&str, &str)]| {
            let settings = read(pairs).unwrap();
            (settings.spans.enabled, settings.log_records.enabled)
        };
        assert_eq!(exported(&[]), (false, false));
        assert_eq!(exported(&[("OTEL_EXPORTER_OTLP_ENDPOINT", "")]), (false, false));
        let endpoint = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://localhost:4318");
        assert_eq!(exported(&[endpoint]), (true, true));
        for (name, spans, log_records) in [
            ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", true, false),
            ("OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", false, true),
        ] {
            assert_eq!(exported(&[(name, "http://localhost:4318/v1")]), (spans, log_records));
        }
        for (name, value, spans, log_records) in [
            ("OTEL_TRACES_EXPORTER", "none", false, true),
            ("OTEL_LOGS_EXPORTER", "none", true, false),
            ("OTEL_LOGS_EXPORTER", "otlp", true, true),
            ("OTEL_SDK_DISABLED", "True", false, false),
        ] {
            assert_eq!(exported(&[endpoint, (name, value)]), (spans, log_records), "{name}");
        }
        assert!(!read(&[("OTEL_SDK_DISABLED", "true")]).unwrap().tracing);
    }

    #[test]
    fn a_value_that_cannot_be_meant_is_named_with_what_was_expected() {
        for (name, value) in [
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "localhost:4318"),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "https://collector:4318"),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
            ("OTEL_TRACES_EXPORTER", "zipkin"),
            ("OTEL_LOGS_EXPORTER", "console"),
            ("OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", "localhost:4318/v1/logs"),
            ("OTEL_EXPORTER_OTLP_LOGS_TIMEOUT", "soon"),
            ("OTEL_BLRP_MAX_QUEUE_SIZE", "many"),
            ("OTEL_BLRP_MAX_EXPORT_BATCH_SIZE", "2049"),
            ("OTEL_BLRP_SCHEDULE_DELAY", "0"),
            ("OTEL_TRACES_SAMPLER", "sometimes"),
            ("OTEL_TRACES_SAMPLER_ARG", "1.5"),
            ("OTEL_BSP_SCHEDULE_DELAY", "soon"),
            ("OTEL_BSP_SCHEDULE_DELAY", "0"),
            ("OTEL_BSP_MAX_QUEUE_SIZE", "0"),
            ("OTEL_BSP_MAX_QUEUE_SIZE", "1000001"),
            ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "-1"),
            ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "8193"),
            ("OTEL_EXPORTER_OTLP_TIMEOUT", "2s"),
            ("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "600001"),
            ("RUST_LOG", "order=loud"),
            ("LOG_FORMAT", "yaml"),
        ] {
            let message = read(&[(name, value)]).unwrap_err().to_string();
            assert!(message.starts_with(&format!("{name}={value:?}: expected ")), "{message}");
        }
    }

    #[test]
    fn queue_batch_delay_and_limit_are_what_the_variables_say() {
        let default = read(&[]).unwrap();
        for (export, batch) in
            [(default.spans, DEFAULT_SPANS), (default.log_records, DEFAULT_LOG_RECORDS)]
        {
            assert_eq!((export.batch, export.timeout), (batch, Duration::from_secs(2)));
        }
        let all = ("OTEL_EXPORTER_OTLP_TIMEOUT", "5000");
        for (names, of) in [
            (&SPANS, (|settings| settings.spans) as fn(Settings) -> Export),
            (&LOG_RECORDS, |settings| settings.log_records),
        ] {
            let set =
                [(names.queue_size, "100"), (names.batch_size, "10"), (names.delay, "1"), all];
            let batch = Batch { queue_size: 100, size: 10, delay: Duration::from_millis(1) };
            let export = of(read(&set).unwrap());
            assert_eq!((export.batch, export.timeout), (batch, Duration::from_secs(5)));
            let own = of(read(&[all, (names.timeout, "7000")]).unwrap());
            assert_eq!(own.timeout, Duration::from_secs(7));
            let queue = of(read(&set[..1]).unwrap());
            assert_eq!(queue.batch.size, 100, "not more than the queue has");
            let message = read(&[set[0], (names.batch_size, "101")]).unwrap_err().to_string();
            assert!(message.ends_with(&format!("of {}, from 1 to 100", names.of)), "{message}");
        }
    }
}
