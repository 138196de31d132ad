// The frame: navigation, the caller, and the view for the address after the '#'.
import { caller, forgetCaller, setCaller, settings } from "./api.js";
import { Approvals } from "./approvals.js";
import { Entities } from "./entities.js";
import { Entity } from "./entity.js";
import { Import } from "./import.js";
import { Imports } from "./imports.js";
import { follow } from "./live.js";
import { Overview } from "./overview.js";
import { hrefOf, placeOf } from "./places.js";
import { Task, Tasks } from "./tasks.js";
import { html, render, Title, useEffect, useState } from "./ui.js";
import { Workflows } from "./workflows.js";

const VIEWS = [
  ["", "Overview", Overview],
  ["entities", "Entities", Entities],
  ["imports", "Imports", Imports],
  ["tasks", "Tasks", Tasks],
  ["approvals", "Approvals", Approvals],
  ["workflows", "Workflows", Workflows],
];
const EVENTS = ["command-status", "task-status", "sub-task-status", "import-status"];

function viewOf({ parts, query }) {
  const [view, one, two] = parts;
  if (view === "entities" && two !== undefined) return html`<${Entity} type=${one} code=${two} version=${Number(query.version) || null} kind=${query.kind} />`;
  if (view === "imports" && one !== undefined) return html`<${Import} id=${one} />`;
  if (view === "tasks" && one !== undefined) return html`<${Task} id=${one} />`;
  const found = VIEWS.find(([name]) => name === (view ?? ""));
  return found ? html`<${found[2]} parts=${parts.slice(1)} query=${query} />` : html`<${Title}>Page not found<//>`;
}

function Caller({ onChange }) {
  const [tenant, setTenant] = useState(caller.tenant);
  const [token, setToken] = useState("");
  const take = (event) => {
    event.preventDefault();
    setCaller({ tenant, ...(token ? { token } : {}) });
    setToken("");
    onChange();
  };
  const forget = () => { forgetCaller(); setTenant(""); onChange(); };
  return html`<form class="bar small" aria-label="Caller" onSubmit=${take}>
    ${settings.users && html`<label class="field">User
      <select value=${caller.user} onChange=${(event) => { setCaller({ user: event.target.value }); onChange(); }}>
        ${settings.users.map((user) => html`<option value=${user}>${user}</option>`)}
      </select></label>`}
    ${!settings.users && html`<label class="field">Bearer token
      <input type="password" autocomplete="off" value=${token} placeholder=${caller.token ? "already set" : ""}
        onInput=${(event) => setToken(event.target.value)} /></label>`}
    <label class="field">Tenant
      <input value=${tenant} placeholder=${settings.users ? "demo" : "the token's"} autocomplete="off" spellcheck=${false}
        onInput=${(event) => setTenant(event.target.value)} /></label>
    <button type="submit">Use</button>
    ${!settings.users && caller.token && html`<button type="button" onClick=${forget}>Forget the token</button>`}
  </form>`;
}

function Frame() {
  const [place, setPlace] = useState(placeOf(window.location.hash));
  const [changes, setChanges] = useState(0);
  useEffect(() => {
    const moved = () => setPlace(placeOf(window.location.hash));
    window.addEventListener("hashchange", moved);
    return () => window.removeEventListener("hashchange", moved);
  }, []);
  const current = place.parts[0] ?? "";
  const isKnown = settings.users || caller.token;
  const skip = (event) => { event.preventDefault(); document.querySelector("main").focus(); };
  return html`<div>
    <a class="skip-link" href="#" onClick=${skip}>Skip to the content</a>
    <header>
      <div class="bar top"><strong>CQRS console</strong><${Caller} onChange=${() => setChanges(changes + 1)} /></div>
      <nav aria-label="Views"><ul>${VIEWS.map(([name, title]) => html`<li key=${name}>
        <a href=${hrefOf([name])} aria-current=${current === name ? "page" : undefined}>${title}</a></li>`)}</ul></nav>
    </header>
    <main tabindex="-1" key=${`${changes} ${place.parts.join("/")}`}>
      ${isKnown ? viewOf(place) : html`<${Title}>Who are you?<//>
        <p>Every request needs a bearer token of this stack's issuer. Paste one above: it is kept in this tab only, and
        sent only to the API.</p>`}
    </main>
  </div>`;
}

follow(EVENTS);
const root = document.getElementById("console");
root.replaceChildren();
render(html`<${Frame} />`, root);
