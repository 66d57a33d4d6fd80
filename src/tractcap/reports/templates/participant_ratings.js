// The ratings: of each tractogram the last one of each rater. Stored by the page's place.
const RATINGS = ["pass", "fail", "unsure"];
const WORDS = { pass: "Pass", fail: "Fail", unsure: "Unsure" };
const PLACE = `tractcap ratings ${served ? `${served.place} ` : ""}${location.pathname}`;
const WHO = "tractcap rater";
const NOTHING = { rating: "", reasons: "", note: "" };
const LONG_AGO = "1970-01-01T00:00:00Z"; // of ratings without a date
let rater = base.stored(WHO) || "";
let given = loadRatings();
let unexported = false;

const later = (at, other) => other > at ? other : at; // clocks differ
const now = () => new Date().toISOString().replace(/\.\d+Z$/, "Z");

function loadRatings() {
  const byTractogram = new Map();
  try {
    for (const [tractogram, by, rating] of JSON.parse(base.stored(PLACE) || "[]")) put(byTractogram, tractogram, by, rating);
  } catch { /* written by none of us */ }
  return byTractogram;
}

// A withdrawn one is an empty one where it must get into a file, else it is gone
function put(into, tractogram, by, rating) {
  if (!into.has(tractogram)) into.set(tractogram, new Map());
  if (said(rating) || (served && by)) into.get(tractogram).set(by, rating);
  else into.get(tractogram).delete(by);
}

function said(entry) {
  return Boolean(entry.rating || entry.note || entry.reasons);
}

function saveRatings() {
  const rows = [];
  for (const [tractogram, byRater] of given) for (const [by, rating] of byRater) rows.push([tractogram, by, rating]);
  const kept = base.store(PLACE, JSON.stringify(rows));
  meet(false);
  return kept;
}

const mine = (card) => given.get(card.tractogram)?.get(rater) || {};
const ratingOf = (card) => mine(card).rating || "";
const namesIn = (reasons) => (reasons || "").split(",").filter(Boolean);
const reasonsOf = (card) => namesIn(mine(card).reasons);
const described = (name) => data.reasons.find((reason) => reason.name === name)?.description || name; // or another list's
const others = (card) => [...(given.get(card.tractogram) || [])].filter(([by, entry]) => by !== rater && said(entry));

// What a rating was of, where that isn't what is here: "file", "pictures" or "unknown". Ratings without a state are judged by their date
function outdated(card, entry = mine(card)) {
  const now = card.state;
  const { tractogram_size: size, tractogram_time: time, picture_hash: pictures } = entry;
  if (!entry.rating || !now.tractogram_time) return "";
  if (!size && !time) return entry.at === LONG_AGO ? "unknown" : Date.parse(entry.at) < Date.parse(now.tractogram_time) ? "file" : "";
  const same = Boolean(pictures) && pictures === now.picture_hash; // then another time is that of copying the file
  if ((size && size !== now.tractogram_size) || (time && time !== now.tractogram_time && !same)) return "file";
  return pictures && now.picture_hash && !same ? "pictures" : "";
}

const OUTDATED = { file: "Rated before the file changed", pictures: "Rated by other pictures of the file", unknown: "Which state of the file was rated isn’t known" };

// Other windows may have changed them: what is kept is read again before each change
function change(card, changed, again = true) {
  given = loadRatings();
  if (again) undoable.push({ card, by: rater, entry: { ...NOTHING, ...mine(card) } });
  const entry = { ...(again ? { ...NOTHING, ...mine(card) } : {}), ...changed, at: later(now(), mine(card).at), fromFile: false, saved: false };
  if (again && changed.rating) Object.assign(entry, card.state, { blinded: masked(card) ? seed : "" });
  put(given, card.tractogram, rater, entry);
  unexported = true;
  warnIf(!saveRatings());
  refresh(card.tractogram);
}

function rate(card, rating) {
  if (!card || card.overview) return;
  change(card, { rating });
  base.announce(rating ? `${card.label}: ${rating}` : `${card.label}: rating taken back`);
  if (rating && !rater && (served ? !saving.asked : base.stored(`${WHO} asked`) === null)) askRater();
}

function toggleReason(card, { name, description }) {
  const names = reasonsOf(card);
  const taken = names.includes(name);
  change(card, { reasons: (taken ? names.filter((other) => other !== name) : [...names, name]).join(",") });
  base.announce(`${card.name}: ${description}${taken ? " taken back" : ""}`);
}

function warnIf(lost) {
  byId("not-kept").hidden = !lost;
}

function askRater() {
  saving.asked = true;
  base.store(`${WHO} asked`, "1");
  byId("who-name").value = rater;
  byId("who").returnValue = "";
  byId("who").showModal();
  byId("who-name").select();
}

// What was rated without a name goes to the name; another name's ratings stay its own
function renameRater(name) {
  if (name !== rater && !rater) {
    given = loadRatings();
    for (const byRater of given.values()) {
      const entry = byRater.get("");
      const before = byRater.get(name);
      byRater.delete("");
      if (entry && !(before && before.at > entry.at)) byRater.set(name, entry);
    }
    for (const step of undoable) step.by ||= name;
    saveRatings();
  }
  rater = name;
  base.store(WHO, rater);
  refresh();
}

const bars = new Set();

// Buttons and note of a card; there may be several of the same
function ratingBar(card) {
  const bar = element("div", { class: "rate-bar" });
  const buttons = RATINGS.map((rating) => element("button", {
    type: "button", class: rating, "data-rate": rating, onclick: () => rate(card, ratingOf(card) === rating ? "" : rating),
  }, icon(ICONS[rating]), WORDS[rating]));
  const text = element("textarea", { rows: 2, placeholder: "Note", hidden: true });
  const note = element("button", { type: "button", class: "note", "data-note": "", "aria-expanded": "false", onclick: () => openNote(bar) }, icon(ICONS.note), "Note");
  const words = element("p", { class: "note-text" });
  const about = element("p", { class: "given" });
  const reasons = data.reasons.map((reason) => element("button", {
    type: "button", class: "reason", "data-reason": reason.name, "aria-keyshortcuts": reason.key, onclick: () => toggleReason(card, reason),
  }, element("kbd", { "aria-hidden": "true" }, reason.key), reason.description));
  const why = element("div", { class: "reasons", role: "group" }, ...reasons, element("span", {}));
  bar.append(element("div", { class: "rate-buttons", role: "group" }, ...buttons, note), why, text, words, about);
  text.addEventListener("input", () => { bar.typed = true; });
  text.addEventListener("change", () => keepNote(bar));
  text.addEventListener("blur", () => closeNote(bar));
  Object.assign(bar, { card, buttons, reasons, why, text, note, words, about, typed: false });
  bars.add(bar);
  show(bar);
  return bar;
}

function openNote(bar) {
  if (!bar) return;
  bar.text.value = mine(bar.card).note || "";
  bar.text.hidden = false;
  bar.words.hidden = true;
  bar.note.setAttribute("aria-expanded", "true");
  bar.text.focus();
}

function keepNote(bar) {
  if (!bar.typed) return;
  bar.typed = false;
  change(bar.card, { note: bar.text.value.replace(/\s+/g, " ").trim() });
  base.announce(`${bar.card.name}: note kept`);
}

function closeNote(bar) {
  keepNote(bar);
  bar.text.hidden = true;
  bar.note.setAttribute("aria-expanded", "false");
  show(bar);
}

const date = (at) => at && at !== LONG_AGO ? at.slice(0, 10) : "";

function show(bar) {
  const entry = mine(bar.card);
  for (const [node, words] of [[bar.firstChild, "Rating of"], [bar.why, "Reasons for the rating of"], [bar.text, "Note on"]]) node.setAttribute("aria-label", `${words} ${bar.card.name}`);
  for (const button of bar.buttons) button.setAttribute("aria-pressed", String(button.dataset.rate === entry.rating));
  const names = reasonsOf(bar.card);
  for (const button of bar.reasons) button.setAttribute("aria-pressed", String(names.includes(button.dataset.reason)));
  bar.why.lastChild.textContent = names.filter((name) => !data.reasons.some((reason) => reason.name === name)).join(", ");
  bar.why.hidden = !names.length && !["fail", "unsure"].includes(entry.rating);
  bar.words.textContent = entry.note || "";
  bar.words.hidden = !entry.note || !bar.text.hidden;
  bar.about.replaceChildren();
  bar.about.append(...savedMark(bar.card));
  bar.about.hidden = !bar.about.childNodes.length;
  if (masked(bar.card)) return;
  const state = outdated(bar.card);
  if (state) bar.about.append(element("span", { class: "outdated" }, icon(ICONS.failed), OUTDATED[state]));
  for (const [by, other] of others(bar.card)) {
    const when = [date(other.at), OUTDATED[outdated(bar.card, other)]?.toLowerCase()].filter(Boolean).join(", ");
    const rating = [other.rating || "no rating", ...namesIn(other.reasons).map(described)].join(", ");
    bar.about.append(element("span", { class: "other" }, `${by || "Unnamed"}: ${rating}${other.note ? ` – ${other.note}` : ""}${when ? ` (${when})` : ""}`));
  }
  bar.about.hidden = !bar.about.childNodes.length;
}

// Of one tractogram, or of all
function refresh(tractogram = null) {
  maskAll();
  for (const bar of bars) if (tractogram === null || bar.card.tractogram === tractogram) show(bar);
  for (const card of bundles) {
    if (tractogram === null || card.tractogram === tractogram) articles.get(card.id).dataset.rated = ratingOf(card);
  }
  const rated = bundles.filter(ratingOf).length;
  byId("progress").textContent = `${rated.toLocaleString("en")} of ${bundles.length.toLocaleString("en")} rated`;
  byId("progress-bar").style.width = `${100 * rated / Math.max(1, bundles.length)}%`;
  byId("rater").textContent = rater || "unnamed";
  showSaving();
  byId("tally").textContent = tally();
}

// How many cards have each rating and reason: "2 pass, 3 fail: 2 incomplete, 1 too few streamlines"
function tally() {
  const count = (names) => [...names.reduce((counts, name) => counts.set(name, (counts.get(name) || 0) + 1), new Map())];
  const listed = (counts, word = (name) => name) => counts.map(([name, many]) => `${many.toLocaleString("en")} ${word(name)}`).join(", ");
  const ratings = count(bundles.map(ratingOf).filter(Boolean)).sort(([name], [other]) => RATINGS.indexOf(name) - RATINGS.indexOf(other));
  const reasons = count(bundles.flatMap(reasonsOf)).sort(([, many], [, fewer]) => fewer - many);
  return [listed(ratings), listed(reasons, described)].filter(Boolean).join(": ");
}

function startRatings() {
  for (const card of bundles) articles.get(card.id).querySelector("[data-rating]").append(ratingBar(card));
  byId("who-later").addEventListener("click", () => byId("who").close(""));
  byId("who").addEventListener("close", () => {
    if (byId("who").returnValue === "keep") renameRater(base.cell(byId("who-name").value.trim()).replace(/^n\/a$/, ""));
  });
  addEventListener("storage", (event) => {
    if (event.key !== PLACE && event.key !== WHO) return;
    rater = base.stored(WHO) || "";
    given = loadRatings();
    refresh();
  });
  addEventListener("beforeunload", (event) => {
    for (const bar of bars) keepNote(bar); // which is being written as the page is left
    if (served ? waiting().length : unexported && !base.persistent) event.preventDefault();
  });
  warnIf(!base.persistent);
}
