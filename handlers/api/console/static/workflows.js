// The application's workflows: start and inspect executions. The API lists those that it started for the tenant.
import { get, part, post } from "./api.js";
import { useData, usePages } from "./live.js";
import { go, hrefOf } from "./places.js";
import { Badge, Facts, html, Json, Problem, STATE_COLUMNS, Table, Time, Title, useState } from "./ui.js";

// The API makes one call per listed execution, and the page polls, so the list is short.
const LISTED = 10;

export function Workflows({ parts }) {
  const [name, id] = parts;
  const catalogue = useData(() => get("/catalogue"), []);
  if (id !== undefined) return html`<${Execution} name=${name} id=${id} />`;
  return html`<${Title}>Workflows<//>
    <${Problem} error=${catalogue.error} />
    ${catalogue.data?.workflows.length === 0 && html`<p class="soft">This stack has no custom workflows.</p>`}
    ${catalogue.data?.workflows.length > 0 && html`<${Forms} names=${catalogue.data.workflows} />`}`;
}

function Executions({ name }) {
  const list = usePages((cursor) => get(`/workflows/${part(name)}`, { limit: LISTED, cursor }), [name]);
  return html`<h2>Executions</h2>
    <${Problem} error=${list.error} />
    ${list.data && list.items.length === 0 && html`<p class="soft">No executions found${list.next ? " among the latest" : ""}.</p>`}
    ${list.items.length > 0 && html`<${Table} caption=${`Executions of ${name}`} rows=${list.items} keyOf=${(row) => row.id}
      columns=${[
        ["Id", (row) => html`<a href=${hrefOf(["workflows", name, row.id])}>${row.id}</a>`],
        ["Status", (row) => html`<${Badge} status=${row.status} />`],
        ["Started", (row) => html`<${Time} at=${row.startedAt} />`],
        ["Ended", (row) => row.stoppedAt && html`<${Time} at=${row.stoppedAt} />`],
      ]} />`}
    ${list.next && html`<button type="button" onClick=${list.next}>More</button>`}`;
}

function Forms({ names }) {
  const [name, setName] = useState(names[0]);
  const [id, setId] = useState("");
  const [input, setInput] = useState("{}");
  const [error, setError] = useState(null);
  const start = async (event) => {
    event.preventDefault();
    setError(null);
    try {
      await post(`/workflows/${part(name)}`, { id, input: JSON.parse(input) });
      go(["workflows", name, id]);
    } catch (caught) {
      setError(caught instanceof SyntaxError ? { title: "The input is not JSON", message: caught.message } : caught);
    }
  };
  return html`<form onSubmit=${start}>
    <div class="bar">
      <label class="field">Workflow <select value=${name} onChange=${(event) => setName(event.target.value)}>
        ${names.map((one) => html`<option value=${one}>${one}</option>`)}</select></label>
      <label class="field">Id <input required maxlength="200" value=${id} autocomplete="off" onInput=${(event) => setId(event.target.value)} /></label>
      <button type="button" disabled=${!id} onClick=${() => go(["workflows", name, id])}>Show</button>
    </div>
    <label class="field">Input (JSON) <textarea rows="4" value=${input} spellcheck=${false} onInput=${(event) => setInput(event.target.value)}></textarea></label>
    <${Problem} error=${error} />
    <p><button type="submit" class="main">Start</button></p>
  </form>
  <${Executions} name=${name} />`;
}

function States({ name, id, status }) {
  const { data, error } = useData(() => get(`/workflows/${part(name)}/${part(id)}/run`), [name, id, status]);
  return html`<h2>History</h2><${Problem} error=${error} />
    ${data && !data.states && html`<p class="soft">No history is kept.</p>`}
    ${data?.states && html`<${Table} caption="States in the order in which they were entered"
      rows=${data.states.map((state, index) => ({ ...state, index }))} keyOf=${(row) => row.index} columns=${STATE_COLUMNS} />`}`;
}

function Execution({ name, id }) {
  const { data: run, error } = useData(() => get(`/workflows/${part(name)}/${part(id)}`), [name, id]);
  return html`<p class="small"><a href=${hrefOf(["workflows"])}>Workflows</a></p>
    <${Title}>${name} ${id}<//>
    <${Problem} error=${error} />
    ${run && html`<div aria-live="polite"><${Badge} status=${run.status} /></div>
      <${Facts} of=${[["Started", html`<${Time} at=${run.startedAt} />`], ["Ended", run.stoppedAt && html`<${Time} at=${run.stoppedAt} />`],
        ["Execution", html`<code>${run.executionArn}</code>`]]} />
      ${run.error && html`<div class="problem"><strong>${run.error}</strong> ${run.cause}</div>`}
      <${States} name=${name} id=${id} status=${run.status} />
      <h2>Input</h2><${Json} value=${run.input} label="Input" />
      ${run.output !== null && html`<h2>Output</h2><${Json} value=${run.output} label="Output" />`}`}`;
}
