"use strict";
// The report is whole without this: it only sorts, filters, and switches colors. It asks for nothing and sends nothing.
(() => {
  const root = document.documentElement;
  root.classList.add("scripted");
  const prefersDark = matchMedia("(prefers-color-scheme: dark)");

  // --- colors ---------------------------------------------------------------------------------------------------
  const stored = () => { try { return localStorage.getItem("theme"); } catch { return null; } };
  const store = (theme) => { try { localStorage.setItem("theme", theme); } catch { /* a page may not store anything */ } };
  const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : prefersDark.matches);
  if (["light", "dark"].includes(stored())) root.dataset.theme = stored();

  function setUpColors() {
    const button = document.getElementById("theme");
    const tell = () => button.setAttribute("aria-pressed", String(isDark()));
    button.addEventListener("click", () => {
      root.dataset.theme = isDark() ? "light" : "dark";
      store(root.dataset.theme);
      tell();
    });
    prefersDark.addEventListener("change", tell);
    tell();
  }

  // --- sorting --------------------------------------------------------------------------------------------------
  const collator = new Intl.Collator("en", { numeric: true, sensitivity: "base" });

  function keyOf(cell, numeric) {
    if (!numeric) return cell.dataset.key ?? cell.textContent;
    const digits = cell.textContent.replace("−", "-").replace(/[^\d.-]/g, "");
    return digits === "" ? null : Number(digits);
  }

  function sort(table, column, numeric, descending) {
    const body = table.tBodies[0];
    const sign = descending ? -1 : 1;
    const keyed = Array.from(body.rows, (row) => ({ row, key: keyOf(row.cells[column], numeric) }));
    keyed.sort((one, other) => {
      if (one.key === null || other.key === null) return (one.key === null) - (other.key === null);
      return sign * (numeric ? one.key - other.key : collator.compare(one.key, other.key));
    });
    body.remove();  // rows that are nowhere to be seen move faster
    for (const { row } of keyed) body.append(row);
    table.append(body);
    table.dispatchEvent(new Event("sorted"));
  }

  function setUpSorting(table) {
    const heads = Array.from(table.tHead.rows[0].cells);
    heads.forEach((head, column) => {
      const numeric = table.classList.contains(`n${column + 1}`);
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        const descending = head.getAttribute("aria-sort") === "ascending";
        for (const other of heads) other.removeAttribute("aria-sort");
        head.setAttribute("aria-sort", descending ? "descending" : "ascending");
        sort(table, column, numeric, descending);
      });
    });
  }

  // --- filtering ------------------------------------------------------------------------------------------------
  const PAGE = 300;

  function setUpFilters(table) {
    const [search, status, portal, slash, shown, all] = ["search", "status", "portal", "slash", "shown", "all"].map(
      (id) => document.getElementById(id));
    const texts = new Map();
    let limit = PAGE;

    function textOf(row) {
      if (!texts.has(row)) {
        const cells = Array.from(row.cells, (cell) => cell.textContent).join(" ");
        texts.set(row, ` ${cells} ${row.id}`.replaceAll("−", "-").toLowerCase());
      }
      return texts.get(row);
    }

    function filter() {
      const typed = search.value.replaceAll("−", "-").toLowerCase().split(/\s+/).filter(Boolean);
      const terms = typed.map((term) => (/^-\d/.test(term) ? ` ${term}` : term));  // a number, and no part of a date
      const rows = Array.from(table.tBodies[0].rows);
      let found = 0;
      for (const row of rows) {
        const wanted = (!status.value || row.dataset.status === status.value)
          && (!portal.value || row.dataset.portal === portal.value)
          && (!terms.length || terms.every((term) => textOf(row).includes(term)));
        found += wanted;
        const later = wanted && found > limit;
        if (row.hidden === wanted) row.hidden = !wanted;
        if (row.classList.contains("later") !== later) row.classList.toggle("later", later);
      }
      table.classList.add("ready");
      tell(found, rows.length);
    }

    function tell(found, total) {
      const [some, every, first] = [found, total, limit].map((number) => number.toLocaleString("en"));
      const noun = total === 1 ? "product" : "products";
      const matching = found === total ? (total === 1 ? "1 product" : `All ${every} products`)
        : found ? `${some} of ${every} ${noun}` : `None of ${every} ${noun} matches: Reset shows all`;
      shown.textContent = found > limit ? `${matching}, the first ${first} shown` : matching;
      all.hidden = found <= limit;
    }

    function show(chosen) {
      search.value = "";
      status.value = chosen.status ?? "";
      portal.value = chosen.portal ?? "";
      filter();
    }

    function revealTarget() {
      const row = document.getElementById(location.hash.slice(1));
      if (!row || !table.contains(row)) return;
      if (row.hidden) show({});
      if (row.classList.contains("later")) show({ portal: row.dataset.portal });
      if (row.classList.contains("later")) showAll();
      row.scrollIntoView({ block: "center" });
    }

    function showAll() {
      limit = Infinity;
      filter();
    }

    all.addEventListener("click", () => { showAll(); table.closest("[tabindex]").focus(); });
    table.addEventListener("sorted", filter);
    search.addEventListener("input", filter);
    status.addEventListener("change", filter);
    portal.addEventListener("change", filter);
    search.form.addEventListener("submit", (event) => event.preventDefault());
    search.form.addEventListener("reset", () => setTimeout(filter));
    addEventListener("hashchange", revealTarget);
    document.addEventListener("click", (event) => {
      const link = event.target.closest("a[data-status], a[data-portal]");
      if (link) show(link.dataset);
    });
    document.addEventListener("keydown", (event) => {
      const typing = event.target.closest("input:not([type=checkbox]), select, textarea");
      if (event.key === "/" && slash.checked && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
        event.preventDefault();
        search.focus();
        search.select();
      } else if (event.key === "Escape" && event.target === search) {
        search.value = "";
        filter();
      }
    });
    filter();  // a browser that comes back to the page may have kept what was typed
    revealTarget();
  }

  document.addEventListener("DOMContentLoaded", () => {
    for (const control of document.querySelectorAll(".controls")) control.hidden = false;
    setUpColors();
    for (const table of document.querySelectorAll("table.sortable")) setUpSorting(table);
    const products = document.getElementById("all-products");
    if (products) setUpFilters(products);
  });
})();
