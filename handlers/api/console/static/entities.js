// Search for entities by type and code.
import { get, part } from "./api.js";
import { usePages, useData } from "./live.js";
import { go, hrefOf } from "./places.js";
import { Badge, html, Problem, Table, Time, Title, useState } from "./ui.js";

const PAGE = 50;

export function Entities({ parts, query }) {
  const [type] = parts;
  const catalogue = useData(() => get("/catalogue"), []);
  const [wanted, setWanted] = useState(type ?? "");
  const [code, setCode] = useState(query.prefix ?? "");
  const types = catalogue.data?.entityTypes ?? [];
  const search = (event) => {
    event.preventDefault();
    if (wanted) go(["entities", wanted], { prefix: code });
  };
  return html`<${Title}>Entities<//>
    <form class="bar" role="search" onSubmit=${search}>
      <label class="field">Type <input list="types" required value=${wanted} autocomplete="off" spellcheck=${false}
        onInput=${(event) => setWanted(event.target.value)} /></label>
      <datalist id="types">${types.map((one) => html`<option value=${one}></option>`)}</datalist>
      <label class="field">Code begins with <input value=${code} autocomplete="off" spellcheck=${false}
        onInput=${(event) => setCode(event.target.value)} /></label>
      <button type="submit" class="main">Search</button>
    </form>
    ${type === undefined
      ? html`<h2>Types</h2><ul>${types.map((one) => html`<li key=${one}><a href=${hrefOf(["entities", one])}>${one}</a></li>`)}</ul>
        <${Problem} error=${catalogue.error} />`
      : html`<${Found} type=${type} prefix=${query.prefix ?? ""} key=${`${type}/${query.prefix}`} />`}`;
}

function Found({ type, prefix }) {
  const { items, isLoading, error, next } = usePages(
    (cursor) => get(`/entities/${part(type)}`, { limit: PAGE, prefix, cursor, includeDeleted: "true" }), [type, prefix]);
  return html`<h2>${type}${prefix && html`, codes from ${prefix}`}</h2>
    <${Problem} error=${error} />
    ${isLoading && html`<p class="loading">Loading</p>`}
    ${!isLoading && !items.length && !error && html`<p class="soft">No applied entity found.
      ${prefix && html` <a href=${hrefOf(["entities", type, prefix])}>Look for the versions of ${type} ${prefix}</a>`}</p>`}
    ${items.length > 0 && html`<${Table} caption=${`Entities of type ${type}`} rows=${items} keyOf=${(row) => row.code}
      columns=${[
        ["Code", (row) => html`<a href=${hrefOf(["entities", type, row.code])}>${row.code}</a>`],
        ["Name", (row) => row.name],
        ["Version", (row) => row.version, "number"],
        ["Changed", (row) => html`<${Time} at=${row.updatedAt} />`],
        ["", (row) => (row.isDeleted ? html`<${Badge} status="deleted" />` : "")],
      ]} />`}
    ${next && html`<p><button type="button" onClick=${next}>More</button></p>`}`;
}
