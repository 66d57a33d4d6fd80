// What all pages share: `base.store` and `base.stored` (localStorage, or memory where there is none; `base.persistent` says which),
// `base.element` makes elements, `base.cell`, `base.line` and `base.table` write values and rows of a TSV file,
// `base.unquoted` and `base.plain` read them, `base.announce` speaks to screen
// readers (through the open dialog's [data-said], else the page's #said). The theme's button and sentences in the place of missing
// pictures need no call.
const base = (() => {
  "use strict";
  const memory = new Map();
  const persistent = (() => {
    try {
      localStorage.setItem("tractcap", "1");
      localStorage.removeItem("tractcap");
      return true;
    } catch {
      return false;
    }
  })();

  function stored(key) {
    if (memory.has(key)) return memory.get(key);
    try {
      return localStorage.getItem(key);
    } catch {
      return null;
    }
  }

  // Returns false where the value lasts only as long as the page
  function store(key, value) {
    try {
      localStorage.setItem(key, value);
      memory.delete(key);
      return true;
    } catch {
      memory.set(key, value);
      return false;
    }
  }

  const cell = (value) => String(value ?? "").replace(/[\t\r\n\v\f\x85\u2028\u2029]/g, " ").replace(/[\ud800-\udfff]/gu, "\ufffd") || "n/a";

  // Spreadsheets carry out what begins like this, a number apart; with an apostrophe before it they don't, and hide that
  const FORMULA = /^'*[=+@-](?![\d.]+(e[+-]?\d+)?$)/;
  const harmless = (value) => cell(value).replace(FORMULA, "'$&");
  const plain = (text) => text.startsWith("'") && FORMULA.test(text) ? text.slice(1) : text;
  // Spreadsheets put quotes around what has commas or quotes in it, and double these
  function unquoted(text) {
    const inner = text.slice(1, -1);
    const quoted = /^".*"$/.test(text) && /,|""/.test(inner) && !inner.replaceAll('""', "").includes('"');
    return quoted ? inner.replaceAll('""', '"') : text;
  }

  const line = (row) => row.map(harmless).join("\t");
  const table = (rows) => rows.map((row) => line(row) + "\n").join("");

  function announce(text) {
    const said = document.querySelector("dialog[open] [data-said]") || document.getElementById("said");
    if (!said) return;
    said.textContent = "";
    setTimeout(() => { said.textContent = text; }, 30); // so that the same words are read out again
  }

  function element(name, attributes = {}, ...children) {
    const node = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) {
      if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
      else if (value !== null && value !== undefined && value !== false) node.setAttribute(key, value === true ? "" : value);
    }
    node.append(...children);
    return node;
  }

  const root = document.documentElement;
  const prefersDark = matchMedia("(prefers-color-scheme: dark)");
  const theme = () => root.dataset.theme || (prefersDark.matches ? "dark" : "light");
  const chosen = stored("tractcap theme");
  if (chosen === "dark" || chosen === "light") root.dataset.theme = chosen;

  // The button is `[data-theme-button]`, or is put into the page's first header
  function themeButton() {
    const header = document.querySelector("[data-theme-button]") || document.querySelector("header");
    if (!header) return;
    const button = element("button", { type: "button", class: "theme-button" });
    button.innerHTML = '<svg viewBox="0 0 18 18" aria-hidden="true"><circle cx="9" cy="9" r="7" fill="none" stroke="currentColor" stroke-width="1.5"/><path d="M9 2a7 7 0 0 1 0 14z" fill="currentColor"/></svg>';
    const name = () => {
      button.title = theme() === "dark" ? "Light theme" : "Dark theme";
      button.setAttribute("aria-label", button.title);
    };
    button.addEventListener("click", () => {
      root.dataset.theme = theme() === "dark" ? "light" : "dark";
      store("tractcap theme", root.dataset.theme);
      name();
    });
    prefersDark.addEventListener("change", name);
    name();
    header.prepend(button);
  }

  // A picture that isn't there: most often the page was copied without its folder
  function lost(picture) {
    const link = picture.getAttribute("src");
    const path = readable(link);
    const text = `The picture ${path} isn’t there. The folder ${path.split("/")[0]} belongs beside this page: copy it along.`;
    picture.replaceWith(element("span", { class: "lost", title: text }, picture.alt === "" ? "not there" : text));
  }

  function readable(link) {
    try {
      return decodeURIComponent(link);
    } catch {
      return link; // the name is no UTF-8
    }
  }

  // Errors of pictures don't bubble; those from before this script are looked for
  const isPicture = (node) => node.matches?.("img, video") && !node.matches(".turning") && node.getAttribute("src");
  document.addEventListener("error", (event) => isPicture(event.target) && lost(event.target), true);
  for (const picture of document.querySelectorAll("img")) if (picture.complete && !picture.naturalWidth && isPicture(picture)) lost(picture);

  themeButton();
  return { store, stored, persistent, element, cell, plain, unquoted, line, table, announce };
})();
