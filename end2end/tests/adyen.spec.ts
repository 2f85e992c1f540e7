// Payments through Adyen: the provider answers "received" and sends the result by webhook.
import type { Page } from "@playwright/test";

import { expect, test } from "./support/fixtures.ts";
import { heading, markPage, open, seePhase, seeReady, sessionUrl } from "./support/shopper.ts";
import type { Till } from "./support/till.ts";

async function payAtAdyen(page: Page, holder: string): Promise<void> {
  await expect(page).toHaveURL(/\/adyen\/pay\/PL/);
  await page.getByLabel("Card number").fill("4111 1111 1111 1111");
  await page.getByLabel("Expiry").fill("03 / 30");
  await page.getByLabel("Security code").fill("737");
  await page.getByLabel(/name/i).fill(holder);
  await page.getByRole("button", { name: /^Pay €/ }).click();
}

async function paymentOf(till: Till): Promise<string> {
  const payments = await till.cli<{ id: string }[]>("payment", "list", "--merchant", till.ready.adyen_merchant);
  return payments[0]!.id;
}

test("a payment is declined, authorised, captured and refunded, and the open page follows", async ({ page, till }) => {
  await open(page, till.ready.adyen_pay_link);
  await expect(page.locator(".lines")).toContainText("The Log of the Northern Star");
  await page.locator("#pay").click();
  await payAtAdyen(page, "NOT_ENOUGH_BALANCE");
  await expect(page.locator("body")).toContainText(/refused|declined/i);
  await payAtAdyen(page, "Ada Shopper");
  await seePhase(page, "authorised");
  await seeReady(page);
  const untouched = await markPage(page);
  const payment = await paymentOf(till);
  const captured = await till.cli<{ outcome: string }>("payment", "capture", payment, "--amount", "20.00");
  expect(captured.outcome, "received is not done").toBe("pending");
  await seePhase(page, "partly_collected");
  await expect(page.locator("main#panel")).toContainText("€20.00");
  await till.cli("payment", "refund", payment, "--amount", "5.00");
  await seePhase(page, "partly_refunded");
  await untouched();
  const check = await till.cli<{ disagreements: unknown[] }>("ledger", "check");
  expect(check.disagreements).toEqual([]);
});

test("an approval that runs out is said to have ended, and the open page can be paid again", async ({ page, till }) => {
  await open(page, till.ready.adyen_pay_link);
  await page.locator("#pay").click();
  await payAtAdyen(page, "Ada Shopper");
  await seePhase(page, "authorised");
  const session = sessionUrl(page);
  await seeReady(page);
  const untouched = await markPage(page);
  const control = `${till.ready.sandbox_url}/_control/adyen/payments`;
  const { payments } = (await (await fetch(control)).json()) as { payments: { pspReference: string }[] };
  const headers = { "content-type": "application/json" };
  const gone = await fetch(`${control}/${payments[0]!.pspReference}/expire`, { method: "POST", headers, body: "{}" });
  expect(gone.status).toBe(200);
  await seePhase(page, "released");
  await expect(heading(page)).toHaveText("The approval of your payment has ended");
  await expect(page.locator("main#panel")).toContainText("Nothing was taken.");
  await expect(page.locator("main#panel")).not.toContainText("called it off");
  await untouched();
  expect((await till.alerts()).map((alert) => alert.kind)).toContain("authorisation_released");
  await page.locator("#pay").click();
  await payAtAdyen(page, "Ada Shopper");
  await seePhase(page, "authorised");
  expect(sessionUrl(page)).toBe(session);
});

test("a reply that is lost says not to pay again, and then leads to the one page", async ({ page, till }) => {
  const fault = { provider: "adyen", operation: "paymentLinks.create", fault: "timeout_after_accept", count: 1 };
  const body = JSON.stringify(fault);
  const headers = { "content-type": "application/json" };
  await fetch(`${till.ready.sandbox_url}/_control/faults`, { method: "POST", headers, body });
  await open(page, till.ready.adyen_pay_link);
  await page.locator("#pay").click();
  await seePhase(page, "unknown");
  await expect(page.locator("main#panel")).toContainText(/not pay again/i);
  await seePhase(page, "resume");
  await expect(heading(page)).toBeVisible();
  await page.locator("#pay, a.button").first().click();
  await payAtAdyen(page, "Ada Shopper");
  await seePhase(page, "authorised");
  expect(sessionUrl(page)).toBeTruthy();
});

test.describe("without JavaScript", () => {
  test.use({ javaScriptEnabled: false });

  test("the whole way works", async ({ page, till }) => {
    await open(page, till.ready.adyen_pay_link);
    await page.locator("#pay").click();
    await page.getByRole("link").or(page.getByRole("button", { name: /^Pay €/ })).first().waitFor();
    await payAtAdyen(page, "Ada Shopper");
    await seePhase(page, "authorised", 15_000);
  });
});
