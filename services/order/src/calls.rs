//! The calls to the inventory.

use campuscafe_telemetry::Baggage;
use campuscafe_telemetry::http_client::Template;
use http::{Extensions, Method};
use reqwest::{Response, Url};
use reqwest_middleware::ClientWithMiddleware;

pub(crate) const RESERVE: Template = Template("/inventory/reserve");
pub(crate) const PING: Template = Template("/inventory/ping");
pub(crate) const NOTIFY: Template = Template("/inventory/notifications");
pub(crate) const SETTLE: Template = Template("/inventory/keys/{key}/settle");
pub(crate) const CANCEL_KEY: Template = Template("/inventory/keys/{key}");
pub(crate) const CANCEL_RESERVATION: Template = Template("/inventory/reservations/{reservationId}");
pub(crate) const CANCEL_OF_REQUEST: Template = Template("/inventory/reservations");

/// The most pings of one reordering.
pub(crate) const MAX_PINGS: usize = 20;

/// A call that has no body.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    method: Method,
    template: Template,
    path: String,
    query: Vec<(&'static str, String)>,
}

/// Takes a reservation back by its id.
pub(crate) fn cancel_reservation(reservation: u128) -> Call {
    let path = format!("/inventory/reservations/{reservation:032x}");
    Call::new(Method::DELETE, CANCEL_RESERVATION, path)
}

impl Call {
    pub(crate) const fn new(method: Method, template: Template, path: String) -> Self {
        Self { method, template, path, query: Vec::new() }
    }

    pub(crate) fn with(mut self, name: &'static str, value: String) -> Self {
        self.query.push((name, value));
        self
    }

    fn url(&self, mut base: Url) -> Url {
        base.set_path(&self.path);
        if !self.query.is_empty() {
            base.query_pairs_mut().extend_pairs(&self.query);
        }
        base
    }

    /// Sends it; none if no whole answer came in time.
    pub(crate) async fn send(
        &self,
        client: &ClientWithMiddleware,
        inventory: Url,
        limit: std::time::Duration,
        baggage: &Baggage,
    ) -> Option<Response> {
        let request = client.request(self.method.clone(), self.url(inventory)).timeout(limit);
        let mut extensions = Extensions::new();
        extensions.insert(self.template);
        extensions.insert(baggage.clone());
        client.execute_with_extensions(request.build().ok()?, &mut extensions).await.ok()
    }
}
