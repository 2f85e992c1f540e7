// Till stops in the middle of a payment, in an orderly way or not, and the payment is not lost.
import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { expect, test } from "./support/fixtures.ts";
import { CARDS, fillCard, markPage, open, payAndReturn, phaseOnServer, pressPay, seePhase, seeReady, sessionUrl } from "./support/shopper.ts";
import type { Till } from "./support/till.ts";

test.use({ keepPorts: true });

/** The browser's errors while Till is down. They are expected. */
const DOWN = /ERR_(CONNECTION_\w+|SOCKET_NOT_CONNECTED|INCOMPLETE_CHUNKED_ENCODING|EMPTY_RESPONSE)|events/;

/**
 * Waits until the simulated provider has written its state, which it does once a second: these tests are not about a provider that forgets.
 */
async function providerRemembers(till: Till, words: string): Promise<void> {
  const file = join(till.dir, "data", "sandbox.json");
  await expect.poll(async () => (await readFile(file, "utf8").catch(() => "")).includes(words)).toBe(true);
}

test("stopped in order while the shopper is at the provider", async ({ page, context, till, watch }) => {
  watch.allow(DOWN);
  await open(page, await till.session());
  const session = sessionUrl(page);
  await pressPay(page);
  // An open page must not delay the stop, and must continue after it.
  const waiting = await context.newPage();
  await waiting.goto(session);
  await seePhase(waiting, "resume");
  await seeReady(waiting);
  const untouched = await markPage(waiting);

  expect(await till.stop()).toBe(0);
  await till.startAgain();
  await fillCard(page, CARDS.pays);
  await payAndReturn(page);
  await seePhase(page, "paid");
  await seePhase(waiting, "paid");
  await untouched();
  expect((await till.sandbox.stats()).charges_succeeded).toBe(1);
  expect(await till.alerts()).toEqual([]);
});

test("killed after the payment, with the webhooks still to come", async ({ page, till, watch }) => {
  watch.allow(DOWN);
  await till.sandbox.hold();
  await open(page, await till.link());
  await pressPay(page);
  await payAndReturn(page);
  await seePhase(page, "confirming");
  await seeReady(page);
  const untouched = await markPage(page);
  await providerRemembers(till, "checkout.session.completed");

  await till.kill();
  await till.startAgain();
  await till.sandbox.release();
  // The page that stayed open updates itself.
  await seePhase(page, "paid");
  await untouched();
  expect(await phaseOnServer(page.url())).toBe("paid");
  expect((await till.sandbox.stats()).charges_succeeded).toBe(1);
});

test("killed after the payment, with the webhooks lost: sent again, they count", async ({ page, till, watch }) => {
  watch.allow(DOWN);
  await till.sandbox.webhooks({ drop: true });
  await till.sandbox.deaf();
  await open(page, await till.link());
  await pressPay(page);
  await payAndReturn(page);
  await seePhase(page, "confirming");
  await providerRemembers(till, "checkout.session.completed");
  await till.kill();
  await till.startAgain();
  await till.sandbox.deaf();
  const [event] = await till.sandbox.events("checkout.session.completed");
  await till.sandbox.resend(event!.id);
  await seePhase(page, "paid");
});

test("killed after paid: it stays paid, and the link knows", async ({ page, till, watch }) => {
  watch.allow(DOWN);
  const link = await till.link();
  await open(page, link);
  await pressPay(page);
  await payAndReturn(page);
  await seePhase(page, "paid");
  await till.kill();
  await till.startAgain();
  expect(await phaseOnServer(page.url())).toBe("paid");
  await page.goto(link);
  await seePhase(page, "paid");
});


test("stopped in order while a page is being opened at the provider: it is opened first", async ({ page, till, watch }) => {
  watch.allow(DOWN);
  // The way to the provider is cut here, so that Till's page stays open.
  await page.route("**/go", (route) => route.abort());
  watch.allow(/ERR_FAILED/);
  await till.sandbox.fault("slow", { delay_ms: 1_500 });
  await open(page, await till.session());
  const session = sessionUrl(page);
  await seeReady(page);
  await page.locator("#pay").click();
  // The request has reached the provider.
  await expect.poll(() => till.sandbox.waitingFaults()).toBe(0);
  expect(await till.stop()).toBe(0);
  await till.startAgain();
  expect(await phaseOnServer(session)).toBe("resume");
  expect((await till.sandbox.stats()).sessions).toBe(1);
});
