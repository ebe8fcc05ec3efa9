package main

import (
	"encoding/json"
	"math"
	"path/filepath"
	"sort"
	"strings"
	"time"

	"github.com/anishathalye/porcupine"
)

// What the customers of one key, or of one order without a customer's key, did and were told.
type partition struct {
	name       string
	operations []porcupine.Operation
	// Every order that was seen here; more than one breaks the promise of the key.
	ids map[string]bool
	// Whether a customer placed an order here.
	placed bool
	// The states that each answer listed, for every record that was read.
	histories [][]transition
}

// partitions sorts all that customers did by the order that it was about.
type partitions struct {
	report *report
	all    map[string]*partition
	// The key under which an order was placed.
	keyOf map[string]string
	// The order that a request created. Its record carries the request's trace.
	orderOf map[string]string
}

func sorted(found *history, into *report) *partitions {
	sort := &partitions{
		report: into, all: map[string]*partition{},
		keyOf: map[string]string{}, orderOf: map[string]string{},
	}
	sort.learnNames(found)
	for _, did := range found.operations {
		sort.add(did, found.ended)
	}
	for index := range found.orders {
		sort.look(&found.orders[index], found.ended, math.MaxInt64)
	}
	// What was placed and answered must be among the last records.
	last := map[string]bool{}
	for _, order := range found.orders {
		last[order.ID] = true
	}
	for _, part := range sort.all {
		for id := range part.ids {
			if !last[id] {
				into.violation("order-lost", id, "a customer was told of this order, and it is not among the orders at the end")
			}
		}
	}
	return sort
}

// learnNames finds out which order belongs to which request, before anything is sorted.
func (s *partitions) learnNames(found *history) {
	keyOfTrace := map[string]string{}
	for _, did := range found.operations {
		if did.call.Do == "place" {
			keyOfTrace[did.call.Trace] = did.call.Key
		}
	}
	record := func(seen *order) {
		s.orderOf[seen.Trace] = seen.ID
		if key := keyOfTrace[seen.Trace]; key != "" {
			s.keyOf[seen.ID] = key
		}
	}
	for index := range found.orders {
		record(&found.orders[index])
	}
	for _, did := range found.operations {
		if did.end == nil || did.end.Kind != "answer" {
			continue
		}
		switch did.call.Do {
		case "place":
			var answer told
			if json.Unmarshal(did.end.Body, &answer) == nil && answer.OrderID != "" {
				if did.call.Key != "" {
					s.keyOf[answer.OrderID] = did.call.Key
				} else {
					s.orderOf[did.call.Trace] = answer.OrderID
				}
			}
		case "list":
			var list struct{ Orders []order }
			if json.Unmarshal(did.end.Body, &list) == nil {
				for index := range list.Orders {
					record(&list.Orders[index])
				}
			}
		}
	}
}

func (s *partitions) of(id string) *partition {
	part := s.named("order "+id, s.keyOf[id])
	part.ids[id] = true
	return part
}

func (s *partitions) named(name, key string) *partition {
	if key != "" {
		name = "key " + key
	}
	part := s.all[name]
	if part == nil {
		part = &partition{name: name, ids: map[string]bool{}}
		s.all[name] = part
	}
	return part
}

func (p *partition) did(call, end int64, input step, output seen) {
	p.operations = append(p.operations, porcupine.Operation{
		ClientId: 0, Input: input, Call: call, Output: output, Return: end,
	})
}

func (s *partitions) add(did *operation, ended int64) {
	call, end := did.call.At, int64(math.MaxInt64)
	answered := did.end != nil && did.end.Kind == "answer"
	if answered {
		end = did.end.At
	}
	if did.end != nil && did.end.Kind == "refused" {
		return
	}
	switch did.call.Do {
	case "place":
		s.place(did, call, end, answered)
	case "cancel":
		s.cancel(did, call, end, answered)
	case "get":
		if answered {
			s.record(did, call, end)
		}
	case "list":
		var list struct{ Orders []order }
		if !answered || did.end.Status != 200 || json.Unmarshal(did.end.Body, &list) != nil {
			return
		}
		for index := range list.Orders {
			s.look(&list.Orders[index], call, end)
		}
	}
}

func (s *partitions) place(did *operation, call, end int64, answered bool) {
	asked := step{item: did.call.Item, quantity: did.call.Quantity, certain: true}
	var answer told
	if answered {
		_ = json.Unmarshal(did.end.Body, &answer)
		if answer.Outcome == "" && answer.Reserved == nil {
			switch status := did.end.Status; {
			case status == 422:
				part := s.named("", did.call.Key)
				part.placed = true
				asked.verb = begin
				part.did(call, end, asked, seen{})
				asked.verb = other
				part.did(call, end, asked, seen{})
				return
			case status == 408 || status == 503 && !strings.Contains(answer.Type, ":store-"):
				// It was not taken, and nothing was sent for it.
				return
			case status == 502 || status == 503:
				// A program between the customer and the service, or a store that failed after
				// the order was recorded: nobody knows.
				answered, end = false, math.MaxInt64
			default:
				s.report.violation("unexpected-answer", did.call.Key,
					"an order was answered %d %s", status, brief(did.end.Body))
				return
			}
		}
	}
	id := answer.OrderID
	if id == "" {
		id = s.orderOf[did.call.Trace]
	}
	var part *partition
	switch {
	case did.call.Key != "":
		part = s.named("", did.call.Key)
		if id != "" {
			part.ids[id] = true
		}
	case id != "":
		part = s.of(id)
	default:
		// Nobody ever saw an order of this request.
		return
	}
	part.placed = true
	begun := asked
	begun.verb, begun.certain = begin, answered
	part.did(call, end, begun, seen{})
	if !answered {
		return
	}
	asked.verb = look
	saw := seen{}
	switch {
	case answer.Reserved != nil && did.end.Status == 200:
		saw = seen{phases: confirmed, reservation: answer.Reserved.ID}
		if !strings.EqualFold(answer.Reserved.Item, asked.item) || answer.Reserved.Quantity != asked.quantity {
			s.report.violation("other-reservation", id, "%s x%d was ordered, and the answer confirms %s x%d",
				asked.item, asked.quantity, answer.Reserved.Item, answer.Reserved.Quantity)
		}
	case answer.Outcome == "failed" && strings.HasSuffix(answer.Type, ":order-cancelled"):
		saw = seen{phases: cancelled}
	case answer.Outcome == "failed":
		saw = seen{phases: failed}
	case answer.Outcome == "unknown":
		saw = seen{phases: placing | unknown | cancelling}
	default:
		s.report.violation("unexpected-answer", id, "an order was answered %d %s", did.end.Status, brief(did.end.Body))
		return
	}
	part.did(call, end, asked, saw)
}

func (s *partitions) cancel(did *operation, call, end int64, answered bool) {
	part := s.of(did.call.OrderID)
	if answered {
		switch status := did.end.Status; {
		case status == 200, status == 202, status == 409, status == 404:
		case status == 503 && isAbsent(did.end):
		case status == 503 && !isType(did.end, ":store-"), status == 408:
			return
		case status == 502, status == 503, status == 504:
			answered, end = false, math.MaxInt64
		default:
			s.report.violation("unexpected-answer", did.call.OrderID, "a cancel was answered %d %s", status, brief(did.end.Body))
			return
		}
	}
	part.did(call, end, step{verb: cancel, certain: answered}, seen{})
	if answered {
		s.record(did, call, end)
	}
}

// record adds what an answer about one order tells.
func (s *partitions) record(did *operation, call, end int64) {
	id := did.call.OrderID
	var record order
	switch status := did.end.Status; {
	case (status == 200 || status == 202) && json.Unmarshal(did.end.Body, &record) == nil && record.ID == id:
		s.look(&record, call, end)
	case status == 409:
		s.stands(id, failed, call, end)
	case status == 404 || isAbsent(did.end):
		s.stands(id, none, call, end)
	case status == 503, status == 502, status == 408, status == 504:
	default:
		s.report.violation("unexpected-answer", id, "a question was answered %d %s", status, brief(did.end.Body))
	}
}

// stands adds an answer that tells the phase of an order, and not what was ordered.
func (s *partitions) stands(id string, where phase, call, end int64) {
	part := s.of(id)
	for _, before := range part.operations {
		if did := before.Input.(step); did.verb == begin {
			part.did(call, end, step{verb: look, item: did.item, quantity: did.quantity}, seen{phases: where})
			return
		}
	}
	if where == none {
		s.report.violation("order-lost", id, "the service said that it does not know this order, which it had told of")
	}
}

func (s *partitions) look(record *order, call, end int64) {
	part := s.of(record.ID)
	saw := seen{phases: phases[record.State]}
	if record.Reserved != nil {
		saw.reservation = record.Reserved.ID
	}
	asked := step{verb: look, item: strings.ToLower(record.Item), quantity: record.Quantity}
	part.did(call, end, asked, saw)
	part.histories = append(part.histories, record.History)
}

func isAbsent(answer *line) bool { return isType(answer, ":other-replica") }

func isType(answer *line, part string) bool {
	var said told
	return json.Unmarshal(answer.Body, &said) == nil && strings.Contains(said.Type, part)
}

func brief(body json.RawMessage) string {
	if len(body) > 200 {
		return string(body[:200]) + "..."
	}
	return string(body)
}

// check asks Porcupine whether there is an order of the steps that explains what was told.
func (s *partitions) check(limit time.Duration, pictures string) {
	names := make([]string, 0, len(s.all))
	for name := range s.all {
		names = append(names, name)
	}
	sort.Strings(names)
	model, deadline := model(), time.Now().Add(limit)
	for _, name := range names {
		part := s.all[name]
		switch {
		case len(part.ids) > 1:
			s.report.violation("key-of-two-orders", name, "%d orders were placed with one key", len(part.ids))
			continue
		case !part.placed:
			s.report.violation("order-of-nobody", name, "no customer placed this order")
			continue
		}
		s.checkHistories(part)
		left := time.Until(deadline)
		if left <= 0 {
			s.report.undecided++
			continue
		}
		switch verdict, info := porcupine.CheckOperationsVerbose(model, part.operations, left); verdict {
		case porcupine.Ok:
		case porcupine.Unknown:
			s.report.undecided++
		default:
			picture := filepath.Join(pictures, strings.ReplaceAll(name, " ", "-")+".html")
			where := ""
			if pictures != "" && s.report.counts["answer-taken-back"] < 20 && porcupine.VisualizePath(model, info, picture) == nil {
				where = "; see " + picture
			}
			s.report.violation("answer-taken-back", name, "no order of events explains what customers were told%s", where)
		}
	}
}

// checkHistories compares the states that records listed: a later record may only add to an
// earlier one. Records were added in the order in which they were asked for, and the last is
// the longest.
func (s *partitions) checkHistories(part *partition) {
	if len(part.histories) == 0 {
		return
	}
	last := part.histories[len(part.histories)-1]
	for _, earlier := range part.histories {
		for place, change := range earlier {
			if place >= len(last) || last[place] != change {
				s.report.violation("history-rewritten", part.name,
					"a record listed %s at %s as state %d, and the last record does not", change.State, change.At, place+1)
				return
			}
		}
	}
	for place := 1; place < len(last); place++ {
		if !follows(last[place-1].State, last[place].State) {
			s.report.violation("impossible-step", part.name, "%s follows %s", last[place].State, last[place-1].State)
			return
		}
	}
}

// follows says whether an order can come from one state to another: by itself, or because a
// customer wants it cancelled.
func follows(before, next string) bool {
	from, to := phases[before], phases[next]
	if to == cancelling {
		return from&(placing|unknown|confirmed) != 0
	}
	for _, possible := range from.byItself() {
		if possible == to && from != to {
			return true
		}
	}
	return false
}
