// The tree of spans beside their bars. Only the rows in view are in the page, whatever their number.
import { duration, ticks } from "./time-axis.js";

const ROW = 28;
const MARGIN = 10;
const DEEPEST = 10;
/** In percent of the axis: a label further right would be cut. */
const LAST_LABEL = 88;
const SVG = "http://www.w3.org/2000/svg";
const GLYPHS = { agent: "●", tool: "■", llm: "◇", retriever: "◆", chain: "○", custom: "□" };
const SIGNS = { error: "✗", timeout: "◷", running: "◌", unfinished: "◌", other: "?" };

export class Waterfall {
  /** `rows` scrolls, `axis` is the SVG above; `link` gives the address of a row, `choose` hears of a selection. */
  constructor({ rows, axis, link, choose }) {
    Object.assign(this, { box: rows, axis, link, choose });
    this.space = rows.querySelector(".rows-space");
    this.drawn = new Map();
    this.selected = -1;
    this.from = 0;
    this.zoomed = false;
    this.match = null;
    rows.addEventListener("scroll", () => this.schedule(), { passive: true });
    rows.addEventListener("click", (event) => this.click(event));
    rows.addEventListener("keydown", (event) => this.key(event));
    new ResizeObserver(() => this.schedule()).observe(rows);
  }

  /** Shows a tree; what was selected and what is in view stay so, if they are still there. */
  show(tree) {
    const selected = this.tree?.rows[this.selected]?.id;
    const top = this.tree?.rows[this.tree.visible[Math.floor(this.box.scrollTop / ROW)]]?.id;
    const within = this.box.scrollTop % ROW;
    this.tree = tree;
    if (!this.zoomed) [this.from, this.length] = [0, tree.length];
    if (selected !== undefined) this.selected = tree.places.get(selected) ?? this.selected;
    this.box.classList.add("is-virtual");
    this.redraw();
    const line = tree.lines.get(tree.places.get(top));
    if (line !== undefined) this.box.scrollTop = line * ROW + within;
  }

  select(index, { focus = false, center = false } = {}) {
    if (!this.tree.rows[index]) return;
    this.selected = index;
    this.tree.reveal(index);
    this.redraw();
    this.scrollTo(index, center);
    if (focus) this.box.focus({ preventScroll: true });
    this.choose(this.tree.rows[index]);
  }

  /** Shows the time of one row alone, or all of it. */
  zoom(index) {
    const row = index === null ? null : this.tree.rows[index];
    this.zoomed = row !== null;
    if (row) {
      const margin = Math.max(row.duration * 0.08, 2);
      this.from = Math.max(row.offset - margin, 0);
      this.length = Math.max(row.duration + 2 * margin, 10);
    } else {
      [this.from, this.length] = [0, this.tree.length];
    }
    this.redraw();
  }

  /** Marks the rows whose name contains a text. */
  highlight(text) {
    const needle = text.trim().toLowerCase();
    this.match = needle === "" ? null : (row) => row.name.toLowerCase().includes(needle) || row.note.toLowerCase().includes(needle);
    this.redraw();
  }

  redraw() {
    for (const row of this.drawn.values()) row.remove();
    this.drawn.clear();
    this.space.style.setProperty("height", `${this.tree.visible.length * ROW}px`);
    this.drawAxis();
    this.draw();
  }

  schedule() {
    if (this.pending || !this.tree) return;
    this.pending = requestAnimationFrame(() => {
      this.pending = 0;
      this.draw();
    });
  }

  draw() {
    const first = Math.max(Math.floor(this.box.scrollTop / ROW) - MARGIN, 0);
    const last = Math.ceil((this.box.scrollTop + this.box.clientHeight) / ROW) + MARGIN;
    const wanted = this.tree.visible.slice(first, last);
    const keep = new Set(wanted);
    for (const [index, row] of this.drawn) {
      if (keep.has(index)) continue;
      row.remove();
      this.drawn.delete(index);
    }
    if (this.drawn.size === 0) this.space.replaceChildren();
    wanted.forEach((index, offset) => {
      if (this.drawn.has(index)) return;
      const row = this.row(index);
      row.style.setProperty("transform", `translateY(${(first + offset) * ROW}px)`);
      this.drawn.set(index, row);
      this.space.append(row);
    });
  }

  drawAxis() {
    const narrow = this.axis.clientWidth < 260;
    this.axis.replaceChildren(
      ...ticks(this.from, this.length, narrow ? 2 : 4).flatMap((at) => {
        const x = `${this.percent(at)}%`;
        const line = shape("line", { x1: x, x2: x, y1: 18, y2: 28 });
        if (this.percent(at) > LAST_LABEL) return [line];
        const label = shape("text", { x, dx: 4, y: 18 });
        label.textContent = duration(at);
        return [line, label];
      }),
    );
  }

  row(index) {
    const row = this.tree.rows[index];
    const element = make("a", `row is-${row.status}`);
    element.id = `row-${index}`;
    element.href = this.link(row);
    element.dataset.index = index;
    element.tabIndex = -1;
    element.setAttribute("role", "treeitem");
    element.setAttribute("aria-level", row.depth + 1);
    // Most rows are not on the page, so that a reader cannot count them.
    element.setAttribute("aria-posinset", this.tree.siblings[index].place);
    element.setAttribute("aria-setsize", this.tree.siblings[index].count);
    element.setAttribute("aria-selected", String(index === this.selected));
    if (row.size > 1) element.setAttribute("aria-expanded", String(!this.tree.isFolded(index)));
    if (index === this.selected) this.box.setAttribute("aria-activedescendant", element.id);
    if (this.match) element.classList.add(this.match(row) ? "is-match" : "is-other-row");
    element.append(this.cell(row), this.lane(row));
    return element;
  }

  cell(row) {
    const cell = make("span", "cell");
    cell.append(make("span", `indent d${Math.min(row.depth, DEEPEST)}`));
    if (row.depth > DEEPEST) cell.append(make("span", "depth", String(row.depth)));
    const fold = make("span", "fold");
    fold.setAttribute("aria-hidden", "true");
    const kind = make("span", `kind kind-${row.kind}`);
    kind.title = row.kind;
    kind.append(hidden("sign", GLYPHS[row.kind] ?? "○"), make("span", "visually-hidden", row.kind));
    const name = make("span", "name", row.name);
    name.title = row.name;
    cell.append(fold, kind, name);
    if (row.note) cell.append(make("span", "note", row.note));
    if (row.status !== "ok") {
      const status = make("span", `status is-${row.status}`);
      status.append(hidden("sign", SIGNS[row.status] ?? "?"), ` ${row.status}`);
      cell.append(status);
    }
    return cell;
  }

  lane(row) {
    const lane = shape("svg", { class: "lane" });
    const left = this.percent(row.offset);
    const right = this.percent(row.offset + row.duration);
    if (right < 0 || left > 100) return lane;
    const at = { x: `${left}%`, width: `${right - left}%` };
    lane.append(shape("rect", { class: `bar kind-${row.kind}`, ...at, y: 8, height: 12, rx: 2 }));
    if (row.status === "error" || row.status === "timeout") {
      lane.append(shape("rect", { class: "hatch", ...at, y: 8, height: 12, rx: 2 }));
    }
    for (const [offset, length] of row.critical) {
      const start = this.percent(offset);
      lane.append(
        shape("rect", { class: "critical", x: `${start}%`, width: `${this.percent(offset + length) - start}%`, y: 22, height: 2 }),
      );
    }
    lane.append(this.laneLabel(row, left, right));
    return lane;
  }

  laneLabel(row, left, right) {
    const [x, dx, anchor, inside] =
      right <= 75 ? [right, 6, "start"] : left >= 25 ? [left, -6, "end"] : [Math.min(right, 100), -6, "end", true];
    const label = shape("text", { x: `${x}%`, dx, y: 18, "text-anchor": anchor, class: inside ? "inside" : "" });
    label.textContent = duration(row.duration);
    return label;
  }

  percent(micros) {
    return Math.round(((micros - this.from) / this.length) * 1e5) / 1e3;
  }

  scrollTo(index, center) {
    const top = (this.tree.lines.get(index) ?? 0) * ROW;
    const height = this.box.clientHeight;
    if (center) this.box.scrollTop = top - height / 2;
    else if (top < this.box.scrollTop) this.box.scrollTop = top;
    else if (top + ROW > this.box.scrollTop + height) this.box.scrollTop = top + ROW - height;
    this.draw();
  }

  click(event) {
    const element = event.target.closest(".row");
    if (!element || !this.tree || event.metaKey || event.ctrlKey || event.shiftKey) return;
    event.preventDefault();
    const index = Number(element.dataset.index);
    if (event.target.closest(".fold") && this.tree.rows[index].size > 1) this.fold(index, !this.tree.isFolded(index));
    else this.select(index, { focus: true });
  }

  fold(index, folded) {
    this.tree.fold(index, folded);
    if (!this.tree.lines.has(this.selected)) this.select(index);
    else this.redraw();
  }

  key(event) {
    if (!this.tree || event.altKey || event.ctrlKey || event.metaKey) return;
    const { tree, selected } = this;
    const line = tree.lines.get(selected) ?? 0;
    const page = Math.max(Math.floor(this.box.clientHeight / ROW) - 1, 1);
    const to = (target) => this.select(tree.visible[Math.min(Math.max(target, 0), tree.visible.length - 1)]);
    const open = tree.rows[selected]?.size > 1 && !tree.isFolded(selected);
    const actions = {
      ArrowDown: () => to(line + 1),
      ArrowUp: () => to(line - 1),
      PageDown: () => to(line + page),
      PageUp: () => to(line - page),
      Home: () => to(0),
      End: () => to(tree.visible.length - 1),
      ArrowRight: () => (open ? to(line + 1) : this.fold(selected, false)),
      ArrowLeft: () => (open ? this.fold(selected, true) : tree.parents[selected] >= 0 && this.select(tree.parents[selected])),
    };
    const action = actions[event.key];
    if (!action) return;
    event.preventDefault();
    action();
  }
}

function make(tag, className, text) {
  const element = document.createElement(tag);
  element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
}

function hidden(className, text) {
  const element = make("span", className, text);
  element.setAttribute("aria-hidden", "true");
  return element;
}

function shape(tag, attributes) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}
