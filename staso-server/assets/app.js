// What every page does: theme, shortcuts, menus, local times.
import { startTimes } from "./time.js";

const root = document.documentElement;

function toggleTheme() {
  const dark = root.dataset.theme
    ? root.dataset.theme === "dark"
    : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
  try {
    localStorage.setItem("staso-theme", root.dataset.theme);
  } catch {
    // The choice then lasts as long as the page.
  }
}

const shortcuts = document.getElementById("shortcuts");
const showHelp = () => shortcuts?.showModal();
document.getElementById("theme")?.addEventListener("click", toggleTheme);
document.getElementById("help")?.addEventListener("click", showHelp);

// A menu closes when attention goes elsewhere.
document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});

// Rows of lists: elements with `data-row`, each with one main link in it.
const rows = () => [...document.querySelectorAll("[data-row]")].filter((row) => row.offsetParent !== null);

function moveRow(step) {
  const all = rows();
  if (all.length === 0) return;
  const here = all.indexOf(document.activeElement?.closest("[data-row]"));
  const next = all[Math.min(Math.max(here + step, 0), all.length - 1)];
  const target = next.querySelector("a[data-main], a") ?? next;
  target.focus();
  next.scrollIntoView({ block: "nearest" });
}

const isField = (element) => Boolean(element?.closest("input, select, textarea, [contenteditable]"));
let leading = false;

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  if (event.key === "Escape" && isField(event.target)) {
    event.target.blur();
    return;
  }
  if (isField(event.target) || shortcuts?.open) return;
  if (leading) {
    leading = false;
    const link = document.querySelector(`.sections a[data-key="${CSS.escape(event.key)}"]`);
    if (link) {
      event.preventDefault();
      link.click();
    }
    return;
  }
  const actions = {
    "/": () => document.querySelector("input[type=search]")?.select(),
    "?": showHelp,
    g: () => {
      leading = true;
      setTimeout(() => (leading = false), 1500);
    },
    j: () => moveRow(1),
    k: () => moveRow(-1),
    t: toggleTheme,
  };
  const action = actions[event.key];
  if (action) {
    event.preventDefault();
    action();
  }
});

// On a narrow page the filters beyond the first few open on demand.
document.querySelector(".more-filters")?.addEventListener("click", (event) => {
  const open = event.target.form.classList.toggle("is-open");
  event.target.setAttribute("aria-expanded", String(open));
  event.target.textContent = open ? "Fewer filters" : "More filters";
});

// Filters apply as soon as they are chosen; a click anywhere on a row opens it.
document.addEventListener("change", (event) => {
  const form = event.target.closest("form[data-filters]");
  if (form) form.requestSubmit();
});
document.addEventListener("submit", (event) => {
  if (!event.target.matches("form[data-filters]")) return;
  for (const field of event.target.elements) {
    if (field.value === (field.dataset.default ?? "")) field.disabled = true;
  }
});
// Coming back to a page shows it as it was left, with those fields still disabled.
addEventListener("pageshow", () => {
  for (const field of document.querySelectorAll("form[data-filters] :disabled")) field.disabled = false;
});
document.addEventListener("click", (event) => {
  const row = event.target.closest("[data-row]");
  if (!row || event.target.closest("a, button, input, select, summary, label")) return;
  if (String(getSelection()) !== "") return;
  const link = row.querySelector("a[data-main]");
  if (!link) return;
  if (event.metaKey || event.ctrlKey) window.open(link.href, "_blank", "noopener");
  else link.click();
});

// Forms that ask first.
document.addEventListener("submit", (event) => {
  const question = event.target.dataset.confirm;
  if (question && !confirm(question)) event.preventDefault();
});

for (const place of document.querySelectorAll("[data-origin]")) place.textContent = location.origin;

startTimes();
