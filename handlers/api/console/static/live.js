// Keeps the page up to date: by polling, and on a laptop also by the runtime's events.
import { settings } from "./api.js";
import { useEffect, useRef, useState } from "./ui.js";

const FIRST_MS = 2_000;
const LAST_MS = 30_000;
const AFTER_EVENT_MS = 150;
const RATE_SECONDS = 10;

const listeners = new Set();
const applied = [];
let isConnected = false;

/** Follow the runtime's events, if it has any. */
export function follow(kinds) {
  if (!settings.live) return;
  const source = new EventSource(settings.live);
  const onEvent = (event) => {
    if (event.type === "command-status") applied.push(Date.now());
    for (const one of listeners) one();
  };
  for (const kind of [...kinds, "reset"]) source.addEventListener(kind, onEvent);
  source.addEventListener("open", () => { isConnected = true; });
  source.addEventListener("error", () => { isConnected = false; });
}

/** Commands that ended per second, averaged over the last ten seconds; null without live events. */
export function rate() {
  const from = Date.now() - RATE_SECONDS * 1000;
  while (applied.length && applied[0] < from) applied.shift();
  return isConnected ? applied.length / RATE_SECONDS : null;
}

/**
 * How fast polled counters grow: per second, averaged over the last ten seconds. ``counters``: ``[[id, count], ...]``,
 * null before the first poll. The first poll is the baseline; counters that appear later start at zero.
 */
export function useGrowth(counters) {
  const before = useRef(null), grown = useRef([]);
  const [now, setNow] = useState(0);
  useEffect(() => {
    if (!counters) return;
    const old = before.current, at = Date.now();
    if (old) grown.current.push([at, counters.reduce((sum, [id, count]) => sum + Math.max(0, count - (old.get(id) ?? 0)), 0)]);
    before.current = new Map([...(old ?? []), ...counters]);
  }, [JSON.stringify(counters)]);
  useEffect(() => {
    const timer = setInterval(() => {
      const from = Date.now() - RATE_SECONDS * 1000;
      grown.current = grown.current.filter(([at]) => at >= from);
      setNow(grown.current.reduce((sum, [, count]) => sum + count, 0) / RATE_SECONDS);
    }, 1000);
    return () => clearInterval(timer);
  }, []);
  return now;
}

/**
 * The result of ``load``, polled while the page is visible: after two seconds if it changed, at growing intervals (up
 * to thirty seconds) if it didn't, and at once after an event. ``error`` and older ``data`` may both be set.
 */
export function useData(load, deps) {
  const [state, setState] = useState({ data: null, error: null, isLoading: true });
  const again = useRef(() => {});
  useEffect(() => {
    let isOver = false, isRunning = false, isWanted = false, timer = 0, soon = 0, delay = FIRST_MS, before = "";
    setState({ data: null, error: null, isLoading: true });
    const run = async () => {
      clearTimeout(timer);
      if (isRunning) { isWanted = true; return; }
      isRunning = true;
      isWanted = false;
      try {
        const data = await load();
        const text = JSON.stringify(data);
        delay = text === before ? Math.min(delay * 1.5, LAST_MS) : FIRST_MS;
        if (!isOver && text !== before) setState({ data, error: null, isLoading: false });
        else if (!isOver) setState((old) => (old.error ? { data, error: null, isLoading: false } : old));
        before = text;
      } catch (error) {
        delay = Math.min(delay * 2, LAST_MS);
        if (!isOver) setState((old) => ({ ...old, error, isLoading: false }));
      }
      isRunning = false;
      if (isOver) return;
      if (isWanted) run();
      else if (!document.hidden) timer = setTimeout(run, delay);
    };
    const anew = () => { delay = FIRST_MS; run(); };
    const onEvent = () => {
      soon = soon || setTimeout(() => { soon = 0; if (!document.hidden) anew(); }, AFTER_EVENT_MS);
    };
    const onVisible = () => (document.hidden ? clearTimeout(timer) : anew());
    again.current = anew;
    listeners.add(onEvent);
    document.addEventListener("visibilitychange", onVisible);
    run();
    return () => {
      isOver = true;
      clearTimeout(timer);
      clearTimeout(soon);
      listeners.delete(onEvent);
      document.removeEventListener("visibilitychange", onVisible);
    };
  }, deps);
  return { ...state, reload: () => again.current() };
}

/** A list, page by page. ``load(cursor)`` returns ``{items, cursor}``; the first page is kept up to date. */
export function usePages(load, deps) {
  const first = useData(() => load(undefined), deps);
  const [more, setMore] = useState({ items: [], cursor: undefined });
  const [error, setError] = useState(null);
  useEffect(() => { setMore({ items: [], cursor: undefined }); setError(null); }, deps);
  const cursor = more.cursor === undefined ? first.data?.cursor : more.cursor;
  const next = async () => {
    try {
      const page = await load(cursor);
      setMore((old) => ({ items: [...old.items, ...page.items], cursor: page.cursor }));
    } catch (caught) {
      setError(caught);
    }
  };
  const items = first.data ? [...first.data.items, ...more.items] : [];
  return { ...first, items, error: error ?? first.error, next: cursor ? next : null };
}
