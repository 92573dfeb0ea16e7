// Locks the screen. The page asks for its status line all the time; when the
// desk answers that nobody is signed in, everything on it is hidden and the PIN
// is asked for in its place. Nothing that was typed is lost: the same clerk finds
// the page as it was left, another one gets it anew.
"use strict";
const marked = document.querySelector("[data-clerk]");
const ownTitle = document.title;
let hidden = [];
let focused = null;

document.addEventListener("stare", (e) => {
  const answer = e.detail;
  if (answer.status === 401) lock();
  if (answer.status !== 200 || !marked) return;
  const named = answer.headers.get("Condica-Clerk");
  if (named === null) return; // another PC lends this desk, and is silent: nobody knows who is signed in
  const clerk = decodeURIComponent(named.replace(/\+/g, " "));
  if (clerk !== marked.dataset.clerk) location.reload(); // somebody else signed in, in another window
  else unlock();
});

async function lock() {
  if (hidden.length) return;
  focused = document.activeElement;
  hidden = [...document.body.children].filter((e) => !e.hidden);
  for (const e of hidden) e.hidden = true;
  document.title = document.querySelector(".brand a").textContent;
  const place = document.createElement("main");
  place.id = "lacat";
  document.body.append(place);
  try {
    const answer = await fetch("/intrare", { cache: "no-store" });
    ask(place, await answer.text());
  } catch {
    location.reload(); // the service is being restarted: the browser says so
  }
}

// ask takes the form off the sign-in page.
function ask(place, text) {
  const page = new DOMParser().parseFromString(text, "text/html");
  const part = page.getElementById("intrare");
  if (!part) return location.reload();
  place.replaceChildren(document.importNode(part, true));
  const form = place.querySelector("form");
  form.elements.era.value = marked.dataset.clerk;
  form.addEventListener("submit", enter);
  form.elements.pin.focus();
}

async function enter(e) {
  e.preventDefault();
  e.stopPropagation();
  const form = e.target;
  const body = new URLSearchParams(new FormData(form));
  body.set("mod", "loc");
  try {
    const answer = await fetch("/intrare", { method: "POST", body, cache: "no-store" });
    if (answer.status === 204) {
      known = question; // desk.js: what was asked before the PIN would lock again
      unlock();
    } else if (answer.status === 205) location.reload();
    else ask(form.closest("main"), await answer.text());
  } catch {
    form.elements.pin.focus(); // the service is being restarted: once more
  }
}

function unlock() {
  if (!hidden.length) return;
  for (const e of hidden) e.hidden = false;
  hidden = [];
  document.getElementById("lacat").remove();
  document.title = ownTitle;
  if (focused) focused.focus();
}
