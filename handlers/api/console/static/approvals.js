// The inbox: approvals that workflows are waiting for.
import { get, part, post } from "./api.js";
import { usePages } from "./live.js";
import { Badge, Confirm, Fragment, html, Problem, Table, Time, Title, useState } from "./ui.js";

const QUESTIONS = {
  APPROVED: { title: "Approve?", verb: "Approve", reason: null },
  REJECTED: { title: "Reject?", verb: "Reject", reason: "Reason (shown to the requester)" },
};

export function Approvals() {
  const inbox = usePages((cursor) => get("/approvals", { limit: 50, cursor }), []);
  const [asked, setAsked] = useState(null);
  const [notice, setNotice] = useState("");
  const answer = async (reason) => {
    const { decision, row } = asked;
    const done = await post(`/approvals/${part(row.workflow)}/${part(row.requestId)}/answer`,
      { decision, ...(decision === "REJECTED" ? { reason } : {}) });
    setNotice(`${row.subject}: ${done.status.toLowerCase()}${done.delivered ? "" : "; no workflow was waiting for the answer"}`);
  };
  const close = (done) => { setAsked(null); if (done) inbox.reload(); };
  return html`<${Title}>Approvals<//>
    <div aria-live="polite">${notice && html`<p class="note">${notice}</p>`}</div>
    <${Problem} error=${inbox.error} />
    ${inbox.data && !inbox.items.length && html`<p class="soft">There are no open approvals.</p>`}
    ${inbox.items.length > 0 && html`<${Table} caption="Open approvals" rows=${inbox.items} keyOf=${(row) => `${row.workflow}/${row.requestId}`}
      columns=${[
        ["Subject", (row) => row.subject],
        ["Workflow", (row) => `${row.workflow} ${row.requestId}`],
        ["Asked by", (row) => row.requestedBy],
        ["Asked", (row) => html`<${Time} at=${row.requestedAt} />`],
        ["Status", (row) => html`<${Badge} status=${row.status} />`],
        ["Answer", (row) => html`<${Fragment}>
          <button type="button" class="main" aria-label=${`Approve ${row.subject}`} onClick=${() => setAsked({ decision: "APPROVED", row })}>Approve…</button>
          ${" "}<button type="button" aria-label=${`Reject ${row.subject}`} onClick=${() => setAsked({ decision: "REJECTED", row })}>Reject…</button><//>`],
      ]} />`}
    ${inbox.next && html`<button type="button" onClick=${inbox.next}>More</button>`}
    ${asked && html`<${Confirm} ...${QUESTIONS[asked.decision]} preview=${async () => html`<p>${asked.row.subject}</p>`} act=${answer} onClose=${close} />`}`;
}
