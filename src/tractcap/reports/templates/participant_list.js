// Search, filters and order of the cards, and what they do when they are pointed at.
const collator = new Intl.Collator("en", { numeric: true, sensitivity: "base" });
const STATUS_ORDER = ["failed", "damaged", "unreadable", "missing", "empty", "drawn"];
const RATING_ORDER = ["fail", "unsure", "pass", ""];
const ORDERS = {
  name: () => 0,
  streamlines: (card) => card.streamlines,
  mean: (card) => card.mean,
  volume: (card) => card.volume,
  status: (card) => STATUS_ORDER.indexOf(card.status),
  rating: (card) => RATING_ORDER.indexOf(ratingOf(card)),
};
const plain = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
const shown = () => [...document.querySelectorAll(".card:not([hidden])")].map((article) => cardById.get(article.id));

for (const card of cards) card.words = plain([card.name, card.apart, card.key, card.source, card.session, articles.get(card.id).querySelector(".original")?.textContent || ""].join(" "));

// Cards stay where they are while they are rated: only these controls move or hide them
function arrange() {
  if (seed) return;
  const order = ORDERS[byId("sort").value];
  const turned = byId("direction").getAttribute("aria-pressed") === "true" ? -1 : 1;
  const value = new Map(bundles.map((card) => [card, order(card)]));
  const known = (card) => Number.isFinite(value.get(card));
  const compare = (card, other) => {
    if (known(card) !== known(other)) return known(card) ? -1 : 1; // without a value: last
    return turned * ((known(card) ? value.get(card) - value.get(other) : 0) || collator.compare(card.name, other.name));
  };
  for (const grid of document.querySelectorAll(".cards")) {
    const inside = [...grid.children].map((article) => cardById.get(article.id));
    const sorted = [...inside].sort(compare);
    if (sorted.some((card, at) => card !== inside[at])) grid.append(...sorted.map((card) => articles.get(card.id)));
  }
}

function fits(card) {
  const words = plain(byId("search").value).split(/\s+/).filter(Boolean);
  const status = byId("status").value;
  const rating = byId("rating").value;
  if (seed && card.overview) return false;
  if (!words.every((word) => card.words.includes(word))) return false;
  if (status && !(["warned", "flagged", "unmade"].includes(status) ? card[status] : card.status === status)) return false;
  if (!rating) return true;
  if (card.overview) return false;
  if (rating === "none") return !ratingOf(card);
  if (rating.startsWith("reason:")) return reasonsOf(card).includes(rating.slice(7));
  if (rating === "noted") return Boolean(mine(card).note);
  return rating === "changed" ? Boolean(outdated(card)) : ratingOf(card) === rating;
}

function filter() {
  for (const card of cards) articles.get(card.id).hidden = !fits(card);
  for (const group of document.querySelectorAll("[data-group]")) group.hidden = !group.querySelector(".card:not([hidden])");
  const count = bundles.filter((card) => !articles.get(card.id).hidden).length;
  byId("shown").textContent = count === bundles.length ? "" : `${count.toLocaleString("en")} of ${bundles.length.toLocaleString("en")} shown`;
  byId("nothing").hidden = shown().length > 0;
}

function reset() {
  for (const id of ["search", "status", "rating"]) byId(id).value = "";
  filter();
}

// A turntable is loaded when its picture is pointed at for a moment
function startTurning(card) {
  const link = linkOf(card);
  if (!turntable(card)) return;
  let soon = 0;
  const stop = () => {
    clearTimeout(soon);
    link.querySelector(".turning")?.remove();
  };
  const begin = (event) => {
    if (still.matches || event.pointerType === "touch" || (event.type === "focus" && !link.matches(":focus-visible"))) return;
    stop();
    const turns = turntable(card);
    if (turns) soon = setTimeout(() => {
      const animation = moving(turns, card.name, { class: "turning", style: `background: ${card.background}` });
      animation.addEventListener("error", stop);
      link.append(animation);
    }, 200);
  };
  link.addEventListener("pointerenter", begin);
  link.addEventListener("focus", begin);
  link.addEventListener("pointerleave", stop);
  link.addEventListener("blur", stop);
}

function startCard(card) {
  startTurning(card);
  linkOf(card).addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return; // the picture itself, in a window of its own
    event.preventDefault();
    openLarge(card);
  });
  if (!card.pair) return;
  const pair = element("button", { type: "button", class: "pair", "data-pair": "", onclick: () => openLarge(card, true) }, icon(ICONS.pair), "Left | right");
  pair.setAttribute("aria-label", `${card.name}${card.apart && `, ${card.apart}`}: left and right side by side`);
  articles.get(card.id).querySelector(".names").append(pair);
}

// The address may name a card
function visit() {
  const card = cardById.get(decodeURIComponent(location.hash.slice(1)));
  if (!card) return;
  if (articles.get(card.id).hidden) reset();
  articles.get(card.id).scrollIntoView({ block: "start" });
  linkOf(card).focus({ preventScroll: true });
}

function startList() {
  for (const card of cards) startCard(card);
  byId("search").addEventListener("input", filter);
  for (const id of ["status", "rating"]) byId(id).addEventListener("change", filter);
  byId("sort").addEventListener("change", arrange);
  byId("direction").addEventListener("click", () => {
    byId("direction").setAttribute("aria-pressed", String(byId("direction").getAttribute("aria-pressed") !== "true"));
    arrange();
  });
  reset(); // a browser that goes back fills in what was there
  addEventListener("hashchange", visit);
  byId("bar").hidden = false;
}
