// Open and failed commands, raised alarms, and throughput.
import { get, post, settings } from "./api.js";
import { rate, useData, useGrowth } from "./live.js";
import { hrefOf } from "./places.js";
import { Badge, Confirm, html, lasted, Problem, Table, Time, Title, useEffect, useState } from "./ui.js";

const SHOWN_FAILED = 20;
const NEWEST_IMPORTS = 20;

function Rate() {
  const [now, setNow] = useState(rate());
  useEffect(() => {
    const timer = setInterval(() => setNow(rate()), 1000);
    return () => clearInterval(timer);
  }, []);
  return html`<li><span class="number">${now === null ? "–" : now.toFixed(1)}</span>
    ${now === null ? "ended per second (live on a laptop only)" : "commands ended per second"}</li>`;
}

function RowsRate() {
  const jobs = useData(() => get("/imports", { limit: NEWEST_IMPORTS }), []);
  const now = useGrowth(jobs.data && jobs.data.items.map((job) => [job.id, job.counts.processed]));
  return html`<li><span class="number">${jobs.data ? now.toFixed(1) : "–"}</span> rows imported per second</li>`;
}

/** The raised alarms; of the others, only the number. */
function Alarms() {
  const alarms = useData(() => get("/alarms"), []);
  const raised = alarms.data?.items.filter((one) => one.state === "ALARM") ?? [];
  const quiet = settings.live ? "A laptop doesn't evaluate alarms." : `None of ${alarms.data?.items.length} alarms is raised.`;
  return html`<h2>Alarms</h2>
    ${alarms.error?.status === 403
      ? html`<p class="soft">This list needs the role operator.</p>`
      : html`<${Problem} error=${alarms.error} />`}
    ${alarms.data && (raised.length === 0 ? html`<p class="soft">${quiet}</p>` : html`<${Table}
      caption="Raised alarms" rows=${raised} keyOf=${(row) => row.name}
      columns=${[
        ["Alarm", (row) => html`<${Badge} status=${row.state} /> ${row.name}`],
        ["Reason", (row) => row.reason],
        ["Since", (row) => html`<${Time} at=${row.since} />`],
      ]} />`)}`;
}

const countsText = (answer) => html`<ul>${Object.entries(answer.counts).map(([outcome, count]) =>
  html`<li>${count} ${outcome.toLowerCase().replaceAll("_", " ")}</li>`)}
  ${Object.keys(answer.counts).length === 0 && html`<li>nothing</li>`}</ul>`;

/** Redrive the listed commands, after a dry run. */
function RedriveShown({ onDone }) {
  const [isAsked, setAsked] = useState(false);
  const call = (dryRun) => post("/failed/redrive", { limit: SHOWN_FAILED, dryRun });
  const close = (done) => { setAsked(false); if (done) onDone(); };
  return html`<p><button type="button" onClick=${() => setAsked(true)}>Redrive these…</button></p>
    ${isAsked && html`<${Confirm} title="Give all of these a new attempt?" verb="Redrive all"
      preview=${async () => countsText(await call(true))} act=${() => call(false)} onClose=${close} />`}`;
}

export function Overview() {
  const open = useData(() => get("/overview"), []);
  const failed = useData(() => get("/failed", { limit: SHOWN_FAILED }), []);
  const oldest = open.data?.oldest;
  const many = open.data && !open.data.isComplete;
  return html`<${Title}>Overview<//>
    <${Problem} error=${open.error} />
    ${open.data && html`<ul class="tiles" aria-live="polite">
      <li><span class="number">${many ? "at least " : ""}${open.data.open}</span> open commands</li>
      <li><span class="number">${failed.data ? `${failed.data.items.length}${failed.data.cursor ? "+" : ""}` : "–"}</span> failed now</li>
      <li><span class="number">${oldest ? lasted(Date.now() - Date.parse(oldest.since)) : "–"}</span>
        ${oldest ? html`oldest open: <a href=${hrefOf(["entities", oldest.type, oldest.code], { version: oldest.version })}>${oldest.type} ${oldest.code}</a>` : "nothing is open"}</li>
      <${Rate} />
      <${RowsRate} />
    </ul>
    <h2>Open by status</h2>
    ${open.data.byStatus.length === 0 ? html`<p class="soft">No command is in progress.</p>` : html`<${Table}
      caption="Open commands by status" rows=${open.data.byStatus} keyOf=${(row) => row.status}
      columns=${[["Status", (row) => html`<${Badge} status=${row.status} />`], ["Commands", (row) => row.count, "number"]]} />`}`}
    <h2>Failed now</h2>
    ${failed.error?.status === 403
      ? html`<p class="soft">This list needs the role operator.</p>`
      : html`<${Problem} error=${failed.error} />`}
    ${failed.data && (failed.data.items.length === 0 ? html`<p class="soft">Nothing has failed.</p>` : html`<${Table}
      caption="Failed commands" rows=${failed.data.items} keyOf=${(row) => `${row.kind}/${row.type}/${row.code}/${row.version}`}
      columns=${[
        ["Entity", (row) => html`<a href=${hrefOf(["entities", row.type, row.code], { version: row.version })}>${row.type} ${row.code}</a>`],
        ["Version", (row) => row.version, "number"],
        ["Status", (row) => html`<${Badge} status=${row.status} />`],
        ["Error", (row) => (row.error ? `${row.error.type}: ${row.error.message}` : "")],
        ["Failed", (row) => html`<${Time} at=${row.failedAt ?? row.updatedAt} />`],
      ]} />`)}
    ${failed.data?.items.length > 0 && html`<${RedriveShown} onDone=${() => { failed.reload(); open.reload(); }} />`}
    ${failed.data?.cursor && html`<p class="soft">There are more.</p>`}
    <${Alarms} />`;
}
