// The page without a mouse, and before the WebAssembly has loaded.
import type { Page } from "@playwright/test";

import { expect, test } from "./support/fixtures.ts";
import { CARDS, goBack, heading, open, pressPay, seePhase, seeProvider, seeReady, submitCard } from "./support/shopper.ts";

const focused = (page: Page) => page.evaluate(() => document.activeElement?.id ?? "");

/** Presses Tab until the element has the focus, as a person would. */
async function tabTo(page: Page, id: string): Promise<void> {
  for (let presses = 0; presses < 20; presses += 1) {
    if ((await focused(page)) === id) return;
    await page.keyboard.press("Tab");
  }
  throw new Error(`#${id} cannot be reached with the tab key`);
}

/** Whether the focused element, or the card around it, shows that it is focused. */
async function focusIsVisible(page: Page): Promise<boolean> {
  return await page.evaluate(() => {
    const element = document.activeElement;
    const shown = [element, element?.closest("label")].filter((each) => each != null).map((each) => getComputedStyle(each));
    return shown.some((style) => style.outlineStyle !== "none" && Number.parseFloat(style.outlineWidth) >= 2);
  });
}

/** Keeps the WebAssembly back until the returned function is called. */
async function holdHydration(page: Page): Promise<() => void> {
  let go = () => {};
  const gate = new Promise<void>((done) => (go = done));
  await page.route("**/*.wasm", async (route) => {
    await gate;
    await route.continue();
  });
  return go;
}

test("the order is paid with the keyboard alone", async ({ page, till }) => {
  await open(page, await till.link({ currency: "USD" }));
  await seeReady(page);
  await page.keyboard.press("Tab");
  await expect(page.getByRole("link", { name: "Skip to payment" })).toBeFocused();
  await expect(page.getByRole("link", { name: "Skip to payment" })).toBeInViewport();
  await tabTo(page, "method-card");
  expect(await focusIsVisible(page)).toBe(true);
  await page.keyboard.press("ArrowDown");
  await expect(page.getByRole("radio", { name: "Bank debit" })).toBeChecked();
  await page.keyboard.press("ArrowUp");
  await expect(page.getByRole("radio", { name: "Card" })).toBeChecked();
  await tabTo(page, "pay");
  expect(await focusIsVisible(page)).toBe(true);
  await page.keyboard.press("Enter");
  await seeProvider(page);
  await submitCard(page, CARDS.pays);
  await seePhase(page, "paid");
  await expect(heading(page)).toHaveText("Payment complete");
});

test("Enter on a method pays, too", async ({ page, till }) => {
  await open(page, await till.link());
  await seeReady(page);
  await tabTo(page, "method-card");
  await page.keyboard.press("Enter");
  await seeProvider(page);
});

test("continuing and choosing anew work with the keyboard", async ({ page, till }) => {
  await open(page, await till.link());
  await page.locator("#pay").press("Enter");
  await seeProvider(page);
  await goBack(page);
  await seePhase(page, "resume");
  await seeReady(page);
  await tabTo(page, "resume");
  expect(await focusIsVisible(page)).toBe(true);
  await tabTo(page, "cancel");
  expect(await focusIsVisible(page)).toBe(true);
  await page.keyboard.press("Enter");
  await seePhase(page, "choose");
  // The button is gone. The focus moves to the title and is not lost.
  expect(await focused(page)).toBe("title");
});

test("hydration steals neither the focus nor the choice", async ({ page, till }) => {
  const hydrate = await holdHydration(page);
  await open(page, await till.link({ currency: "USD" }));
  await expect(page.locator("html")).not.toHaveAttribute("data-ready", "true");
  await tabTo(page, "method-card");
  await page.keyboard.press("ArrowDown");
  await expect(page.getByRole("radio", { name: "Bank debit" })).toBeChecked();
  expect(await focused(page)).toBe("method-bank_debit");
  hydrate();
  await seeReady(page);
  await expect(page.getByRole("radio", { name: "Bank debit" })).toBeChecked();
  expect(await focused(page)).toBe("method-bank_debit");
  // The form sends the chosen method.
  await page.keyboard.press("Enter");
  await expect(page.getByLabel("Routing number")).toBeVisible();
});

test("news leave the focus and the choice where they are", async ({ page, newShopper, till }) => {
  const link = await till.session({ currency: "USD", ttl: 240 });
  await open(page, link);
  await seeReady(page);
  await page.getByRole("radio", { name: "Bank debit" }).check();
  await tabTo(page, "pay");
  // Another person asks for more time, so the region with the methods is rendered again here as well.
  const other = await (await newShopper()).newPage();
  await open(other, link);
  await other.getByRole("button", { name: "I need more time" }).click();
  await expect(page.locator("main")).toContainText("You have more time now.");
  expect(await focused(page)).toBe("pay");
  await expect(page.getByRole("radio", { name: "Bank debit" })).toBeChecked();
});

test("when the focused button goes, the focus goes to what has become of it", async ({ page, context, till }) => {
  const link = await till.session();
  await open(page, link);
  await seeReady(page);
  await tabTo(page, "pay");
  const other = await context.newPage();
  await open(other, link);
  await pressPay(other);
  await seePhase(page, "resume");
  expect(await focused(page)).toBe("title");
});

test("Pay works before the WebAssembly is there", async ({ page, till }) => {
  const hydrate = await holdHydration(page);
  await open(page, await till.link());
  await page.locator("#pay").press("Enter");
  await seeProvider(page);
  hydrate();
});
