// Copy buttons: `data-copy-text` holds a text, `data-copy-from` the address of one.
import { whole } from "./whole-text.js";

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy-text], [data-copy-from]");
  if (!button) return;
  event.preventDefault();
  const text = button.dataset.copyText ?? (await whole(button.dataset.copyFrom)) ?? "";
  const label = (button.dataset.label ??= button.textContent);
  button.textContent = (await copy(text)) ? "Copied" : "Not allowed";
  setTimeout(() => (button.textContent = label), 1200);
});

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}
