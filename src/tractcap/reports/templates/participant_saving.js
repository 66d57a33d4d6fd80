// Ratings in files: `tractcap OUTPUT review` serves this page with its word in #served, saves ratings that this sends, and answers with what is
// in the files. This is the one place where a page talks to a server; a page opened from disk has null there, and does nothing of this.
const served = JSON.parse(byId("served").textContent);
const AGAIN = 2000; // milliseconds until what failed is tried again
const BEAT = 15000; // and until others' ratings are read again
const MOST_SENT = 200000; // characters at once
const saving = {
  inFiles: new Map(), // what the files have of each rating, by tractogram and rater
  trouble: "", // why the last request failed, as a sentence
  readOnly: "", // why nothing can be saved
  problems: "", // what in the files can't be understood
  asked: false, // for the rater's name
  busy: false,
  timer: 0,
};

const keyOf = (tractogram, by) => `${tractogram}\t${by}`;
const valueOf = (entry, name) => base.unquoted(String(entry?.[name] ?? ""));
const sameEntry = (entry, other) => ["rating", "note", "at", ...COLUMNS].every((name) => valueOf(entry, name) === valueOf(other, name));

// Whether a rating has yet to get into a file. What another window read of others' files is in them
function unsaved(tractogram, by, entry) {
  if (!served || saving.readOnly || !entry.at || (entry.fromFile && by !== rater)) return false;
  return !sameEntry(entry, saving.inFiles.get(keyOf(tractogram, by)));
}

const waiting = () => exported(unsaved);

async function ask(method, body) {
  const headers = body ? { "Content-Type": "text/tab-separated-values" } : {};
  const answer = await fetch(`${location.pathname}/ratings`, { method, body, headers, signal: AbortSignal.timeout(20000) }).catch(() => {
    throw new Error("The server can’t be reached.");
  });
  if (!answer.ok) throw new Error((await answer.text()).trim());
  take(await answer.json(), method === "GET");
}

// What is in the files: the newest of each rating counts, here as there; of two of one time the file's, if it had the other: someone edited it. What others removed from them is removed here; of this rater's own
// nothing is, and it is sent again
function take(answer, whole) {
  const problems = answer.files.map((file) => file.problem).filter(Boolean);
  const counts = { taken: 0, older: 0 };
  let marked = false;
  if (whole) saving.inFiles.clear();
  given = loadRatings();
  for (const file of answer.files) {
    if (!file.problem) importText(file.text, file.name, counts, problems, (tractogram, by, entry) => {
      entry.fromFile = entry.saved = true;
      const own = given.get(tractogram)?.get(by);
      const same = sameEntry(entry, own);
      if (own?.at === entry.at && Boolean(own.saved) !== same) {
        put(given, tractogram, by, { ...(same ? own : entry), fromFile: own.fromFile, saved: true });
        marked = true;
      }
      const known = saving.inFiles.get(keyOf(tractogram, by));
      if (!known || known.at <= entry.at) saving.inFiles.set(keyOf(tractogram, by), entry);
    });
  }
  for (const [tractogram, byRater] of whole ? given : []) {
    for (const [by, entry] of byRater) {
      const removed = entry.fromFile && by !== rater && !saving.inFiles.has(keyOf(tractogram, by));
      if (removed) counts.taken += Number(byRater.delete(by));
    }
  }
  saving.readOnly = answer.readOnly;
  if (counts.taken || marked) saveRatings();
  if (problems.length && problems.join() !== saving.problems) notify("Of the saved ratings some are left out.", problems);
  saving.problems = problems.join() || saving.problems;
}

// Reads what is in the files, and sends what isn't, until nothing is left; what changes meanwhile is met by the loop
async function meet(read = true) {
  if (!served || saving.busy) return;
  saving.busy = true;
  clearTimeout(saving.timer);
  const before = saving.trouble;
  try {
    if (read || before) await ask("GET");
    for (let rows = waiting().filter(isNamed); rows.length; rows = waiting().filter(isNamed)) await send(rows);
    saving.trouble = "";
  } catch (error) {
    saving.trouble = error.message;
  }
  saving.busy = false;
  saving.timer = setTimeout(meet, saving.trouble ? AGAIN : BEAT);
  refresh();
  if (saving.trouble !== before) base.announce(byId("saving").textContent);
}

const isNamed = (row) => Boolean(row[COLUMNS.indexOf("rater")]);

async function send(rows) {
  let size = 0;
  const length = (row) => row.join("\t").length;
  const much = (row) => Math.max(length(row), MOST_SENT); // what the server may refuse comes last, and holds up nothing
  const some = rows.sort((row, other) => much(row) - much(other)).filter((row, at) => (size += length(row)) < MOST_SENT || at === 0);
  const sent = some.map((row) => {
    const [tractogram, by] = ["tractogram", "rater"].map((name) => row[COLUMNS.indexOf(name)]);
    return [keyOf(tractogram, by), given.get(tractogram).get(by)];
  });
  await ask("PUT", base.table([COLUMNS, ...some]));
  for (const [key, entry] of sent) if (!(saving.inFiles.get(key)?.at > entry.at)) saving.inFiles.set(key, entry);
}

// Whether a card's own rating is in a file: shown with it, as the answer comes only once it is
function savedMark(card) {
  const entry = mine(card);
  const late = unsaved(card.tractogram, rater, entry);
  if (!served || saving.readOnly || !(said(entry) || late)) return [];
  return [element("span", { class: late ? "unsaved" : "saved" }, icon(late ? ICONS.failed : ICONS.pass), late ? "Not saved yet" : "Saved")];
}

function showSaving() {
  if (!served) return;
  const left = waiting().length;
  const many = counted(left, "rating");
  const node = byId("saving");
  let words = "Every rating is saved.";
  if (saving.readOnly) words = `${saving.readOnly} Ratings stay in this browser until you export them.`;
  else if (saving.trouble) words = `${saving.trouble} ${left ? `${many} not saved yet` : "What you rate now"} ${base.persistent ? "is kept in this browser" : "is kept as long as this page is open"}, and sent when it works again.`;
  else if (left && !rater) words = `${many} not saved yet: give the rater’s name.`;
  else if (left) words = `Saving ${many} …`;
  node.classList.toggle("trouble", Boolean(saving.readOnly || saving.trouble || (left && !rater)));
  if (node.textContent !== words) node.textContent = words;
  node.hidden = false;
}

function startSaving() {
  if (!served) return;
  for (const node of document.querySelectorAll("[data-served]")) node.textContent = node.dataset.served;
  addEventListener("online", () => meet());
  document.addEventListener("visibilitychange", () => document.hidden || meet());
  meet();
}
