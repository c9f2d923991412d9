// What pages do beside showing: theme, keys, live updates, charts. Everything works without it, too.
(() => {
  "use strict";
  const body = document.body;
  const byId = (id) => document.getElementById(id);

  // --- theme
  const root = document.documentElement;
  const isDark = () =>
    root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  byId("theme")?.addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    // The server writes it into the next page, so that no script has to before that is drawn.
    const secure = location.protocol === "https:" ? "; Secure" : "";
    document.cookie = `prunella_theme=${root.dataset.theme}; Path=/; Max-Age=31536000; SameSite=Lax${secure}`;
    drawAll(true);
  });

  // --- live: the stream says that something changed, and the page asks for itself anew
  const POLL_MS = 5000;
  let polling = null;
  let fresh = true; // as it was loaded a moment ago
  const changed = () => {
    if (!document.hidden) body.dispatchEvent(new CustomEvent("prunella:changed"));
  };
  const tell = (state, word) => {
    const live = byId("live");
    if (!live) return;
    live.className = `live ${state}`;
    byId("live-word").textContent = word;
  };
  const ask = () => {
    if (polling === null) {
      polling = setInterval(() => {
        fresh = false;
        tell("polling", "polling");
        changed();
      }, POLL_MS);
    }
  };
  const poll = () => {
    ask();
    tell("polling", "polling");
  };
  const stream = byId("stream");
  if (stream) {
    ask(); // until the stream is open: what holds it back need not say so
    stream.addEventListener("prunella:open", () => {
      clearInterval(polling);
      polling = null;
      tell("on", "live");
      if (!fresh) changed(); // what was missed meanwhile
      fresh = false;
    });
    stream.addEventListener("htmx:sse:error", poll);
    stream.addEventListener("htmx:sse:close", poll);
    stream.addEventListener("htmx:error", poll);
    stream.addEventListener("htmx:response:error", poll);
    document.addEventListener("visibilitychange", changed);
  }

  // --- forms that can't be taken back ask once more
  document.addEventListener("click", (event) => {
    const button = event.target.closest("button[data-confirm]");
    if (button && !window.confirm(button.dataset.confirm)) event.preventDefault();
  });

  // --- batch: how many are chosen
  const count = () => {
    const said = document.querySelector("[data-chosen]");
    if (!said) return;
    const boxes = [...document.querySelectorAll('input[name="incident"]')];
    const chosen = boxes.filter((box) => box.checked).length;
    said.textContent = chosen ? `${chosen} chosen` : "None chosen";
    for (const button of document.querySelectorAll(".batch button")) button.disabled = chosen === 0;
    const all = document.querySelector("[data-all]");
    all.checked = chosen > 0 && chosen === boxes.length;
    all.indeterminate = chosen > 0 && chosen < boxes.length;
  };
  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-all]")) {
      for (const box of document.querySelectorAll('input[name="incident"]')) box.checked = event.target.checked;
    }
    count();
  });

  // --- keys
  let going = 0;
  const typing = (target) => target.closest("input:not([type=checkbox]), textarea, select, [contenteditable]");
  const step = (by) => {
    const items = [...document.querySelectorAll("[data-list] [data-item]")];
    const here = items.indexOf(document.activeElement);
    const next = items[here < 0 ? (by > 0 ? 0 : items.length - 1) : Math.min(Math.max(here + by, 0), items.length - 1)];
    next?.focus();
    next?.scrollIntoView({ block: "nearest" });
  };
  const go = (key) => {
    for (const link of document.querySelectorAll("[data-go]")) {
      if (link.dataset.go === key) link.click();
    }
  };
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && typing(event.target)) {
      event.preventDefault(); // it leaves the field, with what was searched for
      return event.target.blur();
    }
    if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
    if (Date.now() - going < 1200) {
      going = 0;
      return go(event.key);
    }
    if (event.key === "g") going = Date.now();
    else if (event.key === "j") step(1);
    else if (event.key === "k") step(-1);
    else if (event.key === "?") byId("keys")?.showModal();
    else if (event.key === "x") {
      const box = document.activeElement.closest?.("li")?.querySelector('input[name="incident"]');
      if (box) box.click();
    } else if (event.key === "/") {
      event.preventDefault();
      (document.querySelector("[data-search]") ?? byId("find"))?.focus();
    }
  });

  // --- charts
  const colour = (name) => getComputedStyle(root).getPropertyValue(`--${name}`).trim();
  const soft = (text, alpha) => `color-mix(in srgb, ${text} ${alpha}%, transparent)`;
  const clock = { hour: "2-digit", minute: "2-digit", hour12: false };
  const day = { year: "numeric", month: "2-digit", day: "2-digit" };
  const moment = (at) => new Date(at * 1000).toLocaleString("sv-SE", { ...day, ...clock });
  const ticks = (_chart, all, _axis, _space, apart_s) =>
    all.map((at, index) => {
      const here = new Date(at * 1000);
      const before = index ? new Date(all[index - 1] * 1000) : null;
      const time = here.toLocaleTimeString("sv-SE", apart_s < 60 ? { ...clock, second: "2-digit" } : clock);
      if (time === "00:00" || !before) return here.toLocaleDateString("sv-SE", day) + (time === "00:00" ? "" : `\n${time}`);
      return here.getDate() === before.getDate() ? time : `${here.toLocaleDateString("sv-SE", day)}\n${time}`;
    });
  const axes = (format) => {
    const base = { stroke: colour("dim"), grid: { stroke: colour("line"), width: 1 }, ticks: { show: false }, font: "12px system-ui, sans-serif" };
    return [{ ...base, grid: { show: false }, values: ticks, size: 44 }, { ...base, size: 52, values: (_chart, ticks) => ticks.map(format) }];
  };
  const TONES = { release: "info", fix: "accent", good: "good", bad: "bad", patch: "good" };
  // Lines first, then labels where there is room: three rows of them, none over another.
  const markers = (marks) => ({
    hooks: {
      draw: [
        (chart) => {
          const { ctx, bbox } = chart;
          const dot = devicePixelRatio;
          const right = bbox.left + bbox.width;
          const shown = marks
            .map((mark) => ({ ...mark, at: chart.valToPos(mark.x, "x", true), ink: colour(TONES[mark.tone] ?? "dim") }))
            .filter((mark) => mark.at >= bbox.left && mark.at <= right);
          ctx.save();
          ctx.lineWidth = dot;
          ctx.setLineDash([3 * dot, 3 * dot]);
          for (const mark of shown) {
            ctx.strokeStyle = mark.ink;
            ctx.beginPath();
            ctx.moveTo(mark.at, bbox.top);
            ctx.lineTo(mark.at, bbox.top + bbox.height);
            ctx.stroke();
          }
          ctx.setLineDash([]);
          ctx.textAlign = "left";
          ctx.font = `${11 * dot}px system-ui, sans-serif`;
          ctx.strokeStyle = colour("card");
          ctx.lineWidth = 4 * dot;
          ctx.lineJoin = "round";
          const taken = [[], [], []];
          for (const mark of shown) {
            const wide = ctx.measureText(mark.label).width + 8 * dot;
            const left = mark.at + wide < right ? mark.at + 4 * dot : mark.at - wide;
            const row = taken.findIndex((spans) => spans.every(([from, to]) => left > to || left + wide < from));
            if (row < 0) continue;
            taken[row].push([left, left + wide]);
            ctx.fillStyle = mark.ink;
            ctx.strokeText(mark.label, left, bbox.top + (12 + 14 * row) * dot);
            ctx.fillText(mark.label, left, bbox.top + (12 + 14 * row) * dot);
          }
          ctx.restore();
        },
      ],
    },
  });
  const trend = (data, width) => ({
    data: [data.x, data.y],
    options: {
      width, height: 210, plugins: [markers(data.marks)], legend: { show: true }, cursor: { points: { size: 6 }, drag: { x: false, y: false } },
      scales: { x: { range: () => [data.x[0], data.x.at(-1) + data.stretch_s] }, y: { range: (_chart, _low, high) => [0, Math.max(high * 1.25, 4)] } },
      axes: axes((tick) => tick.toLocaleString("en")),
      series: [
        { label: "from", value: (_chart, at) => (at == null ? "–" : moment(at)) },
        { label: "failures", stroke: colour("bad"), fill: soft(colour("bad"), 22), width: 1.5, paths: uPlot.paths.bars({ size: [0.94, 400], align: 1 }), points: { show: false }, value: (_chart, each) => (each == null ? "–" : each.toLocaleString("en")) },
      ],
    },
  });
  const percent = (share) => (share == null ? "–" : `${(100 * share).toFixed(1)} %`);
  const arms = (data, width) => {
    const line = (label, name, extra) => ({ label, stroke: colour(name), width: 2, points: { show: false }, value: (_chart, each) => percent(each), ...extra });
    const edge = (name) => ({ label: name, class: "u-edge", stroke: "transparent", points: { show: false } });
    return {
      data: [data.x, data.control, data.control_low, data.control_high, data.treatment, data.treatment_low, data.treatment_high],
      options: {
        width, height: 230, plugins: [markers(data.marks)], cursor: { drag: { x: false, y: false } },
        scales: { y: { range: [0, 1] } }, axes: axes((tick) => `${Math.round(100 * tick)} %`),
        series: [
          { label: "at", value: (_chart, at) => (at == null ? "–" : moment(at)) },
          line("without", "warn"), edge("without, low"), edge("without, high"), line("with the fix", "accent"), edge("with, low"), edge("with, high"),
        ],
        bands: [
          { series: [3, 2], fill: soft(colour("warn"), 18) },
          { series: [6, 5], fill: soft(colour("accent"), 18) },
        ],
      },
    };
  };
  const evidence = (data, width) => {
    const tens = (log) => log / Math.LN10;
    const line = (label, name, extra) => ({ label, stroke: colour(name), width: 2, points: { show: false }, value: (_chart, each) => (each == null ? "–" : `10^${each.toFixed(1)}`), ...extra });
    const flat = (log) => data.x.map(() => tens(log));
    return {
      data: [data.x, data.benefit.map(tens), data.harm.map(tens), flat(data.thresholds.benefit), flat(data.thresholds.harm)],
      options: {
        width, height: 190, plugins: [markers(data.marks)], cursor: { drag: { x: false, y: false } },
        scales: { y: { range: (_chart, low, high) => [Math.min(low, -0.5), Math.max(high, 1.6)] } }, axes: axes((tick) => `10^${tick}`),
        series: [
          { label: "at", value: (_chart, at) => (at == null ? "–" : moment(at)) },
          line("benefit", "good"), line("harm", "bad"),
          line("graduates from", "good", { width: 1, dash: [5, 4] }), line("rolled back from", "bad", { width: 1, dash: [5, 4] }),
        ],
      },
    };
  };
  const KINDS = { trend, arms, evidence };
  const charts = new WeakMap();
  // What draws is loaded once there is something to draw.
  const loaded = (element) =>
    new Promise((done, failed) => {
      element.addEventListener("load", done);
      element.addEventListener("error", failed);
      document.head.append(element);
    });
  let drawing = null;
  const loadDrawing = () => {
    const sheet = Object.assign(document.createElement("link"), { rel: "stylesheet", href: body.dataset.chartSheet });
    const script = Object.assign(document.createElement("script"), { src: body.dataset.chartScript });
    drawing ??= Promise.all([loaded(sheet), loaded(script)])
      .then(() => drawAll(false), () => (drawing = null)); // without it, the next change of the page tries again
  };
  const draw = (place, anew) => {
    if (typeof uPlot === "undefined") {
      loadDrawing();
      return;
    }
    const text = place.dataset.chart;
    const known = charts.get(place);
    if (known && known.text === text && !anew) return;
    const data = JSON.parse(text);
    const made = KINDS[data.kind](data, place.clientWidth);
    known?.chart.destroy();
    charts.set(place, { text, chart: new uPlot(made.options, made.data, place) });
    place.dataset.drawn = "";
  };
  const drawAll = (anew) => {
    for (const place of document.querySelectorAll(".chart[data-chart]")) draw(place, anew);
  };
  let resizing;
  window.addEventListener("resize", () => {
    clearTimeout(resizing);
    resizing = setTimeout(() => drawAll(true), 150);
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => drawAll(true));

  document.addEventListener("htmx:after:swap", () => {
    drawAll(false);
    count();
  });
  drawAll(false);
  count();

  // --- what was typed or chosen before this ran: acted on once htmx listens, which begins by an earlier timer
  const isAsLoaded = (field) =>
    field.options
      ? field.selectedIndex === Math.max(0, [...field.options].findIndex((each) => each.defaultSelected))
      : (field.defaultValue ?? field.value) === field.value;
  setTimeout(() => {
    for (const form of document.querySelectorAll("form.filters")) {
      if ([...form.elements].every(isAsLoaded)) continue;
      for (const name of ["input", "change"]) form.dispatchEvent(new Event(name, { bubbles: true }));
    }
  });
})();
