// The page of a conversation.
import "./copy.js";
import { enhance } from "./json-view.js";
import { load } from "./span-panel.js";
import { paced } from "./paced.js";
import { follow as stream } from "./stream.js";
import { localize } from "./time.js";

const turns = document.getElementById("turns");
const find = document.getElementById("find");

// A link to a turn that is on another page of the conversation.
const turn = /^#turn-(\d+)$/.exec(location.hash)?.[1];
if (turn && !document.getElementById(`turn-${turn}`) && new URLSearchParams(location.search).get("turn") !== turn) {
  const address = new URL(location);
  address.searchParams.delete("after");
  address.searchParams.set("turn", turn);
  location.replace(address);
}

/** Shows or hides the panel of a step under its row. */
async function toggleStep(link) {
  const step = link.closest(".step");
  const open = step.querySelector(".span");
  if (open) {
    open.remove();
    link.setAttribute("aria-expanded", "false");
    return;
  }
  if (link.dataset.loading) return;
  link.dataset.loading = "true";
  link.setAttribute("aria-expanded", "true");
  const panel = await load(link.dataset.panel);
  delete link.dataset.loading;
  if (panel) step.append(panel);
}

turns.addEventListener("click", (event) => {
  const link = event.target.closest(".step-row");
  if (!link || event.metaKey || event.ctrlKey || event.shiftKey) return;
  event.preventDefault();
  toggleStep(link);
});

/** Goes to an element and opens what it is folded in. */
function goTo(element, { open = false } = {}) {
  for (let part = element.closest("details"); part; part = part.parentElement.closest("details")) part.open = true;
  const target = element.querySelector(":scope > .step-row") ?? element;
  element.scrollIntoView({ block: "center", behavior: "instant" });
  target.focus({ preventScroll: true });
  for (const before of document.querySelectorAll(".is-here")) before.classList.remove("is-here");
  element.classList.add("is-here");
  if (open && target !== element && !element.querySelector(".span")) toggleStep(target);
}

// The steps in which failures began; a failed turn without one, itself.
const failures = () =>
  [...turns.querySelectorAll(".turn")].flatMap((turn) => {
    const steps = [...turn.querySelectorAll(".step.is-cause")];
    return steps.length > 0 ? steps : turn.matches(".is-error, .is-timeout") ? [turn] : [];
  });

function jump(step) {
  const all = failures();
  if (all.length === 0) return;
  const here = turns.querySelector(".is-here");
  const follows = (element) => here.compareDocumentPosition(element) & Node.DOCUMENT_POSITION_FOLLOWING;
  const next = !here
    ? all.at(step > 0 ? 0 : -1)
    : step > 0
      ? (all.find((element) => element !== here && follows(element)) ?? all[0])
      : (all.findLast((element) => element !== here && !follows(element)) ?? all.at(-1));
  goTo(next, { open: true });
}

document.getElementById("next-error").addEventListener("click", () => jump(1));
document.getElementById("previous-error").addEventListener("click", () => jump(-1));
document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest("input, select, textarea, dialog")) return;
  const action = { n: () => jump(1), p: () => jump(-1), f: findSelection }[event.key];
  if (!action) return;
  event.preventDefault();
  action();
});

/** Looks for the marked text in every step: follows a value back to where it came from. */
function findSelection() {
  const text = String(getSelection()).trim();
  if (text === "") {
    find.select();
    return;
  }
  find.value = text.slice(0, 500);
  find.form.requestSubmit();
}

// Turns and found steps on this page are gone to; others are links.
document.addEventListener("click", (event) => {
  const link = event.target.closest(".strip a, .results a");
  if (!link || event.metaKey || event.ctrlKey || event.shiftKey) return;
  const turn = document.getElementById(`turn-${link.dataset.turn}`);
  if (!turn) return;
  const step = link.dataset.goto && [...turn.querySelectorAll(".step")].find((step) => step.dataset.span === link.dataset.goto);
  event.preventDefault();
  history.replaceState(null, "", `#turn-${link.dataset.turn}`);
  goTo(step || turn, { open: Boolean(step) });
});

async function fetchPage(address) {
  const response = await fetch(address);
  if (!response.ok || response.redirected) return null;
  return new DOMParser().parseFromString(await response.text(), "text/html");
}

function adopt(element) {
  const adopted = document.importNode(element, true);
  localize(adopted);
  enhance(adopted);
  return adopted;
}

document.addEventListener("click", async (event) => {
  const link = event.target.closest("#more a");
  if (!link || event.metaKey || event.ctrlKey) return;
  event.preventDefault();
  const page = await fetchPage(link.href);
  if (!page) return;
  turns.append(...[...page.querySelectorAll("#turns > .turn")].map(adopt));
  const more = page.getElementById("more");
  const here = document.getElementById("more");
  if (more) here.replaceWith(document.importNode(more, true));
  else here.remove();
});

/** Takes changed and new turns from the server; what the reader has open stays open. */
async function refresh() {
  const page = await fetchPage(location.href);
  if (!page) return;
  for (const selector of ["#summary", ".strip"]) {
    document.querySelector(selector).replaceWith(adopt(page.querySelector(selector)));
  }
  const complete = !document.getElementById("more");
  for (const fresh of page.querySelectorAll("#turns > .turn")) {
    const known = document.getElementById(fresh.id);
    if (!known) {
      if (complete) turns.append(adopt(fresh));
    } else if (known.dataset.updated !== fresh.dataset.updated && !known.querySelector(".step .span")) {
      const open = known.querySelector(".steps")?.open;
      const adopted = adopt(fresh);
      if (open && adopted.querySelector(".steps")) adopted.querySelector(".steps").open = true;
      known.replaceWith(adopted);
    }
  }
}

function follow() {
  const soon = paced(refresh, () => 500);
  const changed = (trace) => {
    if (!trace || trace.conversation_id === turns.dataset.conversation) soon();
  };
  stream({ changed });
}

enhance(document.getElementById("main"));
if (location.hash.startsWith("#turn-")) {
  const turn = document.getElementById(location.hash.slice(1));
  if (turn) goTo(turn);
}
follow();
