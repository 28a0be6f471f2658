"use strict";
(() => {
  const table = document.getElementById("listing");
  if (!table) return;
  const body = table.tBodies[0];
  const rows = Array.from(body.rows);
  const names = rows.map((row) => row.cells[0].textContent.toLowerCase());
  const form = document.getElementById("finder");
  const input = form.querySelector("input");
  const told = form.querySelector("output");

  const find = () => {
    const wanted = input.value.trim().toLowerCase();
    let shown = 0;
    rows.forEach((row, i) => {
      row.hidden = !names[i].includes(wanted);
      if (!row.hidden) shown += 1;
    });
    told.textContent = wanted ? `${shown} of ${rows.length}` : "";
  };

  // Rows without a number come last, whichever way the others go.
  const compare = (place, way) => (a, b) => {
    const [x, y] = [a, b].map((i) => (place ? rows[i].cells[place].dataset.v : names[i]));
    if (place === 0) return way * (x < y ? -1 : x > y ? 1 : 0);
    if (x === undefined || y === undefined) {
      return (x === undefined) - (y === undefined) || a - b;
    }
    return way * (Number(x) - Number(y)) || a - b;
  };

  const sort = (head, place) => {
    const way = head.getAttribute("aria-sort") === "ascending" ? -1 : 1;
    for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", way === 1 ? "ascending" : "descending");
    const order = rows.map((_, i) => i).sort(compare(place, way));
    const sorted = document.createDocumentFragment();
    for (const i of order) sorted.append(rows[i]);
    body.append(sorted);
  };

  Array.from(table.tHead.rows[0].cells).forEach((head, place, all) => {
    if (place === all.length - 1) return; // flags
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = head.textContent;
    head.replaceChildren(button);
    button.addEventListener("click", () => sort(head, place));
  });
  form.addEventListener("submit", (event) => event.preventDefault());
  input.addEventListener("input", find);
  form.hidden = false;
  document.getElementById("sorting").hidden = false;
})();
