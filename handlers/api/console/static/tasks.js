// Tasks: the list, and one with its items.
import { get, part, post } from "./api.js";
import { useData, usePages } from "./live.js";
import { hrefOf } from "./places.js";
import { Badge, Confirm, Counted, Facts, html, Json, Problem, Table, Time, Title, useState } from "./ui.js";

const doneOf = (task) => task.succeeded + task.failed + task.cancelled;

export function Tasks() {
  const tasks = usePages((cursor) => get("/tasks", { limit: 50, cursor }), []);
  const rows = tasks.items;
  return html`<${Title}>Tasks<//>
    <${Problem} error=${tasks.error} />
    ${tasks.data && !rows.length && html`<p class="soft">There are no tasks.</p>`}
    ${rows.length > 0 && html`<${Table} caption="Tasks" rows=${rows} keyOf=${(row) => row.id}
      columns=${[
        ["Task", (row) => html`<a href=${hrefOf(["tasks", row.id])}>${row.type} <span class="mono small">${row.id.split("#").pop()}</span></a>`],
        ["Status", (row) => html`<${Badge} status=${row.status} />`],
        ["Items", (row) => (row.hasItems ? html`<${Counted} done=${doneOf(row)} total=${row.total} label="Items" />` : "")],
        ["Failed", (row) => (row.hasItems ? row.failed : ""), "number"],
        ["Created", (row) => html`<${Time} at=${row.createdAt} />`],
      ]} />`}
    ${tasks.next && html`<button type="button" onClick=${tasks.next}>More</button>`}`;
}

function Items({ path, task }) {
  const items = usePages((cursor) => get(`${path}/items`, { limit: 50, cursor }), [path, task.attempt, task.updatedAt]);
  return html`<h2>Items</h2>
    <${Problem} error=${items.error} />
    <${Table} caption="Items" rows=${items.items} keyOf=${(row) => row.index}
      columns=${[
        ["Item", (row) => row.index, "number"],
        ["Status", (row) => html`<${Badge} status=${row.status} />`],
        ["Attempt", (row) => row.attempt, "number"],
        ["Input", (row) => html`<code>${JSON.stringify(row.input)}</code>`],
        ["Outcome", (row) => (row.error ? `${row.error.type}: ${row.error.message}` : row.result === null ? "" : JSON.stringify(row.result))],
      ]} />
    ${items.next && html`<button type="button" onClick=${items.next}>More</button>`}`;
}

export function Task({ id }) {
  const path = `/tasks/${part(id)}`;
  const { data: task, error, reload } = useData(() => get(path), [id]);
  const [asked, setAsked] = useState(null);
  const close = (done) => { setAsked(null); if (done) reload(); };
  if (!task) return html`<${Title}>Task<//><${Problem} error=${error} />${!error && html`<p class="loading">Loading</p>`}`;
  const hasFailed = task.status === "FAILED" || task.failed > 0;
  const isOpen = !["COMPLETED", "FAILED", "CANCELLED"].includes(task.status);
  return html`<p class="small"><a href=${hrefOf(["tasks"])}>All tasks</a></p>
    <${Title}>Task ${task.type}<//>
    <${Problem} error=${error} />
    <div class="bar" aria-live="polite"><${Badge} status=${task.isStopping && isOpen ? "STOPPING" : task.status} />
      ${!isOpen && hasFailed && html`<button type="button" class="main" onClick=${() => setAsked("retry")}>Retry…</button>`}
      ${isOpen && html`<button type="button" onClick=${() => setAsked("cancel")}>Cancel…</button>`}</div>
    ${task.hasItems && html`<p><${Counted} done=${doneOf(task)} total=${task.total} label="Items" /></p>
      <p class="small">${task.succeeded} succeeded, ${task.failed} failed, ${task.cancelled} cancelled</p>`}
    ${task.error && html`<div class="problem"><strong>${task.error.type}</strong> ${task.error.message}</div>`}
    ${task.hasItems ? html`<${Items} path=${path} task=${task} />` : html`<h2>Input</h2><${Json} value=${task.input} label="Input" />
      ${task.result !== null && html`<h2>Result</h2><${Json} value=${task.result} label="Result" />`}`}
    <h2>Details</h2>
    <${Facts} of=${[["Id", html`<code>${task.id}</code>`], ["Attempt", task.attempt], ["Created", html`<${Time} at=${task.createdAt} />`],
      ["By", task.createdBy], ["Changed", html`<${Time} at=${task.updatedAt} />`]]} />
    ${asked === "retry" && html`<${Confirm} title="Run what failed again?" verb="Retry"
      preview=${async () => html`<p>${task.hasItems ? `${task.failed} items failed.` : "The task failed."} Successful results are kept.</p>`}
      act=${() => post(`${path}/retry`)} onClose=${close} />`}
    ${asked === "cancel" && html`<${Confirm} title="Cancel the task?" verb="Cancel the task"
      preview=${async () => html`<p>Existing outcomes are kept; nothing further is started.</p>`}
      act=${() => post(`${path}/cancel`)} onClose=${close} />`}`;
}
