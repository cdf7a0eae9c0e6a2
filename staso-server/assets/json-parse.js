// Parses JSON into a tree that keeps what JSON.parse loses: the digits of numbers, the order of keys, and
// keys that occur twice. Takes NaN and Infinity, which some senders write. A loop, so that no nesting is
// too deep.
//
// A node is {type, text} for "string", "number" and "word" (true, false, null, NaN, …), or {type, entries}
// for "object" and "array", where an entry is [key, node].

const SPACE = /[ \t\n\r]*/y;
const NUMBER = /-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const WORD = /true|false|null|NaN|-?Infinity/y;

/** The tree of a JSON text; null when it is none. */
export function parse(text) {
  let at = 0;
  const take = (pattern) => {
    pattern.lastIndex = at;
    const found = pattern.exec(text)?.[0];
    if (found !== undefined) at += found.length;
    return found;
  };
  const next = () => {
    take(SPACE);
    return text[at];
  };
  const string = () => {
    const end = text[at] === '"' ? stringEnd(text, at) : -1;
    if (end < 0) return undefined;
    const start = at;
    at = end;
    return unquote(text.slice(start, end));
  };

  const top = { type: "top", entries: [] };
  const open = [top];
  for (;;) {
    const parent = open[open.length - 1];
    const first = next();

    if (parent === top && top.entries.length === 1) return first === undefined ? top.entries[0][1] : null;
    if (first === (parent.type === "object" ? "}" : parent.type === "array" ? "]" : null)) {
      at += 1;
      open.pop();
      continue;
    }
    if (parent.entries.length > 0) {
      if (first !== ",") return null;
      at += 1;
      next();
    }

    let key = parent.entries.length;
    if (parent.type === "object") {
      key = string();
      if (key === undefined || next() !== ":") return null;
      at += 1;
      next();
    }

    const node = value(take, string, text[at]);
    if (!node) return null;
    parent.entries.push([key, node]);
    if (node.entries) {
      at += 1;
      open.push(node);
    }
  }
}

function value(take, string, first) {
  if (first === "{") return { type: "object", entries: [] };
  if (first === "[") return { type: "array", entries: [] };
  if (first === '"') {
    const content = string();
    return content === undefined ? null : { type: "string", text: content };
  }
  const word = take(WORD);
  if (word !== undefined) return { type: "word", text: word };
  const number = take(NUMBER);
  return number === undefined ? null : { type: "number", text: number };
}

/** Behind the closing quote; -1 when there is none. */
function stringEnd(text, start) {
  for (let at = start + 1; at < text.length; at += 1) {
    const unit = text.charCodeAt(at);
    if (unit === 0x22) return at + 1;
    if (unit === 0x5c) at += 1;
  }
  return -1;
}

function unquote(string) {
  if (!string.includes("\\")) return string.slice(1, -1);
  try {
    return JSON.parse(string);
  } catch {
    return string.slice(1, -1);
  }
}
