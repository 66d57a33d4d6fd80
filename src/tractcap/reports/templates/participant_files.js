// Ratings as files: BIDS' tables, so "n/a" is what isn't there.
const COLUMNS = Object.keys(data.dictionary);
const STATE = ["tractogram_size", "tractogram_time", "picture_hash", "tractcap_version"];
const NEEDED = ["tractogram", "rating"];
const MOST_LISTED = 20;

// Rows of the ratings that are wanted
function exported(wanted = (_tractogram, _by, entry) => said(entry)) {
  const rows = [];
  const met = new Set();
  for (const card of bundles) {
    if (met.has(card.tractogram)) continue; // drawn twice
    met.add(card.tractogram);
    for (const [by, entry] of given.get(card.tractogram) || []) {
      if (!wanted(card.tractogram, by, entry)) continue;
      const whose = { participant_id: data.participant, session_id: card.session, tractogram: card.tractogram, bundle: card.key, rater: by };
      const row = { ...entry, ...whose, rated_at: entry.at === LONG_AGO ? "" : entry.at };
      rows.push(COLUMNS.map((column) => row[column]));
    }
  }
  return rows;
}

function download(name, text, type) {
  const link = element("a", { href: URL.createObjectURL(new Blob([text], { type })), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
}

function exportRatings() {
  given = loadRatings();
  const rows = exported();
  if (!rows.length) return notify("Nothing is rated yet: there is nothing to export.");
  download(`${data.file}.tsv`, base.table([COLUMNS, ...rows]), "text/tab-separated-values");
  download(`${data.file}.json`, JSON.stringify(data.dictionary, null, 2) + "\n", "application/json");
  unexported = false;
  notify(`${counted(rows.length, "rating")} exported to ${data.file}.tsv, and what its columns mean to ${data.file}.json.`);
}

const counted = (count, singular, many = `${singular}s`) => `${count.toLocaleString("en")} ${count === 1 ? singular : many}`;

function notify(text, problems = []) {
  const notice = byId("imported");
  notice.replaceChildren(element("span", {}, text), element("button", { type: "button", class: "link", onclick: () => { notice.hidden = true; } }, "Hide"));
  if (problems.length) {
    const more = problems.length - MOST_LISTED;
    notice.append(element("ul", {}, ...problems.slice(0, MOST_LISTED).map((problem) => element("li", {}, problem)), ...(more > 0 ? [element("li", {}, `… and ${more.toLocaleString("en")} more.`)] : [])));
  }
  notice.hidden = false;
}

async function importRatings(files) {
  const counts = { taken: 0, older: 0 };
  const problems = [];
  const texts = await Promise.all([...files].map((file) => file.text().catch(() => null)));
  given = loadRatings();
  texts.forEach((text, at) => {
    if (text === null) problems.push(`${files[at].name} can't be read.`);
    else importText(text, files[at].name, counts, problems);
  });
  if (counts.taken) unexported = true;
  warnIf(!saveRatings());
  refresh();
  const parts = [`${counted(counts.taken, "rating")} taken`];
  if (counts.older) parts.push(`${counts.older.toLocaleString("en")} not newer than what is here`);
  if (problems.length) parts.push(`${problems.length.toLocaleString("en")} left out`);
  notify(`${parts.join(", ")}.`, problems);
  byId("imported").scrollIntoView({ block: "nearest" });
}

// `met` is called with each rating that is found, newer or not
function importText(text, name, counts, problems, met = () => {}) {
  const lines = text.replace(/^\ufeff/, "").split(/\r\n|\n|\r/);
  const header = lines[0].split("\t").map((column) => column.trim());
  const missing = NEEDED.filter((column) => !header.includes(column));
  if (missing.length) return problems.push(`${name} holds no ratings that can be read: its first line doesn't name ${missing.join(" and ")}.`);
  const known = new Set(bundles.map((card) => card.tractogram));
  lines.forEach((line, at) => {
    if (at === 0 || !line.trim()) return;
    const problem = importLine(header, line.split("\t"), known, counts, met);
    if (problem) problems.push(`${name}, line ${at + 1}: ${problem}`);
  });
}

const short = (text) => text.length <= 60 ? text : `${text.slice(0, 59)}…`;

// Takes a line, or says what is wrong with it
function importLine(header, fields, known, counts, met) {
  if (fields.length !== header.length) return `it has ${fields.length} fields, not ${header.length}.`;
  const row = new Map(header.map((column, at) => [column, fields[at] === "n/a" ? "" : base.plain(base.unquoted(fields[at]))]));
  const rating = row.get("rating").trim().toLowerCase();
  const note = row.get("note") || "";
  const reasons = (row.get("reasons") || "").split(",").map((name) => name.trim()).filter(Boolean).join(",");
  if (rating && !RATINGS.includes(rating)) return `“${short(rating)}” is none of pass, fail and unsure.`;
  if (!known.has(row.get("tractogram"))) return `no tractogram here is called “${short(row.get("tractogram"))}”.`;
  const by = (row.get("rater") || "").trim();
  const at = moment(row.get("rated_at") || "");
  if (at === null) return said({ rating, note, reasons }) ? `“${short(row.get("rated_at"))}” is no date.` : "";
  const entry = { rating, reasons, note, at, ...Object.fromEntries(STATE.map((column) => [column, row.get(column) || ""])), blinded: row.get("blinded") || "" };
  met(row.get("tractogram"), by, entry);
  const before = given.get(row.get("tractogram"))?.get(by);
  if (!before && !said(entry)) return "";
  if (before && before.at >= at) counts.older += 1;
  else {
    put(given, row.get("tractogram"), by, entry);
    counts.taken += 1;
  }
  return "";
}

// In UTC; long ago where there is none, null where it can't be understood
function moment(text) {
  if (!text) return LONG_AGO;
  const zoned = /^\d{4}-\d\d-\d\dT[\d:.]+$/.test(text) ? `${text}Z` : text;
  const parsed = Date.parse(zoned);
  return Number.isNaN(parsed) ? null : new Date(parsed).toISOString().replace(/\.\d+Z$/, "Z");
}

function startFiles() {
  byId("import").addEventListener("change", () => {
    const files = [...byId("import").files];
    byId("import").value = ""; // so that the same file can be taken again
    if (files.length) importRatings(files);
  });
}
