// What is thought of the tractograms: of each, by rater, the last rating. Kept by the page's place.
const RATINGS = ["pass", "fail", "unsure"];
const WORDS = { pass: "Pass", fail: "Fail", unsure: "Unsure" };
const PLACE = `tractcap ratings ${location.pathname}`;
const WHO = "tractcap rater";
let rater = base.kept(WHO) || "";
let given = loaded();
let unexported = false;

const now = () => new Date().toISOString().replace(/\.\d+Z$/, "Z");

function loaded() {
  const found = new Map();
  try {
    for (const [tractogram, by, rating] of JSON.parse(base.kept(PLACE) || "[]")) put(found, tractogram, by, rating);
  } catch { /* written by none of us */ }
  return found;
}

function put(into, tractogram, by, rating) {
  if (!into.has(tractogram)) into.set(tractogram, new Map());
  into.get(tractogram).set(by, rating);
}

function store() {
  const rows = [];
  for (const [tractogram, byRater] of given) for (const [by, rating] of byRater) rows.push([tractogram, by, rating]);
  return base.keep(PLACE, JSON.stringify(rows));
}

const mine = (card) => given.get(card.tractogram)?.get(rater) || {};
const ratingOf = (card) => mine(card).rating || "";
const others = (card) => [...(given.get(card.tractogram) || [])].filter(([by, one]) => by !== rater && (one.rating || one.note));

// Whether the file that was rated is another one now: imported ratings don't tell which they saw, but when
function outdated(card, one = mine(card)) {
  if (!one.rating || card.state[0] === "0") return false;
  return one.state ? one.state.join() !== card.state.join() : Date.parse(one.at) < Number(card.state[0]) / 1e6;
}

// Other windows may have changed them: what is kept is read again before each change
function change(card, changed) {
  given = loaded();
  const one = { rating: "", note: "", ...mine(card), ...changed, at: now() };
  if (changed.rating) one.state = card.state;
  put(given, card.tractogram, rater, one);
  if (!one.rating && !one.note) given.get(card.tractogram).delete(rater);
  unexported = true;
  warnIf(!store());
  refresh(card.tractogram);
}

function rate(card, rating) {
  if (!card || card.overview) return;
  change(card, { rating });
  base.say(rating ? `${card.name}: ${rating}` : `${card.name}: rating taken back`);
  if (rating && !rater && base.kept(`${WHO} asked`) === null) askWho();
}

function warnIf(lost) {
  byId("not-kept").hidden = !lost;
}

function askWho() {
  base.keep(`${WHO} asked`, "1");
  byId("who-name").value = rater;
  byId("who").returnValue = "";
  byId("who").showModal();
  byId("who-name").select();
}

// What was rated without a name goes to the name; another name's ratings stay its own
function named(name) {
  if (name !== rater && !rater) {
    given = loaded();
    for (const byRater of given.values()) {
      const one = byRater.get("");
      const before = byRater.get(name);
      byRater.delete("");
      if (one && !(before && before.at > one.at)) byRater.set(name, one);
    }
    store();
  }
  rater = name;
  base.keep(WHO, rater);
  refresh();
}

const bars = new Set();

// Buttons and note of a card; there may be several of the same
function ratingBar(card) {
  const bar = element("div", { class: "rate-bar" });
  const buttons = RATINGS.map((rating) => element("button", {
    type: "button", class: rating, "data-rate": rating, onclick: () => rate(card, ratingOf(card) === rating ? "" : rating),
  }, icon(ICONS[rating]), WORDS[rating]));
  const text = element("textarea", { rows: 2, "aria-label": `Note on ${card.name}`, placeholder: "Note", hidden: true });
  const note = element("button", { type: "button", class: "note", "data-note": "", "aria-expanded": "false", onclick: () => openNote(bar) }, icon(ICONS.note), "Note");
  const words = element("p", { class: "note-text" });
  const about = element("p", { class: "given" });
  bar.append(element("div", { class: "rate-buttons", role: "group", "aria-label": `Rating of ${card.name}` }, ...buttons, note), text, words, about);
  text.addEventListener("input", () => { bar.typed = true; });
  text.addEventListener("change", () => keepNote(bar));
  text.addEventListener("blur", () => closeNote(bar));
  Object.assign(bar, { card, buttons, text, note, words, about, typed: false });
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
  base.say(`${bar.card.name}: note kept`);
}

function closeNote(bar) {
  keepNote(bar);
  bar.text.hidden = true;
  bar.note.setAttribute("aria-expanded", "false");
  show(bar);
}

const date = (at) => at ? at.slice(0, 10) : "";

function show(bar) {
  const one = mine(bar.card);
  for (const button of bar.buttons) button.setAttribute("aria-pressed", String(button.dataset.rate === one.rating));
  bar.words.textContent = one.note || "";
  bar.words.hidden = !one.note || !bar.text.hidden;
  bar.about.replaceChildren();
  if (outdated(bar.card)) bar.about.append(element("span", { class: "outdated" }, icon(ICONS.failed), "Rated before the file changed"));
  for (const [by, other] of others(bar.card)) {
    const told = [by || "Unnamed", ": ", other.rating || "no rating", other.note ? ` – ${other.note}` : "", ` (${date(other.at)}`, outdated(bar.card, other) ? ", before the file changed" : "", ")"];
    bar.about.append(element("span", { class: "other" }, told.join("")));
  }
  bar.about.hidden = !bar.about.childNodes.length;
}

// Of one tractogram, or of all
function refresh(tractogram = null) {
  for (const bar of bars) if (tractogram === null || bar.card.tractogram === tractogram) show(bar);
  for (const card of bundles) {
    if (tractogram === null || card.tractogram === tractogram) articles.get(card.id).dataset.rated = ratingOf(card);
  }
  const rated = bundles.filter(ratingOf).length;
  byId("progress").textContent = `${rated.toLocaleString("en")} of ${bundles.length.toLocaleString("en")} rated`;
  byId("progress-bar").style.width = `${100 * rated / Math.max(1, bundles.length)}%`;
  byId("rater").textContent = rater || "unnamed";
}

function startRatings() {
  for (const card of bundles) articles.get(card.id).querySelector("[data-rating]").append(ratingBar(card));
  byId("who-later").addEventListener("click", () => byId("who").close(""));
  byId("who").addEventListener("close", () => {
    if (byId("who").returnValue === "keep") named(base.cell(byId("who-name").value.trim()).replace(/^n\/a$/, ""));
  });
  addEventListener("storage", (event) => {
    if (event.key !== PLACE && event.key !== WHO) return;
    rater = base.kept(WHO) || "";
    given = loaded();
    refresh();
  });
  addEventListener("beforeunload", (event) => {
    if (unexported && !base.keeps) event.preventDefault();
  });
  warnIf(!base.keeps);
  refresh();
}
