// The rows as columns, and what all parts of the page read of them.
const data = JSON.parse(document.getElementById("data").textContent);
const { element } = base;
const byId = (id) => document.getElementById(id);
{% include "group_pieces.js" %}
const { rows, sessions, bundles, measures, statuses, groups } = data;
const [DRAWN, EMPTY, MISSING] = ["drawn", "empty", "missing"].map((status) => statuses.indexOf(status));
const SIGNS = { failed: "×", damaged: "≠", unreadable: "?", empty: "○", missing: "–" };
const sign = (row) => SIGNS[statuses[rows.status[row]]] || "";
const count = rows.session.length;
const all = [...Array(count).keys()];

// Rows are in the order of sessions: where those of each begin
const begins = new Uint32Array(sessions.name.length + 1).fill(count);
for (let row = count - 1; row >= 0; row--) begins[rows.session[row]] = row;
function cell(session, bundle) {
  const found = [];
  for (let row = begins[session]; row < begins[session + 1]; row++) if (rows.bundle[row] === bundle) found.push(row);
  return found;
}

// What is known of a measure's values among which a row's is compared: count, median, MAD, whether outliers are marked,
// beyond how many robust standard deviations, and where there are many rows, outliers below and above, and quantiles
const spreadOf = (bundle, group, measure) => (groups && group !== null ? groups.spreads[bundle][group] : data.spreads[bundle])[measure];
const groupOf = (row) => (groups ? groups.of[rows.session[row]] : null);

const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });
const tenths = new Intl.NumberFormat("en", { minimumFractionDigits: 1, maximumFractionDigits: 1 });
const percents = new Intl.NumberFormat("en", { style: "percent", maximumFractionDigits: 2 });
const UNITS = { "mm": " mm", "mm^3": " mm³", "": "" };

function bare(value, measure) {
  if (value === null) return "";
  const column = measures[measure].column;
  if (column === "points_outside") return percents.format(value);
  return (column.startsWith("length") ? tenths : whole).format(value);
}

const written = (value, measure) => (value === null ? "not known" : bare(value, measure) + UNITS[measures[measure].unit]);

function distance(row, measure) {
  const about = spreadOf(rows.bundle[row], groupOf(row), measure);
  const value = rows.values[measure][row];
  if (!about || !about[3] || value === null || rows.status[row] !== DRAWN) return null;
  return (value - about[1]) / (data.normal * about[2]);
}

const signed = (z) => (z < 0 ? "−" : "+") + Math.abs(z).toFixed(1);
const outlying = (row, measure) => Boolean(rows.outlying[row] & (1 << measure));
const places = measures.map((_, at) => at);
const outliers = (row) => (rows.outlying[row] ? places.filter((at) => outlying(row, at)) : []);
const outlierNames = (row) => outliers(row).map((at) => measures[at].name.toLowerCase()).join(", ");
// null where it was not checked
const flagsOf = (row) => data.flags[rows.flags[row]];
const ratingOf = (row) => (rows.rating[row] < 0 ? "" : data.ratings[rows.rating[row]]);
const troubles = (row) => (rows.status[row] !== DRAWN ? 10 : 0) + outliers(row).length + (flagsOf(row) || []).length * 2 + (ratingOf(row) === "fail" ? 5 : 0);
const sessionName = (row) => sessions.name[rows.session[row]];
const bundleName = (row) => bundles.name[rows.bundle[row]];

function linkOf(row) {
  const page = sessions.page[rows.session[row]];
  return page ? page + (rows.anchor[row] && "#" + rows.anchor[row]) : "";
}

// Every picture of a row by what it shows
function pictures(row) {
  const links = {};
  for (const ending of data.endings[rows.endings[row]]) {
    const [, what] = ending.match(/^_(?:view-)?(.+)\.png$/) || [];
    if (what) links[what] = data.folders[rows.folder[row]] + rows.stem[row] + encodeURIComponent(ending);
  }
  return links;
}

const SIDES = { L: "left", R: "right", "": "left" };
function picture(row, view) {
  const links = pictures(row);
  const wanted = view === "side" ? SIDES[bundles.hemisphere[rows.bundle[row]]] || "left" : view;
  return links[wanted] || links.mosaic || Object.values(links)[0] || "";
}

function option(value, text) {
  return element("option", { value }, text);
}

function css(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

// Once before the next frame, however often it is requested
function later(draw) {
  let frame = 0;
  return () => {
    cancelAnimationFrame(frame);
    frame = requestAnimationFrame(draw);
  };
}

const redraws = [];
const redraw = later(() => redraws.forEach((draw) => draw()));
new ResizeObserver(redraw).observe(document.body);
new MutationObserver(redraw).observe(document.documentElement, { attributes: true });
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);

function prepare(canvas, width, height) {
  const scale = devicePixelRatio || 1;
  if (canvas.width !== Math.round(width * scale) || canvas.height !== Math.round(height * scale)) {
    canvas.width = Math.round(width * scale);
    canvas.height = Math.round(height * scale);
    canvas.style.width = `${width}px`;
    canvas.style.height = `${height}px`;
  }
  const context = canvas.getContext("2d");
  context.setTransform(scale, 0, 0, scale, 0, 0);
  context.clearRect(0, 0, width, height);
  return context;
}
