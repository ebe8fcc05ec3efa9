package main

import (
	"fmt"
	"strings"

	"github.com/anishathalye/porcupine"
)

// The model is one order as its customers may see it. It knows nothing of attempts, of keys at
// the inventory or of settlement: all that happens by itself, between any two operations. So the
// model is nondeterministic: an order that is unknown can be confirmed or failed at any moment,
// but what is failed, confirmed or cancelled once was so when somebody read it.

// phase is where an order stands.
type phase uint8

const (
	none phase = 1 << iota
	placing
	confirmed
	failed
	unknown
	cancelling
	cancelled
)

var phases = map[string]phase{
	"placing": placing, "confirmed": confirmed, "failed": failed, "unknown": unknown,
	"cancelling": cancelling, "cancelled": cancelled,
}

func (p phase) String() string {
	var names []string
	for _, name := range []string{"placing", "confirmed", "failed", "unknown", "cancelling", "cancelled"} {
		if p&phases[name] != 0 {
			names = append(names, name)
		}
	}
	if p&none != 0 {
		names = append(names, "not there")
	}
	return strings.Join(names, " or ")
}

// byItself says which phases follow a phase without anybody's doing.
func (p phase) byItself() []phase {
	switch p {
	case placing:
		return []phase{placing, unknown, confirmed, failed}
	case unknown:
		return []phase{unknown, confirmed, failed}
	case cancelling:
		return []phase{cancelling, cancelled}
	default:
		return []phase{p}
	}
}

// state is one order. It is compared with ==.
type state struct {
	phase    phase
	item     string
	quantity int64
	// The reservation that a customer was told of first; none until then.
	reservation string
}

type verb uint8

const (
	// The order is recorded, unless there is one under its key already.
	begin verb = iota
	// A customer wants it cancelled.
	cancel
	// Somebody is told where it stands.
	look
	// Somebody is told that the key belongs to another request.
	other
)

// step is the smallest thing that happens at one moment. Placing an order is two steps, since it
// can be seen before its customer is answered: it begins, and its customer is told.
type step struct {
	verb     verb
	item     string
	quantity int64
	// Whether it happened for certain: an answer came.
	certain bool
}

// seen is what was told.
type seen struct {
	phases      phase
	reservation string
}

// after gives every state that the order can be in after a step, and none if the step cannot
// have been seen so.
func after(before any, input any, output any) []any {
	from, did, saw := before.(state), input.(step), output.(seen)
	var next []any
	for _, now := range from.phase.byItself() {
		here := from
		here.phase = now
		switch did.verb {
		case begin:
			if now == none {
				next = append(next, state{phase: placing, item: did.item, quantity: did.quantity})
			}
			if now != none || !did.certain {
				next = append(next, here)
			}
		case cancel:
			if now&(placing|unknown|confirmed) != 0 {
				wanted := here
				wanted.phase = cancelling
				next = append(next, wanted)
			}
			if now&(placing|unknown|confirmed) == 0 || !did.certain {
				next = append(next, here)
			}
		case other:
			if now != none && (here.item != did.item || here.quantity != did.quantity) {
				next = append(next, here)
			}
		case look:
			if now&saw.phases == 0 {
				continue
			}
			if now != none && (here.item != did.item || here.quantity != did.quantity) {
				continue
			}
			if saw.reservation != "" {
				if here.reservation != "" && here.reservation != saw.reservation {
					continue
				}
				here.reservation = saw.reservation
			}
			next = append(next, here)
		}
	}
	return next
}

func model() porcupine.Model {
	nondeterministic := porcupine.NondeterministicModel{
		Init:  func() []any { return []any{state{phase: none}} },
		Step:  after,
		Equal: func(a, b any) bool { return a == b },
		DescribeOperation: func(input, output any) string {
			did, saw := input.(step), output.(seen)
			switch did.verb {
			case begin:
				return fmt.Sprintf("begin %s x%d%s", did.item, did.quantity, maybe(did.certain))
			case cancel:
				return "cancel" + maybe(did.certain)
			case other:
				return fmt.Sprintf("%s x%d is told: the key belongs to another request", did.item, did.quantity)
			default:
				return "is told: " + saw.phases.String()
			}
		},
		DescribeState: func(at any) string { return at.(state).phase.String() },
	}
	return nondeterministic.ToModel()
}

func maybe(certain bool) string {
	if certain {
		return ""
	}
	return " (no answer)"
}
