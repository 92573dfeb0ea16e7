// What axe-core cannot see. Each check looks at the page as it stands and gives
// the faults it finds as sentences; none of them knows the desk's pages.
"use strict";
window.checks = (() => {
  const say = (e) => e.outerHTML.replace(/\s+/g, " ").slice(0, 130);
  const round = (r) => [r.left, r.top, r.right, r.bottom].map(Math.round).join(" ");

  // veiled is for screen readers only: clipped to nothing.
  const veiled = (e) => {
    for (; e; e = e.parentElement) if (getComputedStyle(e).clipPath !== "none") return true;
    return false;
  };
  const shown = (e) => e.checkVisibility({ visibilityProperty: true }) && e.getClientRects().length > 0 && !veiled(e);

  // controls are all that takes a press, in the order of the document. A group
  // of radio buttons is one stop of the keyboard, at its chosen button.
  const controls = () => [...document.querySelectorAll("a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex]")]
    .filter((e) => e.tabIndex >= 0 && !e.disabled && shown(e));
  const stops = () => controls().filter((e) => {
    if (e.type !== "radio") return true;
    const group = [...document.getElementsByName(e.name)].filter((o) => o.form === e.form);
    return e === (group.find((o) => o.checked) || group[0]);
  });

  // target is where a press counts: a box and its label are one.
  const target = (e) => {
    const own = e.getBoundingClientRect();
    const label = (e.type === "checkbox" || e.type === "radio") && e.labels[0];
    if (!label) return own;
    const l = label.getBoundingClientRect();
    const left = Math.min(own.left, l.left), top = Math.min(own.top, l.top);
    return new DOMRect(left, top, Math.max(own.right, l.right) - left, Math.max(own.bottom, l.bottom) - top);
  };
  const inSentence = (e) => getComputedStyle(e).display === "inline" &&
    e.parentElement.textContent.trim().length > e.textContent.trim().length;

  // WCAG 2.5.8: 24 by 24, or so far from all others that a circle of 24 around
  // its middle meets none of them; a link in a sentence is as high as the line.
  function targets() {
    const all = controls().map((e) => ({ e, r: target(e) })).filter((t) => t.r.right > 0);
    const small = all.filter((t) => Math.min(t.r.width, t.r.height) < 23.9 && !inSentence(t.e));
    const middle = (r) => [r.left + r.width / 2, r.top + r.height / 2];
    const near = (t, o) => {
      const [x, y] = middle(t.r), [u, v] = middle(o.r);
      if (small.includes(o)) return Math.hypot(x - u, y - v) < 24;
      return Math.hypot(x - Math.max(o.r.left, Math.min(x, o.r.right)), y - Math.max(o.r.top, Math.min(y, o.r.bottom))) < 12;
    };
    return small.filter((t) => all.some((o) => o !== t && near(t, o)))
      .map((t) => `a target of ${t.r.width.toFixed(1)} by ${t.r.height.toFixed(1)} stands too near others: ${say(t.e)}`);
  }

  // numbers of a computed colour: red, green, blue from 0 to 255, and alpha.
  const colour = (text) => {
    const n = text.match(/[\d.]+(?:e-?\d+)?/g).map(Number);
    const scale = text.startsWith("color(") ? 255 : 1;
    return [n[0] * scale, n[1] * scale, n[2] * scale, n.length > 3 ? n[3] : 1];
  };
  const light = (c) => {
    const [r, g, b] = c.map((v) => v / 255).map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const contrast = (a, b) => {
    const [x, y] = [light(a), light(b)];
    return (Math.max(x, y) + 0.05) / (Math.min(x, y) + 0.05);
  };
  const behind = (e) => {
    for (; e; e = e.parentElement) {
      const c = colour(getComputedStyle(e).backgroundColor);
      if (c[3] === 1) return c;
    }
    return [255, 255, 255, 1];
  };

  const ringOf = (e) => {
    const s = getComputedStyle(e), ring = [];
    if (s.outlineStyle !== "none" && parseFloat(s.outlineWidth) >= 2) ring.push(s.outlineColor);
    if (s.boxShadow !== "none") ring.push(...s.boxShadow.match(/(?:rgba?|color)\([^)]*\)/g));
    return ring;
  };
  const covered = (e) => {
    const r = e.getClientRects()[0], dx = Math.min(4, r.width / 4), dy = Math.min(4, r.height / 4);
    const points = [[r.left + r.width / 2, r.top + r.height / 2], [r.left + dx, r.top + dy], [r.right - dx, r.top + dy],
      [r.left + dx, r.bottom - dy], [r.right - dx, r.bottom - dy]];
    return points.map(([x, y]) => document.elementFromPoint(x, y)).find((top) => !(top && (e.contains(top) || top.contains(e) && top.tagName === "LABEL")));
  };

  // WCAG 2.4.7, 2.4.11, 1.4.11: whatever the keyboard stands on has a ring that
  // was not there before, tells itself from what lies behind, and is not covered.
  // The browser shows rings after a key was pressed.
  function rings() {
    const faults = [];
    document.activeElement.blur();
    for (const e of controls()) {
      const before = ringOf(e).join();
      e.focus();
      const ring = ringOf(e);
      if (document.activeElement !== e || !e.matches(":focus-visible")) faults.push(`does not take the focus: ${say(e)}`);
      else if (!ring.length || ring.join() === before) faults.push(`no ring when focused: ${say(e)}`);
      else {
        const best = Math.max(...ring.map((c) => contrast(colour(c), behind(e.parentElement))));
        if (best < 3) faults.push(`the ring has a contrast of ${best.toFixed(2)}: ${say(e)}`);
        const over = covered(e);
        if (over !== undefined) faults.push(`focused, but ${over ? "covered by " + say(over) : "out of sight"}: ${say(e)}`);
      }
      e.blur();
    }
    scrollTo(0, 0);
    return faults;
  }

  // WCAG 2.1.1, 2.1.2, 2.4.3: watch puts the focus on the first stop, notes where
  // it comes while Tab is pressed and says how many presses that takes; walked
  // holds the way against the stops of the page.
  let way = [], expected = [];
  function watch() {
    expected = stops();
    way = [];
    document.activeElement.blur();
    document.addEventListener("focusin", (e) => way.push(e.target));
    expected[0]?.focus();
    return expected.length + 4 * expected.filter((e) => /^(date|time)$/.test(e.type)).length;
  }
  function walked() {
    for (const [i, e] of expected.entries()) {
      const got = way[i];
      if (got !== e) return [`Tab comes to ${got ? say(got) : "nothing"} where stop ${i + 1} of ${expected.length} is next: ${say(e)}`];
    }
    return [];
  }

  // texts are the words on the page as boxes.
  function texts() {
    const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), out = [];
    for (let n = walk.nextNode(); n; n = walk.nextNode()) {
      const e = n.parentElement;
      if (!n.data.trim() || !shown(e) || e.closest("select, option, datalist, svg")) continue;
      const range = document.createRange();
      range.selectNodeContents(n);
      for (const r of range.getClientRects()) if (r.width > 1 && r.right > 0) out.push({ n, e, r });
    }
    return out;
  }
  const block = (e) => {
    while (getComputedStyle(e).display === "inline" || getComputedStyle(e).display === "contents") e = e.parentElement;
    return e;
  };

  // No word leaves its box or lies over another.
  function legible() {
    const all = texts(), faults = [];
    for (const t of all) {
      const b = block(t.e), r = b.getBoundingClientRect();
      if (t.r.left < r.left - 2 || t.r.right > r.right + 2 || t.r.top < r.top - 5 || t.r.bottom > r.bottom + 5) {
        faults.push(`"${t.n.data.trim().slice(0, 40)}" (${round(t.r)}) leaves its box (${round(r)}): ${say(b)}`);
      }
    }
    for (let i = 0; i < all.length; i++) for (let j = i + 1; j < all.length; j++) {
      const a = all[i], b = all[j];
      const x = Math.min(a.r.right, b.r.right) - Math.max(a.r.left, b.r.left);
      const y = Math.min(a.r.bottom, b.r.bottom) - Math.max(a.r.top, b.r.top);
      if (a.n !== b.n && x > 3 && y > 6) faults.push(`"${a.n.data.trim().slice(0, 40)}" and "${b.n.data.trim().slice(0, 40)}" lie over each other at ${round(a.r)}`);
    }
    return faults;
  }

  // WCAG 1.4.10, 1.4.4: nothing is cut off, and nothing scrolls sideways.
  function reflow() {
    const faults = [], wide = document.documentElement.clientWidth;
    if (document.documentElement.scrollWidth > wide) faults.push(`the page is ${document.documentElement.scrollWidth} wide on a screen of ${wide}`);
    for (const e of document.body.querySelectorAll("*")) {
      if (!shown(e) || e.closest("svg, select")) continue;
      const s = getComputedStyle(e), r = e.getBoundingClientRect();
      if (r.right > wide + 1) faults.push(`sticks out to ${Math.round(r.right)}: ${say(e)}`);
      if (e.tagName === "INPUT" || s.display === "inline") continue;
      if (s.overflowX !== "visible" && e.scrollWidth > e.clientWidth + 1) faults.push(`cut off or scrolls sideways: ${say(e)}`);
      if (/hidden|clip/.test(s.overflowY) && e.scrollHeight > e.clientHeight + 1) faults.push(`cut off below: ${say(e)}`);
    }
    return faults;
  }

  // In forced colours the browser lays a plate of the canvas's colour under every
  // word, which axe-core does not see: it must stand out from that.
  function plated() {
    if (!matchMedia("(forced-colors: active)").matches) return [];
    const canvas = behind(document.body);
    return texts().filter((t) => getComputedStyle(t.e).forcedColorAdjust !== "none")
      .map((t) => [t, contrast(colour(getComputedStyle(t.e).color), canvas)]).filter(([, c]) => c < 4.5)
      .map(([t, c]) => `"${t.n.data.trim().slice(0, 40)}" has a contrast of ${c.toFixed(2)} with its plate: ${say(t.e)}`);
  }

  // WCAG 1.4.12: all of it must hold with these distances too.
  function spaced(on) {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync("* { line-height: 1.5 !important; letter-spacing: .12em !important; word-spacing: .16em !important } p { margin-bottom: 2em !important }");
    document.adoptedStyleSheets = on ? [sheet] : [];
  }

  // WCAG 2.4.2, 3.1.1 and one main heading.
  function frame() {
    const faults = [], heads = document.querySelectorAll("h1");
    if (!document.documentElement.lang) faults.push("the page does not say its language");
    if (heads.length !== 1) faults.push(`the page has ${heads.length} main headings`);
    if (!document.title.trim()) faults.push("the page has no title");
    return faults;
  }

  // WCAG 3.3.1: each error of the summary that leads to a field stands at that
  // field too.
  function errors() {
    return [...document.querySelectorAll("#erori a[href^='#']")].map((link) => {
      const field = document.getElementById(decodeURIComponent(link.hash.slice(1)));
      if (!field) return `an error leads nowhere: ${link.hash}`;
      if (!field.matches("input, select, textarea, fieldset")) return "";
      const at = document.getElementById(field.getAttribute("aria-describedby"));
      return field.getAttribute("aria-invalid") && at && at.textContent.includes(link.textContent) ? "" : `an error does not stand at its field: ${say(field)}`;
    }).filter(Boolean);
  }

  const unfold = () => document.querySelectorAll("details").forEach((d) => (d.open = true));
  return { targets, rings, watch, walked, legible, plated, reflow, spaced, frame, errors, unfold };
})();
