"use strict";
(() => {
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
  for (const table of all("table.sortable")) {
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

  // ---- the plot of coverage
  const host = find("#chart");
  const data = JSON.parse(find("#plot").textContent);
  if (!host || !data.measured.length) return;
  const controls = find("#controls");
  controls.hidden = false;
  const svgSpace = "http:" + "//www.w3.org/2000/svg";
  const last = data.measured[data.measured.length - 1][0];
  const state = { log: { x: true, y: false }, zoom: null, at: null, drag: null };
  const shown = (layer) => {
    const button = controls.querySelector(`[data-layer="${layer}"]`);
    return button !== null && button.getAttribute("aria-pressed") === "true";
  };
  const beyond = () => (shown("forecast") ? data.forecast.slice(1) : []);
  const points = () => [
    ...data.measured.map((p) => ({ k: p[0], c: p[1], low: p[2], high: p[3], forecast: false })),
    ...beyond().map((p) => ({ k: p[0], c: p[1], low: p[2], high: p[3], forecast: true })),
  ];
  const percent = (share) => {
    const digits = share > 0.1 && share < 0.9 ? 1 : share > 0.001 && share < 0.999 ? 2 : 3;
    return share === 0 || share === 1 ? `${share * 100}%` : `${(share * 100).toFixed(digits)}%`;
  };
  const whole = (k) => Math.round(k).toLocaleString("en-US");
  let view = null;

  function element(name, attributes, text) {
    const node = document.createElementNS(svgSpace, name);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    if (text !== undefined) node.textContent = text;
    return node;
  }

  function ticks(low, high, log, most) {
    const found = [];
    if (log) {
      for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power++) {
        for (const digit of [1, 2, 5]) found.push({ value: digit * 10 ** power, major: digit === 1 });
      }
      const inside = found.filter((t) => t.value >= low * 0.9999 && t.value <= high * 1.0001);
      return inside.length <= most ? inside : inside.filter((t) => t.major);
    }
    const raw = (high - low) / Math.min(most, 6);
    const unit = 10 ** Math.floor(Math.log10(raw));
    const step = unit * [1, 2, 5, 10].find((m) => m * unit >= raw);
    for (let i = Math.ceil(low / step - 1e-9); i * step <= high * (1 + 1e-9); i++) found.push({ value: i * step });
    return found;
  }

  function layout() {
    const width = Math.max(280, host.clientWidth);
    const height = Math.round(Math.min(460, Math.max(270, width * 0.5)));
    const margin = { left: 54, right: 16, top: 22, bottom: 46 };
    const drawn = points();
    const [kLow, kHigh] = state.zoom || [1, Math.max(2, drawn[drawn.length - 1].k)];
    const seen = drawn.filter((p) => p.k >= kLow && p.k <= kHigh);
    const tops = (seen.length ? seen : drawn).flatMap((p) => [p.c, (p.forecast || shown("band")) && p.high !== null ? p.high : p.c]);
    const positive = (seen.length ? seen : drawn).map((p) => p.c).filter((c) => c > 0);
    let cHigh = Math.min(1, Math.max(...tops) * 1.06);
    if (!(cHigh > 0) || cHigh > 0.8) cHigh = 1;
    const cLow = state.log.y && positive.length ? Math.min(...positive) * 0.8 : 0;
    const scale = (low, high, from, to, log) => {
      const f = log ? Math.log : (v) => v;
      const g = log ? Math.exp : (v) => v;
      return {
        to: (v) => from + ((f(v) - f(low)) / (f(high) - f(low))) * (to - from),
        back: (p) => g(f(low) + ((p - from) / (to - from)) * (f(high) - f(low))),
      };
    };
    const x = scale(kLow, kHigh, margin.left, width - margin.right, state.log.x);
    const logY = state.log.y && cLow > 0;
    const y = scale(cLow, cHigh, height - margin.bottom, margin.top, logY);
    const clampY = (c) => Math.min(height - margin.bottom, y.to(Math.max(c, logY ? cLow * 1e-3 : 0)));
    return { width, height, margin, x, y, clampY, kLow, kHigh, cLow, cHigh, logY, drawn, seen };
  }

  function path(rows, column) {
    return rows.map((p, i) => `${i ? "L" : "M"}${view.x.to(p[0]).toFixed(2)} ${view.clampY(p[column]).toFixed(2)}`).join("");
  }

  function area(rows) {
    const banded = rows.filter((p) => p[2] !== null);
    if (banded.length < 2) return "";
    const back = banded.slice().reverse();
    return `${path(banded, 3)}${path(back, 2).replace("M", "L")}Z`;
  }

  function draw() {
    view = layout();
    const { width, height, margin, x, y } = view;
    const bottom = height - margin.bottom;
    const right = width - margin.right;
    const svg = element("svg", { viewBox: `0 0 ${width} ${height}`, width, height, "aria-hidden": "true" });
    const clip = element("clipPath", { id: "inside" });
    clip.append(element("rect", { x: margin.left - 6, y: 0, width: right - margin.left + 12, height: bottom + 6 }));
    svg.append(clip);
    for (const tick of ticks(view.cLow, view.cHigh, view.logY, 8)) {
      const at = y.to(tick.value);
      svg.append(element("line", { class: "grid", x1: margin.left, x2: right, y1: at, y2: at }));
      const text = `${parseFloat((tick.value * 100).toPrecision(6))}%`;
      svg.append(element("text", { x: margin.left - 8, y: at + 4, "text-anchor": "end" }, text));
    }
    let used = -Infinity;
    for (const tick of ticks(view.kLow, view.kHigh, state.log.x, width < 560 ? 7 : 14)) {
      const at = x.to(tick.value);
      svg.append(element("line", { class: "grid", x1: at, x2: at, y1: margin.top, y2: bottom }));
      const text = tick.value >= 1 ? whole(tick.value) : "";
      if (!text || at - used < 14 + text.length * 6.5) continue;
      used = at;
      const overhang = at + text.length * 3.3 - width;
      svg.append(element("text", { x: at - Math.max(0, overhang), y: bottom + 18, "text-anchor": "middle" }, text));
    }
    svg.append(element("line", { class: "axis", x1: margin.left, x2: right, y1: bottom, y2: bottom }));
    svg.append(element("text", { class: "title", x: (margin.left + right) / 2, y: height - 6, "text-anchor": "middle" }, "samples per problem, k"));
    svg.append(element("text", { class: "title", x: 0, y: 10 }, "coverage"));

    const inside = element("g", { "clip-path": "url(#inside)" });
    svg.append(inside);
    if (shown("forecast") && data.forecast.length) {
      const edge = x.to(last);
      if (edge < right) {
        const start = Math.max(edge, margin.left);
        inside.append(element("rect", { class: "beyond", x: start, y: margin.top, width: right - start, height: bottom - margin.top }));
        inside.append(element("line", { class: "edge", x1: edge, x2: edge, y1: margin.top, y2: bottom }));
        const label = edge > right - 90 ? [edge - 6, "end"] : [start + 6, "start"];
        inside.append(element("text", { class: "edge-label", x: label[0], y: margin.top - 6, "text-anchor": label[1] }, "forecast →"));
      }
      inside.append(element("path", { class: "band forecast", d: area(data.forecast) }));
      const inner = data.forecast.map((p) => [p[0], p[1], p[4], p[5]]);
      inside.append(element("path", { class: "band forecast", d: area(inner) }));
      inside.append(element("path", { class: "line forecast-line", d: path(data.forecast, 1) }));
    }
    if (shown("band")) inside.append(element("path", { class: "band", d: area(data.measured) }));
    if (shown("law") && data.law.length) inside.append(element("path", { class: "line law", d: path(data.law, 1) }));
    if (shown("measured")) {
      inside.append(element("path", { class: "line measured", d: path(data.measured, 1) }));
      for (const p of data.measured) {
        if (data.marks.includes(p[0])) {
          inside.append(element("circle", { cx: x.to(p[0]), cy: view.clampY(p[1]), r: 4 }));
        }
      }
    }
    inside.append(element("g", { class: "cursor" }));
    host.replaceChildren(svg);
    const reset = controls.querySelector("[data-reset]");
    reset.hidden = state.zoom === null;
    if (state.at !== null) point(state.at, false);
  }

  function point(index, speak) {
    const drawn = view.drawn;
    state.at = Math.max(0, Math.min(drawn.length - 1, index));
    const p = drawn[state.at];
    const cursor = host.querySelector(".cursor");
    const px = view.x.to(p.k);
    const py = view.clampY(p.c);
    cursor.replaceChildren(
      element("line", { class: "cross", x1: px, x2: px, y1: view.margin.top, y2: view.height - view.margin.bottom }),
      element("circle", { class: p.forecast ? "at forecast" : "at", cx: px, cy: py, r: 5.5 }),
    );
    const lines = [`k = ${whole(p.k)}: ${percent(p.c)}`];
    const level = p.forecast ? 90 : Math.round(data.level * 100);
    if (p.low !== null) lines.push(`${level}% interval ${percent(p.low)} – ${percent(p.high)}`);
    if (p.forecast) lines.push("forecast, not measured");
    const box = host.getBoundingClientRect();
    showTip(lines, box.left + (px / view.width) * box.width, box.top + (py / view.height) * box.height);
    if (speak) find("#reading").textContent = lines.join("; ");
  }

  function leave() {
    state.at = null;
    hideTip();
    const cursor = host.querySelector(".cursor");
    if (cursor) cursor.replaceChildren();
  }

  const toView = (event) => {
    const box = host.getBoundingClientRect();
    return ((event.clientX - box.left) / box.width) * view.width;
  };
  const nearest = (px) => {
    let best = 0;
    view.drawn.forEach((p, i) => {
      if (Math.abs(view.x.to(p.k) - px) < Math.abs(view.x.to(view.drawn[best].k) - px)) best = i;
    });
    return best;
  };

  function zoomTo(low, high) {
    const whole = layoutRange();
    low = Math.max(whole[0], low);
    high = Math.min(whole[1], high);
    state.zoom = low <= whole[0] * 1.001 && high >= whole[1] * 0.999 ? null : [low, high];
    draw();
  }
  const layoutRange = () => {
    const drawn = points();
    return [1, Math.max(2, drawn[drawn.length - 1].k)];
  };

  host.addEventListener("pointerdown", (event) => {
    if (event.pointerType === "mouse" && event.button === 0) {
      state.drag = toView(event);
      host.setPointerCapture(event.pointerId);
    }
  });
  host.addEventListener("pointermove", (event) => {
    const px = toView(event);
    if (state.drag === null || Math.abs(px - state.drag) < 6) {
      point(nearest(px), false);
      return;
    }
    hideTip();
    const from = Math.max(view.margin.left, Math.min(px, state.drag));
    const to = Math.min(view.width - view.margin.right, Math.max(px, state.drag));
    host.querySelector(".cursor").replaceChildren(element("rect", {
      class: "brush", x: from, y: view.margin.top, width: Math.max(0, to - from),
      height: view.height - view.margin.bottom - view.margin.top,
    }));
  });
  host.addEventListener("pointerup", (event) => {
    const from = state.drag;
    const to = toView(event);
    state.drag = null;
    if (from !== null && Math.abs(to - from) > 12) {
      leave();
      zoomTo(view.x.back(Math.min(from, to)), view.x.back(Math.max(from, to)));
    }
  });
  host.addEventListener("pointercancel", () => { state.drag = null; leave(); });
  host.addEventListener("pointerleave", () => { if (state.drag === null) leave(); });
  host.addEventListener("dblclick", () => { state.zoom = null; draw(); });
  host.addEventListener("blur", leave);
  host.addEventListener("keydown", (event) => {
    const at = state.at === null ? view.drawn.findIndex((p) => p.k >= view.kLow) - 1 : state.at;
    const moves = { ArrowRight: at + 1, ArrowLeft: Math.max(0, at - 1), Home: 0, End: view.drawn.length - 1 };
    if (event.key in moves) {
      point(moves[event.key], true);
    } else if (event.key === "+" || event.key === "=" || event.key === "-") {
      const centre = view.x.to(state.at === null ? view.x.back(view.width / 2) : view.drawn[state.at].k);
      const reach = ((view.width - view.margin.left - view.margin.right) / 2) * (event.key === "-" ? 1.6 : 0.6);
      zoomTo(view.x.back(centre - reach), view.x.back(centre + reach));
    } else if (event.key === "0") {
      state.zoom = null;
      draw();
    } else if (event.key === "Escape") {
      leave();
    } else {
      return;
    }
    event.preventDefault();
  });
  controls.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    leave();
    if ("reset" in button.dataset) {
      state.zoom = null;
    } else {
      const pressed = button.getAttribute("aria-pressed") !== "true";
      button.setAttribute("aria-pressed", String(pressed));
      if (button.dataset.scale) state.log[button.dataset.scale] = pressed;
      else state.zoom = null;
    }
    draw();
  });
  new ResizeObserver(draw).observe(host);
  addEventListener("beforeprint", draw);
  draw();
})();
