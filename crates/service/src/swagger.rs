//! `/swagger/`: a page on which a service's calls can be tried out.

use std::borrow::Cow;
use std::io::Read as _;
use std::sync::{Arc, OnceLock};

use axum::Router;
use axum::extract::{OriginalUri, Path};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use bytes::Bytes;
use flate2::read::GzDecoder;
use http::{HeaderMap, HeaderValue, header};
use utoipa_swagger_ui::Config;

use crate::problem_response::nothing_at;

/// What the page consists of. The library has more files, which nothing here needs.
const FILES: [&str; 8] = [
    "index.html",
    "index.css",
    "swagger-ui.css",
    "swagger-ui-bundle.js",
    "swagger-ui-standalone-preset.js",
    "swagger-initializer.js",
    "favicon-16x16.png",
    "favicon-32x32.png",
];

/// What the page may load: its own files, the one style element that its script
/// writes, by its hash, and the pictures that stand in its style sheet. A new
/// version of the page may need another hash; the browser's console names it.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; \
     style-src 'self' 'sha256-RL3ie0nH+Lzz2YNqQN83mnU0J1ot4QL7b99vMdIX99w='; \
     img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; \
     frame-ancestors 'none'",
);

/// The page for the description that is at this path.
pub(crate) fn page(description: &'static str) -> Router {
    // By default the page sends the description's address to a validator elsewhere.
    let config = Arc::new(Config::new([description]).validator_url("none"));
    let files: Arc<[File]> = FILES.iter().filter_map(|name| File::load(name, &config)).collect();
    let file = async move |uri: OriginalUri, path: Option<Path<String>>, headers: HeaderMap| {
        let name = path.map_or(Cow::Borrowed(FILES[0]), |Path(path)| path.into());
        let file = files.iter().find(|file| file.name == name);
        file.map(|file| file.answer(&headers)).ok_or_else(|| nothing_at(uri.path()))
    };
    Router::new()
        .route("/swagger", get(async || Redirect::to("/swagger/")))
        .route("/swagger/", get(file.clone()))
        .route("/swagger/{*file}", get(file))
}

/// A file of the page.
#[derive(Debug)]
struct File {
    name: &'static str,
    media_type: HeaderValue,
    bytes: Bytes,
    packed: bool,
    /// Kept, since unpacking the largest one takes 10 ms.
    unpacked: OnceLock<Bytes>,
}

impl File {
    fn load(name: &'static str, config: &Arc<Config<'static>>) -> Option<Self> {
        let file = utoipa_swagger_ui::serve(name, config.clone()).ok()??;
        let bytes = match file.bytes {
            Cow::Borrowed(bytes) => Bytes::from_static(bytes),
            Cow::Owned(bytes) => bytes.into(),
        };
        let media_type = HeaderValue::try_from(file.content_type).ok()?;
        Some(Self { name, media_type, bytes, packed: file.gzpipped, unpacked: OnceLock::new() })
    }

    fn answer(&self, asked: &HeaderMap) -> Response {
        let packed = self.packed && accepts_gzip(asked);
        let body = if packed { self.bytes.clone() } else { self.unpacked() };
        let mut response = body.into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, self.media_type.clone());
        headers.insert(header::CONTENT_SECURITY_POLICY, POLICY);
        headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
        if packed {
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        response
    }

    fn unpacked(&self) -> Bytes {
        if !self.packed {
            return self.bytes.clone();
        }
        let unpack = || {
            let mut unpacked = Vec::new();
            // It was packed when this program was built, so it cannot be broken.
            let _ = GzDecoder::new(&self.bytes[..]).read_to_end(&mut unpacked);
            unpacked.into()
        };
        self.unpacked.get_or_init(unpack).clone()
    }
}

/// Whether a client takes gzip (RFC 9110, 12.5.3). Who says nothing would take
/// anything, but most who say nothing unpack nothing.
fn accepts_gzip(headers: &HeaderMap) -> bool {
    let lists = headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|it| it.to_str().ok());
    let mut any = false;
    for coding in lists.flat_map(|list| list.split(',')) {
        let (name, parameters) = coding.split_once(';').unwrap_or((coding, ""));
        let weight = parameters.trim().strip_prefix("q=").map_or(Ok(1.0), str::parse::<f32>);
        let accepted = weight.is_ok_and(|weight| weight > 0.0);
        match name.trim() {
            "*" => any = accepted,
            name if name.eq_ignore_ascii_case("gzip") => return accepted,
            _ => {}
        }
    }
    any
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gzip_is_for_those_who_say_that_they_take_it() {
        for (asked, expected) in [
            (&[][..], false),
            (&[""], false),
            (&["gzip"], true),
            (&["GZip"], true),
            (&["deflate, gzip;q=0.5"], true),
            (&["br", "gzip ; q=1"], true),
            (&["*"], true),
            (&["*;q=0"], false),
            (&["identity"], false),
            (&["gzip;q=0"], false),
            (&["gzip;q=0, *"], false),
            (&["*;q=0, gzip"], true),
            (&["gzip;q=NaN"], false),
            (&["gzip;q=x"], false),
            (&["gzipped"], false),
        ] {
            let mut headers = HeaderMap::new();
            for value in asked {
                headers.append(header::ACCEPT_ENCODING, value.parse().unwrap());
            }
            assert_eq!(accepts_gzip(&headers), expected, "{asked:?}");
        }
    }

    #[test]
    fn every_file_of_the_page_is_there() {
        let config = Arc::new(Config::new(["/openapi.json"]));
        for name in FILES {
            let file = File::load(name, &config).unwrap();
            assert!(!file.unpacked().is_empty(), "{name}");
        }
    }
}
