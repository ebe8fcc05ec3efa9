// What needs a script: a run that is under way shows its picture as soon as there is one,
// and a picture can be gone through step by step. Everything else works without.

import { link } from "./linked.js";

const OPENS_WITHIN = 2000; // ms
const ASK_EVERY = 2000; // ms
// A browser has six connections to one host for all of its tabs, and a stream takes one
// as long as the run lasts. Tabs without a stream ask.
const STREAMS = 3;

// --- a run under way

let follow = null;

// A place for a stream, given back by calling it; null if the other tabs have them all.
function place(number = 0) {
  // Browsers have locks only where they trust the address.
  if (!navigator.locks) return Promise.resolve(() => {});
  if (number === STREAMS) return Promise.resolve(null);
  return new Promise((resolve) => {
    navigator.locks.request(`stream-${number}`, { ifAvailable: true }, (lock) =>
      lock ? new Promise((leave) => resolve(leave)) : resolve(place(number + 1)),
    );
  });
}

function followed(card) {
  const state = { id: card.dataset.run, stream: null, timer: 0, leave: null, turn: 0, asked: 0, seen: 0 };
  const stop = () => {
    state.turn += 1;
    state.stream?.close();
    state.leave?.();
    clearTimeout(state.timer);
    clearInterval(state.timer);
    state.stream = state.leave = null;
  };
  const look = async () => {
    const number = ++state.asked;
    const answer = await fetch(location.pathname, { headers: { accept: "text/html" } }).catch(() => null);
    // Not found is an answer too: a lab that was started anew does not know the run.
    if (!answer?.ok && answer?.status !== 404) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const [main, now] = ["main", ".running"].map((selector) => page.querySelector(selector));
    // A page that was overtaken by a later one says nothing new.
    if (!main || number < state.seen || !card.isConnected) return;
    state.seen = number;
    if (now?.dataset.held === card.dataset.held) return grow(main);
    stop();
    say(now ? main.querySelector(".doubt p")?.textContent : card.dataset.done);
    show(main);
  };
  const poll = () => {
    stop();
    state.timer = setInterval(look, ASK_EVERY);
  };
  const open = async () => {
    stop();
    const turn = state.turn;
    const leave = await place();
    if (turn !== state.turn) return leave?.();
    if (!leave) return poll();
    state.leave = leave;
    const stream = new EventSource(`/api/runs/${state.id}/events`);
    state.stream = stream;
    state.timer = setTimeout(() => stream.readyState !== EventSource.OPEN && poll(), OPENS_WITHIN);
    stream.onopen = () => clearTimeout(state.timer);
    stream.addEventListener("picture", look);
    stream.addEventListener("ended", () => {
      poll();
      look();
    });
    stream.onerror = () => stream.readyState === EventSource.CLOSED && poll();
  };
  return { open, stop };
}

// The picture of an order under way takes the place of the one before it.
function grow(main) {
  const [before, now] = [document, main].map((part) => part.querySelector(".growing, .pending"));
  if (!before || !now) return;
  const rows = (part, shape) => part.querySelectorAll(`.${shape} .row`);
  for (const shape of ["wide", "narrow"]) {
    [...rows(now, shape)].slice(rows(before, shape).length).forEach((row) => row.classList.add("new"));
  }
  before.replaceWith(now);
  // Only a change is announced.
  const [status, said] = [document, main].map((part) => part.querySelector(".running > [role=status]"));
  if (status && said && status.textContent !== said.textContent) status.textContent = said.textContent;
}

const spoken = document.createElement("p");
spoken.className = "spoken";
spoken.role = "status";
document.body.append(spoken);

// For those who listen to the page.
function say(words) {
  spoken.textContent = words ?? "";
}

function show(main) {
  const before = document.querySelector("main");
  const hadFocus = before.contains(document.activeElement);
  const grew = before.querySelector(".growing");
  before.replaceWith(main);
  begin();
  const heading = main.querySelector("h1");
  if (hadFocus && heading) {
    heading.tabIndex = -1;
    heading.focus({ preventScroll: true });
  }
  // A picture that somebody watches stays where it is, unless there is something to decide.
  if (!grew || main.querySelector(".doubt")) heading?.scrollIntoView({ block: "start" });
}

// --- the menu of the lessons: closed by Escape, and by whatever is beside it

const menu = document.querySelector(".menu");
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || !menu?.open) return;
  menu.open = false;
  menu.querySelector("summary").focus();
});
for (const moved of ["pointerdown", "focusin"]) {
  document.addEventListener(moved, ({ target }) => {
    if (menu?.open && !menu.contains(target)) menu.open = false;
  });
}

document.addEventListener("visibilitychange", () => {
  if (document.hidden) follow?.stop();
  else follow?.open();
});

// --- a picture, step by step

function steps(stage) {
  const range = stage.querySelector(".steps input");
  if (!range) return;
  const [back, next] = stage.querySelectorAll(".steps button");
  const told = stage.querySelector(".steps output");
  const last = Number(range.max);
  const choose = (step) => {
    const chosen = Math.min(Math.max(step, 0), last);
    range.value = chosen;
    // Not disabled, which would take the focus from the keys of the picture.
    back.ariaDisabled = chosen === 0;
    next.ariaDisabled = chosen === last;
    told.textContent = range.dataset.said.replace("0", chosen + 1);
    for (const part of stage.querySelectorAll("[data-step]")) {
      const of = Number(part.dataset.step);
      part.classList.toggle("now", of === chosen);
      part.classList.toggle("later", of > chosen);
      if (part.classList.contains("known")) part.hidden = of !== chosen;
    }
    stage.dispatchEvent(new CustomEvent("step", { detail: chosen }));
  };
  range.addEventListener("input", () => choose(Number(range.value)));
  back.addEventListener("click", () => choose(Number(range.value) - 1));
  next.addEventListener("click", () => choose(Number(range.value) + 1));
  stage.addEventListener("keydown", (event) => {
    if (event.target === range) return;
    const by = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 }[event.key];
    if (!by) return;
    event.preventDefault();
    choose(Number(range.value) + by);
  });
  for (const row of stage.querySelectorAll("svg [data-step]")) {
    row.addEventListener("click", () => choose(Number(row.dataset.step)));
  }
  stage.querySelector(".steps").hidden = false;
  choose(last);
}

function begin() {
  follow?.stop();
  const card = document.querySelector(".running");
  follow = card && followed(card);
  if (!document.hidden) follow?.open();
  for (const stage of document.querySelectorAll(".stage")) {
    link(stage);
    steps(stage);
  }
}

begin();
