// Draws charts with Plotly, which is loaded when the first chart comes into view.
"use strict";

(() => {
  const plotlyAddress = document.currentScript.dataset.plotly;
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const drawn = new Set();
  let loading = null;

  function loadPlotly() {
    loading ??= new Promise((resolve, reject) => {
      const script = document.createElement("script");
      script.src = plotlyAddress;
      script.onload = () => resolve(window.Plotly);
      script.onerror = () => reject(new Error(`cannot load ${plotlyAddress}`));
      document.head.append(script);
    });
    return loading;
  }

  function colour(name) {
    return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
  }

  // Plotly reads a part of HTML in texts; names are none.
  function plain(text) {
    return String(text).replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
  }

  function shorter(text, most) {
    return text.length > most ? `${text.slice(0, most - 1)}…` : text;
  }

  function errorBars(series, tint) {
    if (!series.low.length) return undefined;
    const reach = (ends, sign) =>
      ends.map((end, place) => {
        const y = series.y[place];
        return end === null || y === null ? 0 : Math.max(0, sign * (end - y));
      });
    return {
      type: "data",
      symmetric: false,
      array: reach(series.high, 1),
      arrayminus: reach(series.low, -1),
      thickness: 1.2,
      width: 3,
      color: tint,
    };
  }

  const SYMBOLS = ["circle", "square", "diamond", "triangle-up", "cross", "x", "star"];

  function traceOf(series, isNarrow) {
    const tint = colour(`series-${series.colour % 8}`);
    const name = plain(shorter(series.name, isNarrow ? 24 : 48));
    return {
      type: "scatter",
      mode: series.points ? "markers" : "lines+markers",
      name,
      x: series.x.map((value) => (typeof value === "string" ? plain(value) : value)),
      y: series.y,
      text: series.names.map(plain),
      hovertemplate:
        (series.names.length ? "%{text}<br>" : "") + `%{y:.3f}<extra>${name}</extra>`,
      error_y: errorBars(series, tint),
      line: { color: tint, width: 2, dash: series.dashed ? "dash" : "solid" },
      marker: {
        color: series.dashed ? colour("surface") : tint,
        line: { color: tint, width: 1.5 },
        size: series.points ? 8 : 6,
        opacity: series.points ? 0.85 : 1,
        symbol: SYMBOLS[series.colour % SYMBOLS.length],
      },
    };
  }

  function diagonal() {
    return {
      type: "scatter",
      mode: "lines",
      x: [0, 1],
      y: [0, 1],
      hoverinfo: "skip",
      showlegend: false,
      line: { color: colour("muted"), width: 1, dash: "dot" },
    };
  }

  function axis(title, more) {
    return {
      title: { text: plain(title), standoff: 8 },
      gridcolor: colour("line"),
      linecolor: colour("line"),
      zeroline: false,
      automargin: true,
      fixedrange: true,
      ...more,
    };
  }

  function layoutOf(values, isNarrow) {
    const whole = values.unit ? { range: [-0.02, 1.02], dtick: 0.25 } : {};
    const across = values.diagonal ? { range: [-0.02, 1.02], dtick: 0.25 } : {};
    const named = values.series.some((series) => typeof series.x[0] === "string");
    if (values.from_zero) across.rangemode = "tozero";
    const positions = values.series.flatMap((series) => series.x);
    if (positions.every(Number.isInteger) && Math.max(...positions) <= 10) across.dtick = 1;
    return {
      font: { family: getComputedStyle(document.body).fontFamily, size: isNarrow ? 11 : 13, color: colour("ink") },
      paper_bgcolor: "rgba(0,0,0,0)",
      plot_bgcolor: "rgba(0,0,0,0)",
      margin: { l: 44, r: 8, t: 8, b: 40 },
      xaxis: axis(values.x, across),
      yaxis: axis(values.y, whole),
      legend: { orientation: "h", x: 0, y: 1.02, yanchor: "bottom" },
      showlegend: values.series.length > 1,
      // Points that share a name stand side by side.
      ...(named ? { scattermode: "group", scattergap: 0.4 } : {}),
      hoverlabel: {
        bgcolor: colour("surface"),
        bordercolor: colour("line"),
        font: { color: colour("ink") },
      },
    };
  }

  async function draw(place) {
    const plotly = await loadPlotly();
    const values = JSON.parse(document.getElementById(place.dataset.values).textContent);
    const isNarrow = place.clientWidth < 480;
    const traces = values.series.map((series) => traceOf(series, isNarrow));
    if (values.diagonal) traces.unshift(diagonal());
    const settings = { displayModeBar: false, responsive: true };
    await plotly.react(place, traces, layoutOf(values, isNarrow), settings);
    drawn.add(place);
    place.dataset.drawn = dark.matches ? "dark" : "light";
  }

  const places = document.querySelectorAll(".chart");
  for (const place of places) place.hidden = false;
  const seen = new IntersectionObserver(
    (entries) => {
      for (const entry of entries) {
        if (!entry.isIntersecting) continue;
        seen.unobserve(entry.target);
        draw(entry.target);
      }
    },
    { rootMargin: "300px" },
  );
  for (const place of places) seen.observe(place);
  dark.addEventListener("change", () => drawn.forEach((place) => draw(place)));
})();
