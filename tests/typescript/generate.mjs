// Writes TypeScript types for an OpenAPI schema: node generate.mjs schema.json api.d.ts
import { readFile, writeFile } from "node:fs/promises";
import { argv } from "node:process";
import openapiTS, { astToString } from "openapi-typescript";
import ts from "typescript";

const BLOB = ts.factory.createTypeReferenceNode(ts.factory.createIdentifier("Blob"));
const [schema, types] = argv.slice(2);

const nodes = await openapiTS(JSON.parse(await readFile(schema, "utf-8")), {
  // A file is no text: what FormData takes is a Blob.
  transform: (each) => (each.format === "binary" ? BLOB : undefined),
});
await writeFile(types, astToString(nodes));
