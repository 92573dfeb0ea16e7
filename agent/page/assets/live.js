// Forms marked data-live save each change as it is made, and show what follows
// from it at once; without this script their button does the same. What was
// typed elsewhere on the page and not saved yet stays as it is.
"use strict";
let saving = Promise.resolve();
let waiting = 0;
const failed = new Set(); // forms whose change nobody took; each is tried again as soon as the desk answers

document.addEventListener("change", (e) => {
  const form = e.target.closest("form[data-live]");
  if (form && form.reportValidity()) queue(form.getAttribute("action"));
});

document.addEventListener("stare", (e) => {
  if (e.detail.status === 200 && !waiting) failed.forEach(queue);
});

function queue(action) {
  waiting++;
  saving = saving.then(() => save(action)).finally(() => waiting--);
}

// A form that is sent while a change is being saved waits for that: the
// application must not be taken before the papers that were ticked. While a
// change cannot be saved nothing else is sent: the page that comes would not
// have it. Its own form may be: that saves it.
document.addEventListener("submit", (e) => {
  const form = e.target;
  const action = form.getAttribute("action");
  if (form.method !== "post" || (!waiting && (!failed.size || failed.has(action)))) return;
  e.preventDefault();
  e.stopImmediatePropagation();
  const name = e.submitter && e.submitter.name;
  const value = e.submitter && e.submitter.value;
  if (!waiting) failed.forEach(queue);
  saving.then(() => {
    if (failed.size) return;
    const now = [...document.forms].find((f) => f.getAttribute("action") === action) || form;
    now.requestSubmit(name ? [...now.elements].find((b) => b.name === name && b.value === value) : null);
  });
}, true);

async function save(action) {
  const form = [...document.forms].find((f) => f.dataset.live !== undefined && f.getAttribute("action") === action);
  failed.delete(action);
  if (!form) return;
  let page;
  try {
    const answer = await fetch(action, { method: "POST", body: new URLSearchParams(new FormData(form)), cache: "no-store" });
    if (answer.status === 401 || answer.status === 403) {
      form.submit(); // the desk was locked: its sign-in page takes the form along
      return;
    }
    if (answer.status >= 502 && answer.status <= 504) throw answer; // another PC lends this desk, and is silent
    page = new DOMParser().parseFromString(await answer.text(), "text/html");
  } catch {
    failed.add(action);
    unsaved();
    return;
  }
  const fresh = page.querySelector("main");
  if (!fresh) return;
  await letGo();
  const old = document.querySelector("main");
  const focus = place(document.activeElement);
  carry(old, fresh);
  old.replaceChildren(...fresh.childNodes);
  const errors = document.getElementById("erori");
  if (errors) {
    beside(errors);
    errors.focus();
  }
  else find(focus);
  const done = old.querySelector(".done");
  if (done) say(done.textContent);
}

// A box is ticked when the key or button is let go. What it is pressed on must
// not be exchanged meanwhile.
const held = new Set();
let free = [];
for (const type of ["keydown", "pointerdown"]) addEventListener(type, (e) => held.add(e.code || "pointer"), true);
for (const type of ["keyup", "pointerup", "pointercancel"]) addEventListener(type, (e) => up(e.code || "pointer"), true);
addEventListener("blur", () => {
  held.clear();
  up("");
});

function up(key) {
  held.delete(key);
  if (held.size) return;
  const now = free;
  free = [];
  for (const go of now) setTimeout(go); // after what the release itself does
}

function letGo() {
  return held.size ? new Promise((go) => free.push(go)) : Promise.resolve();
}

function say(text) {
  document.getElementById("spus").textContent = text;
}

// unsaved stands at the top of the page until something has been saved again.
function unsaved() {
  const main = document.querySelector("main");
  let note = document.getElementById("nesalvat");
  if (!note) {
    note = document.createElement("p");
    note.id = "nesalvat";
    note.className = "note";
    note.setAttribute("role", "alert");
    main.prepend(note);
  }
  note.textContent = main.dataset.unsaved;
}

// same finds the fields of one name in the form of the same address.
function same(root, field) {
  const form = [...root.querySelectorAll("form")].find((f) => f.getAttribute("action") === field.form.getAttribute("action"));
  return form ? [...form.elements].filter((f) => f.name === field.name && f.type === field.type) : [];
}

// carry keeps what was changed and not saved, and what was unfolded.
function carry(old, fresh) {
  for (const field of old.querySelectorAll("input:not([type=hidden]), select, textarea")) {
    if (!field.form) continue;
    if (field.type === "checkbox" || field.type === "radio") {
      if (field.checked === field.defaultChecked) continue;
      for (const f of same(fresh, field)) if (f.value === field.value) f.checked = field.checked;
    } else if (field.tagName === "SELECT") {
      if ([...field.options].every((o) => o.selected === o.defaultSelected)) continue;
      for (const f of same(fresh, field)) f.value = field.value;
    } else if (field.value !== field.defaultValue) {
      for (const f of same(fresh, field)) f.value = field.value;
    }
  }
  const folds = [...fresh.querySelectorAll("details")];
  for (const open of old.querySelectorAll("details[open]")) {
    const twin = folds.find((d) => d.querySelector("form") && open.querySelector("form") &&
      d.querySelector("form").getAttribute("action") === open.querySelector("form").getAttribute("action"));
    if (twin) twin.open = true;
  }
}

// place remembers which field had the focus, and where the caret was.
function place(field) {
  if (!field || !field.form || !document.querySelector("main").contains(field)) return null;
  let caret = null;
  try {
    caret = field.selectionStart;
  } catch {
    // Not every kind of field has a caret.
  }
  return { action: field.form.getAttribute("action"), name: field.name, value: field.value, type: field.type, tag: field.tagName, caret };
}

function find(was) {
  if (!was) return;
  const form = [...document.forms].find((f) => f.getAttribute("action") === was.action);
  if (!form) return;
  const fields = [...form.elements].filter((f) => f.name === was.name && f.tagName === was.tag);
  const field = fields.find((f) => f.value === was.value) || fields[0];
  if (!field) return;
  field.focus({ preventScroll: true });
  if (was.caret !== null && field.setSelectionRange && /^(text|search)$/.test(field.type)) field.setSelectionRange(was.caret, was.caret);
}
