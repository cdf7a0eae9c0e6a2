// Shows the numbers of the slot under the pointer.

const full = new Intl.DateTimeFormat(undefined, { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit" });
const tip = document.createElement("div");
tip.className = "tip";
tip.hidden = true;
document.body.append(tip);

function place(event) {
  const box = tip.getBoundingClientRect();
  const left = Math.min(event.clientX + 14, innerWidth - box.width - 8);
  tip.style.left = `${Math.max(8, left)}px`;
  tip.style.top = `${Math.max(8, event.clientY - box.height - 12)}px`;
}

document.addEventListener("pointermove", (event) => {
  const slot = event.target instanceof Element ? event.target.closest("[data-tip]") : null;
  tip.hidden = !slot;
  if (!slot) return;
  const time = document.createElement("b");
  time.textContent = full.format(Date.parse(slot.dataset.at));
  const lines = slot.dataset.tip.split("\n").map((text) => {
    const line = document.createElement("span");
    line.textContent = text;
    return line;
  });
  tip.replaceChildren(time, ...lines);
  place(event);
});
document.addEventListener("pointerleave", () => (tip.hidden = true));
