// Shoppers who leave the provider's page without paying.
import { expect, test } from "./support/fixtures.ts";
import { CARDS, goBack, heading, open, payAndReturn, pressPay, seePhase, seeProvider, sessionUrl } from "./support/shopper.ts";

test("going back leads to the choice, and the payment can be continued", async ({ page, till }) => {
  await open(page, await till.link());
  await pressPay(page);
  const provider = page.url();
  await goBack(page);
  await seePhase(page, "resume");
  await expect(heading(page)).toHaveText("You have started to pay");
  await page.getByRole("link", { name: "Continue to payment" }).click();
  await seeProvider(page);
  expect(page.url()).toBe(provider);
  await payAndReturn(page);
  await seePhase(page, "paid");
  expect(await till.sandbox.creates()).toHaveLength(1);
});

test("the open page can be given up and another one chosen", async ({ page, till }) => {
  await open(page, await till.session());
  const session = sessionUrl(page);
  await pressPay(page);
  const first = page.url();
  await goBack(page);
  await page.getByRole("button", { name: "Choose another way to pay" }).click();
  await seePhase(page, "choose");
  await expect(page.locator("main")).toContainText("The payment was stopped. Nothing was taken.");
  // The page is closed at the provider as well and takes no card any more.
  expect((await fetch(first)).status).toBe(410);

  await pressPay(page);
  expect(page.url()).not.toBe(first);
  await payAndReturn(page);
  await seePhase(page, "paid");
  expect(sessionUrl(page)).toBe(session);
  expect(await till.sandbox.creates()).toHaveLength(2);
  expect((await till.sandbox.stats()).charges_succeeded).toBe(1);
});

test("giving up a page that was paid meanwhile ends in paid, not in a second payment", async ({ page, context, till }) => {
  await till.sandbox.webhooks({ hold: true });
  const link = await till.link();
  await open(page, link);
  await pressPay(page);
  const other = await context.newPage();
  await other.goto(link);
  await seePhase(other, "resume");
  await payAndReturn(page, CARDS.pays);
  await other.getByRole("button", { name: "Choose another way to pay" }).click();
  await seePhase(other, "paid");
  expect((await till.sandbox.stats()).charges_succeeded).toBe(1);
});

test("the browser's own back button leads to a page that works", async ({ page, till }) => {
  await open(page, await till.link());
  await pressPay(page);
  await page.goBack();
  // The page must show the present state, whether the browser kept it or loads it again.
  await seePhase(page, "resume");
  await page.getByRole("link", { name: "Continue to payment" }).click();
  await seeProvider(page);
});
