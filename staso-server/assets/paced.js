/** A function that asks for `refresh`, which is done after a pause. One is under way at a time, and what is asked for meanwhile
 * is done after it, as it may have come too late for the one. `pause` gets how long the last one took; both are in ms. */
export function paced(refresh, pause) {
  let timer = 0;
  let due = false;
  let took = 0;
  return function ask() {
    due = true;
    timer ||= setTimeout(async () => {
      due = false;
      const start = performance.now();
      try {
        await refresh();
      } catch {
        // The server may be restarting; the next change, or the stream's return, is the next try.
      }
      took = performance.now() - start;
      timer = 0;
      if (due) ask();
    }, pause(took));
  };
}
