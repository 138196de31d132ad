// All access to the stack goes through its HTTP API. The caller is chosen on the page (laptop) or named by a token (AWS).
export const settings = JSON.parse(document.querySelector('meta[name="console-settings"]').content);

const STORED = "console-caller";

function stored() {
  try {
    return JSON.parse(window.sessionStorage.getItem(STORED)) ?? {};
  } catch {
    return {};
  }
}

/** Tenant, development user and token; kept until the tab is closed, and nowhere else. */
export let caller = { tenant: "", user: settings.users?.[0] ?? "", token: "", ...stored() };

export function setCaller(changes) {
  caller = { ...caller, ...changes };
  window.sessionStorage.setItem(STORED, JSON.stringify(caller));
}

export function forgetCaller() {
  window.sessionStorage.removeItem(STORED);
  caller = { tenant: "", user: settings.users?.[0] ?? "", token: "" };
}

/** An error response of the API: a problem document (RFC 9457). */
export class ApiProblem extends Error {
  constructor(status, body) {
    super(body.detail ?? body.message ?? `HTTP ${status}`);
    this.status = status;
    this.title = body.title ?? "The request failed";
    this.errors = body.errors;
    this.requestId = body.requestId;
  }
}

/** Encode a path segment. API Gateway decodes it once, and the API again. */
export const part = (text) => encodeURIComponent(encodeURIComponent(text));

function headers(body) {
  const sent = { Accept: "application/json" };
  if (body !== undefined) sent["Content-Type"] = "application/json";
  if (caller.tenant) sent["X-Cqrs-Tenant"] = caller.tenant;
  if (settings.users && caller.user) sent["X-Local-User"] = caller.user;
  if (caller.token) sent.Authorization = `Bearer ${caller.token}`;
  return sent;
}

/** Call the API. ``path`` starts with a slash; missing values of ``query`` are omitted. Throws ApiProblem. */
export async function ask(method, path, { query = {}, body } = {}) {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== null && value !== "");
  const search = given.length ? `?${new URLSearchParams(given)}` : "";
  let answer;
  try {
    answer = await fetch(`${settings.base}${path}${search}`, {
      method,
      headers: headers(body),
      body: body === undefined ? undefined : JSON.stringify(body),
      credentials: "omit",
      cache: "no-store",
    });
  } catch (error) {
    throw new ApiProblem(0, { title: "No answer", detail: String(error.message) });
  }
  const text = await answer.text();
  let found = {};
  try {
    found = text ? JSON.parse(text) : {};
  } catch {
    found = { detail: `HTTP ${answer.status}` };
  }
  if (!answer.ok) throw new ApiProblem(answer.status, found);
  return found;
}

export const get = (path, query) => ask("GET", path, { query });
export const post = (path, body, query) => ask("POST", path, { query, body });

/** Upload a file to the link from the API. On a laptop, its host may differ from that of the page. */
export async function upload(link, file) {
  const url = new URL(link.url);
  if (settings.users) url.host = window.location.host;
  const answer = await fetch(url, { method: link.method, body: file, credentials: "omit" });
  if (!answer.ok) throw new ApiProblem(answer.status, { title: "The upload failed", detail: `HTTP ${answer.status}` });
}
