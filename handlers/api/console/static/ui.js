// Building blocks of all views. Data is only ever rendered as text nodes, never as markup.
const { h, Fragment } = window.preact;
export const { useState, useEffect, useRef, useMemo, useCallback } = window.preactHooks;
export const render = window.preact.render;
export const html = window.htm.bind(h);
export { Fragment };

const LOOK = {
  APPLIED: "good", DONE: "good", SUCCEEDED: "good", COMPLETED: "good", APPROVED: "good", UNCHANGED: "good", SKIPPED: "good",
  ALARM: "bad", FAILED: "bad", REJECTED: "bad", TIMED_OUT: "bad", ABORTED: "bad", CANCELLED: "wait", PARTIAL: "bad",
  COMPLETED_WITH_ERRORS: "bad", WAITING: "wait",
};

/** How a status looks: good, bad, wait or busy. */
export function lookOf(status) {
  const text = String(status ?? "");
  return LOOK[text] ?? (/FAILED|ERROR/.test(text) ? "bad" : /wait_prev|WAIT/.test(text) ? "wait" : "busy");
}

export function Badge({ status }) {
  return html`<span class=${`badge ${lookOf(status)}`}>${status}</span>`;
}

const TIMES = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });

/** A time in the viewer's zone; hovering shows it as stored, in UTC. */
export function Time({ at }) {
  if (!at) return html`<span class="soft">–</span>`;
  const date = new Date(at);
  return Number.isNaN(date.getTime()) ? String(at) : html`<time datetime=${at} title=${at}>${TIMES.format(date)}</time>`;
}

/** Format a duration in milliseconds. */
export function lasted(ms) {
  if (ms < 1000) return `${Math.max(0, Math.round(ms))} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  if (ms < 3_600_000) return `${Math.floor(ms / 60_000)} min ${Math.round((ms % 60_000) / 1000)} s`;
  return `${Math.floor(ms / 3_600_000)} h ${Math.round((ms % 3_600_000) / 60_000)} min`;
}

export function Problem({ error }) {
  if (!error) return null;
  return html`<div class="problem" role="alert">
    <strong>${error.title ?? "Something went wrong"}</strong>
    ${error.message && html`<div>${error.message}</div>`}
    ${(error.errors ?? []).map((one) => html`<div class="small">${one.field}: ${one.allowed}</div>`)}
    ${error.requestId && html`<div class="small soft">request ${error.requestId}</div>`}
  </div>`;
}

export function Json({ value, label }) {
  return html`<pre tabindex="0" role="region" aria-label=${label ?? "JSON"}>${JSON.stringify(value, null, 2)}</pre>`;
}

export function Facts({ of }) {
  return html`<dl class="facts">${of.filter(([, value]) => value !== null && value !== undefined && value !== "").map(
    ([name, value]) => html`<${Fragment} key=${name}><dt>${name}</dt><dd>${value}</dd><//>`)}</dl>`;
}

/** A table; on a narrow page, each row is a card. ``columns``: [[title, function from row to cell, class], ...]. */
export function Table({ caption, columns, rows, keyOf }) {
  return html`<div class="scroll"><table class="cards">
    <caption class="hidden">${caption}</caption>
    <thead><tr>${columns.map(([title, , kind]) => html`<th scope="col" class=${kind}>${title}</th>`)}</tr></thead>
    <tbody>${rows.map((row) => html`<tr key=${keyOf(row)}>${columns.map(([title, cell, kind]) =>
      html`<td class=${kind} data-label=${title}>${cell(row)}</td>`)}</tr>`)}</tbody>
  </table></div>`;
}

/** A heading that takes the focus when the page changes, so that a screen reader announces the page. */
export function Title({ children }) {
  const own = useRef(null);
  useEffect(() => {
    document.title = `${own.current.textContent} · Console`;
    if (window.location.hash) own.current.focus();
  }, []);
  return html`<h1 tabindex="-1" ref=${own}>${children}</h1>`;
}

/** Confirmation dialog. ``preview`` returns what would happen, as markup; ``act`` does it, given the reason's text. */
export function Confirm({ title, preview, act, verb, reason, onClose }) {
  const own = useRef(null);
  const [shown, setShown] = useState(null);
  const [error, setError] = useState(null);
  const [isBusy, setBusy] = useState(Boolean(preview));
  const [text, setText] = useState("");
  useEffect(() => {
    own.current.showModal();
    if (!preview) return;
    preview().then((found) => { setShown(found); setBusy(false); }, (caught) => { setError(caught); setBusy(false); });
  }, []);
  const run = async (event) => {
    event.preventDefault();
    setBusy(true);
    setError(null);
    try {
      await act(text);
      onClose(true);
    } catch (caught) {
      setError(caught);
      setBusy(false);
    }
  };
  return html`<dialog ref=${own} aria-label=${title} onClose=${() => onClose(false)}>
    <form onSubmit=${run}>
      <h2>${title}</h2>
      ${preview && html`<div aria-live="polite">${shown ?? (error ? "" : "Loading the preview")}</div>`}
      ${reason && html`<label class="field">${reason}
        <textarea rows="3" value=${text} onInput=${(event) => setText(event.target.value)}></textarea></label>`}
      <${Problem} error=${error} />
      <p class="bar">
        <button type="submit" class="main" disabled=${isBusy}>${verb}</button>
        <button type="button" onClick=${() => own.current.close()}>Close</button>
      </p>
    </form>
  </dialog>`;
}

export function Counted({ done, total, label }) {
  if (!total) return html`<span class="soft">–</span>`;
  return html`<${Fragment}><progress max=${total} value=${done} aria-label=${label}></progress>
    <span class="small">${done} of ${total}</span><//>`;
}

/** Table columns for the states of an execution. A failed state has no end time. */
export const STATE_COLUMNS = [
  ["State", (row) => row.name],
  ["Entered", (row) => html`<${Time} at=${row.enteredAt} />`],
  ["Took", (row) => (row.exitedAt ? lasted(Date.parse(row.exitedAt) - Date.parse(row.enteredAt)) : "no end"), "number"],
];
