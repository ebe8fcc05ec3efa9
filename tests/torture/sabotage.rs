//! Cures switched off, one at a time, by a proxy that changes what the services say to each
//! other. The product's code stays as it is: no program can be started without its cures.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse as _, Response};
use reqwest::Client;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::time::Instant;

const RESERVE: &str = "/inventory/reserve";

/// How long the keys are remembered by an inventory that forgets them too soon.
const HORIZON: Duration = Duration::from_millis(200);

/// The longest that an attempt is kept back.
const KEPT_BACK: Duration = Duration::from_secs(20);

/// Which cure is switched off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Sabotage {
    /// Attempts lose their key: the inventory sees those of the naive lane.
    Key,
    /// The inventory tells what was decided and makes no key void.
    Fence,
    /// A refusal is not recorded under its key.
    Refusals,
    /// A cancel that finds nothing leaves nothing behind.
    Tombstone,
    /// A key that is forgotten is taken for a new one.
    TimeInKeys,
    /// Nobody is told what became of an order.
    Settlement,
    /// Customers lose their own keys.
    CustomersKeys,
}

impl Sabotage {
    pub(super) const ALL: [Self; 7] = [
        Self::Key,
        Self::Fence,
        Self::Refusals,
        Self::Tombstone,
        Self::TimeInKeys,
        Self::Settlement,
        Self::CustomersKeys,
    ];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Key => "no-key",
            Self::Fence => "no-fence",
            Self::Refusals => "no-refusals",
            Self::Tombstone => "no-tombstone",
            Self::TimeInKeys => "no-time-in-keys",
            Self::Settlement => "no-settlement",
            Self::CustomersKeys => "no-customers-keys",
        }
    }

    /// Whether it is done between the customers and the order service.
    pub(super) fn is_at_the_counter(self) -> bool {
        self == Self::CustomersKeys
    }
}

/// A proxy in front of a service. It ends when dropped.
#[derive(Debug)]
pub(super) struct Saboteur {
    pub(super) url: String,
    proxy: Arc<Proxy>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Saboteur {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Saboteur {
    pub(super) async fn before(upstream: String, what: Sabotage) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let http = Client::builder().no_proxy().pool_max_idle_per_host(0).build();
        let http = http.expect("a client");
        let keys = watch::channel(HashMap::new()).0;
        let proxy = Arc::new(Proxy { what, upstream, http, keys, kept_back: AtomicUsize::new(0) });
        let router = Router::new().fallback(handle).with_state(proxy.clone());
        let task = tokio::spawn(async move {
            axum::serve(listener, router).await.expect("it serves until it is aborted");
        });
        Self { url, proxy, task }
    }

    /// Whether no attempt is on its way in here.
    pub(super) fn is_idle(&self) -> bool {
        self.proxy.kept_back.load(Ordering::SeqCst) == 0
    }
}

#[derive(Debug)]
struct Proxy {
    what: Sabotage,
    upstream: String,
    http: Client,
    /// What is known of each key.
    keys: watch::Sender<HashMap<String, Seen>>,
    /// Attempts that are kept back now.
    kept_back: AtomicUsize,
}

/// What is known of a key.
#[derive(Debug, Clone, Copy)]
struct Seen {
    /// When it was used first.
    first_use: Instant,
    /// Whether the order service was told something about it.
    told: bool,
}

/// A request that goes on to the service.
struct Passed {
    method: Method,
    path: String,
    headers: HeaderMap,
    body: Bytes,
}

async fn handle(State(proxy): State<Arc<Proxy>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, 64 * 1024).await else { return no_answer() };
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
    let passed = Passed { method: parts.method, path, headers: parts.headers, body };
    // A task of its own: what was sent arrives, also when its sender has left.
    let passed = tokio::spawn(async move { proxy.answer(passed, &parts.uri).await });
    passed.await.expect("the proxy's task").unwrap_or_else(no_answer)
}

/// What stands for no answer: no inventory says it, and no problem is in it.
fn no_answer() -> Response {
    (StatusCode::BAD_GATEWAY, "no answer").into_response()
}

impl Proxy {
    async fn answer(&self, request: Passed, uri: &Uri) -> Option<Response> {
        let of_path = uri.path().strip_prefix("/inventory/keys/");
        let key = of_path
            .map(|key| key.strip_suffix("/settle").unwrap_or(key))
            .or_else(|| header(&request.headers, "idempotency-key"))
            .map(|key| key.trim_matches('"').to_owned());
        let Some(key) = key.filter(|_| !self.what.is_at_the_counter()) else {
            return self.sabotaged(request, uri).await;
        };
        let mut first = false;
        self.keys.send_modify(|keys| {
            keys.entry(key.clone()).or_insert_with(|| {
                first = true;
                Seen { first_use: Instant::now(), told: false }
            });
        });
        let is_slow = uri.query().is_some_and(|query| query.contains("slow%3A"));
        let will_be_told = self.what != Sabotage::Settlement;
        if first && is_slow && will_be_told && uri.path() == RESERVE {
            self.kept_back.fetch_add(1, Ordering::SeqCst);
            let answer = self.late(&key, request).await;
            self.kept_back.fetch_sub(1, Ordering::SeqCst);
            return answer;
        }
        let answer = self.sabotaged(request, uri).await?;
        if answer.status() != StatusCode::SERVICE_UNAVAILABLE {
            self.keys.send_modify(|keys| {
                if let Some(seen) = keys.get_mut(&key) {
                    seen.told = true;
                }
            });
        }
        Some(answer)
    }

    /// An attempt that is slower than everything else: it arrives after the order service was
    /// told something about its key. That does not depend on the speed of the machine, as a
    /// time would.
    async fn late(&self, key: &str, mut request: Passed) -> Option<Response> {
        let mut keys = self.keys.subscribe();
        let told = keys.wait_for(|keys| keys.get(key).is_some_and(|seen| seen.told));
        let _ = tokio::time::timeout(KEPT_BACK, told).await;
        RESERVE.clone_into(&mut request.path);
        match self.what {
            Sabotage::Key => drop(request.headers.remove("idempotency-key")),
            // It commits when there is enough again.
            Sabotage::Refusals => {
                let enough = async {
                    while self.is_short(&request).await != Some(false) {
                        tokio::time::sleep(Duration::from_millis(50)).await;
                    }
                };
                let _ = tokio::time::timeout(KEPT_BACK, enough).await;
            }
            _ => {}
        }
        self.pass(request).await
    }

    async fn sabotaged(&self, mut request: Passed, uri: &Uri) -> Option<Response> {
        let key = uri.path().strip_prefix("/inventory/keys/").map(str::to_owned);
        let settled = key.as_deref().and_then(|key| key.strip_suffix("/settle"));
        let cancelled = key.as_deref().filter(|_| request.method == Method::DELETE);
        let reserve = uri.path() == RESERVE;
        if self.what == Sabotage::Refusals && reserve && self.is_short(&request).await? {
            return Some(refused(&request));
        }
        match (self.what, settled, cancelled) {
            (Sabotage::Key, ..) if reserve => drop(request.headers.remove("idempotency-key")),
            (Sabotage::CustomersKeys, ..) => drop(request.headers.remove("idempotency-key")),
            (Sabotage::Fence, Some(key), _) => return self.decided(key).await,
            (Sabotage::Tombstone, _, Some(key)) => {
                let told = self.decided_value(key).await?;
                if told["state"] == "void" {
                    return Some(json_answer(StatusCode::OK, &told));
                }
            }
            (Sabotage::TimeInKeys, ..) => {
                if let Some(key) = key.as_deref() {
                    let key = key.strip_suffix("/settle").unwrap_or(key);
                    request.path = request.path.replacen(key, &self.forgotten(key), 1);
                } else if let Some(key) = header(&request.headers, "idempotency-key") {
                    let key = self.forgotten(key.trim_matches('"'));
                    request.headers.insert("idempotency-key", key.parse().ok()?);
                }
            }
            (Sabotage::Settlement, Some(_), _) => return None,
            _ => {}
        }
        self.pass(request).await
    }

    /// What the inventory has decided under a key until now; void if it has not, without
    /// making it so.
    async fn decided_value(&self, key: &str) -> Option<Value> {
        // The list begins after a key, so it is asked for those after one that is shorter.
        let before = &key[..key.len().checked_sub(1)?];
        let url = format!("{}/inventory/keys?limit=1&after={before}", self.upstream);
        let keys: Value = self.http.get(url).send().await.ok()?.json().await.ok()?;
        let first = keys["keys"].as_array()?.first().filter(|first| first["key"] == key);
        let void = json!({"key": key, "state": "void", "ageMs": 0});
        Some(first.cloned().unwrap_or(void))
    }

    async fn decided(&self, key: &str) -> Option<Response> {
        Some(json_answer(StatusCode::OK, &self.decided_value(key).await?))
    }

    /// Whether less is left than a request wants.
    async fn is_short(&self, request: &Passed) -> Option<bool> {
        let wanted: Value = serde_json::from_slice(&request.body).ok()?;
        let url = format!("{}/inventory/state", self.upstream);
        let state: Value = self.http.get(url).send().await.ok()?.json().await.ok()?;
        let left = state["stock"][wanted["itemId"].as_str()?].as_u64()?;
        Some(wanted["quantity"].as_u64()? > left)
    }

    /// The key under which the inventory sees it: another one after each horizon.
    fn forgotten(&self, key: &str) -> String {
        let first = self.keys.borrow().get(key).map_or_else(Instant::now, |seen| seen.first_use);
        let horizons = first.elapsed().as_millis() / HORIZON.as_millis();
        if horizons == 0 { key.to_owned() } else { format!("{key}.{horizons}") }
    }

    async fn pass(&self, request: Passed) -> Option<Response> {
        let Passed { method, path, mut headers, body } = request;
        for name in [header::HOST, header::CONTENT_LENGTH, header::CONNECTION] {
            headers.remove(name);
        }
        let url = format!("{}{path}", self.upstream);
        let sent = self.http.request(method, url).headers(headers).body(body).send().await.ok()?;
        let (status, mut headers) = (sent.status(), sent.headers().clone());
        let body = sent.bytes().await.ok()?;
        headers.remove(header::TRANSFER_ENCODING);
        let mut answer = Response::new(Body::from(body));
        (*answer.status_mut(), *answer.headers_mut()) = (status, headers);
        Some(answer)
    }
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// A refusal that the inventory did not make, so it is recorded nowhere.
fn refused(request: &Passed) -> Response {
    let wanted: Value = serde_json::from_slice(&request.body).unwrap_or_default();
    let problem = json!({
        "type": "urn:problem-type:campuscafe:out-of-stock", "title": "Out of stock",
        "status": 409, "detail": "refused by a proxy", "message": "out of stock",
        "itemId": wanted["itemId"], "currentStock": 0,
    });
    json_answer(StatusCode::CONFLICT, &problem)
}

fn json_answer(status: StatusCode, body: &Value) -> Response {
    let kind = if status.is_success() { "application/json" } else { "application/problem+json" };
    (status, [(header::CONTENT_TYPE, kind)], body.to_string()).into_response()
}
