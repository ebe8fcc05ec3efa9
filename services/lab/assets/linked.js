// A picture and its spans: what belongs together is lit in both, and of one span the
// attributes are shown.

export function link(stage) {
  const evidence = document.getElementById(stage.dataset.spans);
  if (!evidence) return;
  const bars = [...stage.querySelectorAll(".bar[data-attempt]")];
  const rows = [...evidence.querySelectorAll("[data-steps]")];
  let chosen = null; // a row
  let pointed = null; // a row, or the bar of an attempt

  const light = () => {
    const attempt = (pointed ?? chosen)?.dataset.attempt;
    const of = (part) => attempt !== undefined && part.dataset.attempt === attempt;
    for (const bar of bars) bar.classList.toggle("lit", of(bar));
    for (const row of rows) {
      const lit = row === chosen || row === pointed || (bars.includes(pointed) && of(row));
      row.classList.toggle("lit", lit);
    }
  };
  const point = (part) => {
    pointed = part;
    light();
  };
  const choose = (row) => {
    chosen = row;
    for (const each of rows) {
      const attributes = document.getElementById(each.querySelector("a").hash.slice(1));
      attributes.hidden = each !== row;
    }
    light();
  };

  for (const part of [...bars, ...rows]) {
    part.addEventListener("pointerenter", () => point(part));
    part.addEventListener("pointerleave", () => point(null));
  }
  for (const row of rows) {
    row.addEventListener("focusin", () => point(row));
    row.addEventListener("focusout", () => point(null));
    row.addEventListener("click", (event) => {
      event.preventDefault();
      choose(row);
    });
  }
  stage.addEventListener("step", ({ detail: step }) => {
    choose(rows.find((row) => row.dataset.steps.split(" ").includes(String(step))) ?? null);
  });
}
