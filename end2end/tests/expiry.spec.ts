// A session expires: the page says so and offers a new session.
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
  seeReady,
  sessionUrl,
} from "./support/shopper.ts";

// One time is short enough to wait for its end. The other is long enough to pay a renewed session.
const SHORT = 3;
const PAYABLE = 8;

test("an open page turns to expired by itself, and the new session can be paid", async ({ page, till }) => {
  await open(page, await till.session({ ttl: PAYABLE }));
  const first = sessionUrl(page);
  await seeReady(page);
  const untouched = await markPage(page);
  await seePhase(page, "expired");
  await expect(heading(page)).toHaveText("This checkout has expired");
  await expect(page.locator("main")).toContainText("Nothing was taken.");
  await expect(page.locator("#pay")).toHaveCount(0);
  await untouched();

  await page.getByRole("button", { name: "Start again" }).click();
  await seePhase(page, "choose");
  expect(sessionUrl(page)).not.toBe(first);
  await pressPay(page);
  await payAndReturn(page);
  await seePhase(page, "paid");
});

test("the link opened anew after the end leads to a new session", async ({ page, till }) => {
  const link = await till.link({ ttl: SHORT });
  const first = await till.session(link);
  await expect.poll(() => phaseOnServer(first)).toBe("expired");
  await open(page, link);
  await pressPay(page);
  await goBack(page);
  expect(sessionUrl(page)).not.toBe(first);
});

test("two who start again get the same new session", async ({ page, newShopper, till }) => {
  const link = await till.session({ ttl: SHORT });
  await open(page, link);
  const first = sessionUrl(page);
  const other = await (await newShopper()).newPage();
  await open(other, link);
  await seePhase(page, "expired");
  await seePhase(other, "expired");
  await Promise.all([page, other].map((each) => each.getByRole("button", { name: "Start again" }).click()));
  await Promise.all([page, other].map((each) => expect(each).not.toHaveURL(first)));
  expect(sessionUrl(other)).toBe(sessionUrl(page));
});

test("the end closes the provider's page, and paying there is refused", async ({ page, context, till }) => {
  const link = await till.session({ ttl: SHORT });
  await open(page, link);
  const session = sessionUrl(page);
  await pressPay(page);
  const watching = await context.newPage();
  await watching.goto(session);
  await fillCard(page, CARDS.pays);
  await seePhase(watching, "expired");

  await page.getByRole("button", { name: /^Pay / }).click();
  await expect(page.getByRole("heading", { name: "This payment page has expired" })).toBeVisible();
  expect((await till.sandbox.stats()).charges).toBe(0);
  await goBack(page);
  await seePhase(page, "expired");
  await expect(page.getByRole("button", { name: "Start again" })).toBeVisible();
});

test("a payment in the last moment counts, whatever the clock says when the news arrive", async ({ page, till }) => {
  await till.sandbox.hold();
  await open(page, await till.link({ ttl: PAYABLE }));
  await pressPay(page);
  const returned = await payAndReturn(page);
  const url = returned.url();
  await seePhase(page, "confirming");
  // The session ends while the server does not know of the payment. The word "expired" would make people pay twice.
  await expect.poll(async () => (await till.sandbox.calls("checkout.sessions.expire")).length).toBeGreaterThan(0);
  expect(["closing", "confirming", "paid", "paid_late"]).toContain(await phaseOnServer(url));
  await till.sandbox.reset();
  await expect(heading(page)).toHaveText(/Payment complete|Your payment arrived late/);
  expect((await till.sandbox.stats()).charges_succeeded).toBe(1);
});

test("the end is announced, and more time can be had", async ({ page, till }) => {
  await open(page, await till.session({ ttl: 240 }));
  await expect(page.locator("main")).toContainText("This checkout ends in less than five minutes.");
  await seeReady(page);
  await expect(page.getByRole("timer")).toHaveText(/^[0-3]:\d\d$/);
  const untouched = await markPage(page);
  await page.getByRole("button", { name: "I need more time" }).click();
  await expect(page.locator("main")).toContainText("You have more time now.");
  await untouched();
});
