//! Who reads: what the browser accepts, and what the reader chose before.

use axum::http::header::{ACCEPT_LANGUAGE, COOKIE, LOCATION, SET_COOKIE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{AppendHeaders, IntoResponse as _, Response};
use campuscafe_service::Form;
use serde::Deserialize;

use crate::messages::Language;
use crate::page::Reader;

const LANGUAGE: &str = "language";
const WALL: &str = "wall";
const ON: &str = "on";

/// A year, in seconds.
const KEPT: u32 = 365 * 24 * 60 * 60;

/// What the headers of a request say of its reader.
pub(super) fn reader(headers: &HeaderMap) -> Reader {
    let accepted = headers.get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
    let language = cookie(headers, LANGUAGE)
        .and_then(Language::of_tag)
        .or_else(|| Language::accepted(accepted?))
        .unwrap_or_default();
    Reader { language, wall: cookie(headers, WALL) == Some(ON) }
}

fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let pairs = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    pairs
        .flat_map(|pairs| pairs.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find_map(|(found, value)| (found == name).then_some(value))
}

/// What a reader chose, and the page that they chose it on.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Choice {
    path: String,
    language: Option<String>,
    wall: Option<String>,
}

/// Keeps a choice in a cookie, and shows the page again.
pub(super) async fn keep(Form(choice): Form<Choice>) -> Response {
    let language = choice.language.as_deref().and_then(Language::of_tag).map(Language::tag);
    let wall = choice.wall.map(|wall| if wall == ON { ON } else { "off" });
    let cookies = [(LANGUAGE, language), (WALL, wall)];
    let cookies = cookies.into_iter().filter_map(|(name, value)| {
        let value = value?;
        let cookie = format!("{name}={value}; Path=/; Max-Age={KEPT}; SameSite=Lax; HttpOnly");
        Some((SET_COOKIE, cookie))
    });
    let location = [(LOCATION, own_path(&choice.path).to_owned())];
    (StatusCode::SEE_OTHER, AppendHeaders(cookies), location).into_response()
}

/// A path of this server; anything else leads to its first page. A browser reads `//host`
/// and `/\\host` as another server.
fn own_path(path: &str) -> &str {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '-' | '_' | '.');
    let own = path.starts_with('/') && !path.starts_with("//") && path.chars().all(plain);
    if own { path } else { "/" }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(headers: &[(&'static str, &str)]) -> Reader {
        let headers = headers.iter().map(|(name, value)| {
            (axum::http::HeaderName::from_static(name), value.parse().unwrap())
        });
        reader(&headers.collect())
    }

    #[test]
    fn a_choice_counts_more_than_what_the_browser_accepts() {
        let japanese = ("accept-language", "ja-JP,ja;q=0.9");
        assert_eq!(read(&[japanese]).language, Language::Japanese);
        assert_eq!(read(&[japanese, ("cookie", "a=b; language=en")]).language, Language::English);
        assert_eq!(read(&[japanese, ("cookie", "language=xx")]).language, Language::Japanese);
        assert_eq!(read(&[]).language, Language::English);
        assert!(read(&[("cookie", "wall=on")]).wall && !read(&[("cookie", "wall=off")]).wall);
    }

    #[test]
    fn a_choice_leads_back_to_a_page_of_this_server_and_nowhere_else() {
        for (path, expected) in [
            ("/", "/"),
            ("/lessons/double/2", "/lessons/double/2"),
            ("/runs/0af7", "/runs/0af7"),
            ("//evil.example", "/"),
            ("/\\evil.example", "/"),
            ("https://evil.example", "/"),
            ("/a?b=c", "/"),
            ("/a\r\nset-cookie: b", "/"),
            ("", "/"),
        ] {
            assert_eq!(own_path(path), expected, "{path}");
        }
    }
}
