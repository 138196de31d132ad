// One import: progress, counters, reasons, failed rows, report; retry and cancel.
import { get, part, post } from "./api.js";
import { useData, usePages } from "./live.js";
import { hrefOf } from "./places.js";
import { Badge, Confirm, Counted, Facts, html, Problem, Table, Time, Title, useState } from "./ui.js";

const ENDED = new Set(["COMPLETED", "FAILED", "CANCELLED", "PARTIAL", "COMPLETED_WITH_ERRORS"]);
const COUNTERS = ["total", "processed", "applied", "unchanged", "superseded", "failed", "cancelled"];

function Rows({ path, job }) {
  const rows = usePages((cursor) => get(`${path}/rows`, { status: "FAILED", limit: 50, cursor }), [path, job.attempt, job.counts.failed]);
  return html`<h2>Failed rows</h2>
    <${Problem} error=${rows.error} />
    ${rows.data && !rows.items.length && html`<p class="soft">No row has failed.</p>`}
    ${rows.items.length > 0 && html`<${Table} caption="Failed rows" rows=${rows.items} keyOf=${(row) => row.number}
      columns=${[
        ["Line", (row) => row.line, "number"],
        ["Reason", (row) => (row.error ? `${row.error.type}: ${row.error.message}` : "")],
        ["Row", (row) => html`<code>${JSON.stringify(row.row)}</code>`],
      ]} />`}
    ${rows.next && html`<button type="button" onClick=${rows.next}>More</button>`}`;
}

function Files({ path }) {
  const files = useData(() => get(`${path}/files`), [path]);
  return html`<h2>Files of the archive</h2>
    <${Problem} error=${files.error} />
    ${files.data && html`<${Table} caption="Files" rows=${files.data.items} keyOf=${(row) => row.name}
      columns=${[
        ["File", (row) => (row.id ? html`<a href=${hrefOf(["imports", row.id])}>${row.name}</a>` : row.name)],
        ["Table", (row) => row.table ?? ""],
        ["Status", (row) => html`<${Badge} status=${row.status} />`],
        ["Rows", (row) => html`<${Counted} done=${row.counts.processed} total=${row.counts.total} label="Rows" />`],
        ["Error", (row) => row.error?.message ?? ""],
      ]} />`}`;
}

function Report({ path }) {
  const report = useData(() => get(`${path}/report`), [path]);
  return html`<p>Report of the failed rows: ${(report.data?.parts ?? []).map((one, index) =>
    html`<a href=${one.url} rel="noreferrer" download>part ${index + 1}</a> `)}</p>`;
}

export function Import({ id }) {
  const path = `/imports/${part(id)}`;
  const { data: job, error, reload } = useData(() => get(path), [id]);
  const [asked, setAsked] = useState(null);
  const close = (done) => { setAsked(null); if (done) reload(); };
  if (!job) return html`<${Title}>Import<//><${Problem} error=${error} />${!error && html`<p class="loading">Loading</p>`}`;
  const isEnded = ENDED.has(job.status);
  return html`<p class="small"><a href=${hrefOf(["imports"])}>All imports</a></p>
    <${Title}>Import of ${job.file ?? job.key.split("/").pop()}<//>
    <${Problem} error=${error} />
    <div class="bar" aria-live="polite"><${Badge} status=${job.isCancelling && !isEnded ? "CANCELLING" : job.status} />
      ${isEnded && job.counts.failed > 0 && html`<button type="button" class="main" onClick=${() => setAsked("retry")}>Retry failed rows…</button>`}
      ${!isEnded && html`<button type="button" onClick=${() => setAsked("cancel")}>Cancel…</button>`}</div>
    <p><${Counted} done=${job.counts.processed} total=${job.counts.total} label="Rows" /></p>
    <ul class="tiles">${COUNTERS.map((name) => html`<li key=${name}><span class="number">${job.counts[name] ?? "–"}</span> ${name}</li>`)}</ul>
    ${job.error && html`<div class="problem"><strong>${job.error.type}</strong> ${job.error.message}</div>`}
    ${job.reasons.length > 0 && html`<h2>Why rows failed</h2><${Table} caption="Reasons" rows=${job.reasons} keyOf=${(row) => row.code}
      columns=${[["Code", (row) => row.code], ["Rows", (row) => row.rows, "number"], ["First on line", (row) => row.line, "number"], ["Message", (row) => row.message]]} />`}
    ${job.hasReport && html`<${Report} path=${path} key=${`${job.attempt} ${job.updatedAt}`} />`}
    ${job.files !== null ? html`<${Files} path=${path} />` : html`<${Rows} path=${path} job=${job} />`}
    <h2>Details</h2>
    <${Facts} of=${[
      ["Id", html`<code>${job.id}</code>`], ["Table", job.table], ["Object", html`<code>${job.bucket}/${job.key}</code>`], ["Mode", job.mode],
      ["Attempt", job.attempt], ["Created", html`<${Time} at=${job.createdAt} />`], ["By", job.createdBy], ["Changed", html`<${Time} at=${job.updatedAt} />`],
      ["Archive", job.parent && html`<a href=${hrefOf(["imports", job.parent])}>${job.parent}</a>`],
    ]} />
    ${asked === "retry" && html`<${Confirm} title="Import the failed rows again?" verb="Retry"
      preview=${async () => html`<p>${job.counts.failed} rows failed. Each gets a new attempt; what was applied stays as it is.</p>`}
      act=${() => post(`${path}/retry`)} onClose=${close} />`}
    ${asked === "cancel" && html`<${Confirm} title="Import no further rows?" verb="Cancel the import"
      preview=${async () => html`<p>Rows that are applied or in progress stay; the rest are not imported.</p>`}
      act=${() => post(`${path}/cancel`)} onClose=${close} />`}`;
}
