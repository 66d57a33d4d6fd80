// Thumbnails: nothing is loaded before a bundle or a participant is opened and scrolled to.
const gallery = { by: "bundle", rows: [], at: 0, from: 0 };
const THUMBS = pieces ? 60 : Infinity;

function thumb(row, place) {
  const status = rows.status[row];
  const link = linkOf(row);
  const name = gallery.by === "bundle" ? sessionName(row) : bundleName(row);
  const title = link ? element("a", { href: link }, name) : element("span", {}, name);
  const caption = element("figcaption", {}, title, notes(row));
  return element("figure", { class: `thumb ${statuses[status]}`, "data-row": row }, shown(row, place), caption);
}

function notes(row) {
  const line = element("span", { class: "notes" });
  if (rows.values[0][row] !== null) line.append(whole.format(rows.values[0][row]));
  if (outliers(row).length) line.append(badge("outlier", outlierNames(row)));
  if (ratingOf(row)) line.append(badge(ratingOf(row), ratingOf(row)));
  if (rows.warnings[row]) line.append(badge("warning", rows.warnings[row] === 1 ? "1 warning" : `${rows.warnings[row]} warnings`));
  return line;
}

function badge(kind, text) {
  return element("span", { class: `badge ${kind}` }, text);
}

function shown(row, place) {
  const source = rows.status[row] === DRAWN ? picture(row, byId("gallery-view").value) : "";
  if (!source) return element("div", { class: "none" }, ...without(row));
  const alt = `${bundleName(row)} of ${sessionName(row)}`;
  const image = element("img", { alt, loading: "lazy", decoding: "async" });
  image.src = source; // after loading=lazy
  return element("button", { type: "button", class: "picture", onclick: () => enlarge(place) }, image);
}

function without(row) {
  const status = rows.status[row];
  const why = data.why[row] || (status === MISSING ? "Other participants have this bundle." : "");
  const says = status === DRAWN ? "No picture" : statuses[status][0].toUpperCase() + statuses[status].slice(1);
  return [element("span", { class: "sign", "aria-hidden": "true" }, sign(row) || "?"), element("b", {}, says), element("small", {}, why)];
}

function openGallery() {
  if (byId("gallery-what").value === "") return;
  fillGallery();
  showThumbs(0);
}

function fillGallery() {
  const chosen = byId("gallery-what").value;
  const side = gallery.by === "bundle" ? rows.bundle : rows.session;
  const every = all.filter((row) => side[row] === Number(chosen));
  const only = byId("gallery-only").value;
  gallery.rows = every.filter((row) => only === "all" || (only === "troubles" ? troubles(row) : !rows.raters[row]));
  describeGallery(every, chosen);
}

// Some at a time where there are very many; `then` is called when they are there
function showThumbs(from, then = () => {}) {
  gallery.from = from;
  const [first, shownRows] = gallery.rows.length > THUMBS ? [from, gallery.rows.slice(from, from + THUMBS)] : [0, gallery.rows];
  byId("gallery-pages").hidden = gallery.rows.length <= THUMBS;
  byId("gallery-page").textContent = `${whole.format(first + 1)}–${whole.format(first + shownRows.length)} of ${whole.format(gallery.rows.length)}`;
  byId("gallery-before").disabled = !first;
  byId("gallery-after").disabled = first + shownRows.length >= gallery.rows.length;
  withRows("thumbs", shownRows, () => {
    byId("thumbs").replaceChildren(...(first ? [] : overview(byId("gallery-what").value)), ...shownRows.map((row, at) => thumb(row, first + at)));
    then();
  });
}

function overview(chosen) {
  return ((gallery.by === "session" && data.overviews[chosen]) || []).filter(([, source]) => source).map(([link, source, apart]) => {
    const name = apart ? `All bundles, ${apart}` : "All bundles";
    const image = element("img", { alt: `${name} of ${sessions.name[chosen]}`, loading: "lazy", decoding: "async" });
    image.src = source;
    const title = link ? element("a", { href: link }, name) : name;
    return element("figure", { class: "thumb drawn" }, element("div", { class: "picture" }, image), element("figcaption", {}, title));
  });
}

function describeGallery(every, chosen) {
  const name = (gallery.by === "bundle" ? bundles : sessions).name[chosen];
  const tally = statuses.map((status, at) => [every.filter((row) => rows.status[row] === at).length, status]);
  const counts = tally.filter(([many]) => many).map(([many, status]) => `${whole.format(many)} ${status}`);
  const left = every.length - gallery.rows.length;
  byId("gallery-caption").textContent = `${name}: ${counts.join(", ")}${left ? `; ${whole.format(left)} not shown` : ""}.`;
}

function chooseBy(by) {
  gallery.by = by;
  document.querySelectorAll("[name=gallery-by]").forEach((button) => (button.checked = button.value === by));
  const { name } = by === "bundle" ? bundles : sessions;
  const ask = by === "bundle" ? "Choose a bundle …" : "Choose a participant …";
  byId("gallery-what").replaceChildren(option("", ask), ...name.map((text, at) => option(at, text)));
  byId("gallery-what").setAttribute("aria-label", by === "bundle" ? "Bundle" : "Participant");
}

function choose(by, what) {
  if (gallery.by !== by) chooseBy(by);
  byId("gallery-what").value = what;
  byId("gallery-only").value = "all";
  fillGallery();
}

function openBundle(bundle, session) {
  choose("bundle", bundle);
  const row = session === null ? undefined : cellRow(session, bundle);
  const place = Math.max(0, gallery.rows.indexOf(row));
  showThumbs(pieces ? place - (place % THUMBS) : 0, () => highlight(row));
}

function openSession(session) {
  choose("session", session);
  showThumbs(0, highlight);
}

function highlight(row) {
  byId("pictures").scrollIntoView({ block: "start" });
  const figure = row === undefined ? null : byId("thumbs").querySelector(`[data-row="${row}"]`);
  if (!figure) return byId("gallery-what").focus({ preventScroll: true });
  figure.classList.add("sought");
  figure.scrollIntoView({ block: "center" });
  (figure.querySelector("a, button") || figure).focus({ preventScroll: true });
}

function stepGallery(by) {
  const chosen = byId("gallery-what");
  chosen.selectedIndex = Math.max(1, Math.min(chosen.length - 1, chosen.selectedIndex + by));
  openGallery();
}

// One picture, large
function enlarge(place) {
  gallery.at = place;
  withRows("large", [gallery.rows[place]], () => enlargeRow(gallery.rows[place]));
}

function enlargeRow(row) {
  const links = pictures(row);
  const views = Object.keys(links).map((what) => option(what, what));
  const before = byId("large-view").value || "mosaic";
  byId("large-view").replaceChildren(...views);
  byId("large-view").value = links[before] ? before : Object.keys(links)[0] || "";
  byId("large-title").textContent = `${bundleName(row)}, ${sessionName(row)}`;
  byId("large-facts").replaceChildren(...facts(row));
  showLarge();
  if (!byId("large").open) byId("large").showModal();
}

function showLarge() {
  const row = gallery.rows[gallery.at];
  const source = pictures(row)[byId("large-view").value];
  const image = element("img", { alt: `${bundleName(row)} of ${sessionName(row)}: ${byId("large-view").value}` });
  if (source) image.src = source;
  byId("large-picture").replaceChildren(source ? image : element("div", { class: "none" }, ...without(row)));
}

function facts(row) {
  const entries = measures
    .map((measure, at) => [measure, at])
    .filter(([, at]) => rows.values[at][row] !== null)
    .map(([measure, at]) => {
      const z = outlying(row, at) ? badge("outlier", `z ${signed(distance(row, at))}`) : "";
      return element("div", {}, element("dt", {}, measure.name), element("dd", {}, written(rows.values[at][row], at), " ", z));
    });
  if (ratingOf(row)) entries.push(element("div", {}, element("dt", {}, "Rating"), element("dd", {}, badge(ratingOf(row), ratingOf(row)))));
  const link = linkOf(row);
  if (link) entries.push(element("div", {}, element("dt", {}, "Page"), element("dd", {}, element("a", { href: link }, `${sessionName(row)}`))));
  return entries;
}

function stepLarge(by) {
  const many = gallery.rows.length;
  enlarge((gallery.at + by + many) % many);
}

function steerLarge(event) {
  if (event.target.tagName === "SELECT") return;
  if (event.key === "ArrowLeft") stepLarge(-1);
  if (event.key === "ArrowRight") stepLarge(1);
}

const NOTHING_YET = "Choose one here or in the overview: pictures are loaded when they are scrolled to.";
function startPictures() {
  chooseBy("bundle");
  byId("gallery-caption").textContent = NOTHING_YET;
  document.querySelectorAll("[name=gallery-by]").forEach((button) =>
    button.addEventListener("change", () => {
      chooseBy(button.value);
      byId("thumbs").replaceChildren();
      byId("gallery-caption").textContent = NOTHING_YET;
    }),
  );
  for (const id of ["gallery-what", "gallery-view", "gallery-only"]) byId(id).addEventListener("change", openGallery);
  byId("gallery-previous").addEventListener("click", () => stepGallery(-1));
  byId("gallery-next").addEventListener("click", () => stepGallery(1));
  byId("gallery-before").addEventListener("click", () => showThumbs(gallery.from - THUMBS));
  byId("gallery-after").addEventListener("click", () => showThumbs(gallery.from + THUMBS));
  byId("large-view").addEventListener("change", showLarge);
  byId("large-previous").addEventListener("click", () => stepLarge(-1));
  byId("large-next").addEventListener("click", () => stepLarge(1));
  byId("large-close").addEventListener("click", () => byId("large").close());
  byId("large").addEventListener("keydown", steerLarge);
  byId("large").addEventListener("click", (event) => event.target === byId("large") && byId("large").close());
}
