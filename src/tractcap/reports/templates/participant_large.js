// The large view: one bundle's pictures, or those of left and right beside each other.
const large = byId("large");
const MIRRORED = { left: "right", right: "left" };
const at = { card: null, what: "mosaic", paired: false };

function openLarge(card, paired = at.paired && large.open) {
  Object.assign(at, { card, paired, what: large.open ? at.what : "mosaic" });
  if (!large.open) large.showModal();
  showLarge();
  (byId("views").querySelector("[aria-pressed=true]") || byId("panel")).focus();
}

const whatsOf = (card) => card.pictures.map(([what]) => what);
const pairedWith = (card) => at.paired && card.pair ? cardById.get(card.pair) : null;

// The same as in `card`, seen from the other side: the left of the left one, the right of the right one
function pictureOf(card, what, mirrored = false) {
  const wanted = mirrored ? MIRRORED[what] || what : what;
  const same = ([view]) => view === wanted || (wanted.startsWith("turntable") && view.startsWith("turntable"));
  return card.pictures.find(same) || null;
}

function showLarge() {
  const { card } = at;
  const other = pairedWith(card);
  if (!pictureOf(card, at.what)) at.what = whatsOf(card)[0] || "mosaic";
  const both = other ? [card, other].sort((left, right) => left.side.localeCompare(right.side)) : [card];
  byId("large-name").textContent = other ? `${card.name.replace(/,? (left|right)$/i, "")}: left and right` : card.name;
  if (card.apart) byId("large-name").append(" ", element("span", { class: "apart" }, card.apart));
  const list = shown();
  byId("large-place").textContent = list.includes(card) ? `${list.indexOf(card) + 1} of ${list.length}` : "";
  byId("large-pair").hidden = !card.pair;
  byId("large-pair").setAttribute("aria-pressed", String(Boolean(other)));
  large.classList.toggle("paired", Boolean(other));
  for (const bar of [...bars]) if (large.contains(bar)) bars.delete(bar);
  byId("stage").classList.remove("zoomed");
  byId("stage").replaceChildren(...both.map((shown) => shot(shown, shown !== card, Boolean(other))));
  byId("panel").replaceChildren(...(other ? [] : cardDetails(card)));
  byId("panel").hidden = Boolean(other);
  showViews(card);
}

function shot(card, mirrored, captioned) {
  const picture = pictureOf(card, at.what, mirrored);
  const frame = element("div", { class: "frame", style: `background: ${card.background}` }, picture ? pixels(card, picture) : blank(card));
  const figure = element("figure", { class: "shot", "data-card": card.id }, frame);
  if (captioned) {
    figure.append(element("figcaption", {}, element("h3", {}, card.name), element("span", { class: "soft" }, picture ? picture[1] : ""), ...cardDetails(card, true)));
    figure.classList.toggle("current", card === at.card);
    for (const type of ["pointerdown", "focusin"]) figure.addEventListener(type, () => choose(card));
  }
  return figure;
}

// Which of two is rated by keys
function choose(card) {
  at.card = card;
  for (const figure of byId("stage").children) figure.classList.toggle("current", figure.dataset.card === card.id);
}

function pixels(card, [what, label, link, width, height]) {
  if (what.startsWith("turntable")) return moving([what, label, link], card.name);
  if (masked(card)) return cutPicture(card, link, card.name);
  const sizes = width ? { width, height } : {};
  return element("img", { src: link, alt: `${card.name}, ${label}`, decoding: "async", ...sizes, onclick: zoom });
}

function blank(card) {
  const words = card.status === "drawn" ? "No such picture" : card.status[0].toUpperCase() + card.status.slice(1);
  return element("p", { class: "blank" }, icon(ICONS[card.status] || ICONS.empty), element("b", {}, words), element("span", {}, masked(card) ? "" : card.why));
}

// Every pixel of the picture, around what was clicked
function zoom(event) {
  const stage = byId("stage");
  const image = stage.querySelector("img, canvas");
  if (!image) return;
  const box = image.getBoundingClientRect();
  const [x, y] = event?.clientX ? [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height] : [0.5, 0.5];
  const zoomed = stage.classList.toggle("zoomed");
  for (const frame of zoomed ? stage.querySelectorAll(".frame") : []) {
    frame.scrollTo(x * frame.scrollWidth - frame.clientWidth / 2, y * frame.scrollHeight - frame.clientHeight / 2);
  }
}

function cardDetails(card, brief = false) {
  const article = articles.get(card.id);
  const parts = [...article.querySelectorAll(brief || masked(card) ? ".facts" : ".original, .status, .flags, .numbers, .warnings, .checks, .details")].map((part) => part.cloneNode(true));
  for (const part of parts) if (part.matches("details")) part.open = true;
  return card.overview ? parts : [ratingBar(card), ...parts];
}

function showViews(card) {
  const focused = byId("views").contains(document.activeElement);
  byId("views").replaceChildren(...card.pictures.map(([what, label, link]) => {
    const turns = what.startsWith("turntable");
    const inside = turns || masked(card) ? icon(ICONS.turn) : element("img", { src: link, alt: "", decoding: "async" });
    return element("button", { type: "button", "data-view": what, "aria-pressed": String(what === at.what), onclick: () => view(what) },
      element("span", { class: "thumb", style: `background: ${card.background}` }, inside), element("span", {}, label));
  }));
  const pressed = byId("views").querySelector("[aria-pressed=true]");
  if (focused) pressed?.focus({ preventScroll: true });
  pressed?.scrollIntoView({ block: "nearest", inline: "nearest" });
}

function view(what) {
  at.what = what;
  showLarge();
  const label = at.card.pictures.find(([view]) => view === what)?.[1] || "";
  base.announce(label);
}

function turnView(step) {
  const whats = whatsOf(at.card);
  if (whats.length) view(whats[(whats.indexOf(at.what) + step + whats.length) % whats.length]);
}

// Of a pair, both are passed over
function turnBundle(step) {
  const list = shown();
  const pair = pairedWith(at.card);
  let place = list.indexOf(at.card) + step;
  while (pair && list[place] === pair) place += step;
  const next = list[place];
  if (!next) return base.announce(step > 0 ? "This is the last bundle" : "This is the first bundle");
  at.card = next;
  showLarge();
  base.announce(next.name);
}

function turnPair() {
  if (!at.card.pair) return;
  at.paired = !at.paired;
  showLarge();
}

// Called at once, and again by the event "close", which may come after the next key: that is meant for the card that was left
function leaveLarge() {
  if (!byId("stage").hasChildNodes()) return;
  large.close();
  for (const bar of [...bars]) if (large.contains(bar)) bars.delete(bar);
  for (const id of ["stage", "views", "panel"]) byId(id).replaceChildren(); // lets go of pictures
  if (at.card && !articles.get(at.card.id).hidden) linkOf(at.card).focus();
}

function startLarge() {
  byId("large-pair").addEventListener("click", turnPair);
  const actions = { previous: () => turnBundle(-1), next: () => turnBundle(1), close: leaveLarge };
  for (const button of large.querySelectorAll("[data-large]")) button.addEventListener("click", actions[button.dataset.large]);
  for (const type of ["cancel", "close"]) large.addEventListener(type, leaveLarge);
}
