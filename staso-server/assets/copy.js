// Copy buttons: `data-copy-text` holds a text, `data-copy-source` copies what its section shows.

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy-text], [data-copy-source]");
  if (!button) return;
  event.preventDefault();
  const text = button.dataset.copyText ?? button.closest(".payload")?.querySelector("[data-source]")?.textContent ?? "";
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
