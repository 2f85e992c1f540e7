// Builds the pages' assets: WebAssembly, its loader and the style sheet, hashed and compressed, with a manifest.
//
//   node site.mjs <frontend.wasm> [output directory, default dist/site]
//
// The output appears at once or not at all, and is left alone while the inputs are the same.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { basename, delimiter, dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants } from "node:zlib";
import { build, version as esbuildVersion } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const root = resolve(here, "../..");
const styles = join(root, "style");
const bin = join(here, "../node_modules/.bin");

// What rustc emits for this target by default; wasm-opt must be told.
const WASM_FEATURES = [
  "bulk-memory", "bulk-memory-opt", "call-indirect-overlong", "multivalue", "mutable-globals", "nontrapping-float-to-int",
  "reference-types", "sign-ext",
].map((feature) => `--enable-${feature}`);

function run(tool, args) {
  const path = [bin, process.env.PATH, join(homedir(), ".cache/till/tools/bin")].join(delimiter);
  execFileSync(tool, args, { env: { ...process.env, PATH: path }, stdio: ["ignore", "inherit", "inherit"] });
}

function files(directory) {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .sort();
}

function fingerprint(wasm) {
  const hash = createHash("sha256").update(esbuildVersion);
  for (const file of [wasm, join(here, "../package-lock.json"), ...files(here), ...files(styles)]) {
    hash.update(file).update("\0").update(readFileSync(file)).update("\0");
  }
  return hash.digest("hex");
}

function webAssembly(wasm, work) {
  run("wasm-bindgen", [wasm, "--target", "web", "--no-typescript", "--out-dir", work, "--out-name", "till"]);
  const optimised = join(work, "till.opt.wasm");
  run("wasm-opt", ["-Oz", "--converge", "--strip-debug", "--strip-producers", "--strip-target-features", ...WASM_FEATURES, join(work, "till_bg.wasm"), "-o", optimised]);
  return readFileSync(optimised);
}

async function bundle(entry, options) {
  const target = ["chrome109", "firefox115", "safari16.4"];
  const result = await build({ entryPoints: [entry], bundle: true, minify: true, write: false, target, legalComments: "none", ...options });
  return Buffer.from(result.outputFiles[0].contents);
}

function publish(directory, kind, content) {
  const sha = (algorithm, encoding) => createHash(algorithm).update(content).digest(encoding);
  const file = `till-${sha("sha256", "hex").slice(0, 16)}.${kind}`;
  const params = { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: content.length };
  const packed = brotliCompressSync(content, { params });
  writeFileSync(join(directory, file), content);
  writeFileSync(join(directory, `${file}.br`), packed);
  return { file, integrity: `sha384-${sha("sha384", "base64")}`, bytes: content.length, brotli: packed.length };
}

function print(manifest) {
  for (const kind of ["css", "js", "wasm"]) {
    const { bytes, brotli, file } = manifest[kind];
    console.log(`${kind.padEnd(5)} ${String(bytes).padStart(7)} B  ${String(brotli).padStart(6)} B brotli  ${file}`);
  }
}

async function site(wasm, out) {
  const manifestPath = join(out, "manifest.json");
  const inputs = fingerprint(wasm);
  if (existsSync(manifestPath)) {
    const manifest = JSON.parse(readFileSync(manifestPath, "utf8"));
    if (manifest.inputs === inputs) return print(manifest);
  }
  mkdirSync(dirname(out), { recursive: true });
  // Beside the target, because a rename must stay on one file system.
  const work = mkdtempSync(join(dirname(out), ".site-work-"));
  try {
    const next = join(work, basename(out));
    mkdirSync(next);
    const wasmContent = webAssembly(wasm, work);
    const glue = { "till-glue": join(work, "till.js") };
    const js = await bundle(join(here, "loader.js"), { format: "esm", alias: glue });
    const css = await bundle(join(styles, "main.css"), {});
    const manifest = {
      inputs,
      css: publish(next, "css", css),
      js: publish(next, "js", js),
      wasm: publish(next, "wasm", wasmContent),
    };
    writeFileSync(join(next, "manifest.json"), `${JSON.stringify(manifest, null, 2)}\n`);
    if (existsSync(out)) renameSync(out, join(work, "old"));
    renameSync(next, out);
    print(manifest);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

const [wasm, out = join(root, "dist/site")] = process.argv.slice(2);
if (!wasm) {
  console.error("usage: node site.mjs <frontend.wasm> [output directory]");
  process.exit(2);
}
await site(resolve(wasm), resolve(out));
