// What the desk can do with a script and does without: scans from anywhere,
// F-keys, a fresh status line. It holds no state of the office.
"use strict";
document.documentElement.classList.add("js");

// A scanner types. Its code is known by its structure - prefix, alphabet and
// length - and never by its speed; the end is Enter, Tab or a short silence.
const code = /(?:CDB2[2-9A-X]{129}|CDS2[2-9A-X]{12})$/i;
const silence = 150;
// What has begun as a code may pause on its way: on a busy PC keys come late. A
// first letter alone is more often a person's choice in a list.
const begun = /C(?:D(?:B(?:2[2-9A-X]{0,128})?|S(?:2[2-9A-X]{0,11})?)?)?$/i;
let typed = "";
let timer = 0;

// locked is the PIN's place while the screen is locked (lock.js): what is hidden
// under it answers to no key and to no scan, so that it is there afterwards.
const locked = () => document.getElementById("lacat");

document.addEventListener("keydown", (e) => {
  if (e.ctrlKey && !e.altKey && !e.metaKey && !e.shiftKey && e.key.toLowerCase() === "z") {
    if (!locked() && !document.activeElement.matches("input:not([type=checkbox]):not([type=radio]), textarea")) press(e, "Ctrl+Z");
    return;
  }
  if (e.ctrlKey || e.altKey || e.metaKey) return;
  if (e.key === "Enter" || e.key === "Tab") {
    if (scanned()) {
      e.preventDefault();
      e.stopPropagation();
    }
    release();
    typed = "";
    return;
  }
  if (e.key.length === 1) {
    hold(e.target);
    typed = (typed + e.key).slice(-200);
    clearTimeout(timer);
    timer = setTimeout(() => scanned() || release(), rest());
    return;
  }
  key(e);
}, true);

// rest is how long no key comes, in ms, before what was typed was no code, or all of it.
function rest() {
  const part = code.test(typed) ? null : begun.exec(typed);
  if (!part) return silence;
  return part[0].length > 1 ? 3000 : 600;
}

function scanned() {
  clearTimeout(timer);
  const found = code.exec(typed);
  if (!found) return false;
  typed = "";
  if (locked()) {
    locked().querySelector("[name=pin]").value = ""; // the code's beginning fell into it
    return true;
  }
  swallow(found[0]);
  location.assign("/cauta?q=" + encodeURIComponent(found[0].toUpperCase()));
  return true;
}

// swallow takes the code out of the field it fell into.
function swallow(text) {
  const field = document.activeElement;
  const was = choosing;
  choosing = null;
  if (field && typeof field.value === "string" && field.value.toLowerCase().endsWith(text.toLowerCase())) {
    field.value = field.value.slice(0, -text.length);
  } else if (was && was.field === field) {
    field.value = was.value;
  }
}

// A code also falls into lists and days, where each key chooses something. What
// keys have chosen counts once they rest and were no code.
let choosing = null;
function hold(field) {
  if (!choosing && field.matches("select, input:not([type=checkbox]):not([type=radio])")) choosing = { field, value: field.value };
}
function release() {
  const was = choosing;
  choosing = null;
  if (was && was.changed) was.field.dispatchEvent(new Event("change", { bubbles: true }));
}
addEventListener("pointerdown", release, true); // a choice counts before what is pressed after it
document.addEventListener("change", (e) => {
  if (!choosing || choosing.field !== e.target || !e.isTrusted || !e.target.matches("select, [type=date], [type=time]")) return;
  e.stopImmediatePropagation();
  choosing.changed = true;
}, true);

function key(e) {
  if (locked()) return;
  if (e.key === "F1") {
    e.preventDefault();
    location.assign("/ajutor");
    return;
  }
  if (e.key === "F2") {
    e.preventDefault();
    const q = document.getElementById("q");
    q.focus();
    q.select();
    return;
  }
  press(e, e.key);
}

// press does what stands under a key: a button or link is pressed, a part that
// is folded away is opened, and its first field takes the focus.
function press(e, name) {
  const target = document.querySelector('[data-key="' + name + '"]');
  if (!target || e.repeat) return;
  e.preventDefault();
  release();
  if (target.tagName !== "SUMMARY") {
    target.focus();
    target.click();
    return;
  }
  target.parentElement.open = true;
  (target.parentElement.querySelector("input:not([type=hidden]), select, button") || target).focus();
}

// One press, one form: the key in the form makes a second one harmless, this
// keeps it from being sent. After two seconds a clerk may mean it.
document.addEventListener("submit", (e) => {
  const form = e.target;
  if (form.dataset.sent) e.preventDefault();
  form.dataset.sent = "1";
  setTimeout(() => delete form.dataset.sent, 2000);
});

const errors = document.getElementById("erori");
if (errors) {
  beside(errors);
  errors.focus();
}

// beside says each error of the summary once more at its field.
function beside(summary) {
  for (const link of summary.querySelectorAll("a[href^='#']")) {
    const field = document.getElementById(decodeURIComponent(link.hash.slice(1))); // as the address writes it: %3A
    if (!field || !field.matches("input, select, textarea, fieldset") || field.getAttribute("aria-invalid")) continue;
    const say = document.createElement("small");
    say.className = "wrong";
    say.id = field.id + "-gresit";
    say.textContent = "✕ " + link.textContent;
    field.setAttribute("aria-invalid", "true");
    field.setAttribute("aria-describedby", say.id);
    if (field.tagName === "FIELDSET") (field.querySelector("legend") || field).after(say);
    else field.before(say);
  }
}

// The status line is replaced only when it says something else, so that a
// screen reader speaks only then.
const line = document.getElementById("stare");
let question = 0; // the last that was asked
let known = 0; // the last whose answer counts; what an older one says was so before
async function refresh() {
  if (document.hidden) return;
  const own = ++question;
  try {
    const answer = await fetch("/stare", { cache: "no-store" });
    if (own <= known) return;
    known = own;
    document.dispatchEvent(new CustomEvent("stare", { detail: answer })); // lock.js hears of it
    if (!answer.ok) return;
    const fresh = document.createElement("div");
    fresh.innerHTML = await answer.text();
    if (fresh.textContent.trim() === line.textContent.trim()) return;
    const old = line.querySelector("[data-unsent]");
    const now = fresh.querySelector("[data-unsent]");
    title(old && old.dataset.unsent, now && now.dataset.unsent);
    line.replaceChildren(...fresh.childNodes);
  } catch {
    // The service on this PC is being restarted; the next round finds it.
  }
}

function title(old, now) {
  let text = document.title;
  if (old) text = text.replace(" · " + old, "");
  if (now) text = text.replace(/( · [^·]*)$/, " · " + now + "$1");
  document.title = text;
}

setInterval(refresh, 5000);
document.addEventListener("visibilitychange", refresh);
