// Definitions judged by asl-validator and amazon-states-language-service: {name: definition} in, [[tool, name, finding]] out.
// Needs both packages in NODE_PATH.
"use strict";
const validate = require("asl-validator");
const { getLanguageService, TextDocument } = require("amazon-states-language-service");

async function main() {
  const given = JSON.parse(require("fs").readFileSync(0, "utf8"));
  const service = getLanguageService({});
  const found = [];
  for (const [name, definition] of Object.entries(given)) {
    const judged = (validate.default || validate)(definition, { checkPaths: true, checkArn: true });
    for (const one of judged.errors) {
      found.push(["asl-validator", name, `${one["Error code"]}: ${one.Message} ${one.path || one.instancePath || ""}`.trim()]);
    }
    const text = TextDocument.create(`memory://${name}.asl.json`, "json", 1, JSON.stringify(definition, null, 1));
    for (const one of await service.doValidation(text, service.parseJSONDocument(text))) {
      const line = text.getText().split("\n")[one.range.start.line].trim();
      found.push(["amazon-states-language-service", name, `${one.message} at ${line}`]);
    }
  }
  process.stdout.write(JSON.stringify({ count: Object.keys(given).length, found }));
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
