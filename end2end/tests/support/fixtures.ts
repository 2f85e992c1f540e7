// Every test has a Till, a sandbox and a database of its own. Starting one takes a fifth of a second, and a switch that one test sets
// cannot reach another test.
import { type BrowserContext, type BrowserContextOptions, expect, test as base } from "@playwright/test";

import { Till } from "./till.ts";
import { Watch } from "./watch.ts";

interface Fixtures {
  /** Set by tests that restart Till. */
  keepPorts: boolean;
  till: Till;
  /** Watches for the errors that pages must never cause; checked after each test. */
  watch: Watch;
  /** Opens another browser context: another device, person or setting. */
  newShopper: (options?: BrowserContextOptions) => Promise<BrowserContext>;
}

export const test = base.extend<Fixtures>({
  keepPorts: [false, { option: true }],
  till: async ({ keepPorts }, use, info) => {
    const till = await Till.start({ keepPorts });
    await use(till);
    if (info.status !== info.expectedStatus) {
      await info.attach("till.log", { body: till.log, contentType: "text/plain" });
    }
    const leaks = till.leaks();
    await till.dispose();
    expect(leaks, "what the log must never hold").toEqual([]);
  },
  watch: [
    async ({ context, till }, use) => {
      const watch = new Watch(context, till.ready.public_url);
      await use(watch);
      expect(watch.problems, "what pages must never do").toEqual([]);
    },
    { auto: true },
  ],
  newShopper: async ({ browser, till, contextOptions, locale }, use) => {
    const made: { context: BrowserContext; watch: Watch }[] = [];
    await use(async (options = {}) => {
      const context = await browser.newContext({ ...contextOptions, locale, ...options });
      made.push({ context, watch: new Watch(context, till.ready.public_url) });
      return context;
    });
    const problems = made.flatMap(({ watch }) => watch.problems);
    await Promise.all(made.map(({ context }) => context.close()));
    expect(problems, "what pages must never do").toEqual([]);
  },
});

export { expect };
