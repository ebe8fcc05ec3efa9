"""What our documents cannot say, for Schemathesis."""

import schemathesis
from hypothesis import strategies as st

# Plans that are quick and end well: a server error is then nobody's wish.
STEPS = ["none", " NONE ", "slow:1", "slow : 01", "slowreply:1", "hold:1", "SlowReply:0"]
schemathesis.openapi.format(
    "fault-plan",
    st.one_of(
        st.sampled_from(["", "  "]),
        st.lists(st.sampled_from(STEPS), min_size=1, max_size=16).map(",".join),
    ),
)


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
