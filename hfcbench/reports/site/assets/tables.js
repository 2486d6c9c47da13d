// Sorting, filtering and folding of tables. Without this script they are plain and whole.
"use strict";

(() => {
  // More rows than these are folded away until they are asked for, so that long tables stay quick.
  const MOST_ROWS = 100;

  function compare(first, second, sign) {
    // What has no value comes last, whichever way the others go.
    if (first === null || second === null) return (first === null) - (second === null);
    if (first === second) return 0;
    return (first < second ? -1 : 1) * sign;
  }

  function keyOf(row, position, isText) {
    const text = row.cells[position].dataset.order;
    if (text === undefined) return null;
    return isText ? text : Number(text);
  }

  class SortableTable {
    constructor(table) {
      this.table = table;
      this.headings = Array.from(table.tHead.rows[0].cells);
      this.rows = Array.from(table.tBodies[0].rows);
      this.unfit = new Set();
      this.unfolded = false;
      this.more = null;
      for (const [position, heading] of this.headings.entries()) {
        this.makeButton(position, heading);
      }
      this.refresh();
    }

    makeButton(position, heading) {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...heading.childNodes);
      heading.append(button);
      button.addEventListener("click", () => {
        const now = heading.getAttribute("aria-sort");
        const first = heading.classList.contains("score") ? "descending" : "ascending";
        const other = first === "ascending" ? "descending" : "ascending";
        this.sort(position, now === first ? other : first);
      });
    }

    sort(position, direction) {
      const heading = this.headings[position];
      const isText = heading.classList.contains("text") || heading.classList.contains("code");
      const sign = direction === "ascending" ? 1 : -1;
      const keyed = this.rows.map((row, place) => [keyOf(row, position, isText), place, row]);
      keyed.sort((a, b) => compare(a[0], b[0], sign) || a[1] - b[1]);
      this.rows = keyed.map((entry) => entry[2]);
      const sorted = document.createDocumentFragment();
      sorted.append(...this.rows);
      this.table.tBodies[0].append(sorted);
      for (const other of this.headings) other.removeAttribute("aria-sort");
      heading.setAttribute("aria-sort", direction);
      this.refresh();
    }

    // Show the rows that fit, at most so many; returns how many fit.
    refresh() {
      let count = 0;
      for (const row of this.rows) {
        const fits = !this.unfit.has(row);
        count += fits;
        const hidden = !fits || (!this.unfolded && count > MOST_ROWS);
        if (row.hidden !== hidden) row.hidden = hidden;
      }
      this.offerMore(this.unfolded ? 0 : count - MOST_ROWS);
      return count;
    }

    offerMore(folded) {
      if (folded <= 0) {
        if (this.more) this.more.hidden = true;
        return;
      }
      if (this.more === null) {
        this.more = document.createElement("button");
        this.more.type = "button";
        this.more.className = "more";
        this.more.addEventListener("click", () => {
          this.unfolded = true;
          this.refresh();
        });
        this.table.parentElement.after(this.more);
      }
      this.more.hidden = false;
      this.more.textContent = `Show ${folded.toLocaleString("en")} more rows`;
    }

    // Hide the columns of all attacks but one; none is hidden where that one is not known.
    showAttack(wanted) {
      const known = this.headings.some((heading) => heading.dataset.attack === wanted);
      const changed = [];
      for (const [position, heading] of this.headings.entries()) {
        if (heading.dataset.attack === undefined) continue;
        const hidden = wanted !== "" && known && heading.dataset.attack !== wanted;
        if (heading.hidden === hidden) continue;
        heading.hidden = hidden;
        changed.push([position, hidden]);
      }
      if (changed.length === 0) return;
      for (const row of this.rows) {
        for (const [position, hidden] of changed) row.cells[position].hidden = hidden;
      }
    }
  }

  class Filters {
    constructor(form, tables) {
      this.form = form;
      this.sections = Array.from(document.querySelectorAll("section.dataset"), (section) => ({
        section,
        tables: Array.from(section.querySelectorAll(".ranking > .table-box > table"), (table) =>
          tables.get(table),
        ),
      }));
      this.texts = null;
      form.hidden = false;
      this.read();
      form.querySelector("input").addEventListener("input", () => this.apply());
      form.addEventListener("change", () => this.apply());
      form.addEventListener("submit", (event) => event.preventDefault());
      form.addEventListener("reset", () => setTimeout(() => this.apply()));
      window.addEventListener("hashchange", () => this.read());
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
      const page = window.location.pathname.split("/").pop() || "./";
      window.history.replaceState(null, "", said.size ? `#${said}` : page);
    }

    textOf(row) {
      this.texts ??= new Map();
      let text = this.texts.get(row);
      if (text === undefined) {
        text = row.textContent.toLowerCase();
        this.texts.set(row, text);
      }
      return text;
    }

    apply() {
      const values = Object.fromEntries(new FormData(this.form).entries());
      const { text = "", dataset = "", attack = "" } = values;
      const words = text.toLowerCase().split(/\s+/).filter(Boolean);
      const names = ["model", "heuristic", "defence"].filter((name) => values[name]);
      const fits = (row) =>
        names.every((name) => row.dataset[name].split("\n").includes(values[name])) &&
        words.every((word) => this.textOf(row).includes(word));
      let shown = 0;
      let count = 0;
      for (const { section, tables } of this.sections) {
        const wanted = dataset === "" || section.dataset.dataset === dataset;
        section.hidden = !wanted;
        for (const table of tables) {
          table.showAttack(attack);
          table.unfit = new Set(wanted ? table.rows.filter((row) => !fits(row)) : table.rows);
          shown += table.refresh();
          count += table.rows.length;
        }
      }
      this.form.querySelector("output").value =
        shown === count ? `${count} rows` : `${shown} of ${count} rows`;
      this.write(values);
    }
  }

  const tables = new Map();
  for (const table of document.querySelectorAll("table")) {
    tables.set(table, new SortableTable(table));
  }
  for (const form of document.querySelectorAll("form.filters")) new Filters(form, tables);
  document.documentElement.classList.remove("starting");
  document.documentElement.dataset.ready = "tables";
})();
