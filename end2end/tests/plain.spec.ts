// The pages without JavaScript: plain forms, and status pages that reload themselves.
import { expect, test } from "./support/fixtures.ts";
import { CARDS, goBack, heading, open, payAndReturn, pressPay, seePhase, seeProvider, submitCard } from "./support/shopper.ts";

test.use({ javaScriptEnabled: false });

test("the order is paid through forms, and the status page refreshes itself to paid", async ({ page, till }) => {
  await till.sandbox.hold();
  await open(page, till.ready.pay_link);
  await expect(page.locator("html")).not.toHaveAttribute("data-ready", /./);
  await expect(page.locator(".total")).toContainText("€44.48");
  await page.getByRole("radio", { name: "Card" }).check();
  await page.getByRole("button", { name: "Pay €44.48" }).click();
  await seeProvider(page);
  await payAndReturn(page);
  await expect(heading(page)).toHaveText("Confirming with your bank");

  // The page reloads itself again and again. Without scripts only a reload can change it.
  let loads = 0;
  page.on("framenavigated", () => (loads += 1));
  await expect.poll(() => loads).toBeGreaterThan(0);
  await seePhase(page, "confirming");
  await till.sandbox.release();
  await seePhase(page, "paid");
  await expect(heading(page)).toHaveText("Payment complete");
});

test("a decline and another try", async ({ page, till }) => {
  await open(page, await till.link());
  await pressPay(page);
  await submitCard(page, CARDS.poor);
  await expect(page.getByRole("alert")).toBeVisible();
  // The decline's webhook may still be on its way when the shopper returns.
  await expect.poll(async () => (await till.sandbox.deliveries()).every(({ status }) => status === "delivered")).toBe(true);
  await goBack(page);
  await expect(async () => {
    await page.reload();
    await seePhase(page, "declined", 500);
  }).toPass();
  await expect(page.locator("main")).toContainText("there is not enough money");
  await pressPay(page);
  await payAndReturn(page);
  await seePhase(page, "paid");
});

test("the open page is given up and another one chosen", async ({ page, till }) => {
  await open(page, await till.link());
  await pressPay(page);
  const first = page.url();
  await goBack(page);
  await seePhase(page, "resume");
  await page.getByRole("button", { name: "Choose another way to pay" }).click();
  await seePhase(page, "choose");
  await expect(page.locator("main")).toContainText("The payment was stopped. Nothing was taken.");
  expect((await fetch(first)).status).toBe(410);
  await pressPay(page);
  await payAndReturn(page);
  await seePhase(page, "paid");
});

test("an expired session offers a new one", async ({ page, till }) => {
  await page.goto(await till.session({ ttl: 3 }));
  await expect(async () => {
    await page.reload();
    await seePhase(page, "expired", 500);
  }).toPass();
  await page.getByRole("button", { name: "Start again" }).click();
  await seePhase(page, "choose");
});

test("a press that cannot be written down says so, and leads back to the page where it works", async ({ page, till, watch }) => {
  watch.allow(/status of 503/);
  const link = await till.link({ reusable: true });
  await open(page, `${link}?lang=de`);
  await till.sql("CREATE TRIGGER full BEFORE INSERT ON attempts BEGIN SELECT RAISE(FAIL, 'no room'); END");
  await page.locator("#pay").click();
  await expect(page.locator("main")).toHaveAttribute("data-problem", "setback");
  await expect(heading(page)).toHaveText("Ihr letzter Schritt ist vielleicht nicht angekommen");
  await expect(page.locator("main")).toContainText("Bezahlen Sie nicht noch einmal, bevor");
  await till.sql("DROP TRIGGER full");
  await page.getByRole("link", { name: "Zurück zu Ihrer Zahlung" }).click();
  // The way back leads to the stored order: the link would begin another one.
  await expect(page).toHaveURL(/\/c\/[0-9a-z]{26}\?lang=de$/);
  await pressPay(page);
  expect(await till.sandbox.creates()).toHaveLength(1);
});
