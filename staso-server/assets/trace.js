// The page of a trace.
import "./copy.js";
import { paced } from "./paced.js";
import { load, prepare } from "./span-panel.js";
import { SpanTree } from "./span-tree.js";
import { startSplitter } from "./splitter.js";
import { follow as stream } from "./stream.js";
import { Waterfall } from "./waterfall.js";

const page = document.getElementById("trace");
const detail = document.getElementById("detail");
const workspace = new URL(page.dataset.rows, location.href).searchParams.get("workspace");

const within = (path, parameters = {}) => {
  const query = new URLSearchParams({ ...(workspace && { workspace }), ...parameters });
  return query.size > 0 ? `${path}?${query}` : path;
};
const linkTo = (row) => within(location.pathname, { span: row.id });
const failed = (row) => row.status === "error" || row.status === "timeout";

let shown = detail.querySelector(".span")?.dataset.span;
let shownState = null;
let loading = null;

const waterfall = new Waterfall({
  rows: document.getElementById("rows"),
  axis: document.getElementById("ticks"),
  link: linkTo,
  choose: (row) => {
    history.replaceState(null, "", linkTo(row));
    if (row.id !== shown) showPanel(row);
  },
});

async function showPanel(row) {
  loading?.abort();
  loading = new AbortController();
  shown = row.id;
  shownState = `${row.status} ${row.duration}`;
  detail.setAttribute("aria-busy", "true");
  try {
    const panel = await load(within(`${page.dataset.spans}/${encodeURIComponent(row.id)}`), loading.signal);
    if (panel) detail.replaceChildren(panel);
    detail.scrollTop = 0;
  } catch (error) {
    if (error.name === "AbortError") return;
    // What was there stays, and another choice of this row tries again.
    shown = null;
  }
  detail.removeAttribute("aria-busy");
}

async function refresh() {
  const response = await fetch(page.dataset.rows);
  if (!response.ok || response.redirected) return;
  const first = !waterfall.tree;
  const tree = new SpanTree(await response.json(), waterfall.tree?.folded);
  if (first) waterfall.selected = tree.places.get(shown) ?? 0;
  waterfall.show(tree);
  page.dataset.status = tree.status;
  const row = tree.rows[waterfall.selected];
  if (first && row) {
    shownState = `${row.status} ${row.duration}`;
    waterfall.scrollTo(waterfall.selected, tree.lines.get(waterfall.selected) > 12);
    if (jumpDue !== 0) jump(jumpDue);
  } else if (row && shownState !== `${row.status} ${row.duration}`) {
    showPanel(row);
  }
}

// Asked for before the rows were there, it is done when they are.
let jumpDue = 0;

const jump = (step) => {
  if (!waterfall.tree) {
    jumpDue = step;
    return;
  }
  const index = waterfall.tree.next(waterfall.selected, step, failed);
  if (index >= 0) waterfall.select(index, { focus: true, center: true });
};

let allFolded = false;
function toggleFold() {
  allFolded = !allFolded;
  waterfall.tree.foldAll(allFolded);
  document.getElementById("fold").textContent = allFolded ? "Unfold" : "Fold";
  if (waterfall.tree.lines.has(waterfall.selected)) waterfall.redraw();
  else waterfall.select(0);
}

function toggleZoom() {
  waterfall.zoom(waterfall.zoomed ? null : waterfall.selected);
  const button = document.getElementById("zoom");
  button.setAttribute("aria-pressed", String(waterfall.zoomed));
  button.textContent = waterfall.zoomed ? "Whole trace" : "Zoom";
}

const find = document.getElementById("find");
find.addEventListener("input", () => waterfall.tree && waterfall.highlight(find.value));
find.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !waterfall.match) return;
  event.preventDefault();
  const index = waterfall.tree.next(waterfall.selected, event.shiftKey ? -1 : 1, waterfall.match);
  if (index >= 0) waterfall.select(index, { center: true });
});
document.getElementById("next-error")?.addEventListener("click", () => jump(1));
document.getElementById("fold").addEventListener("click", toggleFold);
document.getElementById("zoom").addEventListener("click", toggleZoom);
document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest("input, select, textarea, dialog")) return;
  const ofTree = waterfall.tree && { f: toggleFold, z: toggleZoom };
  const action = { e: () => jump(1), E: () => jump(-1), ...ofTree }[event.key];
  if (!action) return;
  event.preventDefault();
  action();
});

/** Follows the trace while it runs, and what arrives late. */
function follow() {
  const soon = paced(
    async () => {
      await refresh();
      await refreshSummary();
    },
    (took) => Math.max(300, 4 * took),
  );
  const changed = (trace) => {
    if (!trace || trace.trace_id === page.dataset.trace) soon();
  };
  stream({ changed });
}

/** Takes what the heading says anew from the server. */
async function refreshSummary() {
  const response = await fetch(page.dataset.page);
  if (!response.ok || response.redirected) return;
  const parsed = new DOMParser().parseFromString(await response.text(), "text/html");
  const { localize } = await import("./time.js");
  for (const selector of ["#summary", ".legend"]) {
    const fresh = document.importNode(parsed.querySelector(selector), true);
    localize(fresh);
    document.querySelector(selector).replaceWith(fresh);
  }
}

if (detail.firstElementChild) prepare(detail);
startSplitter(page);
await refresh();
follow();
