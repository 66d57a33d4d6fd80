// Participants down, bundles across: one canvas the size of what is seen, drawn anew as it scrolls.
const matrix = { shown: "status", order: [], at: null };
const FONT = "12px system-ui, sans-serif";
const STEPS = 4;

function cellRow(session, bundle) {
  const candidates = cell(session, bundle);
  if (candidates.length < 2) return candidates[0];
  return candidates.reduce((row, other) => (weight(other) > weight(row) ? other : row));
}

function weight(row) {
  const measure = Number(matrix.shown);
  return Number.isInteger(measure) ? Math.abs(distance(row, measure) || 0) : troubles(row);
}

function cellColor(row) {
  const status = rows.status[row];
  if (status !== DRAWN) return `--${statuses[status]}`;
  if (matrix.shown === "status") return "--drawn";
  if (matrix.shown === "rating") return ratingOf(row) ? `--${ratingOf(row)}` : "--unknown";
  if (matrix.shown === "outliers") return outliers(row).length ? `--many-${Math.min(outliers(row).length, 3)}` : "--many-0";
  return distanceColor(distance(row, Number(matrix.shown)));
}

function distanceColor(z) {
  if (z === null) return "--unknown";
  const step = Math.max(-STEPS, Math.min(STEPS, Math.trunc(z)));
  return step ? `--z-${step < 0 ? "low" : "high"}-${Math.abs(step)}` : "--z-0";
}

const legends = {
  status: () => [["--drawn", "drawn"]],
  outliers: () => [["--many-0", "none"], ["--many-1", "in 1 measure"], ["--many-2", "in 2"], ["--many-3", "in 3 or more"]],
  rating: () => [...data.ratings.map((rating) => [`--${rating}`, `${rating} (${rating[0].toUpperCase()})`]), ["--unknown", "not rated"]],
};
const NOT_DRAWN = statuses.filter((status) => rows.status.includes(statuses.indexOf(status)) && status !== "drawn").map((status) => [`--${status}`, status, SIGNS[status]]);

function distances() {
  const steps = [...Array(2 * STEPS + 1).keys()].map((at) => at - STEPS);
  const text = (z) => (z === 0 ? "within ±1" : `${z < 0 ? "−" : "+"}${Math.abs(z)}${Math.abs(z) === STEPS ? " and beyond" : ""}`);
  return [...steps.map((z) => [distanceColor(z), text(z)]), ["--unknown", "not known"]];
}

function showLegend() {
  const parts = [...(legends[matrix.shown] || distances)(), ...NOT_DRAWN];
  const entries = parts.map(([color, text, mark]) => element("li", {}, swatch(color, mark || ""), text));
  if (!legends[matrix.shown]) entries.unshift(element("li", {}, "Robust z:"));
  if (!["rating", "outliers"].includes(matrix.shown)) entries.push(element("li", {}, element("b", { "aria-hidden": "true" }, "•"), "outlier in any measure"));
  byId("matrix-legend").replaceChildren(...entries);
}

function swatch(color, sign) {
  const node = element("span", { class: `swatch ${color.slice(2)}`, "aria-hidden": "true" }, sign);
  node.style.background = `var(${color})`;
  return node;
}

function orderSessions() {
  const order = [...sessions.name.keys()];
  if (byId("matrix-order").value === "troubles") {
    const sums = order.map(() => 0);
    for (const row of all) sums[rows.session[row]] += troubles(row);
    order.sort((session, other) => sums[other] - sums[session] || session - other);
  }
  if (byId("matrix-order").value === "group") order.sort((session, other) => groups.of[session] - groups.of[other] || session - other);
  matrix.order = order;
}

// Sizes of everything, in CSS pixels
function measureMatrix() {
  const box = byId("matrix-box");
  const context = byId("matrix-canvas").getContext("2d");
  context.font = FONT;
  matrix.longest = matrix.longest || [sessions.name, bundles.name].map((names) => Math.max(...names.slice(0, 600).map((name) => context.measureText(name).width)));
  const [longestSession, longestBundle] = matrix.longest;
  const width = box.clientWidth;
  const left = Math.min(longestSession + 16, width * 0.36, 200);
  const top = Math.min(longestBundle + 18, width < 600 ? 170 : 270);
  const wide = Math.max(width < 600 ? 22 : 15, Math.min(56, (width - left - 2) / bundles.key.length));
  const dense = byId("matrix-rows").value === "dense";
  const room = Math.max(180, Math.min(innerHeight * 0.72 - top, 460));
  const packed = dense && sessions.name.length > 4 * room;
  const high = packed ? room / sessions.name.length : dense ? Math.max(1, room / sessions.name.length) : sessions.name.length > 60 ? 15 : 22;
  return { left, top, wide, high, width, room, packed, dense: high < 11 };
}

function drawMatrix() {
  const box = byId("matrix-box");
  const size = measureMatrix();
  const [fullWidth, fullHeight] = [size.left + size.wide * bundles.key.length, size.top + size.high * sessions.name.length];
  const height = Math.ceil(Math.min(fullHeight, size.top + size.room));
  box.style.height = `${height + (fullWidth > size.width + 1 ? 16 : 0)}px`;
  byId("matrix-space").style.cssText = `width:${Math.floor(fullWidth)}px;height:${Math.floor(fullHeight)}px`;
  const [width, seen] = [box.clientWidth, box.clientHeight];
  const context = prepare(byId("matrix-canvas"), width, seen);
  paintCells(context, { ...size, x: box.scrollLeft, y: box.scrollTop, width, height: seen });
  Object.assign(matrix, { size });
}

const redrawMatrix = later(drawMatrix);

function range(offset, step, room, most) {
  return [Math.max(0, Math.floor(offset / step)), Math.min(most, Math.ceil((offset + room) / step))];
}

// Of very many participants several share a line of pixels: what is most to look at among them is shown
function heaps(lines) {
  if (matrix.heaps && matrix.heaps.lines === lines) return matrix.heaps.rows;
  const found = new Map();
  const weights = new Map();
  const perLine = sessions.name.length / lines;
  matrix.order.forEach((session, down) => {
    const line = Math.floor(down / perLine) * bundles.key.length;
    for (let row = begins[session]; row < begins[session + 1]; row++) {
      const [at, heavy] = [line + rows.bundle[row], weight(row)];
      if (heavy <= (weights.has(at) ? weights.get(at) : -1)) continue;
      weights.set(at, heavy);
      found.set(at, row);
    }
  });
  matrix.heaps = { lines, rows: found };
  return found;
}

function paintHeaps(context, view, color) {
  const lines = Math.max(1, Math.round(view.high * sessions.name.length));
  for (const [at, row] of heaps(lines)) {
    const [line, across] = [Math.floor(at / bundles.key.length), at % bundles.key.length];
    paintCell(context, row, [view.left + across * view.wide - view.x, view.top + line - view.y, view.wide - 1, 1], color);
  }
}

function paintCells(context, view) {
  const [fromRow, toRow] = range(view.y, view.high, view.height - view.top, sessions.name.length);
  const [fromColumn, toColumn] = range(view.x, view.wide, view.width - view.left, bundles.key.length);
  const colors = new Map();
  const color = (name) => colors.get(name) || colors.set(name, css(name)).get(name);
  context.save();
  context.beginPath();
  context.rect(view.left, view.top, view.width, view.height);
  context.clip();
  const gap = view.high < 5 ? 0 : 1;
  if (view.packed) paintHeaps(context, view, color);
  for (let down = fromRow; down < toRow && !view.packed; down++) {
    for (let across = fromColumn; across < toColumn; across++) {
      const row = cellRow(matrix.order[down], across);
      if (row === undefined) continue;
      const x = view.left + across * view.wide - view.x;
      const y = view.top + down * view.high - view.y;
      paintCell(context, row, [x, y, view.wide - 1, view.high - gap], color);
    }
  }
  paintCursor(context, view, color);
  context.restore();
  paintLabels(context, view, color, [fromRow, toRow], [fromColumn, toColumn]);
}

function paintCell(context, row, [x, y, wide, high], color) {
  context.fillStyle = color(cellColor(row));
  context.fillRect(x, y, wide, high);
  if (rows.status[row] === MISSING && high > 4) outline(context, [x, y, wide, high], color("--line"));
  const marked = cellSign(row);
  if (!marked || high < 10) return;
  context.fillStyle = markOn(color(cellColor(row)));
  context.font = FONT;
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.fillText(marked, x + wide / 2, y + high / 2 + 0.5);
}

function outline(context, [x, y, wide, high], color) {
  context.strokeStyle = color;
  context.lineWidth = 1;
  context.strokeRect(x + 0.5, y + 0.5, wide - 1, high - 1);
}

// What a cell's colour says, for those who can't tell the colours apart
function cellSign(row) {
  if (sign(row)) return sign(row);
  if (matrix.shown === "rating") return ratingOf(row).slice(0, 1).toUpperCase();
  const many = outliers(row).length;
  if (matrix.shown === "outliers") return many ? String(many) : "";
  const z = matrix.shown === "status" ? 0 : Math.trunc(distance(row, Number(matrix.shown)) || 0);
  return [z ? `${z < 0 ? "−" : "+"}${Math.abs(z)}` : "", many ? "•" : ""].join("");
}

// Dark on light, light on dark: #rrggbb
function markOn(background) {
  const [red, green, blue] = [1, 3, 5].map((at) => parseInt(background.trim().slice(at, at + 2), 16));
  return 0.3 * red + 0.59 * green + 0.11 * blue > 130 ? "#101214" : "#ffffff";
}

function paintCursor(context, view, color) {
  if (!matrix.at) return;
  const [down, across] = matrix.at;
  context.strokeStyle = color("--ink");
  context.lineWidth = 2;
  const [x, y] = [view.left + across * view.wide - view.x, view.top + down * view.high - view.y];
  context.strokeRect(x, y, view.wide - 1, Math.max(view.high - 1, 3));
}

// Names differ at their ends: the middle is left out
function shorten(context, text, room) {
  let kept = text;
  for (let many = text.length; many > 3 && context.measureText(kept).width > room; many--) {
    kept = `${text.slice(0, Math.ceil(many * 0.6))}…${text.slice(text.length - Math.floor(many * 0.4))}`;
  }
  return kept;
}

function paintLabels(context, view, color, [fromRow, toRow], [fromColumn, toColumn]) {
  context.font = FONT;
  context.textBaseline = "middle";
  const ink = (strong) => color(strong ? "--ink" : "--soft");
  context.save();
  context.beginPath();
  context.rect(0, view.top, view.left, view.height);
  context.clip();
  context.textAlign = "right";
  for (let down = fromRow; down < toRow && !view.dense; down++) {
    context.fillStyle = ink(matrix.at && matrix.at[0] === down);
    const name = shorten(context, sessions.name[matrix.order[down]], view.left - 12);
    context.fillText(name, view.left - 8, view.top + (down + 0.5) * view.high - view.y);
  }
  context.restore();
  context.save();
  context.beginPath();
  context.rect(view.left, 0, view.width, view.top);
  context.clip();
  context.textAlign = "left";
  for (let across = fromColumn; across < toColumn; across++) {
    context.fillStyle = ink(matrix.at && matrix.at[1] === across);
    context.setTransform(context.getTransform().translate(view.left + (across + 0.5) * view.wide - view.x, view.top - 8).rotate(-90));
    context.fillText(shorten(context, bundles.name[across], view.top - 14), 0, 0);
    context.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0);
  }
  context.restore();
}

// What the pointer is at: [row or -1, column or -1]
function hit(event) {
  const box = byId("matrix-box").getBoundingClientRect();
  const [x, y] = [event.clientX - box.left, event.clientY - box.top];
  const { left, top, wide, high } = matrix.size;
  const across = x < left ? -1 : Math.floor((x - left + byId("matrix-box").scrollLeft) / wide);
  const down = y < top ? -1 : Math.floor((y - top + byId("matrix-box").scrollTop) / high);
  if (matrix.size.packed && down >= 0 && across >= 0) {
    const row = matrix.heaps.rows.get(Math.floor(y - top) * bundles.key.length + across);
    return row === undefined ? null : [matrix.order.indexOf(rows.session[row]), across];
  }
  return down >= sessions.name.length || across >= bundles.key.length ? null : [down, across];
}

function describeRow(row) {
  const parts = [sessionName(row), bundleName(row), statuses[rows.status[row]]];
  const measure = Number(matrix.shown);
  if (Number.isInteger(measure) && rows.status[row] === DRAWN && rows.values[measure][row] !== null) {
    const z = distance(row, measure);
    parts.push(`${measures[measure].name.toLowerCase()} ${written(rows.values[measure][row], measure)}${z === null ? "" : ` (z ${signed(z)})`}`);
  } else if (typeof rows.values[0][row] === "number") parts.push(`${whole.format(rows.values[0][row])} streamlines`);
  if (outliers(row).length) parts.push(`outlier: ${outlierNames(row)}`);
  if (ratingOf(row)) parts.push(`rated ${ratingOf(row)}`);
  if (groups) parts.push(groups.name[groupOf(row)]);
  if (data.why[row]) parts.push(data.why[row]);
  return parts.join(" · ");
}

const HINT = "Point at a cell to read it; click it, or a name, to see the pictures. With the keyboard: arrows, then Enter.";
function point(at) {
  matrix.at = at && at[0] >= 0 && at[1] >= 0 ? at : null;
  const row = matrix.at && cellRow(matrix.order[at[0]], at[1]);
  const nothing = () => `${sessions.name[matrix.order[at[0]]]} · ${bundles.name[at[1]]} · not looked for`;
  byId("matrix-caption").textContent = !matrix.at ? HINT : row === undefined ? nothing() : describeRow(row);
  redrawMatrix();
}

function enter(at) {
  if (!at) return;
  const [down, across] = at;
  if (down < 0 && across < 0) return;
  if (across < 0) openSession(matrix.order[down]);
  else openBundle(across, down < 0 ? null : matrix.order[down]);
}

const ARROWS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
function steer(event) {
  if (event.key === "Enter") enter(matrix.at);
  if (!ARROWS[event.key] && event.key !== "Enter") return;
  event.preventDefault();
  if (event.key === "Enter") return;
  const [down, across] = matrix.at || [0, 0];
  const [more, right] = matrix.at ? ARROWS[event.key] : [0, 0];
  const inside = (value, most) => Math.max(0, Math.min(most - 1, value));
  point([inside(down + more, sessions.name.length), inside(across + right, bundles.key.length)]);
  reveal();
}

function reveal() {
  const box = byId("matrix-box");
  const [down, across] = matrix.at;
  const { left, top, wide, high } = matrix.size;
  const into = (from, size, start, room) => Math.max(Math.min(start, from), from + size - room);
  box.scrollTop = into(down * high, high, box.scrollTop, box.clientHeight - top);
  box.scrollLeft = into(across * wide, wide, box.scrollLeft, box.clientWidth - left);
}

function startMatrix() {
  const shown = byId("matrix-shown");
  const z = element("optgroup", { label: "Distance from the bundle's median" });
  measures.forEach((measure, at) => measure.compared && z.append(option(at, measure.name)));
  shown.append(z);
  if (!data.rated) shown.querySelector("[value=rating]").disabled = true;
  const show = () => {
    matrix.shown = shown.value;
    matrix.heaps = null;
    orderSessions();
    showLegend();
    point(null);
  };
  const anew = () => withMeasure("matrix", Number(shown.value), show);
  for (const id of ["matrix-shown", "matrix-order", "matrix-rows"]) byId(id).addEventListener("change", anew);
  const box = byId("matrix-box");
  box.addEventListener("scroll", redrawMatrix, { passive: true });
  box.addEventListener("pointermove", (event) => point(hit(event)));
  box.addEventListener("pointerleave", () => document.activeElement !== box && point(null));
  box.addEventListener("click", (event) => enter(hit(event)));
  box.addEventListener("keydown", steer);
  box.addEventListener("focus", () => !matrix.at && box.matches(":focus-visible") && point([0, 0]));
  redraws.push(drawMatrix);
  anew();
}
