// How a measure is distributed in every bundle, or of one bundle in every group: a point for each tractogram and a button
// for each outlier, or where there are very many, quantiles and the outliers' numbers.
const strips = [];
const axis = { ticks: [] };
const STRIP = 44;
const DOT = 2;
const FARTHEST = 8;

const [BELOW, ABOVE, QUANTILES] = [5, 6, 7];

// Bundle, group and name of each strip; group is null where all are together
function chosenStrips() {
  const { value } = byId("spread-of");
  return value === "" ? bundles.name.map((name, bundle) => [bundle, null, name]) : groups.name.map((name, group) => [Number(value), group, name]);
}

function drawnOf(bundle, group, measure) {
  return byBundle[bundle].filter((row) => rows.status[row] === DRAWN && rows.values[measure][row] !== null && (group === null || groupOf(row) === group));
}

const byBundle = bundles.key.map(() => []);
if (!pieces) for (const row of all) byBundle[rows.bundle[row]].push(row);

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
  byId("strips").replaceChildren(...chosenStrips().map((of) => strip(of, measure)).filter(Boolean));
  const common = strips.flatMap((item) => shownValues(item));
  const scale = byId("spread-scale").value;
  byId("spread-axis").replaceChildren();
  axis.ticks = [];
  for (const item of strips) item.ends = scale === "own" || !common.length ? shownValues(item).length && ends(shownValues(item)) : null;
  if (common.length && scale !== "own") {
    const both = scale === "z" ? [-FARTHEST - 0.4, FARTHEST + 0.4] : ends(common);
    for (const item of strips) item.ends = both;
    showAxis(both, measure);
  }
  strips.forEach(placeOutliers);
  listOutliers(measure);
  redraw();
}

const shownValues = (item) => (pieces ? item.quantiles : item.points.map(([, value]) => value));

function strip([bundle, group, title], measure) {
  const about = spreadOf(bundle, group, measure);
  if (!about) return null;
  const inside = drawnOf(bundle, group, measure);
  const points = inside.map((row) => [row, place(row, measure)]).filter(([, value]) => value !== null);
  const canvas = element("canvas", { "aria-hidden": "true" });
  const plot = element("div", { class: "plot" }, canvas);
  const name = element("button", { type: "button", class: "plain", onclick: () => openBundle(bundle, null) }, title);
  const tail = pieces ? [outlierButton(bundle, group, measure, about)] : [];
  const node = element("li", { class: "strip" }, element("div", { class: "label" }, name), plot, element("div", { class: "sum" }, ...sum(about, group, measure), ...tail));
  strips.push({ bundle, measure, points, canvas, plot, about, quantiles: quantilesOf(about) });
  return node;
}

function quantilesOf(about) {
  if (!pieces) return [];
  const quantiles = about.slice(QUANTILES);
  if (byId("spread-scale").value !== "z") return quantiles;
  return about[2] ? quantiles.map((value) => Math.max(-FARTHEST, Math.min(FARTHEST, (value - about[1]) / (data.normal * about[2])))) : [];
}

// Leads to them in the table
function outlierButton(bundle, group, measure, about) {
  const many = about[BELOW] + about[ABOVE];
  if (!many) return element("small", {}, "no outliers");
  const further = { "table-bundle": bundle, "table-group": group === null ? "" : group };
  const words = `outliers: ${whole.format(about[BELOW])} below, ${whole.format(about[ABOVE])} above`;
  return element("small", {}, element("button", { type: "button", class: "plain outlying", onclick: () => filterTo("table-outlier", measure, further) }, words));
}

function sum([many, median, mad, marks], group, measure) {
  const lines = [element("b", {}, written(median, measure)), ` MAD ${bare(mad, measure)}, n ${whole.format(many)}`];
  if (!marks && !(groups && group === null)) lines.push(element("small", {}, many < data.fewest ? `fewer than ${data.fewest} values: nothing is marked` : "MAD is 0: nothing is marked"));
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
    if (!shownValues(item).length || !width) continue;
    const context = prepare(item.canvas, width, STRIP);
    const x = (value) => (across(item, value) * width) / 100;
    context.fillStyle = line;
    for (const tick of axis.ticks) context.fillRect(Math.round(x(tick)), 0, 1, STRIP);
    paintBand(context, item, x, band);
    context.fillStyle = dot;
    if (pieces) paintQuantiles(context, item.quantiles.map(x));
    for (const [left, top] of swarm(item, x)) {
      context.beginPath();
      context.arc(left, top, DOT, 0, 7);
      context.fill();
    }
    context.fillStyle = middle;
    context.fillRect(x(byId("spread-scale").value === "z" ? 0 : item.about[1]) - 1, 6, 2, STRIP - 12);
  }
}

// From the least to the greatest: 98 %, 90 % and half of the values in thicker and thicker lines
function paintQuantiles(context, at) {
  const line = (from, to, high) => context.fillRect(at[from], (STRIP - high) / 2, Math.max(1, at[to] - at[from]), high);
  line(1, 7, 2);
  line(2, 6, 6);
  line(3, 5, 18);
  for (const end of [0, at.length - 1]) context.fillRect(at[end] - 1, STRIP / 2 - 4, 2, 8);
}

// Where nothing is marked: the limit, in robust standard deviations, about the median
function paintBand(context, item, x, color) {
  const [, median, mad, marks, limit] = item.about;
  if (!marks) return;
  const zs = byId("spread-scale").value === "z";
  const [middle, far] = zs ? [0, limit] : [median, limit * data.normal * mad];
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
  const bundle = byId("spread-of").value;
  const marked = all.filter((row) => outlying(row, measure) && (bundle === "" || rows.bundle[row] === Number(bundle)));
  const unable = groups && bundle === "" ? 0 : strips.filter((item) => !item.about[3]).length;
  const name = measures[measure].name.toLowerCase();
  const many = marked.length === 1 ? "1 outlier" : `${whole.format(marked.length)} outliers`;
  const [one, more] = bundle === "" ? ["bundle", "bundles"] : ["group", "groups"];
  const bundlesOf = (count) => `${count} ${count === 1 ? one : more}`;
  byId("outliers-title").textContent = `${many} in ${name}, in words`;
  byId("spread-caption").textContent = !strips.length ? `The ${name} of no tractogram is known.` : `${many} in ${name} among ${bundlesOf(strips.length)}${unable ? `; in ${bundlesOf(unable)} nothing can be marked` : ""}.`;
  const words = byId("outliers-words");
  const listed = pieces ? marked.slice(0, 500) : marked;
  const further = listed.length < marked.length ? [element("li", {}, `… and ${whole.format(marked.length - listed.length)} more: the table has them all`)] : [];
  const list = () => words.lastElementChild.replaceChildren(...listed.map((row) => element("li", {}, outlierLink(row), ` ${describeOutlier(row, measure)}`)), ...further);
  const fill = () => words.open && withMeasure("words", measure, () => withRows("words", pieces ? listed : [], list));
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
  if (groups) byId("spread-of").append(...bundles.name.map((name, at) => option(at, name)));
  for (const id of ["spread-measure", "spread-scale", "spread-of"]) byId(id).addEventListener("change", buildSpreads);
  buildSpreads();
  redraws.push(drawStrips);
}
