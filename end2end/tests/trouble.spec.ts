// A failing provider: the page says so in words, never says "paid", and recovers without a second payment.
import { expect, test } from "./support/fixtures.ts";
import type { Fault } from "./support/sandbox.ts";
import { goBack, heading, markPage, open, payAndReturn, phaseOnServer, pressPay, seePhase, seeProvider, seeReady, sessionUrl } from "./support/shopper.ts";
import { freePort, type Till } from "./support/till.ts";

const UNSURE: { fault: Fault; happened: string }[] = [
  { fault: "error_500", happened: "an error" },
  { fault: "error_500_after_accept", happened: "an error although it was carried out" },
  { fault: "timeout_after_accept", happened: "no answer although it was carried out" },
  { fault: "html_502", happened: "a gateway's page" },
];

for (const { fault, happened } of UNSURE) {
  test(`${happened} on opening: nothing is known, so the provider is asked`, async ({ page, till }) => {
    await till.sandbox.fault(fault);
    await open(page, await till.session());
    await seeReady(page);
    const session = sessionUrl(page);
    const untouched = await markPage(page);
    await page.locator("#pay").click();
    await seePhase(page, "unknown");
    await expect(heading(page)).toHaveText("We are checking your payment");
    await expect(page.locator("main")).toContainText("Do not pay again.");
    await expect(page.locator("#pay")).toHaveCount(0);
    expect(await phaseOnServer(`${session}/return`)).toBe("unknown");

    // A job repeats the request, and the open page shows the outcome by itself.
    await seePhase(page, "resume", 15_000);
    await untouched();
    const calls = await till.sandbox.creates();
    // The job searches by our reference first. Only a missing page is requested again, with the same key.
    expect((await till.sandbox.calls("checkout.sessions.list")).length).toBeGreaterThanOrEqual(1);
    expect(calls.length > 1).toBe(!fault.endsWith("_after_accept"));
    expect(calls[0]!.fault).toBe(fault);
    expect(calls[0]!.idempotency_key).toMatch(/^att_.+/);
    expect(new Set(calls.map((call) => call.idempotency_key)).size).toBe(1);
    expect((await till.sandbox.stats()).sessions).toBe(1);

    await page.getByRole("link", { name: "Continue to payment" }).click();
    await seeProvider(page);
    await payAndReturn(page);
    await seePhase(page, "paid");
    expect((await till.sandbox.stats()).charges_succeeded).toBe(1);
  });
}

test("without scripts, the page of an unknown outcome finds out by loading itself again", async ({ newShopper, till }) => {
  await till.sandbox.fault("timeout_after_accept");
  const page = await (await newShopper({ javaScriptEnabled: false })).newPage();
  await open(page, await till.link());
  await page.locator("#pay").click();
  await seePhase(page, "unknown");
  await seePhase(page, "resume");
  await page.getByRole("link", { name: "Continue to payment" }).click();
  await seeProvider(page);
});

test("a click is answered although the open page cannot be closed, and goes on by itself", async ({ page, newShopper, till }) => {
  const link = await till.link({ currency: "USD" });
  // This page does not learn of actions on the other page.
  const stale = await (await newShopper({ javaScriptEnabled: false })).newPage();
  await open(stale, link);
  await open(page, link);
  await pressPay(page);
  const key = (value: string) => till.cli("provider", "set-credential", till.ready.provider_account, `secret_key=${value}`);
  // The key belongs to another account, which does not know the open page.
  await key("sk_test_ofanotheraccount");
  await stale.getByRole("radio", { name: "Bank debit" }).check();
  await stale.locator("#pay").click();
  await seePhase(stale, "closing");
  await key(till.ready.sandbox_key);
  await seePhase(stale, "choose");
});

test("a rate limit is waited out", async ({ page, till }) => {
  await till.sandbox.fault("rate_limit_429", { count: 2 });
  await open(page, await till.link());
  await pressPay(page);
  const calls = await till.sandbox.creates();
  expect(calls.map((call) => call.status)).toEqual([429, 429, 200]);
  expect(new Set(calls.map((call) => call.idempotency_key)).size).toBe(1);
  expect((await till.sandbox.stats()).sessions).toBe(1);
});

test("a slow provider is waited for, in words", async ({ page, till }) => {
  await till.sandbox.fault("slow", { delay_ms: 2_500 });
  await open(page, await till.session());
  await seeReady(page);
  await page.locator("#pay").click();
  await seePhase(page, "opening");
  await expect(heading(page)).toHaveText("Opening the payment page");
  await expect(page.locator("#pay")).toHaveCount(0);
  expect(await phaseOnServer(sessionUrl(page))).toBe("opening");
  await seeProvider(page);
});

/** Makes a merchant whose provider has not been started yet. Returns the merchant and the provider's future address. */
async function unreachable(till: Till): Promise<{ merchant: string; port: number; base: string }> {
  const port = await freePort();
  const base = `http://127.0.0.1:${port}`;
  const { id: merchant } = await till.cli<{ id: string }>("merchant", "add", "Tea House");
  const secret = "whsec_of_the_late_provider";
  await till.cli(
    "provider", "add", "stripe", "--merchant", merchant, "--base-url", base,
    "--credential", "secret_key=sk_test_0123456789abcdef01234567", "--webhook-secret", secret,
  );
  return { merchant, port, base };
}

const UNREACHABLE = "The payment provider could not be reached. Nothing was taken.";

test("a provider that cannot be reached is named as such, and tried again on the same page", async ({ page, till }) => {
  const { merchant, port, base } = await unreachable(till);
  await open(page, await till.session({ merchant }));
  await seeReady(page);
  const untouched = await markPage(page);
  await page.locator("#pay").click();
  await expect(page.locator("main")).toContainText(UNREACHABLE);
  await seePhase(page, "choose");
  await untouched();

  await till.beside("sandbox", ["sandbox", "--bind", `127.0.0.1:${port}`]);
  await page.locator("#pay").click();
  await expect(page).toHaveURL(new RegExp(`^${base}/c/pay/`));
  await page.goBack();
  await expect(page.locator("main")).not.toContainText("could not be reached");
});

test("a failed question about a payment is asked again until it is answered", async ({ page, till }) => {
  await till.sandbox.webhooks({ drop: true });
  await till.sandbox.fault("html_502", { operation: "checkout.sessions.retrieve", count: 1 });
  await open(page, await till.link());
  await pressPay(page);
  await payAndReturn(page);
  await seePhase(page, "confirming");
  await seePhase(page, "paid");
});

test("a page that cannot be closed at the provider is closed by a job", async ({ page, till }) => {
  await open(page, await till.link());
  await pressPay(page);
  const provider = page.url();
  await goBack(page);
  await seePhase(page, "resume");
  await seeReady(page);
  await till.sandbox.fault("error_500", { operation: "checkout.sessions.expire" });
  await page.getByRole("button", { name: "Choose another way to pay" }).click();
  // No other method is offered before the page is known to be closed at the provider.
  await seePhase(page, "choose");
  expect((await fetch(provider)).status).toBe(410);
  const closes = await till.sandbox.calls("checkout.sessions.expire");
  expect(new Set(closes.map((call) => call.idempotency_key)).size).toBe(1);
});

test("without a connection the page says so, and goes on when it is back", async ({ page, context, till, watch }) => {
  watch.allow(/ERR_INTERNET_DISCONNECTED/);
  await open(page, await till.link());
  await seeReady(page);
  const untouched = await markPage(page);
  await context.setOffline(true);
  await page.locator("#pay").click();
  await expect(page.getByRole("alert")).toHaveText(/We could not reach the server/);
  await expect(page.locator("#pay")).toHaveText(/^Pay /);
  await untouched();
  await context.setOffline(false);
  await pressPay(page);
});

for (const javaScriptEnabled of [true, false]) {
  test.describe(javaScriptEnabled ? "with scripts" : "without scripts", () => {
    test.use({ javaScriptEnabled });

    test("a press on a link that came to nothing says so on the session's page, where the method is still chosen", async ({ page, till }) => {
      const { merchant, port, base } = await unreachable(till);
      const link = await till.link({ merchant, currency: "USD", reusable: true });
      await open(page, link);
      await page.getByRole("radio", { name: "Bank debit" }).check();
      await page.locator("#pay").click();
      await expect(page.locator("main")).toContainText(UNREACHABLE);
      await seePhase(page, "choose");
      await expect(page.getByRole("radio", { name: "Bank debit" })).toBeChecked();
      const session = sessionUrl(page);
      await till.beside("sandbox", ["sandbox", "--bind", `127.0.0.1:${port}`]);
      await page.locator("#pay").click();
      await expect(page).toHaveURL(new RegExp(`^${base}/c/pay/`));
      expect(await phaseOnServer(session)).toBe("resume");
    });

    test("a database in trouble after paying: do not pay again, and then the truth", async ({ page, till, watch }) => {
      watch.allow(/status of 503/);
      await open(page, await till.session());
      const session = sessionUrl(page);
      await pressPay(page);
      await payAndReturn(page);
      await seePhase(page, "paid");
      await till.sql("ALTER TABLE sessions RENAME TO away");
      const reply = await page.goto(`${session}/return`);
      expect(reply!.status()).toBe(503);
      await expect(page.locator("main")).toHaveAttribute("data-problem", "unsure");
      await expect(page.locator("main")).toContainText("Do not pay again.");
      await expect(page.locator("body")).not.toContainText("Nothing was taken");
      const again = page.getByRole("link", { name: "Check again" });
      await expect(again).toHaveAttribute("href", new URL(`${session}/return`).pathname);
      await till.sql("ALTER TABLE away RENAME TO sessions");
      // The page repeats its request by itself.
      await seePhase(page, "paid");
    });
  });
}

test("an action whose reply is lost: first that nothing is known, then what is so", async ({ page, till, watch }) => {
  watch.allow(/ERR_FAILED|read_status/);
  await open(page, await till.link());
  await seeReady(page);
  const untouched = await markPage(page);
  let cut = true;
  await page.route("**/fn/read_status", (route) => (cut ? route.abort() : route.continue()));
  await page.route("**/fn/start_payment", async (route) => {
    await route.fetch();
    await route.abort();
  });
  await page.locator("#pay").click();
  await expect(page.getByRole("alert")).toHaveText(/We could not reach the server.*Do not pay again/);
  cut = false;
  // The provider's page was opened all the same.
  await seePhase(page, "resume");
  await expect(page.getByRole("alert")).toHaveText(/This page now shows where your payment stands/);
  await untouched();
  expect((await till.sandbox.stats()).sessions).toBe(1);
});

test("a press on a link of which only the order was written down: the next one pays the same order", async ({ page, till }) => {
  await open(page, await till.link({ reusable: true }));
  await seeReady(page);
  await till.sql("CREATE TRIGGER full BEFORE INSERT ON attempts BEGIN SELECT RAISE(FAIL, 'no room'); END");
  await page.locator("#pay").click();
  await expect(page.getByRole("alert")).toHaveText(/This page now shows where your payment stands/);
  const session = sessionUrl(page);
  await till.sql("DROP TRIGGER full");
  await pressPay(page);
  await page.goBack();
  await seePhase(page, "resume");
  expect(sessionUrl(page)).toBe(session);
});

test("an order that no account takes any more cannot be paid, in words", async ({ page, till }) => {
  const { id: merchant } = await till.cli<{ id: string }>("merchant", "add", "Tea House");
  const account = await till.cli<{ id: string }>(
    "provider", "add", "adyen", "--merchant", merchant, "--base-url", `${till.ready.sandbox_url}/adyen`,
    "--credential", "api_key=test_0123456789abcdef", "--credential", "merchant_account=TeaHouse",
  );
  const link = await till.link({ merchant, currency: "KWD", lines: ["Tea=1.234"] });
  await open(page, link);
  await expect(page.locator("#pay")).toBeVisible();
  await till.cli("provider", "disable", account.id);
  await page.reload();
  await expect(heading(page)).toHaveText("This shop cannot take this payment here");
  await expect(page.locator("main")).toContainText("Nothing was taken.");
  await expect(page.locator("#pay")).toHaveCount(0);
});
