// Orders that arrive at a rate, for people who have k6; what `campuscafe load`
// does without it. See docs/scaling.md for running it inside a cluster.
//
//   k6 run tests/load/orders.js
//   k6 run -e RATE=50 -e DURATION=60 -e MIX=none=100 -e MAX_GAP=0 tests/load/orders.js
//
// Settings, with their defaults:
//
//   ORDER_URL=http://127.0.0.1:5201  INVENTORY_URL=http://127.0.0.1:5101
//   RATE=20                     orders a second, however slow the answers
//   DURATION=20                 seconds
//   MIX=none=90,slow=5,flaky=5  faults by weight; + joins the steps of a plan
//   RETRY=no                    yes: try again after a timeout
//   IDEMPOTENT=no               yes: each order has an idempotency key, so that none stays
//                               unknown and the gap is 0
//   SEED=1                      the same seed chooses the same faults
//   MAX_GAP=20                  reservations that no customer knows of, in percent
//                               of the orders; more than that fails the run. With
//                               IDEMPOTENT=yes it is 0
//   LEDGER=yes                  no: of several runners none sees all orders, so none
//                               can say what the gap is
//
// Exit status 99 means that a threshold was crossed.

import http from 'k6/http';
import exec from 'k6/execution';
import { check, fail, sleep } from 'k6';
import { Counter } from 'k6/metrics';

const ORDER_URL = __ENV.ORDER_URL || 'http://127.0.0.1:5201';
const INVENTORY_URL = __ENV.INVENTORY_URL || 'http://127.0.0.1:5101';
const RATE = number('RATE', 20, 1, 100000);
const DURATION = number('DURATION', 20, 1, 86400);
const SEED = number('SEED', 1, 0, 2 ** 31);
const RETRY = word('RETRY', 'no', { yes: true, no: false });
const IDEMPOTENT = word('IDEMPOTENT', 'no', { yes: true, no: false });
const MAX_GAP = number('MAX_GAP', IDEMPOTENT ? 0 : 20, 0, 200);
const LEDGER = word('LEDGER', 'yes', { yes: true, no: false });
const MIX = mix(__ENV.MIX || 'none=90,slow=5,flaky=5');

const toldYes = new Counter('customers_told_yes');
const toldNo = new Counter('customers_told_no');
const toldNothing = new Counter('customers_told_unknown');
const shed = new Counter('orders_shed');
const reserved = new Counter('reservations_made');
const delivered = new Counter('pieces_delivered');
// Reservations made, less customers told yes. A counter may go down, too: each yes
// takes one away, and the inventory's count is added at the end.
const gap = new Counter('ledger_gap');

// Pieces that the stock is kept at, unless the opening stock is larger: what orders
// may take in 3 s, two pieces each, one for each attempt.
const DEMAND = RATE * 2 * 3;

export const options = {
  scenarios: {
    // Beside the orders, so that it never delays one.
    deliveries: {
      executor: 'constant-vus',
      exec: 'keepStock',
      vus: 1,
      duration: `${DURATION}s`,
    },
    orders: {
      executor: 'constant-arrival-rate',
      rate: RATE,
      timeUnit: '1s',
      duration: `${DURATION}s`,
      // An order takes two attempts of 1 s at most, unless somebody chose another
      // limit; more of these than needed cost nothing but memory.
      preAllocatedVUs: Math.min(RATE * 3 + 10, 2000),
      gracefulStop: '15s',
    },
  },
  thresholds: {
    // Less than none would mean a customer who was told yes and has nothing.
    ...(LEDGER && { ledger_gap: ['count>=0', `count<=${Math.floor((MAX_GAP / 100) * RATE * DURATION)}`] }),
    // Every order has an outcome, and left when it was due.
    checks: ['rate==1'],
    dropped_iterations: ['count==0'],
  },
};

export function setup() {
  const stock = Object.entries(state().stock).sort((a, b) => b[1] - a[1]);
  if (!stock.length) fail('the inventory has no items; see INVENTORY_STOCK');
  const [item, left] = stock[0];
  const target = Math.max(left, DEMAND);
  deliver(item, target - left);
  return { item, target, before: reservations(), settledBefore: settled() };
}

// Orders that just find an empty stock would teach nothing. Delivered is what is
// missing, once a third is gone: a delivery is a trace of its own.
export function keepStock({ item, target }) {
  const missing = target - state().stock[item];
  if (missing >= target / 3) deliver(item, missing);
  sleep(0.25);
}

function state() {
  const answer = http.get(`${INVENTORY_URL}/inventory/state`);
  if (answer.status !== 200) fail(`no inventory at ${INVENTORY_URL}: ${answer.error || answer.status}`);
  return answer.json();
}

function deliver(itemId, quantity) {
  if (quantity <= 0) return;
  const answer = http.post(`${INVENTORY_URL}/inventory/deliveries`, JSON.stringify({ itemId, quantity }), {
    headers: { 'content-type': 'application/json' },
  });
  if (answer.status === 200) delivered.add(quantity);
}

export default function ({ item }) {
  const nth = exec.scenario.iterationInTest;
  const order = { itemId: item, quantity: 1, chaos: choose(nth), retryOnTimeout: RETRY, idempotent: IDEMPOTENT };
  const answer = http.post(`${ORDER_URL}/orders`, JSON.stringify(order), {
    headers: { 'content-type': 'application/json' },
    // To be told no, or nothing, is what this is about, not a failure of the run.
    responseCallback: http.expectedStatuses(200, 202, 400, 409, 502, 503, 504),
    timeout: '130s',
  });
  // Too much is under way at the order service, or too many connections are open: nothing was done
  // for this order.
  const type = answer.status === 503 ? member(answer, 'type') : '';
  if (type.endsWith(':overloaded') || type.endsWith(':too-many-connections')) {
    shed.add(1);
    return;
  }
  const outcome = member(answer, 'outcome');
  check(outcome, { 'the order has an outcome': (o) => ['confirmed', 'failed', 'unknown'].includes(o) });
  if (outcome === 'confirmed') {
    toldYes.add(1);
    if (LEDGER) gap.add(-1);
  } else {
    (outcome === 'failed' ? toldNo : toldNothing).add(1);
  }
}

export function teardown({ before, settledBefore }) {
  if (!LEDGER) return;
  // Orders with a key do not stay unknown: the order service asks until it knows.
  for (let tries = 0; IDEMPOTENT && tries < 150 && series('order_unknown', ORDER_URL) > 0; tries += 1) sleep(0.1);
  // Work that nobody waits for may still commit; it counts as well.
  for (let tries = 0; tries < 150 && series('inventory_work_in_progress') > 0; tries += 1) sleep(0.1);
  const made = reservations() - before;
  // A counter that began anew is an inventory that did.
  if (made < 0) fail('the inventory was started anew meanwhile; its ledger is lost');
  reserved.add(made);
  gap.add(made - (settled() - settledBefore));
}

// A member of the answer's body as text; empty if it is no JSON or has none.
function member(answer, name) {
  try {
    return String(answer.json(name) ?? '');
  } catch {
    return '';
  }
}

function reservations() {
  return series('inventory_reservations_total');
}

// Orders that were unknown and have a reservation.
function settled() {
  return IDEMPOTENT ? series('order_settled_total', ORDER_URL, 'result="confirmed"') : 0;
}

// The sum of a metric's series that have this label.
function series(name, url = INVENTORY_URL, label = '') {
  const answer = http.get(`${url}/metrics`);
  if (answer.status !== 200) fail(`no metrics at ${url}: ${answer.error || answer.status}`);
  return answer.body
    .split('\n')
    .filter((line) => line.startsWith(`${name} `) || line.startsWith(`${name}{`))
    .filter((line) => line.includes(label))
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
}

// The same seed and number give the same plan, whichever runner asks.
function choose(nth) {
  let left = scatter(SEED + nth * 0x9e3779b1) * MIX.total;
  for (const { plan, weight } of MIX.entries) {
    if (left < weight) return plan;
    left -= weight;
  }
  return 'none';
}

// A number from 0 to 1 that looks random.
function scatter(x) {
  let h = x | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return ((h ^ (h >>> 16)) >>> 0) / 2 ** 32;
}

function mix(text) {
  const entries = text.split(',').map((entry) => {
    const [plan, weight, more] = entry.split('=');
    if (!plan || more !== undefined || !/^\d+$/.test((weight || '').trim())) {
      throw new Error(`MIX: expected plan=weight, got "${entry}"`);
    }
    return { plan: plan.trim().replace(/\+/g, ','), weight: Number(weight) };
  });
  const total = entries.reduce((sum, { weight }) => sum + weight, 0);
  if (total === 0) throw new Error('MIX: expected at least one weight above 0');
  return { entries, total };
}

function number(name, otherwise, least, most) {
  const text = __ENV[name];
  if (text === undefined || text === '') return otherwise;
  const value = Number(text);
  if (!Number.isInteger(value) || value < least || value > most) {
    throw new Error(`${name}: expected a whole number from ${least} to ${most}, got "${text}"`);
  }
  return value;
}

function word(name, otherwise, words) {
  const text = __ENV[name] || otherwise;
  if (!(text in words)) throw new Error(`${name}: expected ${Object.keys(words).join(' or ')}, got "${text}"`);
  return words[text];
}
