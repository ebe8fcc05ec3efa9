"""What our documents cannot say, for Schemathesis."""

import itertools
import re

import schemathesis
from hypothesis import strategies as st

# Plans that are quick and end well: a server error is then nobody's wish.
STEPS = ["none", " NONE ", "slow:1", "slow : 01", "slowreply:1", "SlowReply:0"]


def plans(steps):
    several = st.lists(st.sampled_from(steps), min_size=1, max_size=16)
    return st.one_of(st.sampled_from(["", "  "]), several.map(",".join))


schemathesis.openapi.format("fault-plan", plans([*STEPS, "hold:1", "race:1"]))
# Of a change that is no reservation.
schemathesis.openapi.format("change-fault-plan", plans(STEPS))


@schemathesis.hook
def map_body(context, body):
    """JSON Schema calls 1.0 an integer. Our programs want it written as 1."""
    return whole(body)


@schemathesis.hook
def before_call(context, case, kwargs):
    """A limit that is shorter than an attempt is a wish for a timeout, which is a 504."""
    limit = case.body.get("attemptTimeoutMs") if isinstance(case.body, dict) else None
    if isinstance(limit, int) and not isinstance(limit, bool) and 1 <= limit < 5_000:
        case.body["attemptTimeoutMs"] = 5_000
    once(case.headers or {})
    if case.operation.path.endswith("/price") and case.method.upper() == "PUT":
        versioned(case)
    if case.operation.path == "/api/runs" and isinstance(case.body, dict):
        no_services_of_its_own(case.body)


def no_services_of_its_own(body):
    """One run that starts services is under way at a time, and a second one is refused with 503."""
    for name in ("experiment", "compare"):
        if body.get(name) in ("storm", "crash"):
            body[name] = "double"


TAGS = '((W/)?"[!#-~]*"( ?, ?(W/)?"[!#-~]*")*)?'


def versioned(case):
    """A version that the price does not have is a 412, and none where one is needed a 428,
    however valid the request is: so a valid If-Match names every version."""
    headers = case.headers
    named = [name for name in headers or {} if name.lower() == "if-match"]
    for name in named:
        if re.fullmatch(TAGS, str(headers[name])):
            headers[name] = "*"
    if not named and isinstance(case.body, dict) and case.body.get("versioned") is True:
        headers["If-Match"] = "*"


NUMBERS = itertools.count()


def once(headers):
    """A key that was used before is refused for what it was used for (410, 422), however
    valid the request is: so each valid key is used once."""
    for name, key in headers.items():
        if name.lower() == "idempotency-key" and re.fullmatch("[!#-~][!-~]{0,254}", str(key)):
            headers[name] = f"{key[:240]}-{next(NUMBERS)}"


def whole(value):
    if isinstance(value, dict):
        return {name: whole(member) for name, member in value.items()}
    if isinstance(value, list):
        return [whole(member) for member in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


@schemathesis.hook
def filter_path_parameters(context, path_parameters):
    """Where no answer is held to take an id from, Schemathesis replaces characters by
    U+FFFD, which the pattern of the id does not allow, and calls the result valid."""
    return not any("%EF%BF%BD" in str(value) for value in (path_parameters or {}).values())
