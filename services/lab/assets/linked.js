// A picture, its spans and their log lines: what belongs together is lit in all of them,
// and of one span the attributes are shown.

export function link(stage) {
  const evidence = document.getElementById(stage.dataset.spans);
  if (!evidence) return;
  const bars = [...stage.querySelectorAll(".bar[data-attempt]")];
  const rows = [...evidence.querySelectorAll("[data-steps]")];
  const lines = [...evidence.querySelectorAll(".logs [data-span]")];
  let chosen = null; // a row
  let pointed = null; // a row, a log line, or the bar of an attempt

  const light = () => {
    const attempt = (pointed ?? chosen)?.dataset.attempt;
    const of = (part) => attempt !== undefined && part.dataset.attempt === attempt;
    for (const bar of bars) bar.classList.toggle("lit", of(bar));
    for (const part of [...rows, ...lines]) {
      const own = [chosen, pointed].some((it) => it?.dataset.span === part.dataset.span);
      part.classList.toggle("lit", own || (bars.includes(pointed) && of(part)));
    }
  };
  const point = (part) => {
    if (pointed === part) return;
    pointed = part;
    light();
  };
  const at = (step) => rows.find((row) => row.dataset.steps.split(" ").includes(String(step))) ?? null;
  // The steps of the picture lie over its bars, so not every bar is told of the pointer.
  const under = ({ clientX, clientY }) => {
    const all = document.elementsFromPoint(clientX, clientY);
    const first = (selector) => all.map((it) => it.closest(selector)).find((it) => it);
    return first(".bar[data-attempt]") ?? at(first("svg .row")?.dataset.step);
  };
  const choose = (row) => {
    chosen = row;
    for (const each of rows) {
      document.getElementById(each.dataset.span).hidden = each !== row;
    }
    light();
  };

  const picture = stage.querySelector(".diagram");
  picture.addEventListener("pointermove", (event) => point(under(event)));
  picture.addEventListener("pointerleave", () => point(null));
  for (const part of [...rows, ...lines]) {
    part.addEventListener("pointerenter", () => point(part));
    part.addEventListener("pointerleave", () => point(null));
    part.addEventListener("focusin", () => point(part));
    part.addEventListener("focusout", () => point(null));
    part.addEventListener("click", (event) => {
      event.preventDefault();
      choose(rows.find((row) => row.dataset.span === part.dataset.span));
    });
  }
  stage.addEventListener("step", ({ detail: step }) => {
    choose(at(step));
  });
}
