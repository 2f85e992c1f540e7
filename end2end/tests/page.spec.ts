// The page's requests, headers and weight.
import { brotliDecompressSync } from "node:zlib";

import { expect, test } from "./support/fixtures.ts";
import { CARDS, goBack, heading, open, payAndReturn, pressPay, seePhase, seeReady, sessionUrl, submitCard } from "./support/shopper.ts";
import { raw } from "./support/wire.ts";

const KB = 1024;

test("a payable page asks no other origin for anything, and complains about nothing", async ({ page, till, watch }) => {
  const asked: string[] = [];
  page.on("request", (request) => asked.push(request.url()));
  await open(page, till.ready.pay_link);
  await seeReady(page);
  const ours = () => asked.filter((url) => !url.startsWith("data:"));
  // The link's page loads four files: the page, its style, its loader and its WebAssembly.
  await expect.poll(() => ours().length).toBeGreaterThanOrEqual(4);
  await page.waitForLoadState("load");
  // A session's page has a stream as well, which opens after the page has loaded.
  await open(page, await till.session());
  await seeReady(page);
  await expect.poll(() => ours().some((url) => url.endsWith("/events"))).toBe(true);
  await page.waitForLoadState("load");
  expect(ours().filter((url) => new URL(url).origin !== till.ready.public_url)).toEqual([]);
  expect(watch.problems).toEqual([]);
});

test("the tests' own watch notices what pages must never do", async ({ page, till, watch }) => {
  await open(page, await till.link());
  await page.evaluate((elsewhere) => {
    document.body.append(Object.assign(document.createElement("img"), { src: `${elsewhere}/pixel.png` }));
    document.body.append(Object.assign(document.createElement("script"), { textContent: "window.inline = true" }));
    document.body.setAttribute("style", "color: red");
  }, till.ready.sandbox_url);
  await expect.poll(() => watch.problems.join("\n")).toMatch(/Content Security Policy/);
  await expect.poll(() => watch.problems.length).toBeGreaterThanOrEqual(2);
  expect(await page.evaluate(() => "inline" in window)).toBe(false);
  watch.problems.length = 0;
});

test("every reply carries the security headers", async ({ page, till }) => {
  await open(page, await till.session());
  const session = sessionUrl(page);
  await pressPay(page);
  const { public_url } = till.ready;
  const style = /href="(\/assets\/[^"]+\.css)"/.exec(await (await fetch(session)).text())![1]!;
  const pages = [
    [`${public_url}/`, 200],
    [session, 200],
    [`${session}/return`, 200],
    [`${session}/go`, 200],
    [`${public_url}/c/nothing`, 404],
    [`${public_url}/nothing`, 404],
    [`${public_url}${style}`, 200],
    [await till.link(), 200],
  ] as const;
  for (const [url, status] of pages) {
    const reply = await raw(url);
    expect(reply.status, url).toBe(status);
    const policy = String(reply.headers["content-security-policy"]);
    const rules = new Map(policy.split(";").map((rule) => [rule.trim().split(" ")[0]!, rule.trim().split(" ").slice(1)]));
    expect(rules.get("default-src"), url).toEqual(["'none'"]);
    expect(rules.get("frame-ancestors"), url).toEqual(["'none'"]);
    expect(rules.get("form-action"), url).toEqual(["'self'"]);
    expect(rules.get("base-uri"), url).toEqual(["'none'"]);
    // The page has no inline code, and all its files come from its own server.
    expect(policy, url).not.toMatch(/unsafe-inline|'unsafe-eval'|https?:|\*/);
    expect(reply.headers["x-content-type-options"], url).toBe("nosniff");
    expect(reply.headers["x-frame-options"], url).toBe("DENY");
    expect(reply.headers["referrer-policy"], url).toMatch(/same-origin|no-referrer/);
    expect(reply.headers["cross-origin-opener-policy"], url).toBe("same-origin");
    expect(reply.headers["permissions-policy"], url).toContain("camera=()");
    expect(reply.headers["set-cookie"], url).toBeUndefined();
    expect(reply.headers.server, url).toBeUndefined();
    const cached = url.endsWith(".css") ? /immutable/ : /no-store/;
    expect(reply.headers["cache-control"], url).toMatch(cached);
  }
});

test("scripts, styles and WebAssembly are tied to their content", async ({ page, till }) => {
  await open(page, await till.session());
  const html = (await raw(sessionUrl(page), { "accept-encoding": "identity" })).body.toString();
  for (const tag of html.match(/<(script|link)\b[^>]*\/assets\/[^>]*>/g) ?? []) {
    expect(tag).toMatch(/integrity="sha384-[A-Za-z0-9+/=]{64}"/);
  }
  expect(html).toMatch(/data-wasm-integrity="sha384-[A-Za-z0-9+/=]{64}"/);
  expect(html).not.toMatch(/<script(?![^>]*\bsrc=)|<style|\sstyle="|\son[a-z]+="/);
});

test("the provider does not learn the session's address", async ({ page, till }) => {
  await open(page, await till.link());
  const asked = page.waitForRequest((request) => request.url().includes("/c/pay/"));
  await pressPay(page);
  expect((await (await asked).allHeaders()).referer).toBeUndefined();
});

test("a payable page weighs no more than it may", async ({ browser, till }) => {
  // A new browser context has an empty cache, and its own network stack counts the bytes.
  const context = await browser.newContext();
  const page = await context.newPage();
  const network = await context.newCDPSession(page);
  await network.send("Network.enable");
  const kinds = new Map<string, { url: string; type: string }>();
  const transferred = new Map<string, number>();
  network.on("Network.responseReceived", ({ requestId, type, response }) => kinds.set(requestId, { url: response.url, type }));
  network.on("Network.loadingFinished", ({ requestId, encodedDataLength }) => transferred.set(requestId, encodedDataLength));
  await open(page, till.ready.pay_link);
  await seeReady(page);
  const file = (pattern: RegExp) => [...kinds].find(([, { url }]) => pattern.test(url));
  const parts = { html: /\/l\/[0-9a-z]{26}$/, css: /\.css$/, js: /\.js$/, wasm: /\.wasm$/ };
  const sizes: Record<string, number> = {};
  for (const [name, pattern] of Object.entries(parts)) {
    await expect.poll(() => transferred.has(file(pattern)?.[0] ?? "")).toBe(true);
    sizes[name] = transferred.get(file(pattern)![0])!;
    // A request without a browser gets the same file, compressed with brotli, and really smaller.
    const reply = await raw(file(pattern)![1].url);
    expect(reply.headers["content-encoding"], name).toBe("br");
    expect(brotliDecompressSync(reply.body).length).toBeGreaterThan(reply.bytes);
    expect(sizes[name], name).toBeGreaterThanOrEqual(reply.bytes);
  }
  await context.close();
  const document = sizes.html! + sizes.css!;
  const program = sizes.js! + sizes.wasm!;
  const kb = (bytes: number) => `${(bytes / KB).toFixed(1)} KB`;
  const list = Object.entries(sizes).map(([name, bytes]) => `${name} ${kb(bytes)}`).join(", ");
  console.log(`    transferred, headers included: ${list}; HTML + CSS ${kb(document)}, WASM + JS ${kb(program)}`);
  expect(document).toBeLessThanOrEqual(30 * KB);
  expect(program).toBeLessThanOrEqual(60 * KB);
});

test("the merchant's text is text", async ({ page, till }) => {
  const evil = `<img src=x onerror=alert(1)>"'&lt;`;
  const { id: merchant } = await till.cli<{ id: string }>("merchant", "add", `${evil} & Co`);
  await till.cli(
    "provider", "add", "stripe", "--merchant", merchant, "--base-url", till.ready.sandbox_url,
    "--credential", `secret_key=${till.ready.sandbox_key}`,
  );
  await open(page, await till.link({ merchant, lines: [`${evil}=5`] }));
  await expect(page.locator(".line-name")).toContainText(evil);
  await expect(page.locator(".merchant")).toContainText(evil);
  await expect(page.locator("main img, .summary img, header img")).toHaveCount(0);
});

test("a page without WebAssembly goes on as plain HTML", async ({ page, till, watch }) => {
  watch.allow(/\.wasm|ERR_FAILED/);
  await page.route("**/*.wasm", (route) => route.abort());
  await till.sandbox.hold();
  await open(page, await till.link());
  await pressPay(page);
  await submitCard(page, CARDS.pays);
  await expect(heading(page)).toHaveText("Confirming with your bank");
  await till.sandbox.release();
  await seePhase(page, "paid", 15_000);
});

test("a link that was switched off says so, and an open session goes on", async ({ page, newShopper, till, watch }) => {
  watch.allow(/status of 410/);
  const made = await till.cli<{ id: string; url: string }>(
    "link", "add", "--merchant", till.ready.merchant, "--currency", "EUR", "--line", "Tea=5", "--reusable",
  );
  const { url: session } = await till.cli<{ url: string }>("link", "session", made.id);
  await open(page, made.url);
  await till.cli("link", "disable", made.id);
  // A page that was opened before is answered in words.
  await page.locator("#pay").click();
  await expect(heading(page)).toHaveText("This payment link is not active");
  await open(page, session);
  const late = await (await newShopper()).newPage();
  const reply = await raw(made.url);
  expect(reply.status).toBe(410);
  // The reply is an error and still a page.
  await late.setContent(brotliDecompressSync(reply.body).toString().replace(/<link[^>]*>/g, ""));
  await expect(late.getByRole("heading", { level: 1 })).toHaveText("This payment link is not active");
  await pressPay(page);
  await goBack(page);
  await seePhase(page, "resume");
  await page.locator("#resume").click();
  await payAndReturn(page);
  await seePhase(page, "paid");
});
