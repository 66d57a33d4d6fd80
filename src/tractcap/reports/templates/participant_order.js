// Working through the cards: the next unrated one, undo, where one stopped; and names hidden and cards shuffled until they are rated.
const ORDER = `tractcap order ${location.pathname}`;
let seed = base.stored(ORDER) || ""; // of the blinded order; empty where names are shown
const places = new Map(); // of each card in the shuffled order, from 1 on
const home = new Map(bundles.map((card) => [card, articles.get(card.id).parentElement]));
const undoable = [];

const masked = (card) => Boolean(seed) && !card.overview && !(ratingOf(card) && outdated(card) !== "file");
const allViews = (card) => card.all.filter(([what]) => what !== "mosaic" && !what.startsWith("turntable"));

// What would give a card away is another thing, or nothing, while it is masked. Only the mosaic's own words can be cut off
for (const card of bundles) {
  const own = { name: card.name, apart: card.apart, pair: card.pair };
  card.all = card.pictures;
  Object.defineProperties(card, {
    name: { get: () => masked(card) ? `Bundle ${places.get(card)}` : own.name },
    apart: { get: () => masked(card) ? "" : own.apart },
    pair: { get: () => masked(card) || (own.pair && masked(cardById.get(own.pair))) ? "" : own.pair },
    pictures: { get: () => masked(card) ? card.all.filter(([what]) => what === "mosaic" && cut(card)) : card.all },
    label: { get: () => card.apart ? `${card.name}, ${card.apart}` : card.name },
  });
}

// The part of a mosaic that holds the views: from `top` to `bottom`, in pixels
function cut(card) {
  const [, , , width, height] = card.all.find(([what]) => what === "mosaic") || [];
  const views = allViews(card).length;
  if (!width || !views) return null;
  const high = Math.ceil(views / 3) * width / Math.min(3, views);
  const top = card.heading ?? height - high;
  return { width, height, top, bottom: top + high };
}

// The same seed gives the same order everywhere; a bundle that is added moves no other (FNV-1a, and murmur3's last step)
function shuffledKey(text) {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) hash = Math.imul(hash ^ byte, 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

function shuffle() {
  const keys = new Map(bundles.map((card) => [card, shuffledKey(`${seed}\n${card.tractogram}`)]));
  const order = [...bundles].sort((card, other) => keys.get(card) - keys.get(other) || (card.tractogram < other.tractogram ? -1 : 1));
  order.forEach((card, at) => places.set(card, at + 1));
  document.querySelector(".cards").append(...order.map((card) => articles.get(card.id)));
}

// Hides or shows what tells which bundle a card is of
function mask(card) {
  const [article, hidden] = [articles.get(card.id), masked(card)];
  const before = article.classList.contains("masked");
  if (!before && !hidden) return;
  article.classList.toggle("masked", hidden);
  if (before !== hidden && large.open && at.card === card) {
    const inside = byId("panel").contains(document.activeElement);
    showLarge();
    if (inside) byId("panel").focus();
  }
  article.querySelector("h3").firstChild.data = `${card.name[0].toUpperCase()}${card.name.slice(1)} `;
  const link = linkOf(card);
  link.dataset.href ??= link.getAttribute("href");
  link.dataset.label ??= link.getAttribute("aria-label");
  link.setAttribute("href", hidden ? "#" : link.dataset.href);
  link.setAttribute("aria-label", hidden ? `${card.name}: open the picture` : link.dataset.label);
  const image = link.querySelector("img");
  const part = hidden && cut(card);
  link.classList.toggle("whole", Boolean(hidden && !part));
  link.style.aspectRatio = part ? `${part.width} / ${part.bottom - part.top}` : "";
  if (!image) return;
  image.dataset.alt ??= image.alt;
  image.alt = hidden ? card.name : image.dataset.alt;
  image.style.marginTop = part ? `${-100 * part.top / part.width}%` : "";
}

function maskAll() {
  document.body.classList.toggle("blinded", Boolean(seed));
  const title = seed ? "Blinded" : data.participant || "Tractograms";
  document.title = `${title} – tractcap`;
  document.querySelector("h1").textContent = title;
  for (const group of document.querySelectorAll("[data-group]")) {
    const heading = group.querySelector("h2").firstChild;
    group.dataset.label ??= group.getAttribute("aria-label");
    group.dataset.heading ??= heading.data;
    group.setAttribute("aria-label", seed ? "Tractograms" : group.dataset.label);
    heading.data = seed ? "Tractograms" : group.dataset.heading;
  }
  for (const card of bundles) mask(card);
  byId("order-state").textContent = seed ? `on, seed ${seed}` : "off";
}

function blind(newSeed) {
  seed = newSeed;
  base.store(ORDER, seed);
  if (seed) shuffle();
  else for (const card of bundles) home.get(card).append(articles.get(card.id));
  reset();
  arrange();
  refresh();
}

// A masked picture in the large view: the same without its words
function cutPicture(card, link, name) {
  const { width, top, bottom } = cut(card);
  const canvas = element("canvas", { width, height: bottom - top, role: "img", "aria-label": name, "aria-busy": true, onclick: zoom });
  const image = element("img", { src: link });
  image.addEventListener("load", () => {
    canvas.getContext("2d").drawImage(image, 0, -top);
    canvas.removeAttribute("aria-busy");
  });
  image.addEventListener("error", () => canvas.replaceWith(element("span", { class: "lost" }, "The picture isn’t there.")));
  return canvas;
}

// Also those whose rating is of another state of the file
const unrated = (card) => !card.overview && (!ratingOf(card) || outdated(card) === "file");

function present(card, words) {
  if (!card) return base.announce(words);
  if (articles.get(card.id).hidden) reset();
  if (!large.open) return go(card);
  Object.assign(at, { card, paired: false });
  showLarge();
  base.announce(card.name);
}

function nextUnrated() {
  const order = shown();
  const here = order.indexOf(large.open ? at.card : cardOf(document.activeElement));
  present([...order.slice(here + 1), ...order.slice(0, here + 1)].find(unrated), "All that are shown are rated");
}

function lastRated() {
  const rated = bundles.filter((card) => mine(card).at);
  present(rated.reduce((last, card) => !last || mine(card).at >= mine(last).at ? card : last, null), "Nothing is rated yet");
}

function undo() {
  const step = undoable.pop();
  if (!step) return base.announce("There is nothing to undo");
  const who = rater;
  rater = step.by;
  change(step.card, step.entry, false);
  rater = who;
  refresh(step.card.tractogram);
  present(step.card, "");
  base.announce(`${step.card.name}: ${step.entry.rating || "not rated"} again`);
}

function startOrder() {
  byId("order").addEventListener("close", () => {
    if (byId("order").returnValue === "blind") blind(base.cell(byId("order-seed").value.trim()).replace(/^n\/a$/, "") || "1");
    else if (byId("order").returnValue === "show") blind("");
  });
  if (seed) shuffle();
  refresh();
}

function askOrder() {
  byId("order-seed").value = seed || String(Math.floor(Math.random() * 1e6));
  byId("order").returnValue = "";
  byId("order").showModal();
  byId("order-seed").select();
}
