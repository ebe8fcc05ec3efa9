//! What stands between the two services: it loses messages, delays them and doubles them.

use std::collections::BTreeMap;
use std::future::pending;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::response::Response;
use reqwest::Client;
use serde_json::Value;
use tokio::net::TcpListener;

use crate::model::SplitMix64;

/// An answer of the inventory's, whether or not it came to the order service.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Said {
    Reserved {
        reservation: String,
        replayed: bool,
    },
    OutOfStock {
        replayed: bool,
    },
    /// What a settlement was told.
    Settled {
        state: String,
        reservation: Option<String>,
    },
    /// The kind of any other problem.
    Problem(String),
}

/// What the network does to one message.
#[derive(Debug, Clone, Copy)]
enum Fate {
    Whole,
    RequestLost,
    ReplyLost,
    /// It arrives when its sender has given up.
    Late(Duration),
    /// It arrives, and once more later.
    Doubled(Duration),
}

#[derive(Debug)]
pub(crate) struct Network {
    http: Client,
    inventory: String,
    state: Mutex<Weather>,
}

/// How messages fare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sky {
    /// Some are lost, late or doubled.
    Rough,
    /// All are lost.
    Dark,
    /// All arrive at once.
    Clear,
}

#[derive(Debug)]
struct Weather {
    sky: Sky,
    dice: SplitMix64,
    /// By key, in the order of the answers.
    said: BTreeMap<String, Vec<Said>>,
}

/// How much later a message can come; the last is after the horizon of its key.
const DELAYS: [u64; 5] = [1_200, 2_500, 4_000, 9_000, 11 * 60_000];

impl Network {
    /// Opens a network in front of the inventory at this address; gives its own address.
    pub(crate) async fn open(inventory: &str, seed: u64) -> (Arc<Self>, String) {
        let dice = SplitMix64::seeded(!seed);
        let network = Arc::new(Self {
            http: Client::builder().no_proxy().build().unwrap(),
            inventory: inventory.to_owned(),
            state: Mutex::new(Weather { sky: Sky::Rough, dice, said: BTreeMap::new() }),
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().fallback(carry).with_state(network.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        (network, format!("http://{address}"))
    }

    /// From now on messages fare so.
    pub(crate) fn turn(&self, sky: Sky) {
        self.with(|weather| weather.sky = sky);
    }

    /// Everything that the inventory said under each key.
    pub(crate) fn said(&self) -> BTreeMap<String, Vec<Said>> {
        self.with(|weather| weather.said.clone())
    }

    fn with<T>(&self, read: impl FnOnce(&mut Weather) -> T) -> T {
        read(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn fate(&self) -> Fate {
        self.with(|weather| {
            let delay = DELAYS[weather.dice.below(DELAYS.len() as u64) as usize];
            let delay = Duration::from_millis(delay);
            match (weather.sky, weather.dice.below(10)) {
                (Sky::Dark, _) | (Sky::Rough, 0) => Fate::RequestLost,
                (Sky::Rough, 1 | 2) => Fate::ReplyLost,
                (Sky::Rough, 3) => Fate::Late(delay),
                (Sky::Rough, 4) => Fate::Doubled(delay),
                (Sky::Rough | Sky::Clear, _) => Fate::Whole,
            }
        })
    }

    /// Brings a message to the inventory and hears the answer; none if it cut the connection.
    async fn exchange(&self, message: &Message) -> Option<Response> {
        let url = format!("{}{}", self.inventory, message.parts.uri);
        let request = self.http.request(message.parts.method.clone(), url);
        let mut headers = message.parts.headers.clone();
        headers.remove("host");
        let answer = request.headers(headers).body(message.body.clone()).send().await.ok()?;
        let replayed = answer.headers().contains_key("idempotent-replayed");
        let mut response = Response::builder().status(answer.status());
        *response.headers_mut().unwrap() = answer.headers().clone();
        let body = answer.bytes().await.ok()?;
        if let Some(key) = message.key() {
            let said = said(&serde_json::from_slice(&body).unwrap(), replayed);
            self.with(|weather| weather.said.entry(key).or_default().push(said));
        }
        Some(response.body(Body::from(body)).unwrap())
    }
}

#[derive(Debug, Clone)]
struct Message {
    parts: Parts,
    body: axum::body::Bytes,
}

impl Message {
    /// The key that it is about, if there is one.
    fn key(&self) -> Option<String> {
        let header = self.parts.headers.get("idempotency-key").and_then(|it| it.to_str().ok());
        let path = self.parts.uri.path().strip_prefix("/inventory/keys/");
        let key = path.and_then(|path| path.split('/').next()).or(header)?;
        Some(key.trim_matches('"').to_owned())
    }
}

/// A message that was sent stays on its way when its sender gives up.
async fn carry(State(network): State<Arc<Network>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let message = Message { parts, body: to_bytes(body, 1 << 20).await.unwrap() };
    let fate = network.fate();
    let send = move |after: Duration| {
        let (network, message) = (network.clone(), message.clone());
        tokio::spawn(async move {
            tokio::time::sleep(after).await;
            network.exchange(&message).await
        })
    };
    let answer = match fate {
        Fate::Whole => send(Duration::ZERO).await.unwrap(),
        Fate::RequestLost => None,
        Fate::ReplyLost => send(Duration::ZERO).await.unwrap().and(None),
        Fate::Late(delay) => send(delay).await.unwrap(),
        Fate::Doubled(delay) => {
            send(delay);
            send(Duration::ZERO).await.unwrap()
        }
    };
    match answer {
        Some(answer) => answer,
        None => pending().await,
    }
}

fn said(body: &Value, replayed: bool) -> Said {
    let text = |name: &str| body[name].as_str().map(str::to_owned);
    let kind = text("type").map(|kind| kind.rsplit(':').next().unwrap().to_owned());
    match (kind, text("state")) {
        (Some(kind), _) if kind == "out-of-stock" => Said::OutOfStock { replayed },
        (Some(kind), _) => Said::Problem(kind),
        (None, Some(state)) => {
            let reservation = body["reservation"]["reservationId"].as_str().map(str::to_owned);
            Said::Settled { state, reservation }
        }
        (None, None) => Said::Reserved { reservation: text("reservationId").unwrap(), replayed },
    }
}
