// Sorting and filtering of tables. Without this script they are plain tables in their first order.
"use strict";

(() => {
  const sortedColumn = new WeakMap();

  function cellsOf(row) {
    return row.children;
  }

  function compare(first, second, sign) {
    // What has no value comes last, whichever way the others go.
    if (first === null || second === null) return (first === null) - (second === null);
    if (first === second) return 0;
    return (first < second ? -1 : 1) * sign;
  }

  function keyOf(row, position, isText) {
    const text = cellsOf(row)[position].dataset.order;
    if (text === undefined) return null;
    return isText ? text : Number(text);
  }

  function sortTable(table, position, direction) {
    const heading = table.tHead.rows[0].cells[position];
    const isText = heading.classList.contains("text") || heading.classList.contains("code");
    const sign = direction === "ascending" ? 1 : -1;
    const body = table.tBodies[0];
    const keyed = Array.from(body.rows, (row, place) => [keyOf(row, position, isText), place, row]);
    keyed.sort((a, b) => compare(a[0], b[0], sign) || a[1] - b[1]);
    const sorted = document.createDocumentFragment();
    for (const entry of keyed) sorted.append(entry[2]);
    body.append(sorted);
    for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
    heading.setAttribute("aria-sort", direction);
    sortedColumn.set(table, position);
  }

  function makeSortable(table) {
    const headings = table.tHead.rows[0].cells;
    for (const [position, heading] of Array.from(headings).entries()) {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...heading.childNodes);
      heading.append(button);
      button.addEventListener("click", () => {
        const now = heading.getAttribute("aria-sort");
        const first = heading.classList.contains("score") ? "descending" : "ascending";
        const other = first === "ascending" ? "descending" : "ascending";
        sortTable(table, position, now === first ? other : first);
      });
    }
  }

  function rowTexts(rows) {
    return rows.map((row) => row.textContent.toLowerCase());
  }

  function showAttack(table, wanted) {
    const headings = Array.from(table.tHead.rows[0].cells);
    const known = headings.some((heading) => heading.dataset.attack === wanted);
    const changed = [];
    for (const [position, heading] of headings.entries()) {
      if (heading.dataset.attack === undefined) continue;
      const hidden = wanted !== "" && known && heading.dataset.attack !== wanted;
      if (heading.hidden === hidden) continue;
      heading.hidden = hidden;
      changed.push([position, hidden]);
    }
    if (changed.length === 0) return;
    for (const row of table.tBodies[0].rows) {
      for (const [position, hidden] of changed) row.cells[position].hidden = hidden;
    }
  }

  class Filters {
    constructor(form) {
      this.form = form;
      this.sections = Array.from(document.querySelectorAll("section.dataset"), (section) => ({
        section,
        tables: Array.from(section.querySelectorAll(".ranking > .table-box > table")),
      }));
      for (const one of this.sections) {
        one.rows = one.tables.flatMap((table) => Array.from(table.tBodies[0].rows));
      }
      form.hidden = false;
      this.read();
      form.querySelector("input").addEventListener("input", () => this.apply());
      form.addEventListener("change", () => this.apply());
      form.addEventListener("submit", (event) => event.preventDefault());
      form.addEventListener("reset", () => setTimeout(() => this.apply()));
      window.addEventListener("hashchange", () => {
        if (window.location.hash.includes("=")) this.read();
      });
    }

    values() {
      return Object.fromEntries(new FormData(this.form).entries());
    }

    read() {
      // Filters are in the address, so that a view can be shared as a link.
      if (!window.location.hash.includes("=")) return;
      const given = new URLSearchParams(window.location.hash.slice(1));
      for (const field of this.form.elements) {
        if (field.name) field.value = given.get(field.name) ?? "";
        if (field.tagName === "SELECT" && field.selectedIndex < 0) field.value = "";
      }
      this.apply();
    }

    write(values) {
      const said = new URLSearchParams(Object.entries(values).filter(([, value]) => value !== ""));
      const hash = said.size ? `#${said}` : window.location.pathname.split("/").pop() || "./";
      window.history.replaceState(null, "", hash);
    }

    apply() {
      const values = this.values();
      const { text = "", dataset = "", attack = "" } = values;
      const words = text.toLowerCase().split(/\s+/).filter(Boolean);
      const names = ["model", "heuristic", "defence"].filter((name) => values[name]);
      let shown = 0;
      let count = 0;
      for (const one of this.sections) {
        one.texts ??= words.length ? rowTexts(one.rows) : undefined;
        const wanted = dataset === "" || one.section.dataset.dataset === dataset;
        one.section.hidden = !wanted;
        for (const [place, row] of one.rows.entries()) {
          const fits =
            wanted &&
            names.every((name) => row.dataset[name].split("\n").includes(values[name])) &&
            words.every((word) => one.texts[place].includes(word));
          if (row.hidden === fits) row.hidden = !fits;
          shown += fits;
        }
        count += one.rows.length;
        for (const table of one.tables) showAttack(table, attack);
      }
      this.form.querySelector("output").value =
        shown === count ? `${count} rows` : `${shown} of ${count} rows`;
      this.write(values);
    }
  }

  for (const table of document.querySelectorAll("table")) makeSortable(table);
  for (const form of document.querySelectorAll("form.filters")) new Filters(form);
  document.documentElement.dataset.ready = "tables";
})();
