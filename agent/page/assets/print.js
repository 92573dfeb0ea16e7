// A paper was asked for and noted: print it once. The address is cleaned first,
// so that going back or reloading prints nothing.
"use strict";
const asked = new URL(location.href);
if (asked.searchParams.has("tipareste")) {
  asked.searchParams.delete("tipareste");
  history.replaceState(null, "", asked);
  addEventListener("load", () => window.print());
}
