// How a measure is distributed in every bundle: a point for each tractogram, a button for each outlier.
const strips = [];
const axis = { ticks: [] };
const STRIP = 44;
const DOT = 2;
const FARTHEST = 8;

function drawnOf(bundle, measure) {
  return byBundle[bundle].filter((row) => rows.status[row] === DRAWN && rows.values[measure][row] !== null);
}

const byBundle = bundles.key.map(() => []);
for (const row of all) byBundle[rows.bundle[row]].push(row);

const extreme = (values, pick) => values.reduce((value, other) => pick(value, other));
function ends(values) {
  const [low, high] = [extreme(values, Math.min), extreme(values, Math.max)];
  const room = (high - low) * 0.03 || Math.abs(high) * 0.05 || 1;
  return [low - room, high + room];
}

function place(row, measure) {
  if (byId("spread-scale").value !== "z") return rows.values[measure][row];
  const z = distance(row, measure);
  return z === null ? null : Math.max(-FARTHEST, Math.min(FARTHEST, z));
}

function buildSpreads() {
  const measure = Number(byId("spread-measure").value);
  strips.length = 0;
  byId("strips").replaceChildren(...bundles.key.map((_, bundle) => strip(bundle, measure)).filter(Boolean));
  const common = strips.flatMap((item) => item.points.map(([, value]) => value));
  const scale = byId("spread-scale").value;
  byId("spread-axis").replaceChildren();
  axis.ticks = [];
  for (const item of strips) item.ends = scale === "own" || !common.length ? item.points.length && ends(item.points.map(([, value]) => value)) : null;
  if (common.length && scale !== "own") {
    const both = scale === "z" ? [-FARTHEST - 0.4, FARTHEST + 0.4] : ends(common);
    for (const item of strips) item.ends = both;
    showAxis(both, measure);
  }
  strips.forEach(placeOutliers);
  listOutliers(measure);
  redraw();
}

function strip(bundle, measure) {
  const inside = drawnOf(bundle, measure);
  if (!inside.length) return null;
  const points = inside.map((row) => [row, place(row, measure)]).filter(([, value]) => value !== null);
  const canvas = element("canvas", { "aria-hidden": "true" });
  const plot = element("div", { class: "plot" }, canvas);
  const about = spreads[bundle][measure];
  const name = element("button", { type: "button", class: "plain", onclick: () => openBundle(bundle, null) }, bundles.name[bundle]);
  const node = element("li", { class: "strip" }, element("div", { class: "label" }, name), plot, element("div", { class: "sum" }, ...sum(about, measure)));
  strips.push({ bundle, measure, points, canvas, plot, about });
  return node;
}

function sum([many, median, mad, marks], measure) {
  const lines = [element("b", {}, written(median, measure)), ` MAD ${bare(mad, measure)}, n ${whole.format(many)}`];
  if (!marks) lines.push(element("small", {}, many < data.fewest ? `fewer than ${data.fewest} values: nothing is marked` : "MAD is 0: nothing is marked"));
  return lines;
}

const across = (item, value) => (100 * (value - item.ends[0])) / (item.ends[1] - item.ends[0]);
function placeOutliers(item) {
  if (!item.points.length) return;
  const marked = item.points.filter(([row]) => outlying(row, item.measure));
  const taken = new Map();
  for (const [row, value] of marked) {
    const words = describeOutlier(row, item.measure);
    const node = element("button", { type: "button", class: "mark", "aria-label": words, "data-words": words, onclick: () => openBundle(item.bundle, rows.session[row]) });
    node.style.left = `${across(item, value)}%`;
    node.style.top = `${STRIP / 2 + beside(taken, Math.round(across(item, value)))}px`;
    if (across(item, value) > 60) node.classList.add("right");
    item.plot.append(node);
  }
}

// Pixels up or down, so that equal ones don't hide each other
function beside(taken, column) {
  const many = taken.get(column) || 0;
  taken.set(column, many + 1);
  return [0, -9, 9, -17, 17][many % 5];
}

function describeOutlier(row, measure) {
  return `${sessionName(row)}: ${written(rows.values[measure][row], measure)}, z ${signed(distance(row, measure))}`;
}

function drawStrips() {
  const [dot, band, middle, line] = ["--dot", "--band", "--ink", "--line"].map(css);
  for (const item of strips) {
    const width = item.plot.clientWidth;
    if (!item.points.length || !width) continue;
    const context = prepare(item.canvas, width, STRIP);
    const x = (value) => (across(item, value) * width) / 100;
    context.fillStyle = line;
    for (const tick of axis.ticks) context.fillRect(Math.round(x(tick)), 0, 1, STRIP);
    paintBand(context, item, x, band);
    context.fillStyle = dot;
    for (const [left, top] of swarm(item, x)) {
      context.beginPath();
      context.arc(left, top, DOT, 0, 7);
      context.fill();
    }
    context.fillStyle = middle;
    context.fillRect(x(byId("spread-scale").value === "z" ? 0 : item.about[1]) - 1, 6, 2, STRIP - 12);
  }
}

// Where nothing is marked: three robust standard deviations about the median
function paintBand(context, item, x, color) {
  const [, median, mad, marks] = item.about;
  if (!marks) return;
  const zs = byId("spread-scale").value === "z";
  const [middle, far] = zs ? [0, data.deviations] : [median, data.deviations * data.normal * mad];
  context.fillStyle = color;
  context.beginPath();
  context.roundRect(x(middle - far), 4, x(middle + far) - x(middle - far), STRIP - 8, 4);
  context.fill();
}

// Points beside each other share a column and are spread about the middle
function swarm(item, x) {
  const columns = new Map();
  for (const [row, value] of item.points) {
    if (outlying(row, item.measure)) continue;
    const column = Math.round(x(value) / (DOT * 2));
    if (columns.has(column)) columns.get(column).push(x(value));
    else columns.set(column, [x(value)]);
  }
  const most = Math.max(1, ...[...columns.values()].map((lefts) => lefts.length));
  const step = Math.min(DOT * 2, (STRIP - 14) / most);
  return [...columns.values()].flatMap((lefts) => lefts.map((left, at) => [left, STRIP / 2 + step * Math.ceil(at / 2) * (at % 2 ? -1 : 1)]));
}

function showAxis([low, high], measure) {
  const zs = byId("spread-scale").value === "z";
  const step = nice((high - low) / 5);
  const ticks = zs ? [-FARTHEST, -6, -3, 0, 3, 6, FARTHEST] : [];
  for (let at = Math.ceil(low / step) * step; at <= high && !zs; at += step) ticks.push(Math.abs(at) < step / 1e6 ? 0 : at);
  axis.ticks = ticks;
  const scale = element("div", { class: "axis" });
  for (const tick of ticks) {
    const text = zs ? farText(tick) : tickText(tick, measure, step);
    const node = element("span", {}, text);
    node.style.left = `${(100 * (tick - low)) / (high - low)}%`;
    scale.append(node);
  }
  byId("spread-axis").replaceChildren(scale);
}

function farText(z) {
  const text = z ? signed(z).replace(".0", "") : "0";
  return Math.abs(z) < FARTHEST ? text : `${z < 0 ? "≤" : "≥"} ${text}`;
}

function tickText(tick, measure, step) {
  if (measures[measure].column === "points_outside") return percents.format(tick);
  return new Intl.NumberFormat("en", { maximumFractionDigits: Math.max(0, -Math.floor(Math.log10(step))) }).format(tick);
}

function nice(step) {
  const power = 10 ** Math.floor(Math.log10(step));
  return power * ([1, 2, 5].find((by) => by * power >= step) || 10);
}

function listOutliers(measure) {
  const marked = all.filter((row) => outlying(row, measure));
  const unable = strips.filter((item) => !item.about[3]).length;
  const name = measures[measure].name.toLowerCase();
  const many = marked.length === 1 ? "1 outlier" : `${whole.format(marked.length)} outliers`;
  const bundlesOf = (count) => (count === 1 ? "1 bundle" : `${count} bundles`);
  byId("outliers-title").textContent = `${many} in ${name}, in words`;
  byId("spread-caption").textContent = !strips.length ? `The ${name} of no tractogram is known.` : `${many} in ${name} among ${bundlesOf(strips.length)}${unable ? `; in ${bundlesOf(unable)} nothing can be marked` : ""}.`;
  const words = byId("outliers-words");
  const fill = () => words.open && words.lastElementChild.replaceChildren(...marked.map((row) => element("li", {}, outlierLink(row), ` ${describeOutlier(row, measure)}`)));
  words.ontoggle = fill;
  words.lastElementChild.replaceChildren();
  fill();
}

function outlierLink(row) {
  return linkOf(row) ? element("a", { href: linkOf(row) }, bundleName(row)) : bundleName(row);
}

function startSpreads() {
  const chosen = byId("spread-measure");
  measures.forEach((measure, at) => measure.compared && chosen.append(option(at, measure.name)));
  for (const id of ["spread-measure", "spread-scale"]) byId(id).addEventListener("change", buildSpreads);
  buildSpreads();
  redraws.push(drawStrips);
}
