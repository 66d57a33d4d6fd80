// The keyboard, on the page and in the large view.
const RATING_KEYS = { 1: "pass", 2: "fail", 3: "unsure", 4: "", p: "pass", f: "fail", u: "unsure" };
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const ORDER_KEYS = { j: nextUnrated, g: lastRated, Backspace: undo };
const DO = { help: () => byId("help").showModal(), rater: askRater, export: exportRatings, import: () => byId("import").click(), reset, next: nextUnrated, last: lastRated, undo, order: askOrder };
const typing = (node) => node.matches?.("input, textarea, select");

let held = ""; // the key that did something last: held down, it does so once, and doesn't write into the field that it opened

function pressed(event) {
  if (event.repeat && event.key === held && typing(event.target)) return event.preventDefault();
  held = "";
  if ((event.ctrlKey || event.metaKey) && event.key === "z" && !typing(event.target) && !document.querySelector("dialog.small[open]")) {
    event.preventDefault();
    return event.repeat ? null : undo();
  }
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  if (typing(event.target)) {
    if (event.key === "Escape") leave(event);
    return;
  }
  if (document.querySelector("dialog.small[open]")) return;
  const act = large.open ? inLarge(event) : onPage(event);
  if (!act) return;
  event.preventDefault();
  held = event.key;
  if (!event.repeat || event.key in ARROWS) act();
}

// Escape leaves a note or the search, not the large view
function leave(event) {
  const bar = event.target.closest(".rate-bar");
  if (!bar && event.target.id !== "search") return;
  event.preventDefault();
  if (bar) bar.note.focus();
  else if (byId("search").value) reset();
  else byId("search").blur();
  if (bar && !large.open) linkOf(bar.card).focus();
}

function anywhere(event, card, bar) {
  if (event.key === "?") return DO.help;
  if (event.key in ORDER_KEYS) return ORDER_KEYS[event.key];
  if (!card || card.overview) return null;
  if (event.key in RATING_KEYS) return () => rate(card, RATING_KEYS[event.key]);
  const reason = data.reasons.find(({ key }) => key === event.key);
  if (reason) return () => toggleReason(card, reason);
  return event.key === "n" || event.key === "5" ? () => openNote(bar()) : null;
}

function inLarge(event) {
  const arrow = ARROWS[event.key];
  if (arrow) return arrow[0] ? () => turnView(arrow[0]) : () => turnBundle(arrow[1]);
  if (event.key === "s") return turnPair;
  if (event.key === "z") return () => zoom();
  return anywhere(event, at.card, () => [...bars].find((bar) => large.contains(bar) && bar.card === at.card));
}

function onPage(event) {
  const card = cardOf(event.target);
  if (event.key === "/") return () => { byId("search").focus(); byId("search").select(); };
  const arrow = ARROWS[event.key];
  if (arrow && (card || arrow[0])) return () => walk(card, arrow);
  if (event.key === "s" && card?.pair) return () => openLarge(card, true);
  return anywhere(event, card, () => [...bars].find((bar) => articles.get(card.id).contains(bar)));
}

// To the next card, or to the nearest in the next row
function walk(card, [across, down]) {
  const list = shown();
  if (!card) return list[0] && go(list[0]);
  if (across) return go(list[list.indexOf(card) + across]);
  const box = (item) => articles.get(item.id).getBoundingClientRect();
  const here = box(card);
  const beyond = list.filter((item) => down * (box(item).top - here.top) > 8);
  if (!beyond.length) return;
  const row = down > 0 ? Math.min(...beyond.map((item) => box(item).top)) : Math.max(...beyond.map((item) => box(item).top));
  const middle = (item) => (box(item).left + box(item).right) / 2;
  const inRow = beyond.filter((item) => Math.abs(box(item).top - row) <= 8);
  go(inRow.sort((item, other) => Math.abs(middle(item) - middle(card)) - Math.abs(middle(other) - middle(card)))[0]);
}

function go(card) {
  if (!card) return;
  linkOf(card).focus({ preventScroll: true });
  articles.get(card.id).scrollIntoView({ block: "nearest", behavior: still.matches ? "auto" : "smooth" });
}

function start() {
  startRatings();
  startFiles();
  startList();
  startLarge();
  startOrder();
  startSaving();
  for (const button of document.querySelectorAll("[data-do]")) {
    button.addEventListener("click", () => DO[button.dataset.do]());
    button.hidden = false;
  }
  document.addEventListener("keydown", pressed);
  addEventListener("load", () => setTimeout(visit)); // the browser's own visit takes the focus away
}
