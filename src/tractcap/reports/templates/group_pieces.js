// Rows that are too many for the page come in pieces, scripts beside it: those that are needed are loaded then, and call
// tractcapPiece. `withRows` and `withMeasure` call what needs them when they are there; at once where the page has all rows.
const { pieces } = data;
const NAMES = ["tractogram", "anchor", "warnings", "folder", "stem", "endings"];
const loading = new Map();
const arrived = new Map();
const latest = new Map();

function bytes(text) {
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
}

if (pieces) {
  const types = { Uint8Array, Uint16Array, Uint32Array, Int8Array };
  for (const [name, [type, text]] of Object.entries(data.rows)) data.rows[name] = new types[type](bytes(text).buffer);
  data.rows.reasons = Array.from(data.rows.reasons, (at) => data.reasonSets[at]);
  for (const name of NAMES) data.rows[name] = [];
  data.rows.values = data.measures.map(() => []);
  window.tractcapPiece = (name, content) => arrived.set(name, content);
}

function load(name, take) {
  if (!loading.has(name)) {
    loading.set(name, new Promise((done, fail) => {
      const script = element("script", { src: `${pieces.folder}/${name}.js` });
      script.onload = () => done(take(arrived.get(name)));
      script.onerror = fail;
      document.head.append(script);
    }));
  }
  return loading.get(name);
}

function takeRows(at, content) {
  const first = at * pieces.rows;
  for (const name of NAMES) content[name].forEach((value, place) => (data.rows[name][first + place] = value));
  content.values.forEach((values, measure) => values.forEach((value, place) => (data.rows.values[measure][first + place] = value)));
  Object.assign(data.why, content.why);
  arrived.delete(`rows-${at}`);
}

function takeMeasure(measure, text) {
  data.rows.values[measure] = Array.from(new Float64Array(bytes(text).buffer), (value) => (Number.isNaN(value) ? null : value));
  arrived.delete(`measure-${measure}`);
}

// Of several calls for the same place on the page, what the last asks for is shown
function whenThere(place, waiting, then) {
  const turn = (latest.get(place) || 0) + 1;
  latest.set(place, turn);
  if (!waiting.length) return then();
  document.body.classList.add("waiting");
  return Promise.all(waiting).then(
    () => latest.get(place) === turn && then(),
    () => byId("pieces-lost").removeAttribute("hidden"),
  ).finally(() => document.body.classList.remove("waiting"));
}

function withRows(place, needed, then) {
  const files = pieces ? [...new Set(needed.map((row) => Math.floor(row / pieces.rows)))] : [];
  return whenThere(place, files.map((at) => load(`rows-${at}`, (content) => takeRows(at, content))), then);
}

function withMeasure(place, measure, then) {
  const needed = pieces && Number.isInteger(measure);
  return whenThere(place, needed ? [load(`measure-${measure}`, (text) => takeMeasure(measure, text))] : [], then);
}
