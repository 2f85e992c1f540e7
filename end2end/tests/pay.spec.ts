// The main journey: a link, a choice, the provider's page, and the true outcome without a reload.
import { expect, test } from "./support/fixtures.ts";
import {
  CARDS,
  fillCard,
  goBack,
  heading,
  markPage,
  open,
  payAndReturn,
  phaseOnServer,
  pressPay,
  seePhase,
  seeProvider,
  seeReady,
  sessionUrl,
  submitCard,
} from "./support/shopper.ts";

test("the demo's link is paid, and the page turns to paid without reloading", async ({ page, till }) => {
  await till.sandbox.hold();
  await open(page, till.ready.pay_link);
  await expect(page.getByRole("heading", { name: "Your order" })).toBeVisible();
  await expect(page.locator(".lines")).toContainText("Sencha, first flush");
  await expect(page.locator(".lines")).toContainText("Stoneware cup");
  await expect(page.locator(".total")).toContainText("€44.48");

  await page.getByRole("radio", { name: "Card" }).check();
  await page.getByRole("button", { name: "Pay €44.48" }).click();
  await seeProvider(page);
  expect(new URL(page.url()).origin).toBe(till.ready.sandbox_url);
  await expect(page.locator("body")).toContainText("44.48");
  await payAndReturn(page);

  await expect(heading(page)).toHaveText("Confirming with your bank");
  await expect(page).toHaveTitle(/^Confirming/);
  await seeReady(page);
  const untouched = await markPage(page);
  // The provider has the money, but Till has no proof yet: neither the page nor the server says "paid".
  expect((await till.sandbox.stats()).charges_succeeded).toBe(1);
  const completed = (await till.sandbox.deliveries()).filter((delivery) => delivery.status === "held");
  expect(completed.length).toBeGreaterThan(0);
  expect(await phaseOnServer(page.url())).toBe("confirming");
  await seePhase(page, "confirming");

  await till.sandbox.release();
  await expect(heading(page)).toHaveText("Payment complete");
  await expect(page.locator(".receipt")).toContainText("€44.48");
  await expect(page).toHaveTitle(/^Paid/);
  await untouched();
  // The webhook brought the news: the provider could not be asked.
  expect(await till.metric("till_deliveries_total", 'outcome="stored"')).toBeGreaterThan(0);
  expect(await till.metric("till_payment_events_total", 'source="webhook"')).toBeGreaterThan(0);
  expect(await till.metric("till_payment_events_total", 'source="fetch"')).toBe(0);
  expect(await till.alerts()).toEqual([]);
});

test("webhooks that never come are made up for by asking the provider", async ({ page, till }) => {
  await till.sandbox.webhooks({ drop: true });
  await open(page, await till.link());
  await pressPay(page);
  await payAndReturn(page);
  await seePhase(page, "confirming");
  // Till asks the provider ten seconds after the return.
  await seePhase(page, "paid", 25_000);
  expect(await till.metric("till_deliveries_total")).toBe(0);
});

test("webhooks in the wrong order come to the same end", async ({ page, till }) => {
  await till.sandbox.hold();
  await open(page, await till.link());
  await pressPay(page);
  await payAndReturn(page);
  await seePhase(page, "confirming");
  await till.sandbox.release({ reversed: true });
  await seePhase(page, "paid");
});

test("values nobody has heard of do not break the page, and the provider's own word counts", async ({ page, till }) => {
  await till.sandbox.webhooks({ unknown_values: true });
  await open(page, await till.link());
  await pressPay(page);
  await payAndReturn(page);
  await seePhase(page, "paid", 25_000);
});

test("after the tab was closed on paying, the link shows paid, here and elsewhere", async ({ page, context, till, newShopper }) => {
  const link = await till.link();
  await open(page, link);
  await pressPay(page);
  // The return never arrives: the tab is closed before.
  await page.route("**/return", (route) => route.abort());
  await fillCard(page, CARDS.pays);
  await page.getByRole("button", { name: /^Pay / }).click({ noWaitAfter: true });
  await expect.poll(async () => (await till.sandbox.stats()).charges_succeeded).toBe(1);
  await page.close();

  const again = await context.newPage();
  await again.goto(link);
  await seePhase(again, "paid");
  const phone = await (await newShopper()).newPage();
  await phone.goto(link);
  await seePhase(phone, "paid");
  // A paid session is final: no button is left to pay with.
  await expect(phone.locator("#pay")).toHaveCount(0);
  expect(await till.sandbox.creates()).toHaveLength(1);
});

test("a webhook that beats the redirect makes the first paint paid", async ({ page, till }) => {
  await till.sandbox.webhooks({ before_redirect: true });
  await open(page, await till.link());
  await pressPay(page);
  const response = await payAndReturn(page);
  expect(await response.text()).toContain('data-phase="paid"');
  await expect(heading(page)).toHaveText("Payment complete");
});

test("a reusable link is a new order for everybody", async ({ page, till }) => {
  const link = await till.link({ reusable: true });
  await open(page, link);
  await pressPay(page);
  await payAndReturn(page);
  await seePhase(page, "paid");
  const first = sessionUrl(page);
  await open(page, link);
  await pressPay(page);
  await goBack(page);
  expect(sessionUrl(page)).not.toBe(first);
});

test("a bank debit is under way until the bank has paid", async ({ page, till }) => {
  await open(page, await till.link({ currency: "USD" }));
  await page.getByRole("radio", { name: "Bank debit" }).check();
  await page.locator("#pay").click();
  await expect(page).toHaveURL(/\/c\/pay\/cs_/);
  await page.getByLabel("Routing number").fill("110000000");
  await page.getByLabel("Account number").fill("000123456789");
  await page.getByRole("button", { name: /^Pay / }).click();
  await seePhase(page, "processing");
  await expect(page.locator("main")).toContainText("do not pay again");
  await seeReady(page);
  const untouched = await markPage(page);
  await fetch(`${till.ready.sandbox_url}/_control/advance`, { method: "POST", body: '{"seconds":864000}' });
  await seePhase(page, "paid");
  await untouched();
});

test("a wrong card number stays at the provider, which says so", async ({ page, till }) => {
  await open(page, await till.link());
  await pressPay(page);
  await submitCard(page, "4242 4242 4242 4241");
  await expect(page.getByText("Your card number is invalid.")).toBeVisible();
  expect((await till.sandbox.stats()).charges).toBe(0);
});
