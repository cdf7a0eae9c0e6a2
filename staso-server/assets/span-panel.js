// The panel of a span, as the server renders it, and what scripts add to it.
import { enhance } from "./json-view.js";
import { localize } from "./time.js";
import { prepareLong } from "./whole-text.js";

/** Fetches a panel; null when it is not there, or another was asked for meanwhile. */
export async function load(address, signal) {
  const response = await fetch(address, { signal });
  // A session that has ended leads to the login page.
  if (!response.ok || response.redirected) return null;
  // The server escapes every value; a parsed document runs nothing.
  const parsed = new DOMParser().parseFromString(await response.text(), "text/html");
  const panel = document.importNode(parsed.querySelector("article.span"), true);
  prepare(panel);
  return panel;
}

export function prepare(panel) {
  enhance(panel);
  prepareLong(panel);
  localize(panel);
}
