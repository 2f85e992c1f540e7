// 3-D Secure: the bank asks the shopper, who confirms or fails.
import { expect, test } from "./support/fixtures.ts";
import { CARDS, heading, markPage, open, payAndReturn, phaseOnServer, pressPay, seePhase, seeProvider, seeReady, sessionUrl, submitCard } from "./support/shopper.ts";

test("a confirmed payment is paid", async ({ page, till }) => {
  await open(page, await till.link());
  await pressPay(page);
  await submitCard(page, CARDS.secure);
  await page.getByRole("button", { name: "Complete authentication" }).click();
  await expect(page).toHaveURL(/\/return$/);
  await seePhase(page, "paid");
});

test("a failed confirmation says so on both sides and can be tried again", async ({ page, context, till }) => {
  const link = await till.link();
  await open(page, link);
  await pressPay(page);
  await submitCard(page, CARDS.secure);
  await page.getByRole("button", { name: "Fail authentication" }).click();
  await seeProvider(page);
  await expect(page.getByRole("alert")).toBeVisible();
  const other = await context.newPage();
  await other.goto(link);
  await seePhase(other, "declined");
  await expect(other.locator("main")).toContainText("Your bank could not confirm that it is you who is paying.");

  await submitCard(page, CARDS.secure);
  await page.getByRole("button", { name: "Complete authentication" }).click();
  await seePhase(page, "paid");
  await seePhase(other, "paid");
});

test("a failed confirmation is followed by another card", async ({ page, till }) => {
  await open(page, await till.link());
  await pressPay(page);
  await submitCard(page, CARDS.secure);
  await page.getByRole("button", { name: "Fail authentication" }).click();
  await seeProvider(page);
  await payAndReturn(page);
  await seePhase(page, "paid");
});

test("while the bank waits, Till's page leads to the bank, and turns to paid", async ({ page, context, till }) => {
  const link = await till.link();
  await open(page, link);
  await pressPay(page);
  await submitCard(page, CARDS.secure);
  await expect(page.getByRole("button", { name: "Complete authentication" })).toBeVisible();

  const other = await context.newPage();
  await other.goto(link);
  await seePhase(other, "authenticate");
  await expect(heading(other)).toHaveText("Your bank asks you to confirm");
  await seeReady(other);
  const untouched = await markPage(other);
  await page.getByRole("button", { name: "Complete authentication" }).click();
  await seePhase(other, "paid");
  await untouched();
  await seePhase(page, "paid");
});

test("who has confirmed is not asked to confirm again", async ({ page, till }) => {
  await open(page, await till.session());
  const session = sessionUrl(page);
  await pressPay(page);
  await submitCard(page, CARDS.secure);
  // Till learns of the bank's question before the webhooks about the answer are held back.
  await expect.poll(() => phaseOnServer(session)).toBe("authenticate");
  await till.sandbox.hold();
  await page.getByRole("button", { name: "Complete authentication" }).click();
  await expect(page).toHaveURL(/\/return$/);
  await seeReady(page);
  await expect(heading(page)).toHaveText("Confirming with your bank");
  await till.sandbox.release();
  await seePhase(page, "paid");
});
