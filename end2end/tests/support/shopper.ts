// The shopper's actions and views.
import { expect, type Page, type Response } from "@playwright/test";

export const CARDS = {
  pays: "4242 4242 4242 4242",
  declined: "4000 0000 0000 0002",
  poor: "4000 0000 0000 9995",
  secure: "4000 0027 6000 3184",
};

export type PhaseName =
  | "choose"
  | "resume"
  | "opening"
  | "closing"
  | "confirming"
  | "authenticate"
  | "processing"
  | "unknown"
  | "declined"
  | "authorised"
  | "partly_collected"
  | "partly_refunded"
  | "paid"
  | "paid_late"
  | "released"
  | "expired";

/** Waits until Till's page shows this phase. */
export async function seePhase(page: Page, phase: PhaseName, timeout?: number): Promise<void> {
  await expect(page.locator("main#panel")).toHaveAttribute("data-phase", phase, { timeout });
}

/** Waits until the live island works. */
export async function seeReady(page: Page): Promise<void> {
  await expect(page.locator("html")).toHaveAttribute("data-ready", "true");
}

export function heading(page: Page) {
  return page.getByRole("heading", { level: 1 });
}

/** Opens a link and waits for the choice. */
export async function open(page: Page, link: string): Promise<void> {
  await page.goto(link);
  await seePhase(page, "choose");
}

/** Waits for the provider's payment form. */
export async function seeProvider(page: Page): Promise<void> {
  await expect(page).toHaveURL(/\/c\/pay\/cs_/);
  await expect(page.getByLabel("Card number")).toBeVisible();
}

/** Presses Pay on Till's page and waits for the provider's page. */
export async function pressPay(page: Page): Promise<void> {
  await page.locator("#pay").click();
  await seeProvider(page);
}

export async function fillCard(page: Page, number: string): Promise<void> {
  await page.getByLabel("Card number").fill(number);
  await page.getByLabel("Expiry").fill("12 / 34");
  await page.getByLabel("CVC").fill("123");
}

/** Fills in a card at the provider and submits it. */
export async function submitCard(page: Page, number: string): Promise<void> {
  await fillCard(page, number);
  await page.getByRole("button", { name: /^Pay / }).click();
}

/** Pays at the provider and returns the response of Till's return page. */
export async function payAndReturn(page: Page, number = CARDS.pays): Promise<Response> {
  const returned = page.waitForResponse((response) => new URL(response.url()).pathname.endsWith("/return"));
  await submitCard(page, number);
  return await returned;
}

/** Leaves the provider's page by the link on it. */
export async function goBack(page: Page): Promise<void> {
  await page.getByRole("link", { name: /^Back to / }).click();
  await expect(page.locator("main#panel")).toBeVisible();
}

/** The address of the session's page, from any of its pages. */
export function sessionUrl(page: Page): string {
  const found = /^(https?:\/\/[^/]+\/c\/[0-9a-z]{26})/.exec(page.url());
  if (!found) throw new Error(`no session at ${page.url()}`);
  return found[1]!;
}

/** The phase that the server itself renders, without a browser. */
export async function phaseOnServer(url: string): Promise<string | undefined> {
  const html = await (await fetch(url)).text();
  return /<main[^>]* data-phase="([a-z_]+)"/.exec(html)?.[1];
}

/** Puts a mark on the page that a reload would remove. The returned check fails if the mark is gone. */
export async function markPage(page: Page): Promise<() => Promise<void>> {
  let navigations = 0;
  page.on("framenavigated", () => (navigations += 1));
  await page.evaluate(() => Object.assign(window, { untouched: true }));
  return async () => {
    expect(await page.evaluate(() => "untouched" in window), "the page was loaded again").toBe(true);
    expect(navigations, "the page was left or loaded again").toBe(0);
  };
}
