// One debt is paid once, however often the button is pressed.
import { expect, test } from "./support/fixtures.ts";
import { open, payAndReturn, seePhase, seeProvider, seeReady, sessionUrl } from "./support/shopper.ts";

test("a double click opens one page at the provider", async ({ page, till }) => {
  // The fault is slow enough for the second click to arrive during the first request.
  await till.sandbox.fault("slow", { delay_ms: 1_500 });
  await open(page, await till.link());
  await seeReady(page);
  await page.locator("#pay").dblclick();
  await expect(page.locator("#pay")).toHaveText("Opening…");
  await seeProvider(page);
  expect(await till.sandbox.creates()).toHaveLength(1);
  expect((await till.sandbox.stats()).sessions).toBe(1);
});

test("a double click without scripts opens one page, too", async ({ newShopper, till }) => {
  await till.sandbox.fault("slow", { delay_ms: 700 });
  const context = await newShopper({ javaScriptEnabled: false });
  const page = await context.newPage();
  await open(page, await till.link());
  // The second form replaces the first: the browser aborts the first request.
  await page.locator("#pay").dblclick();
  await seeProvider(page);
  const keys = (await till.sandbox.creates()).map((call) => call.idempotency_key);
  expect(new Set(keys).size).toBe(1);
  expect((await till.sandbox.stats()).sessions).toBe(1);
});

test("who hangs up while the page is being opened and presses again is not kept waiting", async ({ page, till }) => {
  await till.sandbox.fault("slow", { delay_ms: 1_000 });
  await open(page, await till.session());
  const body = new URLSearchParams({ token: sessionUrl(page).split("/").pop()!, method: "card", lang: "en" });
  const headers = { accept: "text/html", origin: till.ready.public_url };
  const press = (signal?: AbortSignal) =>
    fetch(`${till.ready.public_url}/fn/start_payment`, { method: "POST", body, headers, redirect: "manual", signal });
  // Browsers abort requests like this: for the first of two forms, for a reload, and for a closed tab.
  const hangUp = new AbortController();
  const first = press(hangUp.signal).catch(() => "hung up");
  await expect.poll(() => till.sandbox.waitingFaults()).toBe(0);
  hangUp.abort();
  expect(await first).toBe("hung up");
  // The server finishes the aborted request at once. A job would finish it half a minute later.
  const second = await press(AbortSignal.timeout(10_000));
  expect(second.headers.get("location")).toMatch(/\/go$/);
  expect(await till.sandbox.creates()).toHaveLength(1);
});

test("two people on two devices open one page between them", async ({ newShopper, till }) => {
  await till.sandbox.fault("slow", { delay_ms: 700 });
  const link = await till.link();
  const pages = await Promise.all(
    [1, 2].map(async () => {
      const page = await (await newShopper()).newPage();
      await open(page, link);
      await seeReady(page);
      return page;
    }),
  );
  // Both buttons are pressed at once. A click through the mouse would wait for a stable button and come after the other press.
  await Promise.all(pages.map((page) => page.locator("#pay").evaluate((button: HTMLElement) => button.click())));
  await Promise.all(pages.map((page) => seeProvider(page)));
  expect(pages[0]!.url()).toBe(pages[1]!.url());
  expect(await till.sandbox.creates()).toHaveLength(1);
  expect((await till.sandbox.stats()).sessions).toBe(1);

  // The second shopper finds the debt paid.
  await payAndReturn(pages[0]!);
  await pages[1]!.reload();
  await expect(pages[1]!.getByRole("heading", { name: "You have already paid" })).toBeVisible();
  await pages[1]!.getByRole("link", { name: /^Back to / }).click();
  await seePhase(pages[1]!, "paid");
  expect((await till.sandbox.stats()).charges_succeeded).toBe(1);
});

test("twenty presses at the same moment open one page", async ({ page, till }) => {
  await till.sandbox.fault("slow", { delay_ms: 300 });
  await open(page, await till.session());
  const session = sessionUrl(page);
  const body = new URLSearchParams({ token: session.split("/").pop()!, method: "card", lang: "en" });
  const press = async () => {
    const headers = { accept: "text/html", origin: till.ready.public_url };
    const init = { method: "POST", body, headers, redirect: "manual" as const };
    const reply = await fetch(`${till.ready.public_url}/fn/start_payment`, init);
    return `${reply.status} ${reply.headers.get("location")}`;
  };
  const replies = await Promise.all(Array.from({ length: 20 }, press));
  expect(new Set(replies)).toEqual(new Set([`303 ${new URL(session).pathname}/go`]));
  expect(await till.sandbox.creates()).toHaveLength(1);
  expect((await till.sandbox.stats()).sessions).toBe(1);
});

test("a one-time link opened by many at once is one order", async ({ till }) => {
  const link = await till.link();
  const body = new URLSearchParams({ token: link.split("/").pop()!, method: "card", lang: "en" });
  const headers = { accept: "text/html", origin: till.ready.public_url };
  const press = () => fetch(`${till.ready.public_url}/fn/start_payment`, { method: "POST", body, headers, redirect: "manual" });
  const places = await Promise.all(Array.from({ length: 10 }, async () => (await press()).headers.get("location")));
  expect(new Set(places).size).toBe(1);
  expect(await till.sandbox.creates()).toHaveLength(1);
});
