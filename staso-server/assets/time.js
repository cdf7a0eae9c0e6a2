// Times come in UTC; this shows them in the reader's own zone and keeps "3 min ago" true.

const formats = {
  full: new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" }),
  clock: new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" }),
  date: new Intl.DateTimeFormat(undefined, { month: "short", day: "numeric" }),
};

// The same words as `format::ago` on the server.
export function ago(moment, now = Date.now()) {
  const seconds = Math.floor((now - moment) / 1000);
  // What is to come, beyond what clocks differ by.
  if (seconds < -120) return formats.full.format(moment);
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
    const format = element.dataset.format;
    if (!element.dataset.local) {
      element.dataset.local = "1";
      element.title = `${formats.full.format(moment)} (${element.dateTime})`;
    }
    const shown = format === "relative" ? ago(moment) : (formats[format] ?? formats.full).format(moment);
    if (element.textContent !== shown) element.textContent = shown;
  }
}

export function startTimes() {
  localize();
  setInterval(() => {
    if (!document.hidden) localize();
  }, 5000);
}
