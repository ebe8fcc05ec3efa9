package main

import (
	"encoding/json"
	"strings"
)

// balance proves that what customers were told, the keys and the stock say the same at the end,
// when nothing is under way any more.
func balance(found *history, into *report) {
	keys := map[string]kept{}
	for _, key := range found.keys {
		keys[key.Key] = key
	}
	sold := map[string]int64{}
	var confirmedOrders int64
	holders := map[string]bool{}
	for _, order := range found.orders {
		into.orders++
		into.states[order.State]++
		key, kept := keys["order-"+order.ID]
		reserved := kept && key.State == "reserved"
		holders["order-"+order.ID] = order.State == "confirmed"
		switch order.State {
		case "confirmed":
			confirmedOrders++
			sold[strings.ToLower(order.Item)] += order.Quantity
			// Without a key nobody can ask which reservation is whose: the sums must show it.
			if found.run.Lane == "cured" {
				confirmation(&order, &key, reserved, into)
			}
		case "failed", "cancelled":
			if reserved {
				into.violation(order.State+"-and-reserved", order.ID,
					"the order is %s, and the inventory holds %s x%d for it", order.State,
					key.Reservation.Item, key.Reservation.Quantity)
			}
		default:
			into.violation("not-ended", order.ID, "the order is still %s when nothing is under way", order.State)
		}
	}
	for _, key := range found.keys {
		if _, known := holders[key.Key]; key.State == "reserved" && !known {
			into.violation("reservation-of-nobody", key.Key, "the inventory holds a reservation under this key, and there is no such order")
		}
	}
	if found.stock.Reservations != confirmedOrders {
		into.violation("reservations", "", "the inventory holds %d reservations, and customers know of %d confirmed orders",
			found.stock.Reservations, confirmedOrders)
	}
	for item, opening := range found.run.Opening {
		expected := possible(found, item, opening-sold[item])
		if left, there := found.stock.Stock[item]; !there || !expected[left] {
			into.violation("stock", item, "%d are left; expected %s: %d at the opening, with the deliveries, without the %d of confirmed orders",
				left, either(expected), opening, sold[item])
		}
	}
}

func confirmation(order *order, key *kept, reserved bool, into *report) {
	switch {
	case !reserved:
		into.violation("confirmed-without-reservation", order.ID, "the order is confirmed, and its key is %q", key.State)
	case order.Reserved == nil:
		into.violation("confirmed-without-reservation", order.ID, "the order is confirmed, and its record names no reservation")
	case *key.Reservation != *order.Reserved:
		into.violation("other-reservation", order.ID, "the record names another reservation than the key")
	case !strings.EqualFold(key.Reservation.Item, order.Item) || key.Reservation.Quantity != order.Quantity:
		into.violation("other-reservation", order.ID, "%s x%d was ordered, and %s x%d is reserved",
			order.Item, order.Quantity, key.Reservation.Item, key.Reservation.Quantity)
	}
}

// possible gives every number of pieces that can be left of an item: a delivery without an
// answer has arrived or has not.
func possible(found *history, item string, pieces int64) map[int64]bool {
	sums := map[int64]bool{pieces: true}
	for _, did := range found.operations {
		if did.call.Do != "deliver" || did.call.Item != item || did.end != nil && did.end.Kind == "refused" {
			continue
		}
		status := 0
		if did.end != nil && did.end.Kind == "answer" {
			status = did.end.Status
		}
		arrived, stayedAway := true, true
		switch status {
		case 200:
			stayedAway = false
		case 0, 503, 504:
			var said told
			if status == 503 && (json.Unmarshal(did.end.Body, &said) != nil || !strings.HasSuffix(said.Type, ":store-unavailable")) {
				arrived = false
			}
		default:
			arrived = false
		}
		next := map[int64]bool{}
		for sum := range sums {
			if arrived {
				next[sum+did.call.Quantity] = true
			}
			if stayedAway {
				next[sum] = true
			}
		}
		sums = next
	}
	return sums
}
