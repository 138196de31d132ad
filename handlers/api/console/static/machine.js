// The command's state machine as defined, with a version's position in it and the duration of each state.
import { html, lasted, STATE_COLUMNS, Table, Time, useEffect, useState } from "./ui.js";

const BOX = { width: 166, height: 34 };
const ROW = 52, RIGHT = 206, BUS = 186, LEFT_BUS = -14, VIEW = { left: -24, width: 404 };
/** Statuses name the state inside the map; the diagram shows the map itself. */
const STATE_OF = { sync_data: "sync_data_all" };
let machines;

function load() {
  machines ??= fetch(new URL("machines.json", import.meta.url), { credentials: "omit" }).then((answer) => answer.json());
  return machines;
}

/** Layout: the path from start to success in column 0, other states in column 1. ``places``: name to column and row. */
function placed(machine) {
  const byName = new Map(machine.states.map((state) => [state.name, state]));
  const main = [];
  for (let name = machine.startAt; name && !main.includes(name); name = byName.get(name).next[0]) main.push(name);
  const places = new Map(main.map((name, row) => [name, { column: 0, row }]));
  let free = 0;
  for (const state of machine.states) {
    if (places.has(state.name)) continue;
    const before = machine.states.find((one) => one.next.includes(state.name) && places.has(one.name));
    const row = Math.max(free, before && !state.isEnd ? places.get(before.name).row : free);
    places.set(state.name, { column: 1, row });
    free = row + 1;
  }
  return { places, main };
}

/** Name of a state to its look: good, busy, bad, or none. */
function marksOf(main, status, outcome, run) {
  const marks = new Map();
  const [named, phase] = status.split(":");
  const at = STATE_OF[named] ?? named;
  const reached = main.indexOf(at);
  if (outcome === "APPLIED") main.forEach((name) => marks.set(name, "good"));
  else main.slice(0, Math.max(reached, 0)).forEach((name) => marks.set(name, "good"));
  for (const state of run?.states ?? []) marks.set(state.name, state.exitedAt ? "good" : run.status === "RUNNING" ? "busy" : "");
  if (outcome === "OPEN" && named !== "publish") marks.set(at, phase === "FINISHED" ? "good" : "busy");
  if (outcome === "FAILED") {
    marks.set(at, "bad");
    marks.set("record_failure", "good");
    marks.set("fail", "bad");
    marks.delete("success");
  }
  return marks;
}

/** Name of a state to its duration in milliseconds; for a running one, until now. */
function timesOf(run) {
  const times = new Map();
  for (const state of run?.states ?? []) {
    const took = (state.exitedAt ? Date.parse(state.exitedAt) : Date.now()) - Date.parse(state.enteredAt);
    times.set(state.name, (times.get(state.name) ?? 0) + took);
  }
  return times;
}

function pathBetween(from, to) {
  const x = (place) => (place.column ? RIGHT : 0);
  const middle = (place) => place.row * ROW + BOX.height / 2;
  if (from.column === 0 && to.column === 0) {
    if (to.row === from.row + 1) return `M${BOX.width / 2} ${from.row * ROW + BOX.height}V${to.row * ROW - 5}`;
    return `M0 ${middle(from)}H${LEFT_BUS}V${middle(to)}H-5`;
  }
  if (from.column === 0) return `M${BOX.width} ${middle(from)}H${BUS - 8}V${middle(to)}H${RIGHT - 5}`;
  if (to.column === 0) return `M${RIGHT} ${middle(from) - 6}H${BUS}V${middle(to)}H${BOX.width + 5}`;
  return `M${x(from) + BOX.width / 2} ${from.row * ROW + BOX.height}V${to.row * ROW - 5}`;
}

function Edges({ machine, places }) {
  const edges = [];
  for (const state of machine.states) {
    for (const name of new Set(state.next)) edges.push([state.name, name, false]);
    for (const name of new Set(state.errors)) if (!state.next.includes(name)) edges.push([state.name, name, true]);
  }
  return edges.filter(([from, to]) => from !== to).map(([from, to, isError]) => html`<path key=${`${from} ${to}`}
    class=${isError ? "error" : ""} marker-end="url(#arrow)" d=${pathBetween(places.get(from), places.get(to))} />`);
}

export function Machine({ status, outcome, run }) {
  const [found, setFound] = useState(null);
  useEffect(() => { load().then(setFound, () => setFound({})); }, []);
  const machine = found?.[run?.machine ?? "command"];
  if (!machine) return html`<p class="loading">Loading</p>`;
  const { places, main } = placed(machine);
  const marks = marksOf(main, status, outcome, run);
  const times = timesOf(run);
  const rows = Math.max(...[...places.values()].map((place) => place.row)) + 1;
  const label = `State machine of the command: ${status}, ${outcome}`;
  const states = run ? run.states.filter((state) => times.has(state.name)) : [];
  return html`<div>
    <svg class="machine" role="img" aria-label=${label} viewBox=${`${VIEW.left} -2 ${VIEW.width} ${rows * ROW}`} width=${VIEW.width}>
      <defs><marker id="arrow" viewBox="0 0 6 6" refX="5" refY="3" markerWidth="6" markerHeight="6" orient="auto">
        <path class="arrow" d="M0 0L6 3L0 6z" /></marker></defs>
      <${Edges} machine=${machine} places=${places} />
      ${machine.states.map((state) => {
        const place = places.get(state.name);
        const took = times.get(state.name);
        return html`<g key=${state.name} class=${marks.get(state.name) ?? ""} transform=${`translate(${place.column ? RIGHT : 0} ${place.row * ROW})`}>
          <rect width=${BOX.width} height=${BOX.height} rx=${state.type === "Choice" ? 16 : 4} />
          <text x="8" y=${took === undefined ? 22 : 15}>${state.name}</text>
          ${took !== undefined && html`<text class="time" x="8" y="28">${lasted(took)}</text>`}
        </g>`;
      })}
    </svg>
    ${run ? html`<details><summary>All states</summary>
      <p class="small soft">Started <${Time} at=${run.startedAt} />${run.stoppedAt && html`, ended <${Time} at=${run.stoppedAt} />`}, ${run.status}.</p>
      <${Table} caption="States in the order in which they were entered" rows=${states.map((state, index) => ({ ...state, index }))} keyOf=${(row) => row.index}
        columns=${STATE_COLUMNS} /></details>`
      : html`<p class="small soft">The duration of each state is unknown: the state machine keeps no history, or only operators may see it.</p>`}
  </div>`;
}
