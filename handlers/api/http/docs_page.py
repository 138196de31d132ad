"""The page of ``GET /docs``: one file without external assets. The document's contents are rendered as text."""

from __future__ import annotations

HTML = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>API</title>
<style>
  :root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
  body { margin: 0 auto; max-width: 60rem; padding: 1rem; overflow-wrap: anywhere; }
  summary { cursor: pointer; padding: .4rem 0; }
  code, pre { font: .9rem/1.4 ui-monospace, monospace; }
  pre { overflow: auto; padding: .75rem; background: color-mix(in srgb, currentColor 8%, transparent); }
  table { border-collapse: collapse; } td, th { text-align: left; padding: .2rem .8rem .2rem 0; vertical-align: top; }
  .method { display: inline-block; min-width: 4rem; font-weight: 600; }
</style>
<h1 id="title">API</h1>
<p id="about" style="white-space: pre-line"></p>
<p><a href="openapi.json">openapi.json</a></p>
<main id="routes" aria-live="polite">Loading</main>
<script>
"use strict";
const make = (name, text, ...children) => {
  const one = document.createElement(name);
  if (text) one.textContent = text;
  one.append(...children);
  return one;
};
const shown = (value) => make("pre", JSON.stringify(value, null, 2));
const resolved = (api, schema) => {
  const name = schema && schema.$ref && schema.$ref.split("/").pop();
  return name ? { [name]: api.components.schemas[name] } : schema;
};
const rows = (entries) => {
  const table = make("table");
  for (const cells of entries) table.append(make("tr", "", ...cells.map((cell) => make("td", cell))));
  return table;
};
const route = (api, method, path, operation) => {
  const one = make("details");
  const head = make("summary");
  const verb = make("span", method.toUpperCase());
  verb.className = "method";
  head.append(verb, make("code", path), document.createTextNode(" \\u2014 " + operation.summary));
  one.append(head, make("p", operation.description));
  const parameters = operation.parameters || [];
  if (parameters.length) {
    one.append(make("h4", "Parameters"));
    one.append(rows(parameters.map((p) => [p.name, p.in + (p.required ? ", required" : ""), p.description || ""])));
  }
  const body = operation.requestBody && operation.requestBody.content["application/json"];
  if (body) one.append(make("h4", "Body"), shown(body.example), shown(resolved(api, body.schema)));
  one.append(make("h4", "Answers"));
  one.append(rows(Object.entries(operation.responses).map(([status, answer]) => [status, answer.description])));
  const good = operation.responses["200"] || operation.responses["202"];
  const schema = good && good.content && good.content["application/json"] && good.content["application/json"].schema;
  if (schema) one.append(shown(resolved(api, schema)));
  return one;
};
fetch("openapi.json", { headers: { Accept: "application/json" } }).then((answer) => {
  if (!answer.ok) throw new Error("HTTP " + answer.status);
  return answer.json();
}).then((api) => {
  document.getElementById("title").textContent = api.info.title;
  document.getElementById("about").textContent = api.info.description;
  const parts = Object.entries(api.paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, operation]) => route(api, method, path, operation)));
  document.getElementById("routes").replaceChildren(...parts);
}).catch((error) => {
  document.getElementById("routes").textContent = "The document could not be loaded: " + error.message;
});
</script>
"""
