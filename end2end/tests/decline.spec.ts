// A declined card: the page says so in a sentence and offers another try.
import { expect, test } from "./support/fixtures.ts";
import {
  CARDS,
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

const REFUSALS = [
  { name: "refused without a reason", card: CARDS.declined, says: "Your bank refused the payment and gave no reason." },
  {
    name: "refused for want of money",
    card: CARDS.poor,
    says: "Your bank says that there is not enough money, or that a limit has been reached.",
  },
];

for (const { name, card, says } of REFUSALS) {
  test(`a card ${name} leads to another try on the same page`, async ({ page, till }) => {
    await open(page, await till.session());
    const session = sessionUrl(page);
    await pressPay(page);
    await submitCard(page, card);
    await expect(page.getByRole("alert")).toBeVisible();
    await goBack(page);

    await seePhase(page, "declined");
    await expect(heading(page)).toHaveText("Your payment was not accepted");
    await expect(page.locator("main")).toContainText(says);
    await expect(page.locator("main")).toContainText("Nothing was taken.");
    expect(sessionUrl(page)).toBe(session);
    // The decline is stored, not carried in the address.
    expect(new URL(page.url()).search).toBe("");

    await page.getByRole("radio", { name: "Card" }).check();
    await pressPay(page);
    await payAndReturn(page);
    await seePhase(page, "paid");
    expect(sessionUrl(page)).toBe(session);
    const { charges_succeeded, charges_failed } = await till.sandbox.stats();
    expect({ charges_succeeded, charges_failed }).toEqual({ charges_succeeded: 1, charges_failed: 1 });
  });
}

test("a page that is open in another tab shows the decline, and then the payment, by itself", async ({ page, context, till }) => {
  const link = await till.link();
  await open(page, link);
  await pressPay(page);
  const other = await context.newPage();
  await other.goto(link);
  await seePhase(other, "resume");
  await seeReady(other);
  const untouched = await markPage(other);

  await submitCard(page, CARDS.poor);
  await expect(page.getByRole("alert")).toBeVisible();
  await seePhase(other, "declined");
  await expect(other.locator("main")).toContainText("there is not enough money");
  // Screen readers announce the decline, too.
  await expect(other.getByRole("status")).toContainText("Your payment was not accepted");

  await payAndReturn(page);
  await seePhase(other, "paid");
  await seePhase(page, "paid");
  await untouched();
});

test("who has paid after a decline is not told that nothing was taken", async ({ page, till }) => {
  await open(page, await till.session());
  const session = sessionUrl(page);
  await pressPay(page);
  await submitCard(page, CARDS.declined);
  await expect(page.getByRole("alert")).toBeVisible();
  // The server knows the decline before the payment's webhooks are held back.
  await expect.poll(() => phaseOnServer(session)).toBe("declined");
  await till.sandbox.hold();
  await payAndReturn(page);
  await seeReady(page);
  await expect(heading(page)).toHaveText("Confirming with your bank");
  await expect(page.locator("main")).not.toContainText("Nothing was taken");
  await till.sandbox.release();
  await seePhase(page, "paid");
});

test("a card that the provider takes for stolen is refused without saying so", async ({ page, till }) => {
  await open(page, await till.link());
  await pressPay(page);
  await submitCard(page, "4000 0000 0000 9979");
  await goBack(page);
  await seePhase(page, "declined");
  await expect(page.locator("main")).not.toContainText(/stolen|fraud|lost/i);
});

test("another method can be chosen after a decline, and the first page is closed", async ({ page, till }) => {
  await open(page, await till.link({ currency: "USD" }));
  await page.getByRole("radio", { name: "Card" }).check();
  await pressPay(page);
  const first = page.url();
  await submitCard(page, CARDS.declined);
  await goBack(page);
  await seePhase(page, "declined");
  await page.getByRole("radio", { name: "Bank debit" }).check();
  await page.locator("#pay").click();
  await expect(page.getByLabel("Routing number")).toBeVisible();
  // The debt cannot be paid twice: the card's page takes no money any more.
  expect((await fetch(first)).status).toBe(410);
  expect((await till.sandbox.stats()).sessions_open).toBe(1);
});

test("the provider's page takes the shopper back where the decline left off", async ({ page, till }) => {
  await open(page, await till.link());
  await pressPay(page);
  const provider = page.url();
  await submitCard(page, CARDS.declined);
  await goBack(page);
  await seePhase(page, "declined");
  await pressPay(page);
  await seeProvider(page);
  expect(page.url()).toBe(provider);
  expect(await till.sandbox.creates()).toHaveLength(1);
});
