const page = (() => {
  const find = (selector) => document.querySelector(selector);
  const all = (selector) => [...document.querySelectorAll(selector)];
  const tip = find("#tip");

  function showTip(lines, x, y) {
    tip.replaceChildren(...lines.map((line, i) => {
      const part = document.createElement(i ? "span" : "b");
      part.textContent = line;
      return part;
    }));
    tip.hidden = false;
    const box = tip.getBoundingClientRect();
    const left = x + 14 + box.width > innerWidth - 8 ? x - 14 - box.width : x + 14;
    tip.style.left = `${Math.max(8, left) + scrollX}px`;
    tip.style.top = `${Math.max(8, y - box.height - 12) + scrollY}px`;
  }
  const hideTip = () => { tip.hidden = true; };

  // ---- theme: auto, light, dark
  const theme = find("#theme");
  const themes = ["Auto", "Light", "Dark"];
  theme.hidden = false;
  theme.addEventListener("click", () => {
    const next = themes[(themes.indexOf(theme.textContent) + 1) % 3];
    theme.textContent = next;
    if (next === "Auto") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = next.toLowerCase();
  });

  // ---- hover texts of cells and bars
  for (const group of all(".strip, .stack")) {
    group.addEventListener("pointermove", (event) => {
      const text = event.target.dataset && event.target.dataset.tip;
      if (text) showTip([text], event.clientX, event.clientY); else hideTip();
    });
    group.addEventListener("pointerleave", hideTip);
  }

  // ---- samples by verdict
  const filters = find("#filters");
  if (filters) {
    filters.hidden = false;
    filters.addEventListener("click", (event) => {
      const button = event.target.closest("button");
      if (!button) return;
      const wanted = button.dataset.verdict;
      for (const other of filters.children) other.setAttribute("aria-pressed", String(other === button));
      for (const sample of all(".sample")) sample.hidden = wanted !== "" && sample.dataset.verdict !== wanted;
    });
  }

  // ---- sortable table
  function sortable(table) {
    const heads = [...table.tHead.rows[0].cells];
    heads.forEach((head, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        const down = head.getAttribute("aria-sort") !== "descending";
        heads.forEach((other) => other.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", down ? "descending" : "ascending");
        const value = (row) => {
          const text = row.cells[column].textContent;
          const number = parseFloat(text.replace(/[<>,%\s]/g, ""));
          return column && !Number.isNaN(number) ? number : column ? -1 : text;
        };
        const body = table.tBodies[0];
        const rows = [...body.rows].map((row) => [value(row), row]);
        rows.sort(([a], [b]) => (typeof a === "string" ? a.localeCompare(b, undefined, { numeric: true }) : a - b));
        if (down) rows.reverse();
        body.append(...rows.map(([, row]) => row));
      });
    });
  }
  const makeSortable = () => all("table.sortable").forEach(sortable);
  makeSortable();

  // ---- copy
  for (const button of all("[data-copy]")) {
    if (!navigator.clipboard) continue;
    button.hidden = false;
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(find(`#${button.dataset.copy}`).textContent);
      button.textContent = "Copied";
    });
  }

  // ---- printing opens the folded samples; the long table of problems stays as the reader left it
  addEventListener("beforeprint", () => {
    for (const details of all("details.sample:not([open])")) {
      details.open = true;
      details.dataset.opened = "";
    }
  });
  addEventListener("afterprint", () => {
    for (const details of all("details[data-opened]")) {
      details.open = false;
      delete details.dataset.opened;
    }
  });

  return { find, all, showTip, hideTip, makeSortable };
})();
