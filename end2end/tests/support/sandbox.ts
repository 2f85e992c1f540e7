// The simulated provider: its switches, its records, and its API.
import { setTimeout as pause } from "node:timers/promises";

export interface WebhookRules {
  delay_ms?: number;
  hold?: boolean;
  before_redirect?: boolean;
  duplicate?: number;
  drop?: boolean;
  tamper?: boolean;
  stale?: boolean;
  amount_delta?: number;
  unknown_values?: boolean;
  retry_scale?: number;
  reversed?: boolean;
}

export interface Call {
  operation: string;
  idempotency_key: string | null;
  status: number;
  replayed: boolean;
  fault: string | null;
}

export interface Delivery {
  event: string;
  type: string;
  status: "held" | "waiting" | "sending" | "delivered" | "failed" | "dropped";
  tries: { http_status: number | null; error: string | null }[];
}

export interface ProviderEvent {
  id: string;
  type: string;
  created: number;
  livemode: boolean;
  account?: string;
  data: { object: Record<string, unknown> };
}

export type Fault =
  | "timeout_after_accept"
  | "error_500"
  | "error_500_after_accept"
  | "html_502"
  | "rate_limit_429"
  | "slow";

export const CREATE = "checkout.sessions.create";
const FETCH = "checkout.sessions.retrieve";

export class Sandbox {
  constructor(
    readonly url: string,
    readonly key: string,
  ) {}

  private async json<T>(path: string, init: RequestInit = {}): Promise<T> {
    const reply = await fetch(`${this.url}${path}`, init);
    if (!reply.ok) throw new Error(`${path}: ${reply.status} ${await reply.text()}`);
    return (await reply.json()) as T;
  }

  private async post<T>(path: string, body: unknown): Promise<T> {
    return await this.json<T>(path, { method: "POST", body: JSON.stringify(body) });
  }

  async webhooks(rules: WebhookRules): Promise<void> {
    await this.post("/_control/webhooks", rules);
  }

  /**
   * Keeps webhooks back. Till would ask the provider after ten seconds, so its requests fail as well: otherwise a slow machine could see
   * the page paid too early.
   */
  async hold(): Promise<void> {
    await this.webhooks({ hold: true });
    await this.deaf();
  }

  /** Releases the held webhooks. */
  async release(options: { reversed?: boolean } = {}): Promise<void> {
    await this.webhooks({ hold: false, ...options });
  }

  /** Makes every request about a session fail, so that only webhooks can bring news. */
  async deaf(): Promise<void> {
    await this.fault("error_500", { operation: FETCH, count: 1_000 });
  }

  async fault(fault: Fault, options: { operation?: string; count?: number; delay_ms?: number } = {}): Promise<void> {
    await this.post("/_control/faults", { operation: CREATE, fault, ...options });
  }

  /** The number of faults that no request has met yet. */
  async waitingFaults(): Promise<number> {
    return (await this.json<{ faults: unknown[] }>("/_control/faults")).faults.length;
  }

  async reset(): Promise<void> {
    await this.post("/_control/reset", {});
  }

  async resend(event: string): Promise<void> {
    await this.post(`/_control/events/${event}/resend`, {});
  }

  async calls(operation: string): Promise<Call[]> {
    const { calls } = await this.json<{ calls: Call[] }>(`/_control/calls?operation=${operation}`);
    return calls;
  }

  async creates(): Promise<Call[]> {
    return await this.calls(CREATE);
  }

  async stats(): Promise<Record<string, number>> {
    return await this.json("/_control/stats");
  }

  async deliveries(): Promise<Delivery[]> {
    const { deliveries } = await this.json<{ deliveries: Delivery[] }>("/_control/deliveries");
    return deliveries;
  }

  /**
   * Waits for the provider's next second. Its events are dated in whole seconds, so two events in one second have no order, and robots are
   * quicker than shoppers.
   */
  async nextSecond(): Promise<void> {
    const now = Date.now();
    await pause(1_000 - (now % 1_000) + 1);
  }

  /** Events in the form of the provider's API, newest first. */
  async events(type: string): Promise<ProviderEvent[]> {
    const headers = { authorization: `Bearer ${this.key}` };
    const list = await this.json<{ data: ProviderEvent[] }>(`/v1/events?type=${type}`, { headers });
    return list.data;
  }
}
