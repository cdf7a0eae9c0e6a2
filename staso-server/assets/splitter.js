// The bar between two columns: dragged, or moved with the arrow keys. The width is kept.

const KEY = "staso-detail-width";

export function startSplitter(frame) {
  const bar = frame.querySelector(".splitter");
  const limits = () => [320, Math.max(frame.clientWidth - 360, 320)];
  const width = () => frame.lastElementChild.getBoundingClientRect().width;

  function set(wanted, keep = true) {
    const [least, most] = limits();
    const pixels = Math.round(Math.min(Math.max(wanted, least), most));
    frame.style.setProperty("--detail-width", `${pixels}px`);
    bar.setAttribute("aria-valuenow", pixels);
    if (!keep) return;
    try {
      localStorage.setItem(KEY, pixels);
    } catch {
      // The width then lasts as long as the page.
    }
  }

  bar.addEventListener("pointerdown", (event) => {
    bar.setPointerCapture(event.pointerId);
    const right = frame.getBoundingClientRect().right;
    const move = (moved) => set(right - moved.clientX);
    bar.addEventListener("pointermove", move);
    bar.addEventListener("lostpointercapture", () => bar.removeEventListener("pointermove", move), { once: true });
    event.preventDefault();
  });
  bar.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: 24, ArrowRight: -24 }[event.key];
    if (!step) return;
    event.preventDefault();
    set(width() + step);
  });

  let kept = NaN;
  try {
    kept = Number.parseInt(localStorage.getItem(KEY), 10);
  } catch {
    // Storage may be forbidden.
  }
  if (kept > 0) set(kept, false);
}
