//! Who this process is, in all that it exports.

use opentelemetry::KeyValue;
use opentelemetry_sdk::Resource;

use crate::Identity;

/// The builder reads `OTEL_RESOURCE_ATTRIBUTES` and `OTEL_SERVICE_NAME`; a name given
/// there wins over ours.
pub(crate) fn resource(identity: &Identity) -> Resource {
    let named = std::env::var("OTEL_SERVICE_NAME").is_ok_and(|name| !name.is_empty());
    let resource =
        Resource::builder().with_attribute(KeyValue::new("service.version", identity.version));
    if named { resource.build() } else { resource.with_service_name(identity.service).build() }
}
