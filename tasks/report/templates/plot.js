// Plots against k: every figure with `data-plot` draws the part of #plot that it names.
// A series has points [k, value, low, high]: measured, and forecast with two ends more, low and high of its 50 %
// interval; and lines [k, value]: law, every. It may have a k, `plateau`, that gets a mark. A plot may have a `limit` and
// a `gap`. Values are shares: of problems, or, where signed, differences of such.
(() => {
  const svgSpace = "http:" + "//www.w3.org/2000/svg";
  const whole = (k) => Math.round(k).toLocaleString("en-US");

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

  function scale(low, high, from, to, log) {
    const f = log ? Math.log : (v) => v;
    const g = log ? Math.exp : (v) => v;
    return {
      to: (v) => from + ((f(v) - f(low)) / (f(high) - f(low))) * (to - from),
      back: (p) => g(f(low) + ((p - from) / (to - from)) * (f(high) - f(low))),
    };
  }

  function startPlot(figure, data) {
    const host = figure.querySelector(".chart");
    const controls = figure.querySelector(".controls");
    const reading = figure.querySelector(".reading");
    const many = data.series.length > 1;
    const clipName = `inside-${figure.dataset.plot}`;
    controls.hidden = false;
    const state = { log: { x: true, y: false }, zoom: null, at: null, drag: null };
    let view = null;

    const pressed = (selector) => {
      const button = controls.querySelector(selector);
      return button !== null && button.getAttribute("aria-pressed") === "true";
    };
    const shown = (layer) => pressed(`[data-layer="${layer}"]`);
    const drawn = () => data.series.map((s, i) => [s, i]).filter(([, i]) => !many || pressed(`[data-series="${i}"]`));
    const forecasts = (series) => (shown("forecast") ? series.forecast : []);
    const lastOf = (series) => series.measured[series.measured.length - 1][0];

    const percent = (share) => {
      const digits = share > 0.1 && share < 0.9 ? 1 : share > 0.001 && share < 0.999 ? 2 : 3;
      return share === 0 || share === 1 ? `${share * 100}%` : `${(share * 100).toFixed(digits)}%`;
    };
    const signed = (gap) => `${gap > 0 ? "+" : gap < 0 ? "−" : ""}${Math.abs(gap * 100).toFixed(1)} points`;
    const said = data.signed ? signed : percent;

    // Every k that some series has a point at, with those points, in order. Of several series each has points of its
    // own between the round k that all of them have: there only those count.
    const counts = (k) => !many || data.marks.includes(k) || /^[125]0*$/.test(String(k));
    function stops() {
      const at = new Map();
      for (const [series, index] of drawn()) {
        const rows = [
          ...series.measured.map((p) => [p, false]),
          ...forecasts(series).slice(1).map((p) => [p, true]),
        ];
        for (const [p, forecast] of rows.filter(([p]) => counts(p[0]))) {
          if (!at.has(p[0])) at.set(p[0], []);
          at.get(p[0]).push({ series, index, c: p[1], low: p[2], high: p[3], forecast });
        }
      }
      return [...at].sort(([a], [b]) => a - b).map(([k, rows]) => ({ k, rows }));
    }

    function layout() {
      const width = Math.max(280, host.clientWidth);
      const height = Math.round(Math.min(data.signed ? 340 : 460, Math.max(250, width * (data.signed ? 0.36 : 0.5))));
      const margin = { left: 56, right: 16, top: 22, bottom: 46 };
      const all = stops();
      const farthest = all.length ? all[all.length - 1].k : 2;
      const [kLow, kHigh] = state.zoom || [1, Math.max(2, farthest)];
      const inside = all.filter((stop) => stop.k >= kLow && stop.k <= kHigh);
      const seen = (inside.length ? inside : all).flatMap((stop) => stop.rows);
      const reach = (p, end) => ((p.forecast || shown("band")) && p[end] !== null ? p[end] : p.c);
      let cLow;
      let cHigh;
      if (data.signed) {
        cLow = Math.min(0, ...seen.map((p) => reach(p, "low"))) * 1.1;
        cHigh = Math.max(0, ...seen.map((p) => reach(p, "high"))) * 1.1;
        if (cHigh - cLow < 0.02) [cLow, cHigh] = [Math.min(cLow, -0.01), Math.max(cHigh, 0.01)];
      } else {
        const positive = seen.map((p) => p.c).filter((c) => c > 0);
        cHigh = Math.min(1, Math.max(0, ...seen.map((p) => reach(p, "high"))) * 1.06);
        if (!(cHigh > 0) || cHigh > 0.8) cHigh = 1;
        cLow = state.log.y && positive.length ? Math.min(...positive) * 0.8 : 0;
      }
      const x = scale(kLow, kHigh, margin.left, width - margin.right, state.log.x);
      const logY = state.log.y && cLow > 0;
      const y = scale(cLow, cHigh, height - margin.bottom, margin.top, logY);
      const clampY = (c) => Math.min(height - margin.bottom + 4, y.to(logY ? Math.max(c, cLow * 1e-3) : c));
      return { width, height, margin, x, y, clampY, kLow, kHigh, cLow, cHigh, logY, stops: all };
    }

    function path(rows, column) {
      return rows.map((p, i) => `${i ? "L" : "M"}${view.x.to(p[0]).toFixed(2)} ${view.clampY(p[column]).toFixed(2)}`).join("");
    }

    function area(rows) {
      const banded = rows.filter((p) => p[2] !== null);
      if (banded.length < 2) return "";
      return `${path(banded, 3)}${path(banded.slice().reverse(), 2).replace("M", "L")}Z`;
    }

    function axes(svg, bottom, right) {
      const { width, height, margin, x, y } = view;
      for (const tick of ticks(view.cLow, view.cHigh, view.logY, 8)) {
        const at = y.to(tick.value);
        const zero = data.signed && Math.abs(tick.value) < 1e-9;
        svg.append(element("line", { class: zero ? "axis" : "grid", x1: margin.left, x2: right, y1: at, y2: at }));
        const number = parseFloat((Math.abs(tick.value) * 100).toPrecision(6));
        const text = data.signed ? `${zero ? "" : tick.value > 0 ? "+" : "−"}${number}` : `${number}%`;
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
      if (!data.signed) svg.append(element("line", { class: "axis", x1: margin.left, x2: right, y1: bottom, y2: bottom }));
      const middle = (margin.left + right) / 2;
      svg.append(element("text", { class: "title", x: middle, y: height - 6, "text-anchor": "middle" }, "samples per problem, k"));
      svg.append(element("text", { class: "title", x: 0, y: 10 }, data.title));
    }

    // Where the samples end: of one series a shaded field, of several nothing, since each ends elsewhere.
    function fieldOfForecast(inside, bottom, right) {
      const edge = view.x.to(lastOf(data.series[0]));
      if (many || edge >= right) return;
      const start = Math.max(edge, view.margin.left);
      const top = view.margin.top;
      inside.append(element("rect", { class: "beyond", x: start, y: top, width: right - start, height: bottom - top }));
      inside.append(element("line", { class: "edge", x1: edge, x2: edge, y1: top, y2: bottom }));
      const [at, anchor] = edge > right - 90 ? [edge - 6, "end"] : [start + 6, "start"];
      inside.append(element("text", { class: "edge-label", x: at, y: top - 6, "text-anchor": anchor }, "forecast →"));
    }

    function drawSeries(inside, series, index) {
      const group = element("g", { class: many || data.signed ? `of-${series.colour ?? index}` : "one" });
      inside.append(group);
      if (shown("forecast") && series.forecast.length) {
        if (!many) {
          group.append(element("path", { class: "band forecast", d: area(series.forecast) }));
          const inner = series.forecast.map((p) => [p[0], p[1], p[4], p[5]]);
          group.append(element("path", { class: "band forecast", d: area(inner) }));
        }
        group.append(element("path", { class: "line forecast-line", d: path(series.forecast, 1) }));
      }
      if (shown("band")) group.append(element("path", { class: "band", d: area(series.measured) }));
      if (shown("law") && series.law.length) group.append(element("path", { class: "line law", d: path(series.law, 1) }));
      if (shown("every") && series.every.length) {
        group.append(element("path", { class: "line every", d: path(series.every, 1) }));
      }
      if (!shown("measured")) return;
      group.append(element("path", { class: "line measured", d: path(series.measured, 1) }));
      for (const p of series.measured) {
        if (data.marks.includes(p[0])) {
          group.append(element("circle", { cx: view.x.to(p[0]), cy: view.clampY(p[1]), r: many ? 3 : 4 }));
        }
        if (p[0] === series.plateau) {
          const [x, y] = [view.x.to(p[0]), view.clampY(p[1])];
          group.append(element("path", { class: "plateau", d: `M${x - 7} ${y}L${x} ${y - 7}L${x + 7} ${y}L${x} ${y + 7}Z` }));
        }
      }
    }

    // A horizontal line that a curve tends to, and the gap between two curves at one k, with its name.
    function drawLimit(inside, right) {
      if (!data.limit) return;
      const at = view.y.to(data.limit.value);
      inside.append(element("line", { class: "limit", x1: view.margin.left, x2: right, y1: at, y2: at }));
      inside.append(element("text", { class: "limit", x: view.margin.left + 6, y: at - 5 }, data.limit.name));
    }

    function drawGap(inside) {
      const { gap } = data;
      const on = drawn().map(([, i]) => i);
      if (!gap || !shown("measured") || gap.k > view.kHigh || !gap.series.every((i) => on.includes(i))) return;
      const [x, top, foot] = [view.x.to(gap.k), view.clampY(gap.high), view.clampY(gap.low)];
      if (foot - top < 14) return;
      for (const [end, back] of [[top, 5], [foot, -5]]) {
        inside.append(element("path", { class: "gap-line", d: `M${x - 4} ${end + back}L${x} ${end}L${x + 4} ${end + back}` }));
      }
      inside.append(element("path", { class: "gap-line", d: `M${x} ${top}L${x} ${foot}` }));
      inside.append(element("text", { class: "gap-label", x: x - 8, y: (top + foot) / 2 + 4, "text-anchor": "end" }, gap.text));
    }

    // Each line's name at its end, moved apart where two would meet: colour alone tells nobody apart.
    function nameLines(svg, right) {
      const ends = drawn().map(([series, index]) => {
        const p = series.measured.filter((q) => q[0] <= view.kHigh).pop() || series.measured[0];
        return { series, index, x: view.x.to(p[0]), y: view.clampY(p[1]) - 8 };
      }).sort((a, b) => a.y - b.y);
      ends.forEach((end, i) => {
        if (i && end.y - ends[i - 1].y < 15) end.y = ends[i - 1].y + 15;
        const text = element("text", { class: `name of-${end.series.colour ?? end.index}`, x: Math.min(end.x, right) - 6, y: Math.max(end.y, 20), "text-anchor": "end" }, end.series.name);
        svg.append(text);
      });
    }

    function draw() {
      view = layout();
      const { width, height, margin } = view;
      const bottom = height - margin.bottom;
      const right = width - margin.right;
      const svg = element("svg", { viewBox: `0 0 ${width} ${height}`, width, height, "aria-hidden": "true" });
      const clip = element("clipPath", { id: clipName });
      clip.append(element("rect", { x: margin.left - 6, y: 0, width: right - margin.left + 12, height: bottom + 6 }));
      svg.append(clip);
      axes(svg, bottom, right);
      const inside = element("g", { "clip-path": `url(#${clipName})` });
      svg.append(inside);
      if (shown("forecast") && data.series[0].forecast.length) fieldOfForecast(inside, bottom, right);
      for (const crossing of data.crossings) {
        if (!drawn().some(([, i]) => i === crossing.series)) continue;
        const at = view.x.to(crossing.k);
        inside.append(element("line", { class: "crossing", x1: at, x2: at, y1: margin.top, y2: bottom }));
        inside.append(element("text", { class: "crossing", x: at + 5, y: bottom - 7 }, `k = ${whole(crossing.k)}`));
      }
      drawLimit(inside, right);
      for (const [series, index] of drawn()) drawSeries(inside, series, index);
      drawGap(inside);
      if (many && shown("measured")) nameLines(svg, right);
      inside.append(element("g", { class: "cursor" }));
      host.replaceChildren(svg);
      controls.querySelector("[data-reset]").hidden = state.zoom === null;
      if (state.at !== null) point(state.at, false);
    }

    function linesFor(stop) {
      const range = (p) => `${said(p.low)} – ${said(p.high)}`;
      if (many) {
        return [`k = ${whole(stop.k)}`, ...stop.rows.map((p) =>
          `${p.series.name}: ${said(p.c)}${p.low === null ? "" : ` (${range(p)})`}${p.forecast ? ", forecast" : ""}`)];
      }
      const p = stop.rows[0];
      const lines = [`k = ${whole(stop.k)}: ${said(p.c)}`];
      if (p.low !== null) lines.push(`${p.forecast ? 90 : Math.round(data.level * 100)}% interval ${p.forecast ? "over samples" : "over problems"} ${range(p)}`);
      const every = shown("every") && !p.forecast && p.series.every.find((q) => q[0] === stop.k);
      if (every) lines.push(`all k correct: ${percent(every[1])}`);
      if (p.forecast) lines.push("forecast, not measured");
      return lines;
    }

    function point(index, speak) {
      if (!view.stops.length) return;
      state.at = Math.max(0, Math.min(view.stops.length - 1, index));
      const stop = view.stops[state.at];
      const px = view.x.to(stop.k);
      const top = Math.min(...stop.rows.map((p) => view.clampY(p.c)));
      host.querySelector(".cursor").replaceChildren(
        element("line", { class: "cross", x1: px, x2: px, y1: view.margin.top, y2: view.height - view.margin.bottom }),
        ...stop.rows.map((p) => element("circle", {
          class: `at${p.forecast ? " forecast" : ""} ${many || data.signed ? `of-${p.series.colour ?? p.index}` : ""}`, cx: px, cy: view.clampY(p.c), r: 5,
        })),
      );
      const lines = linesFor(stop);
      const box = host.getBoundingClientRect();
      page.showTip(lines, box.left + (px / view.width) * box.width, box.top + (top / view.height) * box.height);
      if (speak) reading.textContent = lines.join("; ");
    }

    function leave() {
      state.at = null;
      page.hideTip();
      const cursor = host.querySelector(".cursor");
      if (cursor) cursor.replaceChildren();
    }

    const toView = (event) => {
      const box = host.getBoundingClientRect();
      return ((event.clientX - box.left) / box.width) * view.width;
    };
    const nearest = (px) => {
      let best = 0;
      view.stops.forEach((stop, i) => {
        if (Math.abs(view.x.to(stop.k) - px) < Math.abs(view.x.to(view.stops[best].k) - px)) best = i;
      });
      return best;
    };

    function zoomTo(low, high) {
      const farthest = Math.max(2, view.stops[view.stops.length - 1].k);
      const from = Math.max(1, low);
      const to = Math.min(farthest, high);
      state.zoom = from <= 1.001 && to >= farthest * 0.999 ? null : [from, to];
      draw();
    }

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
      page.hideTip();
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
      const at = state.at === null ? view.stops.findIndex((stop) => stop.k >= view.kLow) - 1 : state.at;
      const moves = { ArrowRight: at + 1, ArrowLeft: Math.max(0, at - 1), Home: 0, End: view.stops.length - 1 };
      if (event.key in moves) {
        point(moves[event.key], true);
      } else if (event.key === "+" || event.key === "=" || event.key === "-") {
        const centre = view.x.to(state.at === null ? view.x.back(view.width / 2) : view.stops[state.at].k);
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
        const now = button.getAttribute("aria-pressed") !== "true";
        button.setAttribute("aria-pressed", String(now));
        if (button.dataset.scale) state.log[button.dataset.scale] = now;
        else state.zoom = null;
      }
      draw();
    });
    new ResizeObserver(draw).observe(host);
    addEventListener("beforeprint", draw);
    draw();
  }

  function drawAll(plots) {
    for (const figure of page.all("[data-plot]")) {
      const data = plots[figure.dataset.plot];
      if (data && data.series.length && data.series.every((series) => series.measured.length)) startPlot(figure, data);
    }
  }
  page.drawPlots = drawAll;
  drawAll(JSON.parse(page.find("#plot").textContent));
})();
