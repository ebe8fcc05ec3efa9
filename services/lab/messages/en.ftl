# Every sentence of the page, in English. The same messages stand in ja.ftl. A number and its unit are joined by a no-break space.

## The frame of every page

skip = Skip to the content
nav-lessons = Lessons
nav-api = API
menu-slow = A call is slow
menu-cut = A connection is cut
menu-reorder = Answers change their order
menu-double = Work is done twice
menu-more = More pains, each with its cure
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
home-storm = both lanes at once, drawn second by second; takes a minute
home-real = What is real here
home-real-body = Two services run on this machine or in your cluster. Each run sends real HTTP requests to them. Every picture is drawn from the OpenTelemetry spans of that run. Nothing is recorded beforehand: if a service has another limit, the picture changes, and the verdict says so.
home-runs = The last runs
home-no-runs = No experiment has been run from these pages since the lab started.

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
name-idempotent = Idempotent

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
lesson-idempotent = Idempotent: one key, one cake

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
trial-recover-1 = The inventory answers, fails, or is slow, by chance. Nobody mends anything between two orders.
trial-reorder-1 = Eight pings are sent at once. Each of them takes another time.
trial-nature-1 = Twenty pings are sent at once, fifty times. Nobody delays any of them.
trial-policy-1 = Forty orders meet the same faults under each of four policies: a limit of 1 s or 3 s, with and without a retry.
trial-idempotent-1 = Only the first attempt is slow, and the order service tries once more. Both attempts carry the same idempotency key.
trial-idempotent-2 = The inventory commits, and then it cuts the connection. The attempt carried an idempotency key, so the order service can ask what was decided under it.
trial-number = Case { $number }
request = The request
request-curl = The same with curl
request-powershell = The same in PowerShell

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

## A run

running = The experiment is running.
running-hint = The picture grows as spans arrive. A service sends a span when its work ends, so the work of an attempt that is not over cannot be seen yet.
running-sent = The order is sent. The customer waits for the answer.
running-answered = The customer has the answer. The lab waits for the last spans.
running-done = The picture is complete.
so-far-name = What has happened so far
so-far = The order is not over. An open bar has not ended, as far as the spans tell.
so-far-told = The customer has the answer. Work may still go on where a bar is open.
so-far-held = The reservation is committed, and the reply is held.
sign-open = not ended yet, as far as the spans tell
know-still-waits = still waiting: no answer yet
know-no-span = no span of its work has arrived yet
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
gloss-confirmed = The order service has an answer: it is reserved.
gloss-failed = Nothing is reserved, and that is certain.
gloss-unknown = No answer came. Nobody knows whether anything is reserved.
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
message-question = ask state
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
note-replayed = replayed: takes nothing
note-void = void: too late, takes nothing
note-settled = asked under the key: { $outcome }
of-attempt = attempt { $number }
fault-slow = waits, then commits
fault-fail = refuses
fault-slowfail = waits, then refuses
fault-abort = cuts before the commit
fault-lostreply = commits, then cuts
fault-slowreply = commits, then waits
fault-hold = commits, then holds the answer
fault-race = reads, waits, writes back
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
know-replayed = attempt { $number }: replayed what was decided under the key, took nothing
know-void = attempt { $number }: the key was void, took nothing
know-question = asked what became of the order
know-settled = asked the inventory under the key: { $outcome }
know-caller-left = attempt { $number }: the caller has left
know-answer-sent = attempt { $number }: answered; cannot know whether anybody heard it
know-answer-cut = attempt { $number }: the connection is cut, and no answer left
know-nobody-left = attempt { $number }: nobody was left to answer

## Free play

name-free = Free play
lesson-free = Free play: write an order of your own
trial-free-1 = Choose what the inventory does with each attempt, and whether the order service tries again.
free-item = item
free-quantity = pieces
free-first = attempt 1 meets
free-second = attempt 2 meets
free-retry = try again after a timeout
free-limit = limit of each attempt in ms (empty: that of the service)
free-command = Show the command
free-faults = The faults
free-no-limit = "{ $limit }" is no limit; expected a whole number of milliseconds.
fault-none = nothing
fault-flaky = answers, fails or is slow, by chance
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
worlds-picture = Several runs of one order in one picture: the customer and the order service stand in it once, the inventory once for each run
worlds-overlaid = What the customer and the order service did is the same in all runs, so it is drawn once. Only the column of the inventory differs. Times are left out; they are in the table.
worlds-times = Times were left out of the comparison; they are in the table.
worlds-differ = The order service can tell them apart by event { $number }.
worlds-lost = It is not known whether the order service can tell them apart: spans of the order service are missing or wrong (chaos { $faults }).
worlds-each = Each run by itself
event-order = got the order
event-attempt = sent attempt { $number }
event-answer = got the answer { $status } to attempt { $number }
event-no-answer = attempt { $number } ended without an answer: { $reason }
event-told = told the customer: { $outcome }
event-question = was asked what became of the order
event-none = nothing more

## The spans of an order

spans = Spans, log lines and attributes
span-name = span
span-start = start
span-when = when
span-duration = duration
spans-left-out = { $count } more spans are not shown.
logs = Log lines
logs-none = No log line of these spans has arrived at the lab, for example because the services export none.
logs-left-out = { $count } more log lines of this trace are not shown.

## What a trial came to

two-sentences = { $first } { $second }
comma = {", "}
semicolon = {"; "}
arrow = {" -> "}
customers = { $count ->
    [one] 1 customer
   *[other] { $count } customers
}
commit-at = at { $time }
commit-sometime = later
instead = The expected effect did not happen: { $seen }
by-chance = It can happen by chance: try another --seed.

why-slow-1 = The customer was told "{ $words }" after { $after }. The inventory committed the reservation { $commit }. The order had not failed: its outcome was unknown.
why-slow-2 = The customer was told the same. In fact, nothing was reserved.
why-slow-3 = The customer was told the same. In fact, the cake was reserved before the order service gave up.
why-cut-1 = No answer came, so the outcome is unknown. In fact, nothing was reserved.
why-cut-2 = No answer came, so the outcome is unknown. In fact, the cake is reserved.
why-cut-3 = The inventory answered no. The order failed, and no cake is reserved.
why-doubt-1 = The cake was reserved before anybody decided. { $then } Whatever becomes of the answer, the reservation is there; only the answer makes it known.
doubt-released = The answer arrived, so the customer was told yes after { $after }.
doubt-was-cut = The connection was cut, so the customer was told "{ $words }" after { $after }: unknown.
doubt-waited = No answer came, so the customer was told "{ $words }" after { $after }: unknown.
why-double-1 = The customer got an error ("{ $words }") after { $after }; the outcome was unknown. The inventory made 2 reservations, the last one { $commit }.
why-double-2 = The customer was told yes after { $after } and knows of 1 cake. The inventory committed the first attempt { $commit }: one customer, two cakes.
why-double-reordered = Attempt 2 committed before attempt 1: the retry also changed the order.
why-local-1 = The median call over the network took { $times } times as long as the median local call, and the slowest took { $slowest }. { $failures } of { $calls } failed. A local call cannot be lost on its way.
why-jitter-1 = Of { $orders } identical orders, { $confirmed } were confirmed and { $late } timed out. The fastest answer came after { $shortest }, the slowest after { $longest }. The inventory reserved { $made } times. A limit does not divide good orders from bad ones: it divides by chance.
why-recover-1 = Of { $orders } orders, { $confirmed } were confirmed, { $failed } failed, and the outcome of { $unknown } is unknown. A failure says nothing about the next order.
why-reorder-1 = Of { $pairs } pairs of pings, { $inversions } were answered in a different order. Answers may arrive in a different order from the requests.
why-nature-1 = In { $reordered } of { $rounds } rounds, replies overtook others, although no ping had a delay: { $overtook } of { $pairs } pairs. This is no bug: the pings run in parallel, and nothing keeps parallel work in order. If the order matters, number the messages.
why-policy-1 = With 1 s and no retry, { $short } of { $orders } confirmed. A retry confirms more ({ $retried } of { $orders } confirmed), but the inventory reserved twice for { $doubled } orders. A limit of 3 s leaves { $long } orders unknown in place of { $unknown }, but 1 customer of 20 waits for { $p95 } or longer. No policy is right: decide which price you pay.
why-storm-1 = As many customers came after the storm as before it. In the naive lane { $before } customers a second were served before the storm, and { $naive } in the last 10 s. Each customer cost { $attempts } attempts. So the queue took { $wait }, and each attempt gave up after 1 s. The inventory worked { $late } requests whose callers had left. In the cured lane { $cured } customers a second were served in the last 10 s. It sent { $retries } retries and refused { $refused } more, so its queue became short again. The cause was gone in both lanes. In the naive lane the retries took its place. This is called a metastable failure.
why-idempotent-1 = The customer was told yes after { $after }. Both attempts came to the commit, one took a cake ({ $commit }), and the other one got the recorded answer and took nothing: one customer, one cake.
why-idempotent-2 = The answer was lost, so the customer was told 202 after { $after }: unknown, and not failed. The order service asked the inventory under the key. { $later } after the order the customer knew: confirmed, one cake.
why-compare-cut = The customer got an error ("{ $words }") after { $after } and ordered again. The second order is a new order to the services: { $later } after the first the customer was told yes, and knows of 1 cake. The inventory holds 2.
why-kill-1 = { $customers } were told yes, but the inventory still knows only { $known }. The deleted pod had confirmed { $lost } of them, and its data is lost.
why-kill-kept = { $customers } were told yes, and the inventory still knows all of their reservations. The deleted pod had confirmed { $kept } of them. They are in the database, which outlived the pod.
why-kill-between = { $count ->
    [one] 1 of them was
   *[other] { $count } of them were
} between commit and reply when Kubernetes told the pod to end.
why-rollout-1 = { $customers } ordered while every order pod was replaced. Each was told yes, and the inventory made exactly { $made } reservations. Old pods finished { $between } of these orders while new pods served others.
why-free-1 = The order was { $outcome } after { $after }. The inventory made { $made }, the last one { $commit }.
why-free-none = The order was { $outcome } after { $after }. The inventory made { $made }.

seen-no-stock = the stock ran out, because others took from it meanwhile. Run this again.
seen-order = the order was { $outcome } after { $after }, its attempts ended { $results }, and the inventory made { $made }{ $hint ->
    [limit] ; nothing timed out: is --attempt-timeout of the order service 2 s or more?
    [in-time] ; nothing timed out.
   *[none] .
}
result-ok = ok
result-rejected = rejected
result-timeout = timeout
result-connection_lost = connection_lost
result-refused = refused
seen-reorder = { $answered } of { $pings } pings were answered, with { $inversions } inversions. Answers can arrive in order by chance: try another --seed.
seen-nature = in all { $rounds } rounds the answers came in the order of sending. On an idle machine this can be so: run it again, or while the machine works.
seen-policy = Not every policy was tried.
seen-storm = Before the storm { $before } customers a second were served. In the naive lane { $naive } were served in the last 10 s; the promise is less than half. In the cured lane { $later } were served from 10 s after the storm on, and { $cured } in the last 10 s; the promise is at least 95 %. There were { $attempts } naive attempts for each customer, { $late } late commits, a queue of { $wait }, and { $retries } cured retries ({ $refused } refused).
seen-no-calm = Before the storm { $before } of { $rate } customers a second were served, and the naive queue took { $wait } in the end. This machine is too busy to tell a storm from its own slowness.
seen-old-pods = old { $service } pods still served, or no pod served any more. Was the command run in the right cluster?
seen-pods = every { $service } pod was replaced. Of { $customers }, { $yes } were told yes, { $silent } do not know the outcome of their order, and the inventory made { $made }.

incomplete = Evidence incomplete: { $flaws }.
incomplete-and-more = Evidence incomplete: { $flaws }; and { $more } more.
flaw-missing = { $part } is missing
flaw-ambiguous = more than one span could be { $part }
flaw-contradictory = { $part } contradicts the answer
flaw-customers = spans of { $lost } of { $all } are missing
flaw-orders = the spans of { $count } orders could not be read
part-order = the order service's span of the order
part-attempt = the order service's span of attempt { $number }
part-server-attempt = the inventory's span of attempt { $number }
part-fault = the span of the fault in attempt { $number }
part-commit = the commit of attempt { $number }
part-pings = the order service's span of the pings
part-ping = the span of ping { $number }

side-by-side = Side by side
row-client-saw = the client saw
row-outcome = the order's outcome
row-told = the customer was told
row-made = the inventory made
row-committed = it committed
told-after = { $status } after { $after }
committed-never = never
client-saw-refusal = rejected ({ $status })
client-saw-nothing = nothing
policy-short = 1 s, no retry
policy-short-retry = 1 s, retry
policy-long = 3 s, no retry
policy-long-retry = 3 s, retry
identical-orders = identical orders
flaky-orders = flaky orders

## The lessons on the command line

title-local = the same rule as a local call and over the network
title-slow = one and the same timeout, three truths
title-jitter = the same order twenty times: some in time, some not
title-cut = cut before or after the commit: one and the same error
title-doubt = reserved, and only the inventory knows: what do you say?
title-recover = it fails, then it works again, and nobody mended it
title-reorder = sent in one order, answered in another
title-nature = nobody delays a ping, and still some replies overtake
title-double = one customer, two cakes
title-policy = the same forty faults under four policies
title-storm = after an overload, naive retries keep the inventory slow; a retry budget ends it
title-idempotent = one key, one cake: a retry that is safe, and an unknown that ends
title-kill = what a deleted pod told its customers is kept, or lost (on a cluster)
title-rollout = every order pod is replaced, and no customer notices (on a cluster)
title-free = an order of your own

caption-local-1 = A thousand reservations in this process, and a thousand through both services.
caption-slow-1 = The inventory takes 2 s. The order service gives up after 1 s and does not retry.
caption-slow-2 = The inventory takes 2 s, and then it refuses.
caption-slow-3 = The inventory reserves at once. Only its answer takes 2 s.
caption-jitter-1 = Twenty identical orders. The inventory takes between 0.2 s and 1.8 s for each.
caption-cut-1 = The connection is cut before the commit. The order service retries only after a timeout, so it does not retry here.
caption-cut-2 = The connection is cut after the commit, before the reply.
caption-cut-3 = The inventory refuses. A refusal is an answer, so the outcome is certain.
caption-doubt-1 = The inventory reserves at once and holds its answer. The order service waits.
caption-recover-1 = Twelve orders. The inventory fails in 35 % of them and is slow in 35 %.
caption-reorder-1 = Eight pings are sent at the same moment. Each has its own delay.
caption-nature-1 = Fifty rounds of twenty pings at once, without any delay. Is reordering a bug?
caption-double-1 = Both attempts are slow, so the order service gives up twice.
caption-double-2 = Only the first attempt is slow. The retry succeeds at once.
caption-policy-1 = Each policy meets the same 40 faults: half are none, the others are slow, fail, or lose the reply.
caption-storm-1 = Customers come at a rate that the inventory can serve. For 3 s three times as many come on top of them. Who gets no cake presses again, up to 5 times. This happens in both lanes at the same time, each on services of its own; customers of the cured lane send the same key with each press.
caption-idempotent-1 = Only the first attempt is slow. Both attempts carry the same idempotency key.
caption-idempotent-2 = The answer is lost after the commit. The order service asks what was decided under the key.
caption-compare-cut = The answer is lost after the commit. There is no key to ask under, so the customer orders again.
caption-kill-1 = Customers order while the pod of the inventory is deleted.
caption-rollout-1 = Customers order while all pods of the order service are replaced.
caption-free-1 = You chose the order and its faults.

look-jaeger-local = each call over the network has four spans; the rule itself is the shortest part
look-grafana-local = order_outcomes_total{"{"}outcome="confirmed"{"}"} rises by a thousand
look-jaeger-slow = the inventory's span is longer than the attempt above it. Look for the commit: it is at its end, at its beginning, or not there
look-grafana-slow = order_outcomes_total{"{"}outcome="unknown"{"}"} jumps three times, inventory_reservations_total twice, inventory_late_commits_total once
look-jaeger-jitter = search for the tag of this run: the orders are the same, their lengths are not
look-grafana-jitter = the histogram of the inventory is wide; order_outcomes_total counts confirmed and unknown orders
look-jaeger-cut = both cut attempts end with error.type=connection_lost, but only one of them has a commit
look-grafana-cut = order_attempts_total{"{"}result="connection_lost"{"}"} jumps for both cuts, inventory_fault_reservations_total only for lostreply
look-jaeger-doubt = the span "chaos hold" is the time between the commit and its end by your word
look-grafana-doubt = inventory_fault_reservations_total{"{"}fault="hold"{"}"} jumps at once, order_outcomes_total only at the end
look-jaeger-recover = some orders end with an error, the next one is confirmed
look-grafana-recover = order_outcomes_total counts all three outcomes
look-jaeger-reorder = eight pings begin together; their numbers are not in the order in which they end
look-grafana-reorder = order_reordered_replies_total jumps by the replies that arrived before the reply to an earlier ping
look-jaeger-nature = the pings of a round begin together and last about a millisecond each
look-grafana-nature = order_reordered_replies_total rises without any fault
look-jaeger-double = two attempts side by side under one order, each with a commit; the second has http.request.resend_count=1
look-grafana-double = inventory_duplicate_reservations_total jumps. There are more reservations than confirmed orders
look-jaeger-policy = campuscafe.order.attempt_timeout_ms tells the policy of an order
look-grafana-policy = order_retries_total and inventory_duplicate_reservations_total jump
look-jaeger-storm = a slow attempt has a long span named queue
look-grafana-storm = the row Retries: attempts for each order stay high, and so does the queue
look-jaeger-idempotent = two attempts under one order, and one commit; the late one has campuscafe.idempotency.replayed=true
look-grafana-idempotent = inventory_idempotent_replays_total jumps once, inventory_reservations_total once for each order
look-jaeger-kill = the tag service.instance.id names the pod; search for inventory with the old name
look-grafana-kill = inventory_reservations_total falls to 0, order_outcomes_total goes on, and the panel for restarts counts one
look-jaeger-rollout = the orders of old pods and of new pods are all complete; the tag service.instance.id names the pod
look-grafana-rollout = each pod has its own counters: the lines of old pods end, and new ones begin at 0

## The command line

cli-experiment = EXPERIMENT { $name }: { $title }
cli-summary = Summary
cli-farewell = The services of this run have stopped. To keep services and traces, start the café in another terminal (`campuscafe`, or `cargo run --release`), and run this again.
cli-open-cafe = The orders go to the open café at { $url }
cli-open-cafe-own = (--own starts other services).
cli-own-services = This run starts services of its own and stops them at its end.
asked-order = chaos "{ $chaos }", no retry
asked-retry = chaos "{ $chaos }", retryOnTimeout
asked-idempotent = { $asked }, idempotent
asked-pings = { $count } pings, seed { $seed }
asked-rounds = { $rounds } rounds of { $count } pings, no delays
asked-calls = { $calls } calls each, one after the other
asked-storm = { $rate } customers a second; the inventory serves { $capacity } a second; takes { $seconds } s
asked-series = seed { $seed }, { $most ->
    [one] one after the other
   *[other] at most { $most } under way
}
asked-pods = chaos "{ $chaos }", no retry; first, finding the { $service } pods
word-incomplete = { $word }, evidence incomplete

held-facts =
    The reservation is made, and the answer is held (GET /inventory/holds):
      { $request }
      { $item } x{ $quantity }, reservation { $reservation }
    The customer waits. The order service waits too, for { $limit } at most.
    Neither knows anything yet.
held-ask =
    What would you tell the customer now? Decide what becomes of the answer:
      release   it arrives
      cut       its connection breaks
      wait      nothing happens, until the order service gives up
    Type one of these words, then Enter:
held-expected = Expected release, cut or wait:
held-releases = The lab now releases the answer (--answer release).
held-cuts = The lab now cuts the connection (--answer cut).
held-undecided = The order service gave up before you decided.
held-waits = The lab now waits for the order service (--answer wait).

look = Look closer
look-jaeger = Jaeger: { $what }
look-jaeger-search = Jaeger: in the search, the service order and the tag { $tag }={ $run } find every trace of this run
look-grafana = Grafana: { $what }
look-trace = Trace { $id }
look-dashboard = Dashboard at this minute
look-no-jaeger = Jaeger does not answer at { $url }
look-no-trace = Jaeger at { $url } did not get this trace within { $limit }
look-no-grafana = Grafana does not answer at { $url }

drawn-order-service = order
drawn-given-up = order gives up attempt { $number }
drawn-cut = cuts connection of attempt { $number }
drawn-caller-left = nobody waits for attempt { $number }
drawn-dropped = answer { $number } reaches nobody
drawn-replayed = REPLAYED { $number }: takes nothing
drawn-void = VOID { $number }: too late, takes nothing
drawn-settled = asked under the key: { $outcome }
drawn-fault = { $fault }: { $does }
drawn-commit = COMMIT { $item } { $before } -> { $after }
drawn-again = { $commit }, AGAIN
drawn-late = { $commit }, LATE
drawn-no-connection = no connection
drawn-failed = failed
drawn-legend = # working   . working, nobody waits   * commit   x cut or given up
drawn-incomplete = Some spans are missing or wrong, so the picture is incomplete.
drawn-no-traces = The services record no traces (OTEL_SDK_DISABLED?).
drawn-no-source = There is no source of spans (--lab-url or --jaeger-url).
drawn-no-root = The root span did not arrive in time, so there is no picture.
only-ledger = The verdict uses only the ledger.

row-is = the outcome is
row-then = then the customer
row-is-then = the outcome is now
row-history = states of the order
row-knows = the customer knows of
row-others = others took
row-gap = the gap
cell-told = { $status } "{ $words }"
cell-is = { $outcome }, after { $after }
cell-again = ordered the same again
cell-asked-state = asked GET /orders/{"{"}orderId{"}"}
cell-history = { $states }
order-placing = placing
order-cancelling = cancelling
order-cancelled = cancelled
cell-made = { $made }, { $item } left { $before } -> { $after }
cell-made-in-total = { $made } in total, { $item } left { $before } -> { $after }
cell-others = { $pieces } meanwhile; the counters below count theirs too
gap-none = none: the customer knows what the inventory holds
gap-unheard = none, but the customer does not know that
gap-more = { $made } that no customer knows of
gap-false = the customer was told of a reservation that does not exist
stock-other-item = The inventory does not know cake, so this orders { $item }.
stock-delivered = { $quantity ->
    [one] Delivered { $quantity } { $item }: the stock was { $before }.
   *[other] Delivered { $quantity } { $item }s: the stock was { $before }.
}
stock-surplus = Ordered { $pieces } of { $item } before the script begins, so that exactly { $left } are left.
stock-delivered-pieces = Delivered { $quantity } pieces: the stock was { $before }.
counters = Counters that jumped
gloss-order-failed = (the API's words for an order without an answer, or refused)
gloss-retry-failed = (the API's words when the retry brought no confirmation either)
gloss-first-try = (the API's words for an order that was confirmed at once)
gloss-after-retry = (the API's words for an order that was confirmed by the retry)

pings-sent = sent
pings-delay = delay in ms
pings-answered = answered
pings-inversions = inversions
pings-arrived = arrived
rounds-pairs = pairs in another order
rounds = rounds
bin-none = none
bin-range = { $from } to { $to }
bin-more = { $from } or more
calls-local = local call
calls-remote = over the network
calls-failures = failures
bars-order = order
bars-legend = = the customer waits   x given up   - nobody waits   * late commit
bars-made-0 = not reserved
bars-made-1 = reserved
bars-made-2 = reserved twice
col-policy = policy
storm-chart = goodput: customers a second who were told that their cake is reserved
storm-mark = the storm
storm-naive = naive
storm-cured = cured
storm-goodput = goodput
storm-work = work
storm-never = never
storm-after = { $seconds } s
col-before = before
col-storm = storm
col-later = 10 s later
col-end = at the end
col-back = back after
col-attempts = att./cust.
col-retries = retries
col-refused = refused
col-late = late
col-queue = queue, max
col-doubled = doubled
col-calls = calls
col-reserved = reserved
saw = What the order service saw
worlds-differ-each = { $each }.
## Both lanes

compare-heading = COMPARE { $name }: { $title }
title-compare-double = a retry doubles the order, and with a key it does not
title-compare-cut = the answer is lost: order again, or ask what was decided?
compare-title = Both lanes: { $title }
compare-lead = The same script runs twice with the same seed: first naive, then cured. Both pictures then stand on one time axis.
compare-predict = Predict first: how many reservations does each lane leave, and how many does the customer know of?
compare-predict-storm = Predict first: the storm lasts 3 s. How many customers a second does each lane serve in the last 10 s?
compare-link = Both lanes
compare-each = Each lane by itself
catalogue-compare = See it cured: both lanes beside each other
keys = What was decided under the keys
keys-then = As the inventory told it when the script was over. A key that is decided is never decided again.
keys-none = No call of this script carried an idempotency key.
keys-now = As the inventory tells it now. A key that is decided is never decided again.
key-key = key
key-state = state
key-age = age
key-holds = holds
key-reserved = reserved
key-refused = refused: the stock was too low
key-cancelled = cancelled
key-void = void: nothing can be reserved under it
key-seconds = { $seconds } s
key-reservation = { $item } x{ $quantity }
key-nothing = nothing
key-line = { $state }, { $age } old, holds { $holds }
compare-naive = naive
compare-cured = cured
compare-told = the customer knows of
compare-made = the inventory made
compare-gap = the gap
compare-count = { $count }
compare-shown-gap = One script, two lanes. Naive leaves a gap of { $naive }, cured leaves { $cured }.
compare-shown = One script, two lanes. Naive shows the pain, and cured does not.
compare-no-pain = The naive lane did not show the pain, so nothing was there to cure.
compare-no-cure = The cured lane did not keep its promise.
compare-incomplete = Spans are missing, and without them nobody can say.

pods-command =
    Five customers order each second. These pods serve them:
      { $pods }
    Now run this command in another terminal. The experiment ends
    when new pods serve all customers:
pods-pod = { $service } pod
pods-told = told
pods-customers = customers
pods-from = from
pods-to = to
pods-unknown = unknown: spans are missing
pods-none = none
pods-last = Customer { $number }, the last of an old { $service } pod
pods-yes = customers told yes
pods-no = failed or unknown
pods-knows = the inventory still knows
pods-gap-none = none
pods-gap-fewer = { $made } fewer than customers know of

## The lab and the load on the command line

up-open = CampusCafe is open. Look at { $lab } in a browser.
up-order = takes orders; gives up after a timeout
up-inventory = keeps the stock; can be made slow
up-lab = keeps the traces of both
up-try = Try, in another terminal:
up-step-1 = Order a cake; the inventory is slow once:
up-step-2 = Two seconds later, look at the stock: one order took two cakes.
up-step-3 = See how this happened:
up-stop = Ctrl-C stops everything.

load-title = LOAD { $rate } orders/s for { $seconds } s: { $mix }; { $retry }; seed { $seed }
load-retry = retry on timeout
load-no-retry = no retry
load-retry-keyed = retry on timeout, with idempotency keys
load-no-retry-keyed = no retry, with idempotency keys
load-settling = waiting for { $count } orders that are unknown and being settled, for at most { $limit } s; Ctrl-C ends it
load-settled = Of the orders that were unknown at first, { $confirmed } are confirmed now, { $failed } failed, and { $unknown } are still unknown.
load-answered = answered
load-answered-cell = { $count }, that is { $rate } a second
load-not-sent = not sent
load-all-sent = 0: every order was sent on time
load-some-not-sent = { $count }: at most { $most } may be under way (--max-in-flight)
load-under-way = under way
load-under-way-cell = { $count } at the end
load-orders = orders
load-share = share
load-shed = shed
load-no-answer = no answer
load-times = Times start when an order was due, so time in a queue counts.
load-made = reservations made
load-gap = { $count } reservations that no customer knows of
load-late = after the caller left
load-duplicates = duplicates
load-no-delivery = No delivery was necessary: the stock was large enough.
load-delivered = The load delivered { $pieces } pieces, so that the stock did not run out.
load-delivery-failed = A delivery failed, so the stock may have run out: { $reason }
load-unsettled = Some work was not finished at the end, so there may be more reservations by now.
load-not-asked = the services could not be asked: { $reason }
load-spans = Spans
load-no-spans = the services do not count their spans
load-exported = exported { $exported }, lost { $lost }
load-exported-some = exported { $exported }, lost { $lost }: { $reasons }; their traces are incomplete
load-in-flight = in flight
load-gap-now = gap
load-gap-unknown = ? (the services do not answer)
load-waiting = waiting for { $count } orders that are under way, for at most { $limit } s; Ctrl-C ends it

## Questions of the lessons that are told as a table

ask-local = How many times as long as the median local call will the median call over the network take?
ratio-below-10 = less than 10 times
ratio-below-1000 = 10 to 1,000 times
ratio-above = more than 1,000 times
ask-jitter = How many of the 20 identical orders will the order service confirm?
orders-none = none of them
orders-some = some of them
orders-all = all of them
ask-recover = After the first order that is not confirmed, what will the inventory do with the orders that follow?
later-confirmed = it will reserve again for at least one of them
later-never = it will reserve for none of them
ask-reorder = In which order will the order service receive the eight answers?
answers-sent = in the order of sending
answers-other = in a different order
ask-nature = In how many of the 50 rounds will one answer overtake another?
rounds-none = in none
rounds-some = in some
rounds-all = in all
ask-policy = The limit is 1 s. What will one retry change?
retry-better = more orders are confirmed, and no order is reserved twice
retry-price = more orders are confirmed, and some orders are reserved twice
retry-same = no more orders are confirmed
no-such-answer = "{ $answer }" is not one of the answers.

## The catalogue of the pains

name-catalogue = Catalogue
catalogue-title = Catalogue of the four pains
catalogue-lead = Each pain has a symptom, a trap and a first remedy. Run each one here, and check the symptom and the trap in the spans.
catalogue-symptom = Symptom
catalogue-trap = Trap
catalogue-remedy = First remedy
catalogue-run = Run it
catalogue-last = Last run at
catalogue-lessons = Predict it first, in the lessons:
pain-slow = Slow: latency and jitter
symptom-slow = Calls take long, and their latency varies. Now and then a call times out.
trap-slow = The order service gives up and sends the request again. The inventory still works on the first one, so both are carried out.
remedy-slow = Decide timeouts and retries before you write code. Write them into the specification, with the price of each choice.
pain-cut = Cut: a lost connection, or a 503
symptom-cut = Calls fail now and then, and later they work again.
trap-cut = A lost connection looks like a failure. The inventory may have committed before the connection was lost.
remedy-cut = Treat "unknown" as an outcome of its own. Plan how both services find out later what happened, and how they agree.
pain-reorder = Reordered: not in the order of sending
symptom-reorder = Updates and notifications arrive in a different order from the one in which they were sent.
trap-reorder = An old update overwrites a newer one. A customer reads "your order is ready" before "your order was accepted".
remedy-reorder = Find out where the order matters. There, number the versions, or accept only valid state transitions.
pain-double = Doubled: the same work twice
symptom-double = One request is carried out twice.
trap-double = The customer is charged twice, or two cakes are reserved. The stock shrinks, and no customer knows why.
remedy-double = Expect the same request more than once wherever something is created, paid or reserved. Give each request an idempotency key.

## The quiz

name-quiz = Quiz
quiz-title = Quiz
quiz-lead = Answer a question, then press run. The lab sends real requests, and the spans of that run show whether you are right.
quiz-run = Answer, and run
quiz-proven-by = The run is that of the lesson
quiz-shown = Your answer and this run
quiz-picture = See what this run showed
quiz-next = Next question
quiz-timeout = The order service gives up because no answer came within its limit. What does it know about the reservation?
timeout-failed = it was not made
timeout-reserved = it was made
timeout-unknown = neither: the outcome is unknown
proof-timeout = In this run, { $orders ->
    [one] 1 order
   *[other] { $orders } orders
} ended with a timeout. The inventory reserved for { $reserved } of them, and not for { $rest }.
because-timeout = The order service saw the same in each of them. A timeout says that no answer came, and nothing else.
unproven-timeout = No order of this run ended with a timeout, so the run cannot answer the question. Does the order service wait for 2 s or longer?
quiz-retry = An order is a POST. The order service sends it again after a timeout. What will the inventory probably do?
resent-once = it reserves once: the second request replaces the first
resent-twice = it reserves twice
resent-refused = it refuses the second request, and reserves nothing
proof-retry = In this run, the order service made { $attempts ->
    [one] 1 attempt
   *[other] { $attempts } attempts
} for one order. The inventory made { $made ->
    [one] 1 reservation
   *[other] { $made } reservations
}, and the customer knows of { $known }.
because-retry = Giving up does not cancel the first attempt. Without an idempotency key, the inventory cannot tell that the second request is the same one.
unproven-retry = No attempt of this run ended with a timeout, so nothing was sent again, and the run cannot answer the question. Does the order service wait for 2 s or longer?
quiz-reorder = Answers arrive in a different order from the requests. Is it a bug?
overtaking-bug = yes, something is broken or delayed
overtaking-nature = no, this is normal when calls run in parallel
proof-reorder = In this run, answers overtook others in { $reordered } of { $rounds } rounds ({ $pairs ->
    [one] 1 pair
   *[other] { $pairs } pairs
}). No fault was asked for.
because-reorder = Calls that run in parallel take different times, and nothing keeps them in order. Where the order matters, number the messages.
unproven-reorder = In this run, no answer overtook another, so the run cannot answer the question. On an idle machine this can happen: run it again.
quiz-cut = The connection is lost after the request was sent. What does the order service know about the reservation?
broken-failed = it was not made
broken-reserved = it was made
broken-unknown = neither: the outcome is unknown
proof-cut = In this run, the connection was lost for { $orders ->
    [one] 1 order
   *[other] { $orders } orders
}. The inventory reserved for { $reserved } of them, and not for { $rest }.
because-cut = The order service saw the same error in each of them. A lost connection does not say on which side of the commit it was lost.
unproven-cut = No order of this run lost its connection, so the run cannot answer the question.

## The counters of a run

counted = Counters of this run
counted-how = Made from the spans of this run alone. Orders of others move the services' own counters, and not these.

## One trace

trace-title = One order, drawn from its trace
trace-lead = No lesson waits for this order: it was sent by hand, by a load, or as one of many. The picture shows the spans that have arrived.
trace-incomplete = Spans of this order are missing. Work that goes on has no span yet: look again in a few seconds.
trace-gone = The lab knows no order with this trace. It keeps the newest traces, and a trace arrives when its order is answered.
trace-run = The run that it belongs to
trace-json = This trace as JSON

## Lessons that are a script of calls

part-call = the called service's span of call { $number }
part-call-commit = the commit of call { $number }
asked-naive = lane: naive
asked-cured = lane: cured
picture-title-calls = Calls as a space–time diagram: time runs down, messages run across
script-asked = What was called, and what was answered
script-answer = answered { $status } after { $after }
script-answer-says = answered { $status } after { $after }: { $says }
script-timeout = no answer within { $after }: it is given up
script-lost = the connection was lost after { $after }
script-refused = no connection could be made
seen-script = { $answers }; { $made }
seen-answer = answered { $status }
seen-no-answer = no answer
predict-script-reservations = How many reservations are there when all is over?
fact-concluded = order service concludes
drawn-legend-calls = # working  . working, nobody waits  * commit  o other change  x given up, void
sign-change = another change
sign-refused = changes nothing: refused, or decided before under the key
call-order = order
call-list-orders = orders?
call-read-order = order?
call-reserve = reserve
call-read-keys = key there?
call-settle = settle
call-read-price = price?
call-set-price = set price
call-cancel = cancel
call-given-up = { $who } gives up call { $call }
call-nothing-sent = call { $call } was never sent
call-caller-left = nobody waits for call { $call }
call-cut = cuts the connection of call { $call }
call-dropped = answer { $call } reaches nobody
call-replayed = the key of call { $call } is known: nothing new is done
call-sold-out = call { $call }: the stock is too low
call-key-reused = the key of call { $call } was used for another request
call-cancelled = the reservation of call { $call } is cancelled: nothing is taken
call-expired = the key of call { $call } is too old: nothing is done
call-stale = call { $call } names an old version: nothing is changed
call-unversioned = call { $call } names no version: nothing is changed
call-void = the key of call { $call } is void: nothing is taken
call-changed-priced = price of { $item }: { $before } -> { $after }
call-changed-cancelled = cancelled: { $item } { $before } -> { $after }
says-none = nothing
says-void = void
says-reserved = reserved
says-refused = refused
says-cancelled = cancelled
says-replayed = replayed
says-sold-out = sold out
says-key-reused = key reused
says-expired = expired
says-stale = stale
says-unversioned = no version
says-cancelling = cancelling
says-placing = placing
says-accepted = accepted
part-messages = the messages about the order
call-notify = tell
call-read-board = board?
call-shows = call { $call }: the board shows "{ $state }"
call-drops = call { $call }: the board drops "{ $state }", because it is older

### settle

name-settle = Settle
lesson-settle = Asking is not enough: close the key
title-settle = a slow attempt commits right after the answer "nothing is there"
trial-settle-1 = The order service has an idempotency key. Its attempt is slow, so it gives up and asks the inventory whether the key is there. The answer is true when it is given.
trial-settle-2 = The same, but the order service settles the key: the inventory tells what was decided under it. If nothing was, it makes the key void, so nothing can be decided later.
caption-settle-1 = The attempt is slow. The order service gives up and only asks: is the key there?
caption-settle-2 = The attempt is slow. The order service gives up and settles the key, which closes it.
why-settle-1 = The inventory said that the key is not there, and that was true. The slow attempt committed right after it. The order service says "failed", and a cake is gone for nobody.
why-settle-2 = Settling made the key void before the slow attempt came to its commit. The attempt found that and took nothing. "Not reserved" was true, and it stays true.
look-jaeger-settle = the slow attempt has a commit in trial 1; in trial 2 it has campuscafe.refusal=idempotency-key-void and none
look-grafana-settle = trial 1: inventory_late_commits_total jumps. Trial 2: inventory_voided_commits_total jumps
fact-settle-none = not reserved, and so the order failed
fact-settle-void = void: not reserved, and it never will be
fact-settle-other = something else; see the answers

### overtake

name-overtake = Overtake
lesson-overtake = A cancel that overtakes its order
title-overtake = a cancel overtakes its order
trial-overtake-1 = The inventory is slow. Half a second after the order, while it is still being placed, the customer cancels it. The cancel comes to the inventory before the reservation is made.
trial-overtake-2 = The same, but the order has an idempotency key, and the cancel closes the key: nothing can be reserved under it any more.
caption-overtake-1 = The customer cancels an order while its reservation is still being made.
caption-overtake-2 = The same, but the cancel is made under the order's idempotency key.
why-overtake-1 = The cancel found nothing to cancel, so the customer was told "cancelled". Then the slow reservation was made. A cake is gone, and nobody has it.
why-overtake-2 = The cancel found nothing reserved and made the key void. The slow reservation found that and took nothing. The customer was told "cancelled", and it is true.
look-jaeger-overtake = trial 1: the commit comes after the cancel that was answered 404. Trial 2: the late attempt has campuscafe.idempotency.void=true and no commit
look-grafana-overtake = trial 1: inventory_late_commits_total jumps. Trial 2: inventory_voided_commits_total jumps
fact-believes = the customer believes
fact-cancelled = the order is cancelled, and no cake is taken
fact-not-cancelled = that it is not sure whether the order is cancelled

### doubleclick

name-doubleclick = Two presses
lesson-doubleclick = The customer presses twice
title-doubleclick = the customer presses twice, and it is two orders
trial-doubleclick-1 = The answer takes 0.6 s. After 0.2 s the customer is impatient and presses again. The customer wants one cake.
trial-doubleclick-2 = The same, but both presses carry the same Idempotency-Key of the customer.
caption-doubleclick-1 = The customer wants one cake. The answer takes a while, so the customer presses again.
caption-doubleclick-2 = The same, but both presses carry the same Idempotency-Key.
why-doubleclick-1 = The order service cannot know that both presses mean the same, so it placed two orders. Both are confirmed, and the customer has two cakes.
why-doubleclick-2 = The order service knew the second press by its key. It waited for the order that was under way and answered with it: one order, one cake, the same id twice.
look-jaeger-doubleclick = trial 1: two orders with a commit each. Trial 2: the second POST /orders has campuscafe.idempotency.replayed=true and no call to the inventory
look-grafana-doubleclick = trial 1: two reservations. Trial 2: one, and order_idempotent_replays_total jumps
fact-wanted = the customer wanted
fact-one-piece = 1 { $item }
fact-placed = the customer has
fact-customers-key = the customer's key
fact-orders = { $count ->
    [one] 1 order: both answers have its id
   *[other] { $count } orders with different ids
}

### notify

name-notify = Notify
lesson-notify = Messages that overtake each other
title-notify = the older of two messages arrives last, and is shown
trial-notify-1 = The order service tells a board what becomes of an order: "accepted" when it takes the order, and "confirmed" when the cake is reserved. The first message is 1.5 s late. The board shows the last message that arrived.
trial-notify-2 = The same, but the order has an idempotency key, and its messages have sequence numbers. The board shows the message with the highest number.
caption-notify-1 = Two messages about one order. The first is late, so the second overtakes it.
caption-notify-2 = The same, but the messages have sequence numbers.
why-notify-1 = "Confirmed" arrived first, then the late "accepted". The board cannot know which is older, so it shows "accepted". The customer was told "confirmed", and the board is wrong from now on.
why-notify-2 = "Confirmed" has number 2. When "accepted" with number 1 arrived after it, the board dropped it. The board shows "confirmed".
look-jaeger-notify = both messages below the order: the span "send notification" of "accepted" begins first and ends last. In trial 2 it leads to "show notification (dropped)"
look-grafana-notify = no panel. In the metrics of the inventory, trial 1: inventory_notifications_total with state="accepted" and result="shown" jumps; trial 2: result="dropped"
fact-customer-told = the customer was told
fact-board = the board shows
### stale

name-stale = Stale
lesson-stale = An older change that arrives last
title-stale = the older of two price changes arrives last, and wins
trial-stale-1 = Two callers have read the same price, and both change it. The older change is delayed by 0.8 s. The newer one is sent 0.2 s after it, and arrives first.
trial-stale-2 = The same, but each change names the version that it was made from, in If-Match. The inventory refuses a change if its version is not the current one any more.
caption-stale-1 = Two callers change a price. The older change is slow, so it arrives last.
caption-stale-2 = The same, but each change names the version that it replaces.
why-stale-1 = The inventory cannot know that the change that arrived last is the older one. It overwrote the newer price, and both callers were told 200. Nobody was told that an update was lost.
why-stale-2 = The newer change made a new version. The older one named the version before that and was answered 412, so the newer price stands. Its caller can read the price again and decide.
look-jaeger-stale = trial 1: two spans "change price", the second one from campuscafe.price.version.before=2 or later. Trial 2: the older PUT has campuscafe.refusal=precondition-failed and no such span
look-grafana-stale = no panel shows prices; inventory_price_changes_total{"{"}result="stale"{"}"} at the inventory's /metrics counts trial 2
ask-stale = Which price stands in the end?
change-older = that of the older change
change-newer = that of the newer change
fact-older-price = older price
fact-newer-price = newer price
fact-last-price = price in the end

### oversell

name-oversell = Oversell
lesson-oversell = Twenty orders at once for ten cakes
title-oversell = twenty customers order at once, and more is sold than there is
trial-oversell-1 = Ten pieces are left. Twenty customers order one each at the same moment. The inventory reads the stock, waits for 0.5 s, and writes back what it computed from that read, as the fault race asks.
trial-oversell-2 = The same without the fault: the inventory checks the stock and changes it in one step.
caption-oversell-1 = Ten are left, and twenty order one each at once. Reading the stock and writing it back are two steps.
caption-oversell-2 = The same, but checking the stock and changing it are one step.
why-oversell-1 = The orders read the stock before the others wrote it. So each found enough, and wrote back its own number. { $sold } of 10 are sold, and the stock still says { $left }.
why-oversell-2 = Each order found the stock as the one before had left it. Ten are sold, ten were refused, and nothing is left.
look-jaeger-oversell = trial 1: many commits have campuscafe.reservation.stock.before=10, and campuscafe.reservation.stock.overwritten says what was really left. Trial 2: each begins where the one before ended
look-grafana-oversell = Reservations jumps by more than Stock left falls; inventory_faults_total{"{"}fault="race"{"}"} counts the requests that raced
fact-sold = sold
fact-sold-of = { $sold } of { $pieces } { $item }
fact-refused = refused
fact-refused-orders = { $refused ->
    [one] 1 order
   *[other] { $refused } orders
}
stock-seen = Stock that the commits read and wrote, from their spans
stock-seen-commits = commits
stock-seen-change = stock
answers-count = { $count } x
calls-left-out = and { $count } more calls like these that are not drawn

### storm

name-storm = Storm
lesson-storm = Storm: retries keep an overload alive
trial-storm-1 = Ten customers come in each second, and the inventory can serve twenty. For 3 s thirty more come in each second. A customer without a cake presses again, up to 5 times. Both lanes meet the same customers at the same time. The naive lane retries at once; the cured lane has a retry budget. It takes a minute.
ask-storm = After 3 s the storm is over, and ten customers a second come again. What does the naive lane do then?
then-soon = it serves them all again within 10 s
then-later = it serves them all again, but later
then-down = it does not recover, although the cause is gone
storm-starting = The lab starts an order service and an inventory for each lane.
storm-before = Before the storm: { $rate } customers come in each second.
storm-during = The storm: { $all } customers come in each second.
storm-over = The storm is over: { $rate } customers come in each second, as before it.
storm-running-hint = The charts grow by a column in each second. The run goes on when you leave this page.
storm-second = Second { $second } of { $seconds }
storm-progress = second { $second } of { $seconds }: the naive lane served { $naive } customers, the cured lane { $cured }
storm-so-far = Second { $second } of { $seconds } is over. In it the naive lane told { $naive } customers that their cake is reserved, and the cured lane told { $cured }.
storm-in-words = The { $lane } lane served { $before } customers a second before the storm, { $during } during it, { $later } from 10 s after it, and { $last } in the last 10 s. Its longest queue was { $queue } requests.
storm-charts = Both lanes, second by second
storm-picture = Goodput of both lanes in each second, and the queues of their inventories
storm-caption = Goodput is how many customers in each second are told that their cake is reserved. The inventory works its queue in order, { $capacity } requests a second, also those whose caller has left. A request behind { $capacity } others waits longer than 1 s, so its caller has given up.
storm-band = storm: { $rate } customers/s
storm-queues = requests in the queue
storm-sign-told = customers who are told that their cake is reserved
storm-sign-come = customers who come
storm-sign-naive = the naive queue
storm-sign-cured = the cured queue
storm-figures = Both lanes in figures
storm-rate = { $rate }/s
storm-row-before = goodput before the storm
storm-row-during = goodput during the storm
storm-row-later = goodput from 10 s after the storm
storm-row-last = goodput in the last 10 s
storm-row-back = as before the storm again after
storm-row-attempts = attempts for each customer
storm-row-retries = retries
storm-row-refused = retries that the budget refused
storm-row-late = late commits: nobody waited any more
storm-row-queue = longest queue
storm-each-second = Every second as a number
storm-col-second = second
storm-told-of = { $lane }: told yes
storm-queue-of = { $lane }: queue
storm-terminal = A storm runs two order services and two inventories of its own. The same in a terminal:
storm-no-room = This lab cannot run a storm: its container has { $has } MiB of memory, and a storm needs { $needs } MiB. Run it on your own machine, in a terminal:

### crash

name-crash = Crash
lesson-crash = Crash: what a killed process leaves behind
title-crash = kill -9 between commit and answer: memory forgets, a file and PostgreSQL remember
trial-crash-1 = The inventory keeps its stock in the memory of its process. It commits an order and holds the answer. Then the lab kills the process (kill -9) and starts another one at the same address. The attempt carried an idempotency key, so the order service asks the new process what was decided under it.
trial-crash-2 = The same, but the inventory keeps its stock in a file. A commit is on the disk before it is answered.
trial-crash-3 = The same, but the inventory keeps its stock in a PostgreSQL database.
caption-crash-1 = The stock is in memory. The inventory is killed between the commit and the answer.
caption-crash-2 = The same, with the stock in a file.
caption-crash-3 = The same, with the stock in PostgreSQL.
why-crash-1 = The inventory committed one cake ({ $commit }). Then its process was killed, and its memory was lost. The customer was told 202 after { $after }: unknown. The new process has the whole stock again and knows of no reservation. So the order service learnt: nothing is reserved. { $later } after the order the customer knew: failed. Nobody was told anything wrong, but a cake that was reserved is not reserved any more.
why-crash-kept = The inventory committed one cake ({ $commit }). Then its process was killed, before it answered. The customer was told 202 after { $after }: unknown. The commit was outside of the process, so the new process still has the reservation. The order service asked it under the key. { $later } after the order the customer knew: confirmed, one cake.
crash-killed = The cake is reserved, and the answer is not sent. The lab kills the inventory (SIGKILL).
crash-kept = The lab starts the inventory again, at the same address. It has the reservation.
crash-forgot = The lab starts the inventory again, at the same address. It has forgotten the reservation.
crash-skipped = SKIPPED: this trial needs a PostgreSQL database for an inventory of its own. Name one with --experiment-database-url or EXPERIMENT_DATABASE_URL.
cli-farewell-own = The services of this run have stopped. This experiment always starts services of its own. To keep its traces, start the café (`campuscafe`, or `cargo run --release`) and run it from the lab's page.
look-jaeger-crash = the attempt ends with connection_lost, and the inventory has no span of it; the commit has a parent that was never sent
look-grafana-crash = inventory_reservations_total begins at 0 again after the restart
note-killed = the process is killed
note-restarted = another process starts
note-kept = it has the reservation
note-forgot = it has forgotten the reservation
sign-killed = the process is killed (SIGKILL)
sign-restarted = another process starts
know-killed = its process was killed; nobody there knows anything
know-kept = is another process; its store has the reservation
know-forgot = is another process; it knows nothing of the order
know-answer-lost = attempt { $number }: cannot know whether it was answered
drawn-killed = KILLED (SIGKILL)
drawn-restarted-kept = starts again: has the reservation
drawn-restarted-forgot = starts again: has FORGOTTEN it
drawn-legend-crash = # working   * commit   x given up   X process killed
cell-forgotten = { $held } ({ $count } was forgotten)
ledger-forgotten = and it has forgotten { $count }
