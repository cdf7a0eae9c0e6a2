// Shows JSON that folds. What is folded is not in the page, and nothing is deeper in the script's stack than
// one level, so that neither size nor nesting is a limit.
import { parse } from "./json-parse.js";
import { blocks } from "./whole-text.js";

/** Rows and levels that are shown without being asked for. */
const OPEN = { rows: 60, levels: 8 };
/** What "unfold all" shows at most: browsers lay out deeply nested elements slowly. */
const UNFOLD = { rows: 3000, levels: 64 };
/** Entries of one list shown at a time. */
const ENTRIES = 100;
/** Characters of one text shown at a time. */
const TEXT = 2000;

/** Replaces the sight of each element with `data-json` in the root; the text itself stays for copying. */
export function enhance(root) {
  for (const source of root.querySelectorAll("[data-json]:not([hidden])")) {
    // The beginning of a text is no JSON; what fetches the whole comes back with it.
    if (source.closest(".long:not([data-state])")) continue;
    const node = parse(source.textContent);
    if (!node?.entries) continue;
    source.before(view(node));
    source.hidden = true;
  }
}

/** An element that shows a tree of `parse`. */
export function view(node) {
  const root = element("div", "json-view");
  root.append(row(null, node));
  openBreadthFirst([...root.children], OPEN);
  const tools = element("div", "json-tools");
  tools.append(
    button("Unfold all", () => openBreadthFirst([...root.children], UNFOLD)),
    button("Fold all", () => {
      for (const part of root.querySelectorAll("details[open]")) part.open = false;
    }),
  );
  const frame = element("div", "json-frame");
  if (root.querySelector("details details, details > summary + .json-entries")) frame.append(tools);
  frame.append(root);
  return frame;
}

function row(key, node) {
  return node.entries?.length > 0 ? branch(key, node) : leaf(key, node);
}

function leaf(key, node) {
  const line = element("div", "json-leaf");
  if (key !== null) line.append(name(key));
  line.append(node.entries ? element("span", "json-bracket", node.type === "object" ? "{}" : "[]") : scalar(node));
  const inner = node.type === "string" ? nested(node.text) : null;
  if (inner) {
    const part = folding("JSON in this text", () => [row(null, inner)]);
    line.append(part);
  }
  return line;
}

/** The tree of a text that is itself JSON. */
function nested(text) {
  return /^\s*[[{]/.test(text) ? withEntries(parse(text)) : null;
}

function withEntries(node) {
  return node?.entries?.length > 0 ? node : null;
}

function branch(key, node) {
  const [open, close] = node.type === "object" ? ["{", "}"] : ["[", "]"];
  const part = folding(null, () => entries(node));
  const head = part.firstChild;
  if (key !== null) head.append(name(key));
  const count = `${node.entries.length} ${node.type === "object" ? "field" : "item"}${node.entries.length === 1 ? "" : "s"}`;
  head.append(
    element("span", "json-bracket", open),
    element("span", "json-preview", ` ${preview(node)} `),
    element("span", "json-bracket json-close", close),
    element("span", "json-count", count),
  );
  return part;
}

/** A part that makes its content when it is first opened. */
function folding(label, content) {
  const part = element("details", "json-branch");
  const head = element("summary", "", label ?? "");
  part.append(head);
  part.fill = () => {
    if (part.filled) return;
    part.filled = true;
    const body = element("div", "json-entries");
    body.append(...content());
    part.append(body);
  };
  part.addEventListener("toggle", () => part.open && part.fill());
  return part;
}

function* entries(node, from = 0) {
  for (const [key, child] of node.entries.slice(from, from + ENTRIES)) yield row(key, child);
  const left = node.entries.length - from - ENTRIES;
  if (left > 0) {
    const more = button(`Show ${Math.min(left, ENTRIES)} more of ${node.entries.length}`, () =>
      more.replaceWith(...entries(node, from + ENTRIES)),
    );
    yield more;
  }
}

function scalar(node) {
  if (node.type !== "string") return element("span", `json-${node.type}`, node.text);
  const { text } = node;
  const value = element("span", "json-string");
  if (/^https?:\/\/[^\s"<>]+$/.test(text)) {
    const link = element("a", "", text);
    link.href = text;
    link.rel = "noreferrer noopener";
    link.target = "_blank";
    value.append(link);
    return value;
  }
  value.textContent = legible(text.slice(0, TEXT));
  if (text.length > TEXT) {
    const more = button(`… all ${text.length.toLocaleString()} characters`, () => value.replaceChildren(...blocks(legible(text))));
    value.append(more);
  }
  return value;
}

/** Writes out characters that are invisible or turn the direction of what follows. */
function legible(text) {
  return text.replace(
    /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** The first entries of a node in one short line. */
function preview(node) {
  let line = "";
  for (const [key, child] of node.entries) {
    if (line.length > 60) return `${line}, …`;
    const value = child.entries
      ? child.type === "object" ? "{…}" : "[…]"
      : child.type === "string" ? `"${shorten(child.text)}"` : child.text;
    line += (line && ", ") + (node.type === "object" ? `${shorten(key)}: ${value}` : value);
  }
  return line;
}

function shorten(text) {
  return text.length > 32 ? `${text.slice(0, 31)}…` : text;
}

/** Opens the branches under some elements, level by level, until so many rows or levels are shown. */
function openBreadthFirst(elements, { rows, levels }) {
  let left = rows;
  let level = elements;
  for (let depth = 0; depth < levels && level.length > 0; depth += 1) {
    const below = [];
    for (const part of level) {
      if (part.localName !== "details" || !part.classList.contains("json-branch")) continue;
      part.fill();
      const children = [...part.lastChild.children];
      if (children.length > left) return;
      left -= children.length;
      part.open = true;
      below.push(...children);
    }
    level = below;
  }
}

function name(key) {
  return element("span", typeof key === "number" ? "json-index" : "json-key", legible(String(key)));
}

function button(label, action) {
  const made = element("button", "ghost small", label);
  made.type = "button";
  made.addEventListener("click", action);
  return made;
}

function element(tag, className, text) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}
