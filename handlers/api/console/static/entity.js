// One entity: its versions as a timeline, and the outcome of the selected one.
import { get, part } from "./api.js";
import { Act } from "./actions.js";
import { useData, usePages } from "./live.js";
import { Machine } from "./machine.js";
import { hrefOf } from "./places.js";
import { Badge, Facts, html, Json, lookOf, Problem, Table, Time, Title, useState } from "./ui.js";

const PAGE = 20;

const pathOf = (type, code) => `/entities/${part(type)}/${part(code)}`;

/** Version to show first: the oldest listed one that is open or failed, else the newest. */
function firstShown(versions) {
  const open = versions.filter((one) => one.outcome === "OPEN" || one.outcome === "FAILED");
  return (open[open.length - 1] ?? versions[0])?.command.version ?? null;
}

export function Entity({ type, code, version, kind }) {
  const path = pathOf(type, code);
  const history = usePages((cursor) => get(`${path}/history`, { limit: PAGE, cursor, kind }), [type, code]);
  const explained = useData(() => get(`${path}/explain`, { kind }), [type, code]);
  const [chosen, setChosen] = useState(version);
  const versions = history.items;
  const shown = chosen ?? firstShown(versions);
  const current = versions.find((one) => one.command.version === shown);
  const explanation = explained.data?.versions.find((one) => one.version === shown);
  const reload = () => { history.reload(); explained.reload(); };
  return html`<p class="small"><a href=${hrefOf(["entities", type])}>All of type ${type}</a></p>
    <${Title}>${type} ${code}<//>
    <${Problem} error=${history.error} />
    ${explained.data && html`<div class="note"><strong>What to do</strong>
      <ul>${explained.data.whatToDo.map((line) => html`<li>${line}</li>`)}</ul></div>`}
    ${history.isLoading && html`<p class="loading">Loading</p>`}
    <div class="split">
      <section aria-label="Versions">
        <h2>Versions</h2>
        <ol class="timeline" reversed aria-live="polite">${versions.map((one) => {
          const number = one.command.version;
          return html`<li key=${number} class=${lookOf(one.outcome)}>
            <button type="button" class="plain" aria-pressed=${String(number === shown)} onClick=${() => setChosen(number)}>Version ${number}</button>
            ${" "}<${Badge} status=${one.outcome} />
            <div class="small soft"><${Time} at=${one.command.updatedAt} /><br />${one.command.updatedBy}</div></li>`;
        })}</ol>
        ${history.next && html`<button type="button" onClick=${history.next}>Older versions</button>`}
      </section>
      ${current && html`<${Version} key=${shown} path=${path} kind=${kind} one=${current} explanation=${explanation} onDone=${reload} />`}
    </div>`;
}

function Version({ path, kind, one, explanation, onDone }) {
  const { command } = one;
  const own = `${path}/versions/${command.version}`;
  const run = useData(
    () => get(`${own}/run`, { kind }).catch((error) => {
      if (error.status === 403 || error.status === 404) return null;
      throw error;
    }), [own, one.status, one.attempt]);
  const targets = Object.entries(one.targets ?? {});
  return html`<section aria-label=${`Version ${command.version}`}>
    <h2>Version ${command.version}</h2>
    <p class="bar"><${Badge} status=${one.outcome} /><span class="mono">${one.status}</span>
      ${one.outcome === "FAILED" && html`<${Act} path=${own} kind=${kind} onDone=${onDone} />`}</p>
    ${one.error && html`<div class="problem"><strong>${one.error.type}</strong> ${one.error.state && html`in ${one.error.state}`}
      <div>${one.error.message}</div></div>`}
    ${explanation && explanation.whatToDo !== "nothing" && html`<p>${explanation.whatToDo}</p>`}
    <h3>Progress</h3>
    <${Machine} status=${one.status} outcome=${one.outcome} run=${run.data} />
    <h3>Targets</h3>
    ${targets.length === 0 ? html`<p class="soft">None yet.</p>` : html`<${Table} caption="Targets" rows=${targets} keyOf=${([name]) => name}
      columns=${[
        ["Target", ([name]) => name],
        ["Outcome", ([, at]) => html`<${Badge} status=${at.outcome ?? String(at)} />`],
        ["Attempt", ([, at]) => at.attempt ?? "", "number"],
        ["When", ([, at]) => html`<${Time} at=${at.at} />`],
      ]} />`}
    <h3>Command</h3>
    <${Facts} of=${[
      ["Name", command.name], ["Attempt", one.attempt], ["Published", html`<${Time} at=${command.updatedAt} />`],
      ["By", command.updatedBy], ["From", command.updatedIp], ["Source", command.source], ["Request", command.requestId],
      ["Deleted", command.isDeleted ? "yes" : null],
      ["Restarts", explanation?.restarts || null], ["Failed", explanation?.failedAt && html`<${Time} at=${explanation.failedAt} />`],
      ["Waiting since", explanation?.waitingSince && html`<${Time} at=${explanation.waitingSince} />`],
    ]} />
    ${command.attributesUrl
      ? html`<p><a href=${command.attributesUrl} rel="noreferrer" download>Download its attributes</a></p>`
      : html`<${Json} value=${command.attributes} label="Attributes" />`}
  </section>`;
}
