// A session that is open in several places shows the same state in all of them.
import { expect, test } from "./support/fixtures.ts";
import { CARDS, goBack, markPage, open, payAndReturn, pressPay, seePhase, seeProvider, seeReady, submitCard } from "./support/shopper.ts";

/** "Within a second" with room for a machine that is busy with other tests. */
const SOON = 5_000;

test("two devices see every step of each other's", async ({ page, newShopper, till }) => {
  const link = await till.session();
  const laptop = await (await newShopper()).newPage();
  await open(laptop, link);
  await seeReady(laptop);
  const untouched = await markPage(laptop);

  await open(page, link);
  await pressPay(page);
  await seePhase(laptop, "resume", SOON);
  await submitCard(page, CARDS.declined);
  await seePhase(laptop, "declined", SOON);
  await till.sandbox.nextSecond();
  await submitCard(page, CARDS.secure);
  await seePhase(laptop, "authenticate", SOON);
  await page.getByRole("button", { name: "Complete authentication" }).click();
  await seePhase(laptop, "paid", SOON);
  await seePhase(page, "paid", SOON);
  await untouched();
});

test("giving up on one device frees the choice on the other", async ({ page, newShopper, till }) => {
  const link = await till.link();
  await open(page, link);
  await pressPay(page);
  await goBack(page);
  const laptop = await (await newShopper()).newPage();
  await laptop.goto(link);
  await seePhase(laptop, "resume");
  await seeReady(laptop);
  const untouched = await markPage(laptop);
  await page.getByRole("button", { name: "Choose another way to pay" }).click();
  await seePhase(laptop, "choose", SOON);
  await untouched();
});

test("without the event stream an open page asks by itself", async ({ page, till, watch }) => {
  watch.allow(/\/events/);
  await page.route("**/events", (route) => route.abort());
  await till.sandbox.hold();
  await open(page, await till.link());
  await pressPay(page);
  await payAndReturn(page);
  await seePhase(page, "confirming");
  await seeReady(page);
  const untouched = await markPage(page);
  await till.sandbox.release();
  await seePhase(page, "paid", 15_000);
  await untouched();
});

test("a page whose stream is refused asks by itself", async ({ page, till, watch }) => {
  watch.allow(/\/events|429/);
  await till.sandbox.hold();
  const session = await till.session();
  // These are all the streams that one session may have.
  const leave = new AbortController();
  const stream = () => fetch(`${session}/events`, { signal: leave.signal });
  const taken = await Promise.all(Array.from({ length: 32 }, stream));
  expect(taken.map(({ status }) => status)).toEqual(Array(32).fill(200));
  const refused = page.waitForResponse((reply) => reply.url().endsWith("/events"));
  await open(page, session);
  expect((await refused).status()).toBe(429);
  await pressPay(page);
  await payAndReturn(page);
  await seePhase(page, "confirming");
  await seeReady(page);
  const untouched = await markPage(page);
  await till.sandbox.release();
  await seePhase(page, "paid", 15_000);
  await untouched();
  leave.abort();
});

test("a page that was left for another one is true when the browser brings it back", async ({ page, till }) => {
  await till.sandbox.hold();
  await open(page, await till.link());
  await pressPay(page);
  await payAndReturn(page);
  await seePhase(page, "confirming");
  await seeReady(page);
  await page.goto("about:blank");
  await till.sandbox.release();
  await expect.poll(async () => (await till.sandbox.deliveries()).every(({ status }) => status === "delivered")).toBe(true);
  await page.goBack();
  await seePhase(page, "paid");
});

test("a phase is announced to screen readers", async ({ page, till }) => {
  await till.sandbox.hold();
  await open(page, await till.link());
  await pressPay(page);
  await goBack(page);
  await seePhase(page, "resume");
  await seeReady(page);
  await page.getByRole("button", { name: "Choose another way to pay" }).click();
  await expect(page.getByRole("status")).toContainText("How would you like to pay?");
  await expect(page.getByRole("status")).toContainText("The payment was stopped.");
});

test("a link's page opens no stream, and its button leads to where the others are", async ({ page, newShopper, till }) => {
  const link = await till.link();
  const streams: string[] = [];
  page.on("request", (request) => request.url().endsWith("/events") && streams.push(request.url()));
  await open(page, link);
  await seeReady(page);
  const laptop = await (await newShopper()).newPage();
  await open(laptop, link);
  await pressPay(laptop);
  await payAndReturn(laptop);
  await seePhase(laptop, "paid");
  expect(streams).toEqual([]);
  await page.locator("#pay").click();
  await seePhase(page, "paid");
  expect(page.url().split("?")[0]).toBe(laptop.url().replace("/return", ""));
  expect(await till.sandbox.creates()).toHaveLength(1);
});

test("the way back from the provider leads to the session that a press on a link began", async ({ page, till }) => {
  await open(page, `${await till.link({ reusable: true })}?lang=en`);
  await seeReady(page);
  await pressPay(page);
  const provider = page.url();
  await page.goBack();
  await seePhase(page, "resume");
  expect(page.url()).toMatch(/\/c\/[0-9a-z]{26}\?lang=en$/);
  await seeReady(page);
  await page.locator("#resume").click();
  await seeProvider(page);
  expect(page.url()).toBe(provider);
  await payAndReturn(page);
  await seePhase(page, "paid");
  expect(await till.sandbox.creates()).toHaveLength(1);
});
