// Times come in UTC; this shows them in the reader's own zone and keeps "3 min ago" true.

const full = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });

// The same words as `format::ago` on the server.
export function ago(moment, now = Date.now()) {
  const seconds = Math.floor((now - moment) / 1000);
  if (seconds < 5) return "just now";
  if (seconds < 60) return `${seconds} s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 172800) return `${Math.floor(seconds / 3600)} h ago`;
  return `${Math.floor(seconds / 86400)} d ago`;
}

export function localize(root = document) {
  for (const element of root.querySelectorAll("time[datetime]")) {
    const moment = Date.parse(element.dateTime);
    if (Number.isNaN(moment)) continue;
    const text = full.format(moment);
    element.title = `${text} (${element.dateTime})`;
    const shown = element.dataset.format === "relative" ? ago(moment) : text;
    if (element.textContent !== shown) element.textContent = shown;
  }
}

export function startTimes() {
  localize();
  setInterval(() => {
    if (!document.hidden) localize();
  }, 10_000);
}
