//! What may be answered to a request, and what must not.

use std::collections::BTreeSet;

use campuscafe_chaos::{After, Before, Fault};
use campuscafe_tests::{Answer, assert_problem, assert_problem_without_trace};
use serde_json::Value;

use super::dice::asked_for;
use super::document::Route;
use super::request::Request;

/// The largest head that the services read, in bytes.
const MAX_HEAD: usize = 16 * 1024;

/// What the fault language was asked for in a request.
#[derive(Default)]
struct Asked {
    statuses: BTreeSet<u16>,
    cut: bool,
}

impl Asked {
    fn by(request: &Request) -> Self {
        let mut asked = Self::default();
        for (_, plan) in request.query.iter().filter(|(name, _)| name == "chaos") {
            for fault in asked_for(&String::from_utf8_lossy(plan)) {
                asked.statuses.extend(failure(&fault));
                asked.cut |= cuts(&fault);
            }
        }
        // A plan in the body is for the attempts at another service: its 400 and
        // 409 are passed on, its other refusals are a 502, its silence is a 504.
        let body = request.body.as_deref().unwrap_or_default();
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        for fault in body["chaos"].as_str().map(asked_for).unwrap_or_default() {
            let passed_on = |status| if matches!(status, 400 | 409) { status } else { 502 };
            asked.statuses.extend(failure(&fault).map(passed_on));
            asked.statuses.extend(cuts(&fault).then_some(504));
        }
        asked
    }
}

fn failure(fault: &Fault) -> Option<u16> {
    match fault.before_commit() {
        Before::WaitThenFail(_, status) => Some(status),
        Before::Commit | Before::WaitThenCommit(_) | Before::Cut => None,
    }
}

fn cuts(fault: &Fault) -> bool {
    fault.before_commit() == Before::Cut || fault.after_commit() == After::Cut
}

/// What a request may be refused with before its path is looked at: for its
/// host, or for the page that it says it comes from.
fn refused_first(request: &Request) -> &'static [u16] {
    let times = |name: &str| request.headers.iter().filter(|(of, _)| of == name).count();
    if times("host") != 1 {
        &[400]
    } else if times("origin") + times("sec-fetch-site") > 0 {
        &[403]
    } else {
        &[]
    }
}

fn head_size(request: &Request) -> usize {
    let bytes = request.bytes();
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n");
    end.map_or(bytes.len(), |end| end + 4)
}

/// Fails unless the answer is one that the document lists, or that the fault
/// language was asked for, and every refusal a problem.
pub(super) fn judge(case: &str, route: &Route, request: &Request, answer: Option<&Answer>) {
    if head_size(request) > MAX_HEAD {
        // Refused before it is a request; the reset that follows may overtake the answer.
        assert!(answer.is_none_or(|answer| answer.status == 431), "{case}: {answer:?}");
        return;
    }
    let asked = Asked::by(request);
    let Some(answer) = answer else {
        assert!(asked.cut, "{case}: the connection ended without an answer");
        return;
    };
    let (status, body) = (answer.status, &answer.body);
    let method = if request.method == "HEAD" { "GET" } else { &request.method };
    if !asked.statuses.contains(&status) {
        assert!(status < 500, "{case}: nobody asked for a {status}: {body}");
        let listed = route.statuses.get(method);
        let expected = if !request.leads_to(route) {
            status == 404
        } else if let Some(listed) = listed {
            listed.contains(&status)
        } else {
            status == 405 && answer.headers.contains_key("allow")
        };
        let expected = expected || refused_first(request).contains(&status);
        assert!(expected, "{case}: {status} is not listed, {listed:?} are: {body}");
    }
    if status >= 400 && request.method != "HEAD" {
        if route.described {
            assert_problem(case, answer, status, "");
        } else {
            assert_problem_without_trace(case, answer, status, "");
        }
    }
}
