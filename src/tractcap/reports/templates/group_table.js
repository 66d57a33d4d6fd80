// The table: all rows are kept as numbers, a page of them is shown. Columns that come in pieces can't be sorted by.
const collator = new Intl.Collator("en", { numeric: true });
const listing = { rows: all, page: 0, by: null, down: false, touched: false };
const wordOrder = (words) => new Map([...new Set(words)].sort(collator.compare).map((word, at) => [word, at]));

const measured = measures.map((measure, at) => ({
  name: measure.name + (measure.unit ? `, ${UNITS[measure.unit].trim()}` : ""),
  column: measure.column,
  measure: at,
  value: (row) => rows.values[at][row],
  show: (row) => mark(bare(rows.values[at][row], at), outlying(row, at) && `z ${signed(distance(row, at))}`),
  number: true,
}));
const columns = [
  { name: "Participant", column: "session", value: (row) => rows.session[row], show: participantCell },
  { name: "Bundle", column: "bundle", value: (row) => rows.bundle[row], show: bundleCell },
  { name: "Side", column: "hemisphere", value: (row) => bundles.hemisphere[rows.bundle[row]] || null, show: (row) => ({ L: "left", R: "right" })[bundles.hemisphere[rows.bundle[row]]] || "" },
  { name: "Status", column: "status", value: (row) => rows.status[row], show: (row) => badge(statuses[rows.status[row]], statuses[rows.status[row]]) },
  ...measured,
  { name: "Outliers", column: "outlier", value: (row) => outliers(row).length, show: (row) => outlierNames(row) },
  ...(data.flags.some(Boolean) ? [{ name: "Flags", column: "flags", value: (row) => (flagsOf(row) === null ? null : flagsOf(row).length), show: (row) => (flagsOf(row) === null ? "" : flagsOf(row).join(", ") || "none") }] : []),
  { name: "Warnings", column: "warnings", inPieces: true, value: (row) => rows.warnings[row], show: (row) => (rows.warnings[row] === null ? "" : whole.format(rows.warnings[row])), number: true },
  { name: "Rating", column: "rating", value: (row) => (rows.rating[row] < 0 ? null : rows.rating[row]), show: ratingCell },
  { name: "Reasons", column: "reasons", value: (row) => reasonNames(row) || null, show: reasonNames },
  { name: "Raters", column: "raters", value: (row) => rows.raters[row], show: (row) => whole.format(rows.raters[row]), number: true },
  { name: "Outdated ratings", column: "outdated_ratings", value: (row) => rows.outdated[row], show: (row) => whole.format(rows.outdated[row]), number: true },
  ...(groups ? [{ name: groups.column, column: "group", value: groupOf, show: (row) => groups.name[groupOf(row)] }] : []),
  { name: "Tractogram", column: "tractogram", inPieces: true, value: tractogramOrder, show: (row) => element("span", { class: "path", title: rows.tractogram[row] }, rows.tractogram[row]) },
];

function mark(text, why) {
  return why ? element("span", { class: "outlying", title: why }, text, element("span", { class: "hidden" }, ` outlier, ${why}`)) : text;
}

function participantCell(row) {
  return linkOf(row) ? element("a", { href: linkOf(row) }, sessionName(row)) : sessionName(row);
}

function bundleCell(row) {
  const open = () => openBundle(rows.bundle[row], rows.session[row]);
  return element("button", { type: "button", class: "plain", title: "Show pictures", onclick: open }, bundleName(row));
}

function ratingCell(row) {
  return ratingOf(row) ? badge(ratingOf(row), ratingOf(row)) : "";
}

function reasonNames(row) {
  return rows.reasons[row].map((name) => data.reasons[name] || name).join(", ");
}

let paths = null;
function tractogramOrder(row) {
  paths = paths || wordOrder(rows.tractogram);
  return rows.tractogram[row] ? paths.get(rows.tractogram[row]) : null;
}

// Unknown values come last, whichever way it is sorted
function sortRows(unsorted) {
  if (!listing.by) return unsorted;
  const { value } = listing.by;
  const sign = listing.down ? -1 : 1;
  const keys = new Array(count);
  for (const row of unsorted) keys[row] = value(row);
  const known = unsorted.filter((row) => keys[row] !== null);
  known.sort((row, other) => (keys[row] < keys[other] ? -sign : keys[row] > keys[other] ? sign : row - other));
  return [...known, ...unsorted.filter((row) => keys[row] === null)];
}

// Each test is made once for all rows, since there may be a million
function tests() {
  const chosen = (id, of) => {
    const { value } = byId(id);
    return value === "" ? null : (row) => of(row) === Number(value);
  };
  const values = Object.fromEntries(["table-outlier", "table-flags", "table-least", "table-most", "table-measure"].map((id) => [id, byId(id).value]));
  return [
    chosen("table-session", (row) => rows.session[row]),
    chosen("table-bundle", (row) => rows.bundle[row]),
    chosen("table-status", (row) => rows.status[row]),
    chosen("table-rating", (row) => rows.rating[row]),
    chosen("table-group", groupOf),
    values["table-outlier"] && ((row) => outlierMatches(row, values["table-outlier"])),
    values["table-flags"] && ((row) => flagsMatch(row, values["table-flags"])),
    (values["table-least"] || values["table-most"]) && ((row) => withinLimits(row, Number(values["table-measure"]), values["table-least"], values["table-most"])),
    ...byId("find").value.toLowerCase().split(/\s+/).filter(Boolean).map(hasWord),
  ].filter(Boolean);
}

function hasWord(word) {
  const has = (texts) => texts.map((text) => text.toLowerCase().includes(word));
  const [inSession, inBundle] = [has(sessions.name), has(bundles.name.map((name, at) => `${name} ${bundles.key[at]}`))];
  return (row) => inSession[rows.session[row]] || inBundle[rows.bundle[row]] || (data.rated && reasonNames(row).toLowerCase().includes(word)) || (!pieces && rows.tractogram[row].toLowerCase().includes(word));
}

function outlierMatches(row, value) {
  return value === "" || (value === "any" ? rows.outlying[row] > 0 : value === "none" ? !rows.outlying[row] : outlying(row, Number(value)));
}

function flagsMatch(row, value) {
  const flags = flagsOf(row);
  if (value === "unchecked") return flags === null;
  if (flags === null) return false;
  return value === "any" ? flags.length > 0 : value === "none" ? !flags.length : flags.includes(value.slice(1));
}

function withinLimits(row, measure, least, most) {
  const scale = measures[measure].column === "points_outside" ? 100 : 1;
  const value = rows.values[measure][row];
  return value !== null && (least === "" || value * scale >= Number(least)) && (most === "" || value * scale <= Number(most));
}

function listRows() {
  const limited = byId("table-least").value !== "" || byId("table-most").value !== "";
  const order = () => {
    const wanted = tests();
    listing.rows = sortRows(all.filter((row) => wanted.every((test) => test(row))));
    listing.page = 0;
    showPage();
  };
  withMeasure("limits", limited ? Number(byId("table-measure").value) : null, () => withMeasure("list", listing.by && listing.by.measure, order));
}

function showPage() {
  const size = Number(byId("table-size").value);
  const pages = Math.max(1, Math.ceil(listing.rows.length / size));
  listing.page = Math.max(0, Math.min(pages - 1, listing.page));
  const shownRows = listing.rows.slice(listing.page * size, (listing.page + 1) * size);
  withRows("table", shownRows, () => showRows(shownRows, size, pages));
}

function showRows(shownRows, size, pages) {
  byId("table-rows").replaceChildren(...shownRows.map(tableRow));
  const from = listing.page * size;
  const part = shownRows.length ? `${whole.format(from + 1)}–${whole.format(from + shownRows.length)} of ` : "";
  const filtered = listing.rows.length === count ? "" : ` (all: ${whole.format(count)})`;
  byId("table-caption").textContent = listing.rows.length ? `${part}${whole.format(listing.rows.length)} rows${filtered}` : `No row matches${filtered}`;
  byId("table-page").textContent = `Page ${whole.format(listing.page + 1)} of ${whole.format(pages)}`;
  for (const [id, off] of [["first", !listing.page], ["previous", !listing.page], ["next", listing.page >= pages - 1], ["last", listing.page >= pages - 1]]) byId(`table-${id}`).disabled = off;
}

function tableRow(row) {
  const cells = columns.map((column, at) => {
    const shown = column.show(row);
    return element(at ? "td" : "th", { class: column.number ? "number" : null, scope: at ? null : "row" }, shown === "" ? element("span", { class: "na" }, "n/a") : shown);
  });
  return element("tr", { class: statuses[rows.status[row]] }, ...cells);
}

function sortBy(column) {
  listing.down = listing.by === column ? !listing.down : Boolean(column.number);
  listing.by = column;
  for (const head of document.querySelectorAll("#table-heads th")) {
    const here = head.dataset.column === column.column;
    head.setAttribute("aria-sort", here ? (listing.down ? "descending" : "ascending") : "none");
  }
  listRows();
}

function turnPage(by) {
  listing.page += by;
  showPage();
  byId("table-box").scrollTop = 0;
}

function resetFilters() {
  byId("table-filters").querySelectorAll("input").forEach((input) => (input.value = ""));
  byId("table-filters").querySelectorAll("select").forEach((select) => (select.selectedIndex = 0));
  listRows();
}

// From the numbers on top
function filterTo(id, value, further = {}) {
  resetFilters();
  for (const [name, chosen] of Object.entries({ [id]: value, ...further })) byId(name).value = chosen;
  listRows();
  byId("table").scrollIntoView({ block: "start" });
  byId("find").focus({ preventScroll: true });
}

function saveRows() {
  withRows("save", listing.rows, saveLines);
}

function saveLines() {
  const lines = listing.rows.map((row) => tsvLine(row));
  const link = element("a", { download: "group_tractograms_filtered.tsv" });
  link.href = URL.createObjectURL(new Blob([`${data.header}\n${lines.join("\n")}\n`], { type: "text/tab-separated-values" }));
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

function tsvLine(row) {
  const [session, bundle] = [rows.session[row], rows.bundle[row]];
  const fields = [sessions.participant[session], sessions.session[session], bundles.key[bundle], bundles.plain[bundle], bundles.hemisphere[bundle], ...bundles.apart[bundle], ...(groups ? [groups.name[groupOf(row)]] : []), rows.tractogram[row], statuses[rows.status[row]]];
  fields.push(...measures.map((_, at) => rows.values[at][row]), rows.warnings[row], outliers(row).map((at) => measures[at].column).join(","), flagsOf(row) === null ? "" : flagsOf(row).join(",") || "none", ratingOf(row), rows.reasons[row].join(","), rows.raters[row], rows.outdated[row]);
  return base.line(fields);
}

function startTable() {
  byId("table-heads").append(...columns.map((column) => element("th", { scope: "col", "aria-sort": "none", "data-column": column.column, class: column.number ? "number" : null }, pieces && column.inPieces ? element("span", {}, column.name) : element("button", { type: "button", onclick: () => sortBy(column) }, column.name))));
  if (groups) byId("table-group").append(...groups.name.map((name, at) => option(at, name)));
  byId("table-session").append(...sessions.name.map((name, at) => option(at, name)));
  byId("table-bundle").append(...bundles.name.map((name, at) => option(at, name)));
  byId("table-status").append(...statuses.map((status, at) => option(at, status)));
  byId("table-rating").append(...data.ratings.map((rating, at) => option(at, rating)), option(-1, "not rated"));
  measures.forEach((measure, at) => {
    if (measure.compared) byId("table-outlier").append(option(at, `in ${measure.name.toLowerCase()}`));
    byId("table-measure").append(option(at, measure.column === "points_outside" ? `${measure.name}, %` : measured[at].name));
  });
  let waiting = 0;
  byId("table-filters").addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(listRows, 80);
  });
  byId("table-size").addEventListener("change", () => turnPage(0));
  for (const [id, by] of [["first", -Infinity], ["previous", -1], ["next", 1], ["last", Infinity]]) byId(`table-${id}`).addEventListener("click", () => turnPage(by));
  byId("table-reset").addEventListener("click", resetFilters);
  byId("table-save").addEventListener("click", saveRows);
  document.querySelectorAll("[data-filter]").forEach((tile) => tile.addEventListener("click", () => filterTo(...tile.dataset.filter.split("="))));
  showPage();
}
