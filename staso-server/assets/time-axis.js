// Durations and marks on a time axis: the same words and distances as the server's.

const SECOND = 1e6;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const SHORT_STEPS = [0, 1, 2, 3, 4, 5].flatMap((power) => [1, 2, 5].map((digit) => digit * 10 ** power));
const LONG_STEPS = [
  ...[1, 2, 5, 10, 15, 30].map((count) => count * SECOND),
  ...[1, 2, 5, 10, 15, 30].map((count) => count * MINUTE),
  ...[1, 2, 3, 6, 12].map((count) => count * HOUR),
  ...[1, 2, 7].map((count) => count * DAY),
];

export function duration(micros) {
  if (micros === 0) return "0 ms";
  if (micros >= 59_950_000) return long(micros);
  for (const [unit, name] of [[1, "µs"], [1e3, "ms"], [1e6, "s"]]) {
    const value = micros / unit;
    if (unit === 1 ? value < 1000 : Math.round(value) < 1000) {
      const digits = unit === 1 || Math.round(value * 10) >= 1000 ? 0 : Math.round(value * 100) >= 1000 ? 1 : 2;
      return `${value.toFixed(digits)} ${name}`;
    }
  }
  return long(micros);
}

function long(micros) {
  const seconds = Math.round(micros / SECOND);
  const [days, hours, minutes] = [seconds / 86400, (seconds / 3600) % 24, (seconds / 60) % 60].map(Math.floor);
  const two = (number) => String(number).padStart(2, "0");
  if (days > 0) return `${days}d ${two(hours)}h`;
  if (hours > 0) return `${hours}h ${two(minutes)}m`;
  return `${minutes}m ${two(seconds % 60)}s`;
}

/** Round moments in a stretch of the axis, at most so many gaps between them. */
export function ticks(from, length, gaps) {
  const least = Math.ceil(length / gaps);
  const step =
    [...SHORT_STEPS, ...LONG_STEPS].find((step) => step >= least) ?? Math.ceil(least / DAY) * DAY;
  const marks = [];
  for (let at = Math.ceil(from / step) * step; at <= from + length; at += step) marks.push(at);
  return marks;
}
