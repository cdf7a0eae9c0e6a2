// The rows of a trace and which of them are folded. Knows nothing of the page.

const FIELDS = ["id", "depth", "size", "kind", "status", "offset", "duration", "name", "note", "critical"];

export class SpanTree {
  /** Takes the document of `/traces/{id}/rows` and the identifiers of folded rows. */
  constructor({ rows, length, status }, folded = new Set()) {
    this.rows = rows.map((row) => Object.fromEntries(FIELDS.map((field, index) => [field, row[index]])));
    this.length = Math.max(length, 1);
    this.status = status;
    this.folded = folded;
    this.places = new Map(this.rows.map((row, index) => [row.id, index]));
    this.parents = parents(this.rows);
    this.siblings = siblings(this.parents);
    this.update();
  }

  /** Works out which rows are visible: those in no folded subtree. */
  update() {
    this.visible = [];
    this.lines = new Map();
    for (let index = 0; index < this.rows.length; ) {
      this.lines.set(index, this.visible.length);
      this.visible.push(index);
      const row = this.rows[index];
      index += this.folded.has(row.id) ? row.size : 1;
    }
  }

  isFolded(index) {
    return this.folded.has(this.rows[index].id);
  }

  fold(index, folded) {
    const row = this.rows[index];
    if (row.size === 1) return;
    if (folded) this.folded.add(row.id);
    else this.folded.delete(row.id);
    this.update();
  }

  /** Folds every row below the top, or none. */
  foldAll(folded) {
    this.folded.clear();
    if (folded) {
      for (const row of this.rows) if (row.size > 1 && row.depth > 0) this.folded.add(row.id);
    }
    this.update();
  }

  /** Unfolds what hides a row. */
  reveal(index) {
    let hidden = false;
    for (let at = this.parents[index]; at >= 0; at = this.parents[at]) {
      hidden = this.folded.delete(this.rows[at].id) || hidden;
    }
    if (hidden) this.update();
  }

  /** The next row after one that passes the test, from the start again after the last; -1 when none does. */
  next(index, step, test) {
    const count = this.rows.length;
    for (let moved = 1; moved <= count; moved += 1) {
      const at = (((index + step * moved) % count) + count) % count;
      if (test(this.rows[at])) return at;
    }
    return -1;
  }
}

function parents(rows) {
  const above = [];
  return rows.map((row, index) => {
    above.length = Math.min(above.length, row.depth);
    const parent = above.length > 0 ? above[above.length - 1] : -1;
    above.push(index);
    return parent;
  });
}

/** For each row, which of its parent's children it is, from 1, and how many these are. */
function siblings(parents) {
  const counts = new Map();
  const places = parents.map((parent) => {
    const place = (counts.get(parent) ?? 0) + 1;
    counts.set(parent, place);
    return place;
  });
  return parents.map((parent, index) => ({ place: places[index], count: counts.get(parent) }));
}
