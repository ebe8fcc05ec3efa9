# Every sentence of the page, in English. The same messages stand in ja.ftl. A number and its unit are joined by a no-break space.

## The frame of every page

skip = Skip to the content
nav-lessons = Lessons
nav-api = API
language-switch = 日本語
wall-on = Wall
wall-off = Leave wall mode

## The first page

home-title = See why distribution is hard
home-lead = One customer places one order and gets two cakes. Predict what happens, run it, and see it drawn from the real spans of real processes.
home-begin = Begin with the two cakes
home-lessons = Lessons
home-cases = { $count ->
    [one] 1 case, drawn
   *[other] { $count } cases, drawn
}
home-table = told as a table
home-real = What is real here
home-real-body = Two services run on this machine or in your cluster. Each run sends real HTTP requests to them. Every picture is drawn from the OpenTelemetry spans of that run. Nothing is recorded beforehand: if a service has another limit, the picture changes, and the verdict says so.
home-runs = The last runs
home-no-runs = No experiment has been run since the lab started.

## Lessons

name-slow = Slow
name-cut = Cut
name-doubt = Doubt
name-double = Doubled
name-local = Local
name-jitter = Jitter
name-recover = Recover
name-reorder = Reordered
name-nature = Nature
name-policy = Policy

lesson-slow = Slow: one and the same timeout, three truths
lesson-cut = Cut: before or after the commit, one and the same error
lesson-doubt = Doubt: reserved, and only the inventory knows
lesson-double = Doubled: one customer, two cakes
lesson-local = A call over a network is no local call
lesson-jitter = Jitter: the same order twenty times
lesson-recover = It fails, then it works again
lesson-reorder = Reordered: sent in order, answered in another
lesson-nature = Reordering is nature, not a bug
lesson-policy = Timeout and retry are decisions

trial-slow-1 = The inventory takes 2 s. The order service gives up after 1 s and does not retry.
trial-slow-2 = The inventory takes 2 s, and then it refuses. The order service gives up after 1 s.
trial-slow-3 = The inventory reserves at once. Only its answer takes 2 s. The order service gives up after 1 s.
trial-cut-1 = The inventory cuts the connection before it commits. The order service retries only after a timeout, so it does not retry here.
trial-cut-2 = The inventory commits, and then it cuts the connection. No answer arrives.
trial-cut-3 = The inventory refuses. A refusal is an answer.
trial-doubt-1 = The inventory reserves at once and holds its answer. The order service waits for it, and you decide what becomes of it.
trial-double-1 = Both attempts are slow. The order service gives up after 1 s, sends the order once more, and gives up again.
trial-double-2 = Only the first attempt is slow. The order service gives up after 1 s and tries once more. The customer pressed the button once.
trial-local-1 = The same rule of the stock is asked 1,000 times in one process, and 1,000 times over HTTP.
trial-jitter-1 = The inventory takes between 0.2 s and 1.8 s, by chance. The order service waits for 1 s. Twenty identical orders are sent.
trial-recover-1 = The inventory answers, or fails, or cuts the connection, by chance. Nobody mends anything between two orders.
trial-reorder-1 = Eight pings are sent at once. Each of them takes another time.
trial-nature-1 = Twenty pings are sent at once, fifty times. Nobody delays any of them.
trial-policy-1 = Forty orders meet the same faults under each of four policies: a limit of 1 s or 3 s, with and without a retry.
trial-number = Case { $number }
request = The request
request-curl = The same with curl

## Predict

predict = Predict first
predict-knows = When attempt 1 ends, what can the order service know?
predict-knows-held = While the answer is held, what can the order service know?
predict-reservations = How many reservations will this order have after 3 s?
knows-reserved = it is reserved
knows-not-reserved = it is not reserved
knows-nothing = it cannot know
run = Run
run-again = Run it again
next-case = Next case
next-lesson = Next lesson
run-only = This lesson has no question yet. Run it and read the table.

## A run

running = The experiment is running.
running-hint = This page shows the picture as soon as the spans have arrived.
reload = Look again
run-failed = The run failed: { $reason }
lesson-gone = There is no such lesson.
run-gone = The lab does not know this run. It keeps the last { $most } runs since it started.
run-busy = The lab cannot begin another run now: { $reason }
held-question = The reservation is made, and the answer is held. What do you tell the customer?
held-release = Release the answer
held-cut = Cut the connection
held-wait = Wait until the order service gives up
picture = What happened
picture-text = The picture as text
no-picture = The spans of this run did not arrive, so there is no picture.
step = Step { $number } of { $all }
step-back = Back
step-next = Next
knows = Who knows what

ledger = Ledger
ledger-told = The customer was told
ledger-known = The customer knows of
ledger-made = The inventory made
ledger-gap = The difference
reservations = { $count ->
    [one] 1 reservation
   *[other] { $count } reservations
}
outcome-confirmed = confirmed
outcome-failed = failed
outcome-unknown = unknown
after = after { $seconds } s

## What did you see?

observe = What did you see?
observe-commit = When did the last commit of this order come?
commit-before = before the customer was told
commit-after = after the customer was told
commit-never = there was no commit
observe-send = Show the verdict

## The verdict

verdict = Verdict
verdict-shown = The evidence shows it.
verdict-incomplete = Spans are missing, so nobody can say.
verdict-not-shown = The expected effect did not happen.
verdict-question = Question
verdict-yours = You said
verdict-evidence = The evidence says
verdict-right = right
verdict-wrong = not so
verdict-none = no answer

why-slow-1 = The customer was told "{ $words }" after { $after } s. The inventory committed { $commit }. The order had not failed: its outcome was unknown.
why-slow-2 = The customer was told the same. In fact, nothing was reserved.
why-slow-3 = The customer was told the same. In fact, the cake was reserved before the order service gave up.
why-cut-1 = No answer came, so the outcome is unknown. In fact, nothing was reserved.
why-cut-2 = No answer came, so the outcome is unknown. In fact, the cake is reserved.
why-cut-3 = The inventory answered no. The order failed, and no cake is reserved.
why-doubt-1 = The cake was reserved before anybody decided. Only the answer could make it known.
why-double-1 = The customer got an error after { $after } s, and the outcome was unknown. The inventory made { $made } reservations, the last one { $commit }.
why-double-2 = The customer was told yes after { $after } s and knows of one cake. The inventory committed the first attempt { $commit }: one customer, two cakes.
commit-at = at { $seconds } s
commit-sometime = later

links = Look closer
link-jaeger = This trace in Jaeger
link-grafana = This minute in Grafana
link-json = This run as JSON
link-markdown = This run as text, for an assistant
table = What was measured
state-running = is running
state-failed = failed
state-shown = shown
state-incomplete = incomplete
state-not-shown = not shown

## The words of a picture

picture-title = One order as a space–time diagram: time runs down, messages run across
lane-customer = customer
lane-order = order service
lane-inventory = inventory
message-order = order
message-attempt = attempt { $number }
end-timeout = timeout
end-connection-lost = connection lost
end-connection-refused = connection refused
note-commit = commit: { $item } { $before } → { $after }
commit-is-late = late: nobody waited for it
commit-is-duplicate = the 2nd of this order
commit-is-both = late, the 2nd of this order
note-cut = cuts the connection
note-given-up = gives up attempt { $number }
note-unknown = reserved or not: unknown
note-nothing-sent = nothing was sent
note-caller-left = nobody waits any more
note-answer-dropped = the answer reaches nobody
of-attempt = attempt { $number }
fault-slow = waits, then commits
fault-fail = refuses
fault-slowfail = waits, then refuses
fault-abort = cuts before the commit
fault-lostreply = commits, then cuts
fault-slowreply = commits, then waits
fault-hold = commits, holds the answer
sign-waits = waits
sign-works = works, and the caller waits
sign-unheard = works, and nobody waits
sign-commit = commit
sign-late = late commit
sign-duplicate = 2nd commit of one order
sign-timeout = gives up
sign-lost = did not arrive
left-out = and { $count } more that are not drawn

## Who knows what

know-nothing-yet = nothing yet
know-asked = sent one order
know-waits = waits; cannot know yet whether anything is reserved
know-told = was told: { $outcome }
know-is-reserved = knows of a reservation
know-is-not-reserved = knows that nothing is reserved
know-cannot = cannot know whether anything is reserved
know-attempt-waits = attempt { $number }: waits for the answer
know-attempt-reserved = attempt { $number }: answered { $status }, so it is reserved
know-attempt-refused = attempt { $number }: answered { $status }, so it is not reserved
know-attempt-not-sent = attempt { $number }: nothing was sent, so it is not reserved
know-attempt-unknown = attempt { $number }: no answer ({ $reason }), so it cannot know
know-exactly = reservations: certainly { $count }
know-between = reservations: { $certain } to { $possible }
know-works = attempt { $number }: works on it
know-not-committed = attempt { $number }: nothing is committed
know-committed = attempt { $number }: committed
know-committed-again = attempt { $number }: committed, the 2nd of this order
know-caller-left = attempt { $number }: the caller has left
know-answer-sent = attempt { $number }: answered; cannot know whether anybody heard it
know-answer-cut = attempt { $number }: the connection is cut, and no answer left
know-nobody-left = attempt { $number }: nobody was left to answer

## Free play

name-free = Free play
lesson-free = Free play: write an order of your own
trial-free-1 = Choose what the inventory does with each attempt, and whether the order service tries again.
why-free-1 = The order was answered after { $after } s. The inventory made { $made } reservations, the last one { $commit }.
free-item = item
free-quantity = pieces
free-first = attempt 1 meets
free-second = attempt 2 meets
free-retry = try again after a timeout
free-limit = limit of each attempt in ms (empty: that of the service)
free-faults = The faults
free-no-limit = "{ $limit }" is no limit; expected a whole number of milliseconds.
fault-none = nothing
fault-flaky = answers, fails or cuts, by chance
fault-jitter = waits 0.2 s to 1.8 s by chance, then commits

## Worlds that one party cannot tell apart

worlds-title = { $count ->
    [3] Three worlds, one view
   *[other] Two worlds, one view
}
worlds-lead = The whole experiment runs, one order after the other. Then the runs { $faults } are compared by what the order service sent, received and did.
worlds-predict = Predict first: by which event can the order service tell these runs apart?
worlds-saw = What the order service sent, received and did
worlds-same = The order service cannot tell them apart (asserted: { $runs } runs, the same { $events } events).
worlds-times = Times were left out of the comparison; they are in the table.
worlds-differ = The order service can tell them apart by event { $number }.
worlds-lost = Nobody can say whether the order service can tell them apart. Spans of the order service are missing or wrong in: { $faults }.
worlds-each = Each run by itself
event-order = received the order
event-attempt = sent attempt { $number }
event-answer = received { $status } for attempt { $number }
event-no-answer = no answer to attempt { $number }: { $reason }
event-told = told the customer: { $outcome }
event-none = nothing more

## The spans of an order

spans = Spans and their attributes
span-name = span
span-start = start
span-when = when
span-duration = duration
spans-left-out = { $count } more spans are not shown.
