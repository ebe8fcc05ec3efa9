// What needs a script: a run that is under way shows its picture as soon as there is one,
// and a picture can be gone through step by step. Everything else works without.

import { link } from "./linked.js";

const OPENS_WITHIN = 2000; // ms; a browser keeps back its seventh stream to one host
const ASK_EVERY = 2000; // ms

// --- a run under way

let follow = null;

function followed(card) {
  const state = { id: card.dataset.run, held: card.dataset.held === "true", stream: null, timer: 0 };
  const stop = () => {
    state.stream?.close();
    clearTimeout(state.timer);
    clearInterval(state.timer);
    state.stream = null;
  };
  const look = async () => {
    const answer = await fetch(location.pathname, { headers: { accept: "text/html" } }).catch(() => null);
    if (!answer?.ok) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const now = page.querySelector(".running");
    if (now && now.dataset.held === card.dataset.held) return;
    stop();
    show(page.querySelector("main"));
  };
  const poll = () => {
    stop();
    state.timer = setInterval(look, ASK_EVERY);
  };
  const open = () => {
    stop();
    const stream = new EventSource(`/api/runs/${state.id}/events`);
    state.stream = stream;
    state.timer = setTimeout(() => stream.readyState !== EventSource.OPEN && poll(), OPENS_WITHIN);
    stream.onopen = () => clearTimeout(state.timer);
    stream.addEventListener("answer_held", look);
    stream.addEventListener("order_answered", look);
    stream.addEventListener("ended", () => {
      stop();
      look();
    });
    stream.onerror = () => stream.readyState === EventSource.CLOSED && poll();
  };
  return { open, stop };
}

function show(main) {
  document.querySelector("main").replaceWith(main);
  begin();
  main.querySelector("h1")?.scrollIntoView({ block: "start" });
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
    back.disabled = chosen === 0;
    next.disabled = chosen === last;
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
