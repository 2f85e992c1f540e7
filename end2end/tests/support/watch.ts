// Watches every page of a browser: no request may go to another origin, and no error may occur.
import type { BrowserContext } from "@playwright/test";

export class Watch {
  readonly problems: string[] = [];
  private readonly allowed: RegExp[] = [];

  constructor(
    context: BrowserContext,
    private readonly origin: string,
  ) {
    context.on("console", (message) => {
      const ours = message.location().url.startsWith(origin) || message.page()?.url().startsWith(origin);
      if (ours && message.type() === "error") this.note(`console: ${message.text()} (${message.location().url})`);
    });
    context.on("weberror", (error) => this.note(`uncaught: ${error.error().message}`));
    context.on("request", (request) => {
      // Going to the provider is the shopper's own step. A page's own requests must not leave the origin.
      if (request.isNavigationRequest()) return;
      const page = request.frame().url();
      const foreign = !request.url().startsWith(`${origin}/`) && !request.url().startsWith("data:");
      if (page.startsWith(origin) && foreign) this.note(`foreign request: ${request.url()}`);
    });
  }

  /** Allows an error in a test that causes it on purpose. */
  allow(problem: RegExp): void {
    this.allowed.push(problem);
  }

  private note(problem: string): void {
    if (!this.allowed.some((allowed) => allowed.test(problem))) this.problems.push(problem);
  }
}
