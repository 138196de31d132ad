// Redrive and skip: first a dry run, then, once it is confirmed, the real call.
import { post } from "./api.js";
import { Confirm, html, useState, Fragment } from "./ui.js";

const redrivenText = (answer) => html`<ul>${answer.outcomes.map((one) => html`<li>
  Version ${one.version}: ${one.outcome.toLowerCase().replaceAll("_", " ")}, attempt ${one.attempt}${one.note && html` (${one.note})`}</li>`)}</ul>`;

const skippedText = (answer) => {
  const applied = Object.entries(answer.appliedTargets);
  return html`<p>The version is skipped; its successor ${answer.woken ? "continues" : "continues once it exists"}.
    ${applied.length > 0 && html` These have already applied it, and keep it: ${applied.map(([name]) => name).join(", ")}.`}</p>`;
};

/** Buttons for a failed version. ``path``: the version's. */
export function Act({ path, kind, onDone }) {
  const [asked, setAsked] = useState(null);
  const call = (verb, dryRun) => post(`${path}/${verb}`, undefined, { kind, dryRun: dryRun ? "true" : undefined });
  const close = (done) => { setAsked(null); if (done) onDone(); };
  return html`<${Fragment}>
    <button type="button" class="main" onClick=${() => setAsked("redrive")}>Redrive…</button>
    <button type="button" onClick=${() => setAsked("skip")}>Skip…</button>
    ${asked === "redrive" && html`<${Confirm} title="Give it a new attempt?" verb="Redrive"
      preview=${async () => redrivenText(await call("redrive", true))} act=${() => call("redrive")} onClose=${close} />`}
    ${asked === "skip" && html`<${Confirm} title="Skip this version permanently?" verb="Skip"
      preview=${async () => skippedText(await call("skip", true))} act=${() => call("skip")} onClose=${close} />`}
  <//>`;
}
