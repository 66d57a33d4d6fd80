// The table: all rows are kept as numbers, a page of them is shown.
const collator = new Intl.Collator("en", { numeric: true });
const listing = { rows: all, page: 0, by: null, down: false, touched: false };
const wordOrder = (words) => new Map([...new Set(words)].sort(collator.compare).map((word, at) => [word, at]));

const measured = measures.map((measure, at) => ({
  name: measure.name + (measure.unit ? `, ${UNITS[measure.unit].trim()}` : ""),
  column: measure.column,
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
  { name: "Warnings", column: "warnings", value: (row) => rows.warnings[row], show: (row) => (rows.warnings[row] === null ? "" : whole.format(rows.warnings[row])), number: true },
  { name: "Rating", column: "rating", value: (row) => (rows.rating[row] < 0 ? null : rows.rating[row]), show: ratingCell },
  { name: "Reasons", column: "reasons", value: (row) => reasonNames(row) || null, show: reasonNames },
  { name: "Raters", column: "raters", value: (row) => rows.raters[row], show: (row) => whole.format(rows.raters[row]), number: true },
  { name: "Outdated ratings", column: "outdated_ratings", value: (row) => rows.outdated[row], show: (row) => whole.format(rows.outdated[row]), number: true },
  { name: "Tractogram", column: "tractogram", value: tractogramOrder, show: (row) => element("span", { class: "path", title: rows.tractogram[row] }, rows.tractogram[row]) },
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
  const keyed = unsorted.map((row) => [value(row), row]);
  keyed.sort(([value1, row1], [value2, row2]) => {
    if (value1 === null || value2 === null) return (value1 === null) - (value2 === null) || row1 - row2;
    return (value1 < value2 ? -sign : value1 > value2 ? sign : 0) || row1 - row2;
  });
  return keyed.map(([, row]) => row);
}

const texts = all.map((row) => `${sessionName(row)} ${bundleName(row)} ${bundles.key[rows.bundle[row]]} ${rows.tractogram[row]} ${reasonNames(row)}`.toLowerCase());
function matches(row) {
  const words = byId("find").value.toLowerCase().split(/\s+/).filter(Boolean);
  const chosen = (id, value) => byId(id).value === "" || Number(byId(id).value) === value;
  return (
    words.every((word) => texts[row].includes(word)) &&
    chosen("table-session", rows.session[row]) &&
    chosen("table-bundle", rows.bundle[row]) &&
    chosen("table-status", rows.status[row]) &&
    chosen("table-rating", rows.rating[row]) &&
    outlierMatches(row) &&
    flagsMatch(row) &&
    withinLimits(row)
  );
}

function outlierMatches(row) {
  const { value } = byId("table-outlier");
  return value === "" || (value === "any" ? outliers(row).length > 0 : value === "none" ? !outliers(row).length : outlying(row, Number(value)));
}

function flagsMatch(row) {
  const { value } = byId("table-flags");
  const flags = flagsOf(row);
  if (value === "" || value === "unchecked") return value === "" || flags === null;
  if (flags === null) return false;
  return value === "any" ? flags.length > 0 : value === "none" ? !flags.length : flags.includes(value.slice(1));
}

function withinLimits(row) {
  const [least, most] = [byId("table-least").value, byId("table-most").value];
  if (least === "" && most === "") return true;
  const measure = Number(byId("table-measure").value);
  const scale = measures[measure].column === "points_outside" ? 100 : 1;
  const value = rows.values[measure][row];
  return value !== null && (least === "" || value * scale >= Number(least)) && (most === "" || value * scale <= Number(most));
}

function listRows() {
  listing.rows = sortRows(all.filter(matches));
  listing.page = 0;
  showPage();
}

function showPage() {
  const size = Number(byId("table-size").value);
  const pages = Math.max(1, Math.ceil(listing.rows.length / size));
  listing.page = Math.max(0, Math.min(pages - 1, listing.page));
  const shownRows = listing.rows.slice(listing.page * size, (listing.page + 1) * size);
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
function filterTo(id, value) {
  resetFilters();
  byId(id).value = value;
  listRows();
  byId("table").scrollIntoView({ block: "start" });
  byId("find").focus({ preventScroll: true });
}

function saveRows() {
  const lines = listing.rows.map((row) => tsvLine(row));
  const link = element("a", { download: "group_tractograms_filtered.tsv" });
  link.href = URL.createObjectURL(new Blob([`${data.header}\n${lines.join("\n")}\n`], { type: "text/tab-separated-values" }));
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

function tsvLine(row) {
  const [session, bundle] = [rows.session[row], rows.bundle[row]];
  const fields = [sessions.participant[session], sessions.session[session], bundles.key[bundle], bundles.plain[bundle], bundles.hemisphere[bundle], ...bundles.apart[bundle], rows.tractogram[row], statuses[rows.status[row]]];
  fields.push(...measures.map((_, at) => rows.values[at][row]), rows.warnings[row], outliers(row).map((at) => measures[at].column).join(","), flagsOf(row) === null ? "" : flagsOf(row).join(",") || "none", ratingOf(row), rows.reasons[row].join(","), rows.raters[row], rows.outdated[row]);
  return base.line(fields);
}

function startTable() {
  byId("table-heads").append(...columns.map((column) => element("th", { scope: "col", "aria-sort": "none", "data-column": column.column, class: column.number ? "number" : null }, element("button", { type: "button", onclick: () => sortBy(column) }, column.name))));
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
