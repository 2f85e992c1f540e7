// The accessibility of every state of the page: structure, names and contrast, in light and dark, left to right and right to left.
import AxeBuilder from "@axe-core/playwright";
import type { Page } from "@playwright/test";

import { expect, test } from "./support/fixtures.ts";
import { CARDS, goBack, open, payAndReturn, pressPay, seePhase, seeReady, submitCard } from "./support/shopper.ts";
import { raw } from "./support/wire.ts";

const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

async function look(page: Page, state: string, dir: string): Promise<void> {
  // The page has no frames, so the legacy mode suffices: it opens no second page.
  const { violations } = await new AxeBuilder({ page }).setLegacyMode().withTags(RULES).analyze();
  const found = violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(" | ")}`);
  expect(found, state).toEqual([]);
  await expect(page.locator("html"), state).toHaveAttribute("dir", dir);
  await expect(page.locator("html"), state).toHaveAttribute("lang", /^[a-z]{2}$/);
  await expect(page.getByRole("heading", { level: 1 }), state).toHaveCount(1);
  await expect(page.getByRole("main"), state).toHaveCount(1);
  await expect(page.getByRole("banner"), state).toHaveCount(1);
  await expect(page.getByRole("contentinfo"), state).toHaveCount(1);
  // The page must not scroll sideways.
  const wider = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  expect(wider, state).toBeLessThanOrEqual(0);
}

for (const colorScheme of ["light", "dark"] as const) {
  for (const [locale, dir, width] of [["en-GB", "ltr", 1280], ["ar-EG", "rtl", 320]] as const) {
    test(`every state in ${colorScheme}, ${locale}, ${width} pixels wide`, async ({ newShopper, till }) => {
      const context = await newShopper({ locale, colorScheme, reducedMotion: "reduce", viewport: { width, height: 740 } });
      const page = await context.newPage();
      await open(page, await till.link({ currency: "USD", lines: ["Tea=5", "Cup=7*2", "Pot=30", "Tin=4", "Spoon=2"] }));
      await seeReady(page);
      await look(page, "choose", dir);
      await page.getByRole("radio").first().check();
      await pressPay(page);
      await goBack(page);
      await seePhase(page, "resume");
      await look(page, "resume", dir);
      await page.locator("#resume").click();
      await submitCard(page, CARDS.poor);
      await goBack(page);
      await seePhase(page, "declined");
      await look(page, "declined", dir);
      await page.getByRole("radio").first().check();
      await pressPay(page);
      await till.sandbox.hold();
      await payAndReturn(page);
      await seePhase(page, "confirming");
      await look(page, "confirming", dir);
      await till.sandbox.release();
      await seePhase(page, "paid");
      await look(page, "paid", dir);

      await till.sandbox.reset();
      await till.sandbox.fault("error_500", { count: 100 });
      await open(page, await till.session({ ttl: 200 }));
      await look(page, "choose, ending soon", dir);
      await page.locator("#pay").click();
      await seePhase(page, "unknown");
      await look(page, "unknown", dir);
      await page.goto(await till.session({ ttl: 1 }));
      await seePhase(page, "expired");
      await look(page, "expired", dir);
    });
  }
}

test("every control has a name, and every name is a label", async ({ page, till }) => {
  await open(page, await till.link({ currency: "USD" }));
  await expect(page.getByRole("group", { name: "Payment method" })).toBeVisible();
  await expect(page.getByRole("radio", { name: "Card" })).toHaveAccessibleDescription("Credit or debit card");
  await expect(page.getByRole("radio", { name: "Bank debit" })).toBeVisible();
  await expect(page.getByRole("button", { name: "Pay $5.00" })).toBeVisible();
  await expect(page.getByRole("navigation", { name: "Language" })).toBeVisible();
  await expect(page.getByRole("region", { name: "Your order" })).toBeVisible();
});

test("pages that only say something are whole pages, too", async ({ page, till }) => {
  for (const path of ["/", "/nothing", "/c/nothing", "/l/nothing"]) {
    const html = (await raw(`${till.ready.public_url}${path}`, { "accept-encoding": "identity" })).body.toString();
    expect(html.match(/<h1[ >]/g), path).toHaveLength(1);
    expect(html, path).toMatch(/<html[^>]* lang="en"/);
    expect(html, path).toMatch(/<main[ >]/);
    expect(html, path).toMatch(/<title>[^<]+<\/title>/);
  }
  await page.goto(`${till.ready.public_url}/`);
  await look(page, "home", "ltr");
});
