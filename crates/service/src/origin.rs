//! Whether a page of another origin sent a request.
//!
//! A browser lets every page send requests to this program, also from pages of
//! others: a form, an image and a simple `fetch` ask nobody first. The browser
//! says in headers, which no script can set, where such a request comes from
//! (<https://www.w3.org/TR/fetch-metadata/>). Programs that are no browsers send
//! none of these headers, and nobody can make them send a request unseen.

use http::Method;

use crate::host::Host;

/// What a browser says about where a request comes from. A header that came
/// twice, or that is no text, is the empty text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct FetchMetadata<'a> {
    /// `Sec-Fetch-Site`.
    pub(crate) site: Option<&'a str>,
    /// `Sec-Fetch-Mode`.
    pub(crate) mode: Option<&'a str>,
    /// `Sec-Fetch-Dest`.
    pub(crate) destination: Option<&'a str>,
    /// `Origin`.
    pub(crate) origin: Option<&'a str>,
}

/// The header by which a request of another origin was recognised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CrossOrigin<'a> {
    Site(&'a str),
    Origin(&'a str),
}

/// Whether a page of another origin sent a request to `host`.
///
/// Browsers send `Sec-Fetch-Site` to addresses of this machine and over HTTPS;
/// elsewhere there is only `Origin`, and not in every request. Following a link
/// is no sign of either: it opens a page of ours in place of the other.
pub(crate) fn cross_origin<'a>(
    method: &Method,
    host: Option<&Host>,
    from: FetchMetadata<'a>,
) -> Option<CrossOrigin<'a>> {
    let reads = method == Method::GET || method == Method::HEAD;
    if reads && from.mode == Some("navigate") && from.destination == Some("document") {
        return None;
    }
    match (from.site, from.origin) {
        (Some("same-origin" | "none"), _) | (None, None) => None,
        (Some(site), _) => Some(CrossOrigin::Site(site)),
        (None, Some(origin)) => {
            let sender = origin.strip_prefix("http://").and_then(|it| Host::parse(it.as_bytes()));
            let own = sender.is_some() && sender.as_ref() == host;
            (!own).then_some(CrossOrigin::Origin(origin))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decide<'a>(method: &str, host: &str, from: FetchMetadata<'a>) -> Option<CrossOrigin<'a>> {
        cross_origin(&method.parse().unwrap(), Host::parse(host.as_bytes()).as_ref(), from)
    }

    #[test]
    fn where_the_site_is_said_only_same_origin_and_none_pass() {
        for (site, passes) in [
            ("same-origin", true),
            ("none", true),
            ("same-site", false),
            ("cross-site", false),
            ("Same-Origin", false),
            ("", false),
        ] {
            // The site stands above the origin, which may be null or this host's own.
            for origin in [None, Some("http://a:1"), Some("null")] {
                for method in ["GET", "HEAD", "POST", "DELETE", "OPTIONS"] {
                    let from =
                        FetchMetadata { site: Some(site), origin, ..FetchMetadata::default() };
                    let expected = (!passes).then_some(CrossOrigin::Site(site));
                    assert_eq!(decide(method, "a:1", from), expected, "{method} {site} {origin:?}");
                }
            }
        }
    }

    #[test]
    fn where_only_the_origin_is_said_it_must_be_the_hosts_own() {
        for (host, origin, own) in [
            ("a:1", "http://a:1", true),
            ("A.:1", "http://a:1", true),
            ("a", "http://a", true),
            ("a:80", "http://a", true),
            ("[::1]:1", "http://[::1]:1", true),
            ("a:1", "http://a:2", false),
            ("a:1", "http://a", false),
            ("a:1", "http://b:1", false),
            ("a:1", "https://a:1", false),
            ("a:1", "http://a:1/", false),
            ("a:1", "http://me@a:1", false),
            ("a:1", "null", false),
            ("a:1", "", false),
            ("a:1", "a:1", false),
            ("a:1", "http://", false),
        ] {
            for method in ["GET", "POST"] {
                let from = FetchMetadata { origin: Some(origin), ..FetchMetadata::default() };
                let expected = (!own).then_some(CrossOrigin::Origin(origin));
                assert_eq!(decide(method, host, from), expected, "{method} {host} {origin}");
            }
        }
        let from = FetchMetadata { origin: Some("http://a"), ..FetchMetadata::default() };
        assert_eq!(cross_origin(&Method::POST, None, from), Some(CrossOrigin::Origin("http://a")));
    }

    #[test]
    fn where_nothing_is_said_it_is_no_page() {
        for method in ["GET", "POST"] {
            assert_eq!(decide(method, "a", FetchMetadata::default()), None, "{method}");
        }
    }

    #[test]
    fn a_link_may_be_followed_from_anywhere_into_the_top_of_a_window() {
        for (method, mode, destination, passes) in [
            ("GET", "navigate", "document", true),
            ("HEAD", "navigate", "document", true),
            ("POST", "navigate", "document", false),
            ("GET", "navigate", "iframe", false),
            ("GET", "navigate", "", false),
            ("GET", "no-cors", "document", false),
            ("GET", "no-cors", "image", false),
        ] {
            let from = FetchMetadata {
                site: Some("cross-site"),
                mode: Some(mode),
                destination: Some(destination),
                origin: None,
            };
            let decided = decide(method, "a", from);
            assert_eq!(decided.is_none(), passes, "{method} {mode} {destination}");
        }
    }
}
