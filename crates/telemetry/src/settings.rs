//! What the environment says about telemetry.

use std::time::Duration;

use tracing_subscriber::filter::Targets;

use crate::LogFormat;

/// A variable whose value cannot be meant.
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
        Self {
            name: "OTEL_EXPORTER_OTLP_ENDPOINT",
            value: String::new(),
            expected: error.to_string(),
        }
    }
}

/// What the environment says, read once at the start.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    pub(crate) tracing: bool,
    pub(crate) export: bool,
    pub(crate) export_delay: Duration,
    pub(crate) log_levels: Option<Targets>,
    pub(crate) log_format: Option<LogFormat>,
}

/// So short that a trace can be read while the learner still looks at the terminal.
const DEFAULT_EXPORT_DELAY: Duration = Duration::from_millis(200);

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
    /// When a variable has a value that cannot be meant.
    pub fn from_env(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, SettingError> {
        let get = |name| {
            lookup(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
        };
        check(&get, "OTEL_EXPORTER_OTLP_PROTOCOL", "expected http/protobuf", |v| {
            v == "http/protobuf"
        })?;
        check(&get, "OTEL_TRACES_EXPORTER", "expected otlp or none", |v| {
            ["otlp", "none"].contains(&v)
        })?;
        check(&get, "OTEL_TRACES_SAMPLER", &format!("expected {}", SAMPLERS.join(", ")), |v| {
            SAMPLERS.contains(&v)
        })?;
        check(&get, "OTEL_TRACES_SAMPLER_ARG", "expected a number from 0 to 1", |v| {
            v.parse().is_ok_and(|ratio: f64| (0.0..=1.0).contains(&ratio))
        })?;
        let endpoints = ["OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"];
        for name in endpoints {
            check(&get, name, "expected http://HOST:PORT (this program has no TLS)", |v| {
                reqwest::Url::parse(v).is_ok_and(|url| url.scheme() == "http" && url.has_host())
            })?;
        }
        check(&get, "OTEL_BSP_SCHEDULE_DELAY", "expected milliseconds", |v| {
            v.parse::<u64>().is_ok()
        })?;
        check(&get, "RUST_LOG", "expected levels such as info or order=debug,info", |v| {
            v.parse::<Targets>().is_ok()
        })?;
        check(&get, "LOG_FORMAT", "expected pretty or json", |v| LogFormat::named(v).is_some())?;

        let switched_off =
            get("OTEL_SDK_DISABLED").is_some_and(|value| value.eq_ignore_ascii_case("true"));
        let silent = get("OTEL_TRACES_EXPORTER").is_some_and(|value| value == "none");
        Ok(Self {
            tracing: !switched_off,
            export: !switched_off && !silent && endpoints.iter().any(|name| get(name).is_some()),
            export_delay: get("OTEL_BSP_SCHEDULE_DELAY")
                .and_then(|value| value.parse().ok())
                .map_or(DEFAULT_EXPORT_DELAY, Duration::from_millis),
            log_levels: get("RUST_LOG").and_then(|value| value.parse().ok()),
            log_format: get("LOG_FORMAT").and_then(|value| LogFormat::named(&value)),
        })
    }
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
        assert!(!read(&[]).unwrap().export);
        assert!(!read(&[("OTEL_EXPORTER_OTLP_ENDPOINT", "")]).unwrap().export);
        let endpoint = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://localhost:4318");
        assert!(read(&[endpoint]).unwrap().export);
        assert!(!read(&[endpoint, ("OTEL_TRACES_EXPORTER", "none")]).unwrap().export);
        assert!(!read(&[endpoint, ("OTEL_SDK_DISABLED", "True")]).unwrap().export);
        assert!(!read(&[("OTEL_SDK_DISABLED", "true")]).unwrap().tracing);
    }

    #[test]
    fn a_value_that_cannot_be_meant_is_named_with_what_was_expected() {
        for (name, value) in [
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "localhost:4318"),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "https://collector:4318"),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
            ("OTEL_TRACES_EXPORTER", "zipkin"),
            ("OTEL_TRACES_SAMPLER", "sometimes"),
            ("OTEL_TRACES_SAMPLER_ARG", "1.5"),
            ("OTEL_BSP_SCHEDULE_DELAY", "soon"),
            ("RUST_LOG", "order=loud"),
            ("LOG_FORMAT", "yaml"),
        ] {
            let message = read(&[(name, value)]).unwrap_err().to_string();
            assert!(message.starts_with(&format!("{name}={value:?}: expected ")), "{message}");
        }
    }
}
