// Imports: the list, and uploading a file.
import { get, post, upload } from "./api.js";
import { useData, usePages } from "./live.js";
import { go, hrefOf } from "./places.js";
import { Badge, Counted, html, Problem, Table, Time, Title, useRef, useState } from "./ui.js";

const KINDS = ".csv,.jsonl,.ndjson,.zip";

function Upload({ tables }) {
  const [table, setTable] = useState("");
  const [file, setFile] = useState(null);
  const [step, setStep] = useState("");
  const [error, setError] = useState(null);
  const [isOver, setOver] = useState(false);
  const picker = useRef(null);
  const chosen = table || tables[0] || "";
  const dropped = (event) => {
    event.preventDefault();
    setOver(false);
    if (event.dataTransfer.files.length) setFile(event.dataTransfer.files[0]);
  };
  const run = async (event) => {
    event.preventDefault();
    setError(null);
    try {
      setStep("Uploading the file");
      const link = await post("/imports/uploads", { fileName: file.name });
      await upload(link, file);
      setStep("Starting the import");
      const job = await post("/imports", { table: chosen, key: link.key });
      go(["imports", job.id]);
    } catch (caught) {
      setError(caught);
      setStep("");
    }
  };
  const over = (event) => { event.preventDefault(); setOver(true); };
  return html`<form onSubmit=${run} aria-label="Import a file">
    <div class=${`drop ${isOver ? "over" : ""}`} onDragOver=${over} onDragLeave=${() => setOver(false)} onDrop=${dropped}>
      <div class="bar">
        <label class="field">Table <select value=${chosen} onChange=${(event) => setTable(event.target.value)}>
          ${tables.map((one) => html`<option value=${one}>${one}</option>`)}</select></label>
        <label class="field">File (or drop one here)
          <input type="file" accept=${KINDS} ref=${picker} onChange=${() => setFile(picker.current.files[0] ?? null)} /></label>
        <button type="submit" class="main" disabled=${!file || !chosen || Boolean(step)}>Import</button>
      </div>
      <p class="small" aria-live="polite">${step || (file ? `${file.name}, ${file.size.toLocaleString()} bytes` : "CSV, JSON lines, or a ZIP archive of them.")}</p>
    </div>
    <${Problem} error=${error} />
  </form>`;
}

export function Imports({ query }) {
  const isOfArchives = query.archives === "true";
  const catalogue = useData(() => get("/catalogue"), []);
  const jobs = usePages((cursor) => get("/imports", { limit: 50, cursor, archives: isOfArchives ? "true" : undefined }), [isOfArchives]);
  return html`<${Title}>Imports<//>
    <${Upload} tables=${catalogue.data?.importTables ?? []} />
    <p class="small"><a href=${hrefOf(["imports"])} aria-current=${isOfArchives ? undefined : "true"}>Files</a> · ${" "}
      <a href=${hrefOf(["imports"], { archives: "true" })} aria-current=${isOfArchives ? "true" : undefined}>Archives</a></p>
    <${Problem} error=${jobs.error} />
    ${jobs.data && !jobs.items.length && html`<p class="soft">Nothing has been imported yet.</p>`}
    ${jobs.items.length > 0 && html`<${Table} caption="Imports" rows=${jobs.items} keyOf=${(row) => row.id}
      columns=${[
        ["File", (row) => html`<a href=${hrefOf(["imports", row.id])}>${row.file ?? row.key.split("/").pop()}</a>`],
        ["Table", (row) => row.table],
        ["Status", (row) => html`<${Badge} status=${row.status} />`],
        ["Rows", (row) => html`<${Counted} done=${row.counts.processed} total=${row.counts.total} label="Rows" />`],
        ["Failed", (row) => row.counts.failed, "number"],
        ["Created", (row) => html`<${Time} at=${row.createdAt} />`],
      ]} />`}
    ${jobs.next && html`<button type="button" onClick=${jobs.next}>More</button>`}`;
}
