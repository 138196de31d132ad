// Addresses within the page, such as '#/entities/ORDER/o1?version=3'. Segments are percent-encoded.

export function placeOf(hash) {
  const [path, search] = hash.replace(/^#\/?/, "").split("?");
  const query = Object.fromEntries(new URLSearchParams(search ?? ""));
  return { parts: path === "" ? [] : path.split("/").map(decoded), query };
}

function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

export function hrefOf(parts, query = {}) {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== null && value !== "");
  const search = given.length ? `?${new URLSearchParams(given)}` : "";
  return `#/${parts.map(encodeURIComponent).join("/")}${search}`;
}

export function go(parts, query) {
  window.location.hash = hrefOf(parts, query);
}
