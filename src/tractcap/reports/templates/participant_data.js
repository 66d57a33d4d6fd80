// The cards, and what is known of them.
const data = JSON.parse(document.getElementById("data").textContent);
const { element } = base;
const byId = (id) => document.getElementById(id);
const cards = data.cards;
const articles = new Map(cards.map((card) => [card.id, byId(card.id)]));
const cardById = new Map(cards.map((card) => [card.id, card]));
const cardOf = (node) => cardById.get(node?.closest?.(".card")?.id);
const bundles = cards.filter((card) => !card.overview);
const linkOf = (card) => articles.get(card.id).querySelector(".picture");
const still = matchMedia("(prefers-reduced-motion: reduce)");

for (const card of cards) card.tractogram = base.cell(card.source);

// Drawn by the page itself: no text of others goes in here
function icon(drawing) {
  const drawn = element("span", { class: "icon", "aria-hidden": "true" });
  drawn.innerHTML = `<svg viewBox="0 0 16 16" fill="none" stroke="currentColor" stroke-width="1.8" stroke-linecap="round" stroke-linejoin="round">${drawing}</svg>`;
  return drawn;
}

const ICONS = {
  pass: '<path d="M3 8.5l3.2 3.2L13 4.8"/>',
  fail: '<path d="M4 4l8 8M12 4l-8 8"/>',
  unsure: '<path d="M5.5 6a2.6 2.6 0 1 1 3.7 2.3c-.8.4-1.2.9-1.2 1.7"/><path d="M8 13v.01"/>',
  note: '<path d="M3 13l.7-3L10.5 3.2l2.3 2.3L6 12.3z"/>',
  pair: '<path d="M2.5 3.5h4.5v9H2.5zM9 3.5h4.5v9H9z"/>',
  turn: '<path d="M5 3.2l7.5 4.8L5 12.8z"/>',
  failed: '<path d="M8 1.8l6.6 12H1.4z"/><path d="M8 6.2v3.6M8 11.8v.01"/>',
  get damaged() { return this.failed; },
  get unreadable() { return this.failed; },
  empty: '<circle cx="8" cy="8" r="6" stroke-dasharray="2.4 2.3"/>',
};

// The turntable: loaded when it is needed, and let go afterwards
function moving(picture, name, attributes = {}) {
  const [what, , link] = picture;
  if (!what.endsWith(".mp4")) return element("img", { src: link, alt: `${name}, turning`, ...attributes });
  const video = element("video", { src: link, loop: true, playsinline: true, "aria-label": `${name}, turning`, ...attributes });
  video.muted = true;
  if (still.matches) video.controls = true;
  else video.autoplay = true;
  return video;
}

const turntable = (card) => card.pictures.find(([what]) => what.startsWith("turntable"));
