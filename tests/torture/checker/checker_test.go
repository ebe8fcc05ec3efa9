package main

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// A run with one order that is confirmed, as its history stands in the file. The tests change
// one line and expect one kind of violation.
var good = []string{
	`{"kind":"run","at":0,"seed":7,"lane":"cured","store":"memory","sabotage":"none","opening":{"cake":10}}`,
	`{"kind":"call","at":1,"op":1,"do":"place","key":"click","trace":"aa","item":"cake","quantity":2}`,
	`{"kind":"answer","at":5,"op":1,"status":202,"body":{"orderId":"01","outcome":"unknown","attempts":[]}}`,
	`{"kind":"call","at":6,"op":2,"do":"get","order":"01"}`,
	`{"kind":"answer","at":7,"op":2,"status":200,"body":{"orderId":"01","state":"unknown","history":[{"state":"placing","at":"1"},{"state":"unknown","at":"2"}],"itemId":"cake","quantity":2,"traceId":"aa"}}`,
	`{"kind":"call","at":8,"op":3,"do":"place","key":"click","trace":"ab","item":"cake","quantity":2}`,
	`{"kind":"answer","at":9,"op":3,"status":200,"body":{"reserved":{"reservationId":"r1","itemId":"cake","quantity":2},"orderId":"01","outcome":"confirmed","attempts":[]}}`,
	`{"kind":"call","at":10,"op":4,"do":"deliver","item":"cake","quantity":5}`,
	`{"kind":"answer","at":11,"op":4,"status":200,"body":{}}`,
	`{"kind":"disturbance","at":12,"what":"cut"}`,
	`{"kind":"order","at":20,"record":{"orderId":"01","state":"confirmed","history":[{"state":"placing","at":"1"},{"state":"unknown","at":"2"},{"state":"confirmed","at":"3"}],"itemId":"cake","quantity":2,"reserved":{"reservationId":"r1","itemId":"cake","quantity":2},"traceId":"aa"}}`,
	`{"kind":"key","at":20,"kept":{"key":"order-01","state":"reserved","reservation":{"reservationId":"r1","itemId":"cake","quantity":2}}}`,
	`{"kind":"stock","at":20,"state":{"stock":{"cake":13},"reservations":1}}`,
}

func checked(t *testing.T, lines []string) map[string]int {
	t.Helper()
	found, err := read(strings.NewReader(strings.Join(lines, "\n")))
	if err != nil {
		t.Fatal(err)
	}
	report := check(found, time.Minute, "")
	if report.undecided > 0 {
		t.Fatalf("undecided: %d", report.undecided)
	}
	return report.counts
}

// with gives the good history in which some text is replaced wherever it stands.
func with(pairs ...string) []string {
	replaced := strings.NewReplacer(pairs...)
	lines := make([]string, len(good))
	for place, line := range good {
		lines[place] = replaced.Replace(line)
	}
	return lines
}

// inserted gives the good history with more lines before the end.
func inserted(more ...string) []string {
	return append(append(append([]string{}, good[:10]...), more...), good[10:]...)
}

func TestAGoodHistoryHasNoViolation(t *testing.T) {
	if found := checked(t, good); len(found) > 0 {
		t.Error(found)
	}
}

func answered(op int, do, more, answer string) []string {
	return []string{
		fmt.Sprintf(`{"kind":"call","at":13,"op":%d,"do":%q,%s}`, op, do, more),
		fmt.Sprintf(`{"kind":"answer","at":14,"op":%d,%s}`, op, answer),
	}
}

func TestEachViolationIsFoundByItsName(t *testing.T) {
	const (
		first = `"key":"click","trace":"ac","item":"cake","quantity":2`
		about = `"order":"01"`
	)
	record := func(state, history string) string {
		return `"status":200,"body":{"orderId":"01","state":"` + state + `","history":[` + history +
			`],"itemId":"cake","quantity":2,"traceId":"aa"}`
	}
	for _, broken := range []struct {
		what  string
		lines []string
		kinds []string
	}{
		{
			"it was told confirmed, then failed",
			inserted(answered(9, "place", first, `"status":409,"body":{"type":"x:order-failed","orderId":"01","outcome":"failed"}`)...),
			[]string{"answer-taken-back"},
		},
		{
			"it was told confirmed, then unknown",
			inserted(answered(9, "place", first, `"status":202,"body":{"orderId":"01","outcome":"unknown"}`)...),
			[]string{"answer-taken-back"},
		},
		{
			"nobody cancelled it, and it was told cancelled",
			inserted(answered(9, "place", first, `"status":409,"body":{"type":"x:order-cancelled","orderId":"01","outcome":"failed"}`)...),
			[]string{"answer-taken-back"},
		},
		{
			"the service forgot it",
			inserted(answered(9, "get", about, `"status":404,"body":{"type":"x:no-such-order"}`)...),
			[]string{"answer-taken-back"},
		},
		{
			"after a restart the service says that another took it",
			inserted(answered(9, "get", about, `"status":503,"body":{"type":"x:other-replica"}`)...),
			[]string{"answer-taken-back"},
		},
		{
			"the reservation changed",
			inserted(answered(9, "place", first, `"status":200,"body":{"reserved":{"reservationId":"r2","itemId":"cake","quantity":2},"orderId":"01","outcome":"confirmed"}`)...),
			[]string{"answer-taken-back"},
		},
		{
			"another quantity was confirmed",
			inserted(answered(9, "place", first, `"status":200,"body":{"reserved":{"reservationId":"r1","itemId":"cake","quantity":3},"orderId":"01","outcome":"confirmed"}`)...),
			[]string{"other-reservation"},
		},
		{
			"the key is refused for the same request",
			inserted(answered(9, "place", first, `"status":422,"body":{"type":"x:idempotency-key-reused"}`)...),
			[]string{"answer-taken-back"},
		},
		{
			"another request under the key is confirmed",
			inserted(answered(9, "place", strings.Replace(first, `:2`, `:3`, 1), `"status":200,"body":{"reserved":{"reservationId":"r1","itemId":"cake","quantity":3},"orderId":"01","outcome":"confirmed"}`)...),
			[]string{"answer-taken-back"},
		},
		{
			"one key, two orders",
			inserted(answered(9, "place", first, `"status":202,"body":{"orderId":"02","outcome":"unknown"}`)...),
			[]string{"key-of-two-orders", "order-lost"},
		},
		{
			"a cancelled order is confirmed at the end",
			inserted(answered(9, "cancel", about, record("cancelled", `{"state":"placing","at":"1"}`))...),
			[]string{"answer-taken-back"},
		},
		{
			"a record forgot a state",
			inserted(answered(9, "get", about, record("confirmed", `{"state":"placing","at":"1"},{"state":"confirmed","at":"3"}`))...),
			[]string{"history-rewritten"},
		},
		{
			"an answer that nobody expects",
			inserted(answered(9, "place", `"key":"","trace":"zz","item":"cake","quantity":2`, `"status":500,"body":{}`)...),
			[]string{"unexpected-answer"},
		},
		{
			"an order that nobody placed",
			inserted(`{"kind":"order","at":20,"record":{"orderId":"03","state":"failed","history":[],"itemId":"cake","quantity":1,"traceId":"ff"}}`),
			[]string{"order-of-nobody"},
		},
		{
			"its record says that failed was confirmed later",
			with(`{"state":"unknown","at":"2"}`, `{"state":"failed","at":"2"}`, `"state":"unknown"`, `"state":"failed"`,
				`"outcome":"unknown"`, `"outcome":"failed"`),
			[]string{"answer-taken-back", "impossible-step"},
		},
		{
			"it is still unknown",
			with(`"state":"confirmed"`, `"state":"unknown"`, `,{"state":"confirmed","at":"3"}`, ``),
			[]string{"answer-taken-back", "not-ended", "reservations", "stock"},
		},
		{"nothing is reserved", with(`"state":"reserved"`, `"state":"void"`), []string{"confirmed-without-reservation"}},
		{"there is another reservation", with(`"key":"order-01"`, `"key":"order-09"`),
			[]string{"confirmed-without-reservation", "reservation-of-nobody"}},
		{"one reservation too many", with(`"reservations":1`, `"reservations":2`), []string{"reservations"}},
		{"a piece is missing", with(`"cake":13`, `"cake":12`), []string{"stock"}},
		{
			"it failed, and a cake is reserved",
			append(append([]string{}, good[:1]...),
				`{"kind":"call","at":1,"op":1,"do":"place","key":"","trace":"aa","item":"cake","quantity":2}`,
				`{"kind":"answer","at":5,"op":1,"status":409,"body":{"orderId":"01","outcome":"failed"}}`,
				`{"kind":"order","at":20,"record":{"orderId":"01","state":"failed","history":[{"state":"placing","at":"1"},{"state":"failed","at":"2"}],"itemId":"cake","quantity":2,"traceId":"aa"}}`,
				good[11], strings.Replace(good[12], "13", "8", 1)),
			[]string{"failed-and-reserved", "reservations", "stock"},
		},
	} {
		t.Run(broken.what, func(t *testing.T) {
			found := checked(t, broken.lines)
			for _, kind := range broken.kinds {
				if found[kind] == 0 {
					t.Errorf("no %s, but %v", kind, found)
				}
			}
			if len(found) != len(broken.kinds) {
				t.Errorf("found %v; expected %v", found, broken.kinds)
			}
		})
	}
}

func TestWhatNobodyKnowsIsNoViolation(t *testing.T) {
	lost := func(call string) []string {
		return inserted(fmt.Sprintf(`{"kind":"call","at":13,"op":9,%s}`, call), `{"kind":"lost","at":14,"op":9,"why":"cut"}`)
	}
	delivery := lost(`"do":"deliver","item":"cake","quantity":4`)
	arrived := append([]string{}, delivery...)
	arrived[len(arrived)-1] = strings.Replace(arrived[len(arrived)-1], "13", "17", 1)
	for what, lines := range map[string][]string{
		"a delivery without an answer that stayed away": delivery,
		"a delivery without an answer that arrived":     arrived,
		"an order without an answer":                    lost(`"do":"place","key":"click","trace":"ac","item":"cake","quantity":2`),
		"a cancel without an answer and without effect": lost(`"do":"cancel","order":"01"`),
		"an operation that was never ended":             inserted(`{"kind":"call","at":13,"op":9,"do":"cancel","order":"01"}`),
		"a request that was never sent": inserted(`{"kind":"call","at":13,"op":9,"do":"cancel","order":"01"}`,
			`{"kind":"refused","at":14,"op":9}`),
		"an order that was not taken": inserted(answered(9, "place", `"key":"","trace":"zz","item":"cake","quantity":2`,
			`"status":503,"body":{"type":"x:overloaded"}`)...),
		"another request under the key that is refused": inserted(answered(9, "place",
			`"key":"click","trace":"zz","item":"cake","quantity":3`, `"status":422,"body":{"type":"x:idempotency-key-reused"}`)...),
	} {
		t.Run(what, func(t *testing.T) {
			if found := checked(t, lines); len(found) > 0 {
				t.Error(found)
			}
		})
	}
}

func TestOnlyACancelThatWasSentMayHaveItsEffectLater(t *testing.T) {
	cancelled := strings.NewReplacer(
		`"state":"confirmed"`, `"state":"cancelled"`,
		`{"state":"confirmed","at":"3"}`, `{"state":"confirmed","at":"3"},{"state":"cancelling","at":"4"},{"state":"cancelled","at":"5"}`,
		`"state":"reserved"`, `"state":"cancelled"`, `"reservations":1`, `"reservations":0`, `:13`, `:15`)
	for end, kinds := range map[string]int{"lost": 0, "refused": 1} {
		lines := inserted(`{"kind":"call","at":13,"op":9,"do":"cancel","order":"01"}`, fmt.Sprintf(`{"kind":%q,"at":14,"op":9}`, end))
		for place := 12; place < len(lines); place++ {
			lines[place] = cancelled.Replace(lines[place])
		}
		if found := checked(t, lines); found["answer-taken-back"] != kinds || len(found) != kinds {
			t.Errorf("%s: %v", end, found)
		}
	}
}

func TestADeliveryThatWasNotSentBringsNothing(t *testing.T) {
	lines := inserted(`{"kind":"call","at":13,"op":9,"do":"deliver","item":"cake","quantity":4}`, `{"kind":"refused","at":14,"op":9}`)
	last := len(lines) - 1
	lines[last] = strings.Replace(lines[last], "13", "17", 1)
	if found := checked(t, lines); found["stock"] != 1 {
		t.Error(found)
	}
}

func TestAHistoryThatIsBrokenOffProvesNothing(t *testing.T) {
	for what, lines := range map[string][]string{
		"empty":              {},
		"without its end":    good[:len(good)-1],
		"without its run":    good[1:],
		"half a line":        append(append([]string{}, good...), `{"kind":"ord`),
		"an unknown line":    inserted(`{"kind":"surprise","at":13}`),
		"an answer to none":  inserted(`{"kind":"answer","at":13,"op":77,"status":200}`),
		"two answers to one": inserted(`{"kind":"answer","at":13,"op":1,"status":200}`),
	} {
		t.Run(what, func(t *testing.T) {
			if _, err := read(strings.NewReader(strings.Join(lines, "\n"))); err == nil {
				t.Error("it was read")
			}
		})
	}
}

func TestACheckWithoutTimeIsUndecided(t *testing.T) {
	found, err := read(strings.NewReader(strings.Join(good, "\n")))
	if err != nil {
		t.Fatal(err)
	}
	if report := check(found, 0, ""); report.undecided == 0 {
		t.Error("it was decided")
	}
}
