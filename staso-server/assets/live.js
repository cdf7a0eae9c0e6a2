// Keeps a page up to date without moving anything under the reader.
//
// The server says on /v1/live that something changed; the page is then fetched again, filters and all, and what
// is shown is compared with it. `data-live` says how: "rows" replaces rows that changed and offers new ones by a
// button, "replace" takes the new content as it is, "whole" waits for the first thing to arrive.
import { paced } from "./paced.js";
import { follow } from "./stream.js";
import { localize } from "./time.js";

const content = document.querySelector("[data-live]");
const indicator = document.getElementById("live");
const button = document.getElementById("new-rows");
const pace = content?.dataset.live === "rows" ? 1000 : 4000;

let fetched = null;

function show(on) {
  indicator.hidden = false;
  indicator.classList.toggle("is-on", on);
  indicator.querySelector(".live-text").textContent = on ? "Live" : "Reconnecting";
}

async function load() {
  const response = await fetch(location.href, { headers: { accept: "text/html" } });
  if (!response.ok) return null;
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  localize(page);
  return page;
}

async function refresh() {
  const page = await load();
  if (!page) return;
  const mode = content.dataset.live;
  if (mode === "whole") {
    if (!page.querySelector("[data-live=whole]")) location.reload();
    return;
  }
  const next = page.getElementById("content");
  if (!next) return;
  if (mode === "rows") updateRows(next);
  else if (!content.contains(document.activeElement)) replace(content, next);
}

const rowsOf = (root) => new Map([...root.querySelectorAll("tr[data-id]")].map((row) => [row.dataset.id, row]));

function updateRows(next) {
  fetched = next;
  const shown = rowsOf(content);
  const rows = rowsOf(next);
  let added = 0;
  for (const [id, row] of rows) {
    const known = shown.get(id);
    if (!known) added += 1;
    else if (!known.isEqualNode(row)) replaceRow(known, row);
  }
  if (!("first" in content.dataset)) return;
  button.hidden = added === 0;
  const more = added === rows.size && rows.size > 1 ? "+" : "";
  button.textContent = `${added}${more} new`;
}

function replaceRow(known, row) {
  const focused = known.contains(document.activeElement);
  const copy = document.importNode(row, true);
  known.replaceWith(copy);
  if (focused) copy.querySelector("a[data-main]")?.focus();
}

function replace(old, next) {
  old.replaceChildren(...document.importNode(next, true).childNodes);
}

function showNew() {
  if (!fetched || button.hidden) return;
  button.hidden = true;
  content.querySelector("[data-empty]")?.remove();
  const table = content.querySelector(".card");
  table.hidden = false;
  table.replaceChildren(...document.importNode(fetched.querySelector(".card"), true).childNodes);
  const pages = fetched.querySelector(".pages");
  content.querySelector(".pages").replaceChildren(...document.importNode(pages, true).childNodes);
  scrollTo({ top: 0 });
  table.querySelector("a[data-main]")?.focus({ preventScroll: true });
}

if (content) {
  follow({ changed: paced(refresh, () => pace), state: show });
  button?.addEventListener("click", showNew);
  document.addEventListener("keydown", (event) => {
    if (event.key === "n" && !event.ctrlKey && !event.metaKey && !event.altKey && !event.target.closest("input, select, textarea")) showNew();
  });
}
