// The stream of changes of a workspace. Browsers open few connections to a server, and each of these takes one: a page
// that nobody sees keeps none, and catches up when it is seen again.

/** `changed` gets a trace, or null when there may be more changes than one; `state` whether the stream stands. */
export function follow({ changed, state = () => {} }) {
  let source = null;

  const open = () => {
    if (source || document.hidden) return;
    source = new EventSource(`/v1/live?${new URLSearchParams({ workspace: document.body.dataset.workspace })}`);
    source.addEventListener("open", () => {
      state(true);
      // What changed between the page and the stream, or while there was none, is not told.
      changed(null);
    });
    source.addEventListener("error", () => state(false));
    source.addEventListener("trace", (event) => changed(JSON.parse(event.data)));
    source.addEventListener("reload", () => changed(null));
  };
  const close = () => {
    source?.close();
    source = null;
  };
  document.addEventListener("visibilitychange", () => (document.hidden ? close() : open()));
  addEventListener("pagehide", close);
  addEventListener("pageshow", (event) => event.persisted && open());
  open();
}
