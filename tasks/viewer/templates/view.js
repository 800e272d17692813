// The pages of `monkeys view`: keys, the drawing of all verdicts, two sets to compare, and sets that grow.
(() => {
  const { find, all, showTip, hideTip } = page;

  // ---- keys: a link with data-key is followed by that key; ? lists those of the page
  const typing = (event) => event.target.closest("input, select, textarea, [contenteditable], dialog");
  const help = find("#help");
  const keys = find("#keys");
  function listKeys() {
    const rows = all("[data-key]").map((link) => [link.dataset.key, link.dataset.about]);
    if (find("[data-focus]")) rows.push([find("[data-focus]").dataset.focus, "find a text"]);
    help.querySelector("dl").replaceChildren(...[...rows, ["?", "these keys"]].map(([key, about]) => {
      const row = document.createElement("div");
      const term = document.createElement("dt");
      const mark = document.createElement("kbd");
      mark.textContent = key;
      term.append(mark);
      const meaning = document.createElement("dd");
      meaning.textContent = about;
      row.append(term, meaning);
      return row;
    }));
    help.showModal();
  }
  keys.hidden = false;
  keys.addEventListener("click", listKeys);
  const arrows = { ArrowLeft: "k", ArrowRight: "j" };
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || typing(event)) return;
    if (event.key in arrows && event.target.closest(".chart")) return;
    const key = arrows[event.key] || event.key;
    const link = all("[data-key]").find((each) => each.dataset.key === key);
    const field = all("[data-focus]").find((each) => each.dataset.focus === key);
    if (key === "?") listKeys();
    else if (field) field.focus();
    else if (link) link.click();
    else return;
    event.preventDefault();
  });

  // ---- the drawing of all verdicts: a click opens the sample
  function drawing() {
    const svg = find("svg.verdicts");
    if (!svg) return;
    const width = Number(svg.dataset.width);
    const sample = (event) => {
      const inverse = svg.getScreenCTM().inverse();
      const at = new DOMPoint(event.clientX, event.clientY).matrixTransform(inverse);
      const index = Math.floor(at.y) * width + Math.floor(at.x);
      return at.x >= 0 && at.x < width && index >= 0 && index < Number(svg.dataset.samples) ? index : null;
    };
    svg.addEventListener("pointermove", (event) => {
      const index = sample(event);
      if (index === null) hideTip(); else showTip([`sample ${index.toLocaleString("en-US")}`], event.clientX, event.clientY);
    });
    svg.addEventListener("pointerleave", hideTip);
    svg.addEventListener("click", (event) => {
      const index = sample(event);
      if (index !== null) location.assign(`${svg.dataset.base}/${index}${svg.dataset.query}`);
    });
  }
  drawing();

  // ---- empty fields stay out of the address
  for (const form of all("form.find")) {
    form.addEventListener("submit", () => {
      for (const field of form.elements) if (field.name && field.value === "") field.disabled = true;
    });
    addEventListener("pageshow", () => { for (const field of form.elements) field.disabled = false; });
  }

  // ---- two sets to compare
  const compare = find("#compare");
  if (compare) {
    const boxes = [...compare.querySelectorAll("input[type=checkbox]")];
    const button = find("#compare-button");
    if (boxes.length > 1) {
      find(".actions").hidden = false;
      for (const box of boxes) box.hidden = false;
    }
    compare.addEventListener("change", () => {
      const chosen = boxes.filter((box) => box.checked);
      button.disabled = chosen.length !== 2;
      boxes.forEach((box) => { box.removeAttribute("name"); });
      chosen.forEach((box, at) => { box.name = "ab"[at]; });
    });
  }

  // ---- a set that grows: its page is fetched again when something was stored
  const main = find("#main");
  if (main.dataset.live) {
    let { state } = main.dataset;
    let last = null;
    const look = async () => {
      const answer = await fetch(main.dataset.live);
      if (!answer.ok) return;
      const now = await answer.json();
      const at = performance.now() / 1000;
      if (now.state === state) return;
      state = now.state;
      const rate = last && now.samples > last.samples ? (now.samples - last.samples) / (at - last.at) : null;
      last = { samples: now.samples, at };
      if (main.contains(document.activeElement) && document.activeElement !== main) return; // the reader is busy there
      const fresh = new DOMParser().parseFromString(await (await fetch(location.href)).text(), "text/html");
      if (find("th[aria-sort]") && find("table.sortable")) return; // the reader has sorted a table
      const open = scrollY;
      main.replaceChildren(...fresh.querySelector("#main").childNodes);
      scrollTo(0, open);
      drawing();
      page.drawPlots(JSON.parse(fresh.querySelector("#plot").textContent));
      page.makeSortable();
      const progress = find("#progress");
      if (progress && rate) progress.textContent = `growing: ${Math.round(rate).toLocaleString("en-US")} samples a second`;
    };
    const again = () => look().catch(() => {}).finally(() => setTimeout(again, document.hidden ? 10000 : 2000));
    setTimeout(again, 2000);
  }
})();
