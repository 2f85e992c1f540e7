// Fails when a payable page is heavier than its budget.
//
//   node budget.mjs [site directory, default dist/site] [page]
//
// `page` is an address or a file (from the gallery); without it only the assets are weighed. All sizes are brotli.
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync } from "node:zlib";

const CODE_MAX = 60 * 1024;
const DOCUMENT_MAX = 30 * 1024;

const root = resolve(dirname(fileURLToPath(import.meta.url)), "../..");
const [site = join(root, "dist/site"), page] = process.argv.slice(2);

async function html(from) {
  if (!from) return "";
  if (existsSync(from)) return readFileSync(from, "utf8");
  const reply = await fetch(from, { headers: { accept: "text/html" } });
  if (!reply.ok) throw new Error(`${from} answered ${reply.status}`);
  return reply.text();
}

function weigh(name, bytes, max) {
  const isFine = bytes <= max;
  console.log(`${name.padEnd(10)} ${String(bytes).padStart(6)} of ${max} B${isFine ? "" : "  TOO HEAVY"}`);
  return isFine;
}

const { css, js, wasm } = JSON.parse(readFileSync(join(site, "manifest.json"), "utf8"));
const text = await html(page);
const packed = text ? brotliCompressSync(Buffer.from(text)).length : 0;
const fine = [
  weigh("WASM + JS", wasm.brotli + js.brotli, CODE_MAX),
  weigh("HTML + CSS", packed + css.brotli, DOCUMENT_MAX),
];
process.exitCode = fine.every(Boolean) ? 0 : 1;
