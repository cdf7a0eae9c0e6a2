// Texts of which the page has the beginning: this fetches the whole and shows it.
import { enhance } from "./json-view.js";

/** Characters in one block. Browsers take seconds to lay out a long run without a space, and blocks only where seen. */
const BLOCK = 2000;

/** Makes the buttons work, and fetches what is small enough once it can be seen. */
export function prepareLong(root) {
  for (const part of root.querySelectorAll(".long[data-fetch]")) {
    const folded = part.closest("details:not([open])");
    if (!folded) show(part);
    else folded.addEventListener("toggle", () => show(part), { once: true });
  }
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-show-whole]");
  if (button) show(button.closest(".long"));
});

async function show(part) {
  if (part.dataset.state) return;
  part.dataset.state = "asked";
  const text = await whole(part.dataset.whole);
  if (text === null) {
    delete part.dataset.state;
    return;
  }
  const sight = part.querySelector("pre");
  if ("picture" in part.dataset) {
    const picture = document.createElement("img");
    picture.src = text;
    picture.alt = "Picture in this message";
    part.replaceChildren(picture);
  } else if ("json" in sight.dataset && text.trimStart().match(/^[[{]/)) {
    sight.textContent = text;
    part.replaceChildren(sight);
    enhance(part);
    if (!sight.hidden) sight.replaceChildren(...blocks(text));
  } else {
    sight.replaceChildren(...blocks(text));
    part.replaceChildren(sight);
  }
  part.dataset.state = "shown";
}

/** The whole of a text; null when it is not to be had. */
export async function whole(address) {
  const response = await fetch(address).catch(() => null);
  // A session that has ended leads to the login page.
  return response?.ok && !response.redirected ? response.text() : null;
}

/** The text in blocks that end with a line where they can. */
export function* blocks(text) {
  for (let from = 0; from < text.length; ) {
    let until = Math.min(from + BLOCK, text.length);
    if (until < text.length) {
      const line = text.lastIndexOf("\n", until - 1) + 1;
      if (line > from) until = line;
      else if (isHalf(text.charCodeAt(until - 1))) until -= 1;
    }
    const block = document.createElement("span");
    block.className = "block";
    block.textContent = text.slice(from, until);
    yield block;
    from = until;
  }
}

/** Whether a character goes on in the next unit. */
function isHalf(unit) {
  return unit >= 0xd800 && unit < 0xdc00;
}
