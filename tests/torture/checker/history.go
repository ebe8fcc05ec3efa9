package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// line is one line of the history that the driver wrote. Which fields it has depends on Kind.
type line struct {
	Kind string `json:"kind"`
	// Microseconds since the run began, by one clock that never goes back.
	At int64 `json:"at"`

	// "run": the first line.
	Seed     uint64           `json:"seed"`
	Lane     string           `json:"lane"`
	Store    string           `json:"store"`
	Sabotage string           `json:"sabotage"`
	Opening  map[string]int64 `json:"opening"`

	// "call", and the line that ends it: "answer", "lost" or "refused".
	Op       int             `json:"op"`
	Do       string          `json:"do"`
	Key      string          `json:"key"`
	Trace    string          `json:"trace"`
	OrderID  string          `json:"order"`
	Item     string          `json:"item"`
	Quantity int64           `json:"quantity"`
	Status   int             `json:"status"`
	Body     json.RawMessage `json:"body"`

	// "disturbance".
	What string `json:"what"`

	// "order", "reserved key" and "stock": what was read at the end.
	Order *order `json:"record"`
	Kept  *kept  `json:"kept"`
	State *stock `json:"state"`
}

// order is an order as GET /orders tells it.
type order struct {
	ID       string       `json:"orderId"`
	State    string       `json:"state"`
	History  []transition `json:"history"`
	Item     string       `json:"itemId"`
	Quantity int64        `json:"quantity"`
	Reserved *reservation `json:"reserved"`
	Trace    string       `json:"traceId"`
}

type transition struct {
	State string `json:"state"`
	At    string `json:"at"`
}

type reservation struct {
	ID       string `json:"reservationId"`
	Item     string `json:"itemId"`
	Quantity int64  `json:"quantity"`
}

// kept is what GET /inventory/keys tells of one key.
type kept struct {
	Key         string       `json:"key"`
	State       string       `json:"state"`
	Reservation *reservation `json:"reservation"`
}

// stock is what GET /inventory/state tells.
type stock struct {
	Stock        map[string]int64 `json:"stock"`
	Reservations int64            `json:"reservations"`
}

// told is what a customer reads in an answer to an order: a confirmation, a report or a problem.
type told struct {
	Type     string       `json:"type"`
	Outcome  string       `json:"outcome"`
	OrderID  string       `json:"orderId"`
	Reserved *reservation `json:"reserved"`
}

// operation is one request of a customer, from before it was sent until its answer was read.
type operation struct {
	call line
	// The line that ended it; nil while it is open, also at the end of the run.
	end *line
}

// open says whether nobody knows if the operation had an effect.
func (o *operation) open() bool { return o.end == nil || o.end.Kind == "lost" }

// history is a whole run.
type history struct {
	run          line
	operations   []*operation
	disturbances []line
	orders       []order
	keys         []kept
	stock        *stock
	// When the last line was written.
	ended int64
}

// read reads a history. It fails where a line is not as the driver writes it: a history that
// is half understood would prove nothing.
func read(from io.Reader) (*history, error) {
	found := &history{}
	calls := map[int]*operation{}
	decoder := json.NewDecoder(bufio.NewReaderSize(from, 1<<20))
	for number := 1; ; number++ {
		var next line
		if err := decoder.Decode(&next); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, fmt.Errorf("line %d: %w", number, err)
		}
		if (number == 1) != (next.Kind == "run") {
			return nil, fmt.Errorf("line %d is a %q; expected the line \"run\" first and once", number, next.Kind)
		}
		found.ended = max(found.ended, next.At)
		switch next.Kind {
		case "run":
			found.run = next
		case "call":
			if calls[next.Op] != nil {
				return nil, fmt.Errorf("line %d: operation %d is called twice", number, next.Op)
			}
			calls[next.Op] = &operation{call: next}
			found.operations = append(found.operations, calls[next.Op])
		case "answer", "lost", "refused":
			called := calls[next.Op]
			if called == nil || called.end != nil {
				return nil, fmt.Errorf("line %d ends operation %d, which is not under way", number, next.Op)
			}
			called.end = &next
		case "disturbance":
			found.disturbances = append(found.disturbances, next)
		case "order":
			if next.Order == nil {
				return nil, fmt.Errorf("line %d has no record", number)
			}
			found.orders = append(found.orders, *next.Order)
		case "key":
			if next.Kept == nil {
				return nil, fmt.Errorf("line %d has no key", number)
			}
			found.keys = append(found.keys, *next.Kept)
		case "stock":
			found.stock = next.State
		default:
			return nil, fmt.Errorf("line %d is of an unknown kind: %q", number, next.Kind)
		}
	}
	if found.run.Kind == "" {
		return nil, errors.New("the history is empty")
	}
	if found.stock == nil {
		return nil, errors.New("the history does not say what was in stock at the end: the run was broken off")
	}
	return found, nil
}
